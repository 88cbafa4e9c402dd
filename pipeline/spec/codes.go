package spec

//go:generate go test -run TestErrorsPageIsCurrent -update .

// Codes of diagnostics: E1xx reading and types, E2xx stages and what they refer to, E3xx expressions, E4xx lists and images.
const (
	Unreadable      = "E100"
	Syntax          = "E101"
	NotASpec        = "E102"
	UnknownKey      = "E103"
	WrongType       = "E104"
	DuplicateKey    = "E105"
	BadYAML         = "E106"
	Missing         = "E107"
	OutOfRange      = "E108"
	NotAllowed      = "E109"
	ExtendsCycle    = "E110"
	UnknownProfile  = "E111"
	BadSet          = "E112"
	BadName         = "E113"
	BadAppend       = "E114"
	BadParam        = "E115"
	TooLarge        = "E116"
	BadVersion      = "E117"
	BadMatrix       = "E201"
	UnknownKind     = "E202"
	UnknownDataset  = "E203"
	UnusedDataset   = "E204"
	UnknownLoss     = "E205"
	UnknownArch     = "E206"
	UnknownStage    = "E207"
	StageCycle      = "E208"
	UnknownAxis     = "E209"
	MissingFile     = "E210"
	MissingInput    = "E211"
	BadExpression   = "E301"
	UnknownName     = "E302"
	ParamCycle      = "E303"
	ExpressionLimit = "E304"
	ExpressionFails = "E305"
	BadRow          = "E401"
	BadList         = "E402"
	MissingImage    = "E403"
)

// Explanation is the page of one code.
type Explanation struct{ Code, Title, Text string }

// Explanations lists every code; docs/errors.md is generated from it.
func Explanations() []Explanation { return explanations }

var explanations = []Explanation{
	{Unreadable, "a file cannot be read", "The spec, or a file that it extends, is not there, is a folder, or may not be read. The message names who asked for it."},
	{Syntax, "not valid YAML", "The file is not YAML. The place is where reading stopped, which may be a line below the cause: look for a missing quote, bracket or colon, a tab, or a line that is indented by another number of spaces than its neighbours."},
	{NotASpec, "not a spec", "The file is empty, is no text, holds several documents, or is a list or a single value where a map of keys is needed."},
	{UnknownKey, "unknown key", "There is no such key here. The message suggests a similar one, or lists those that there are."},
	{WrongType, "wrong type", "The value is of another type than the key needs: text where a number is needed, a list where a map is needed."},
	{DuplicateKey, "the same key twice", "A map holds the same key twice, of which one would be lost."},
	{BadYAML, "YAML that a spec does not use", "A custom tag, a key that is a list or a map, an alias of something that contains it, or an anchor that is not there."},
	{Missing, "something is missing", "A key that must be given is not there, or a parameter has no value."},
	{OutOfRange, "out of range", "A number is too small or too large, or a list too short, for what it is used for."},
	{NotAllowed, "not one of the choices", "The value is none of those that the key knows. The message suggests a similar one, or lists them."},
	{ExtendsCycle, "extends in a circle", "A file extends, directly or by others, itself. The message shows the chain."},
	{UnknownProfile, "unknown profile", "The profile that `profile` or --profile names is not declared under `profiles`."},
	{BadSet, "--set cannot be applied", "The argument is not key=value, or the path leads to nothing in the spec."},
	{BadName, "bad name", "Names of specs, stages, axes and matrix values become parts of file names: letters, digits, and - _ . + only, at most 100 of them and 200 bytes in UTF-8."},
	{BadAppend, "nothing to append to", "`key+:` appends a list to a list; one of the two is none."},
	{BadParam, "bad parameter", "A parameter is a bare default value, or a map of `default` and `help`; a profile and --set may only set declared ones, to a value of the default's type."},
	{TooLarge, "too large", "A file over 4 MiB, values nested deeper than 100 levels, more than 100,000 values, aliases counted each time, more than 1,000 parameters, or more than 100 profiles: a spec is never that large, a mistake or an attack is."},
	{BadVersion, "unknown version of the format", "`version: 1` says which format a spec is written in; this cyborg-run reads version 1."},
	{BadMatrix, "bad matrix", "A matrix axis is a list of values, or a whole number n for 1 to n; each value stands in it once (1 and 1.0 are one), and all axes together make at most 1,000,000 nodes. `zip` names axes of one length, each once; `exclude` lists combinations of values that are on their axes, and leaves at least one node; `include` gives a value on each axis."},
	{UnknownKind, "unknown kind of stage", "`uses` names no kind of stage that this cyborg-run knows."},
	{UnknownDataset, "unknown data set", "A stage, a matrix value or another data set names one that is not under `datasets`."},
	{UnusedDataset, "unused data set", "No stage uses a data set of the spec: most often its name is misspelt elsewhere."},
	{UnknownLoss, "unknown loss", "A stage or a matrix value names a loss that is not under `losses`."},
	{UnknownArch, "unknown architecture", "`model.arch` names no network that this cyborg-run knows."},
	{UnknownStage, "unknown stage", "`needs` names a stage that is not in the spec."},
	{StageCycle, "stages need each other in a circle", "A stage needs, directly or by others, itself. The message shows the circle."},
	{UnknownAxis, "unknown axis", "A matrix has an axis that its kind of stage does not know, or `zip`, `exclude` or `include` names one that is not in the matrix."},
	{MissingFile, "a file of the user's is missing", "A data set's CSV or folder, drawings, or weights, are not where the spec says, or may not be looked at. --no-files skips the check."},
	{MissingInput, "a stage lacks an input", "No stage that it needs makes what a stage takes in, or several do where one is taken."},
	{BadExpression, "bad expression", "An expression, in ${...}, `where` or `assert`, cannot be understood. The place points into it. `$${` writes ${ as it is."},
	{UnknownName, "unknown name in an expression", "An expression uses a parameter, column, metric or function that does not exist."},
	{ParamCycle, "parameters in a circle", "The default of a parameter uses, directly or by others, itself. The message shows the circle."},
	{ExpressionLimit, "an expression is too large", "Expressions are bounded in length, in steps and in what they may make, each by itself and all of a spec together, so that a spec always loads. Steps are counted and not timed: what loads once loads always."},
	{ExpressionFails, "an expression fails", "An expression is well formed but cannot be evaluated with these values: an index out of range, a list inside of text, a number out of text that is none, a whole number of more than 64 bits."},
	{BadRow, "a bad row in a list", "A row of a data set's CSV has another number of fields than its header, a label of no class, no path, or an image that another row has already. The place is in the CSV; `labels` says what further labels mean, and `where` which rows are used."},
	{BadList, "a list cannot be used", "A data set's CSV is no regular file of text in UTF-8, is larger than 1 GiB, has no rows, or `where` keeps none of them."},
	{MissingImage, "an image or a map is missing", "A row of a data set's CSV names an image that is not there, or one without a map that is `required`. The place is in the CSV. --no-files skips the check; `on_bad_image: skip` goes on without such images."},
}
