package stages_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/specs"
	"github.com/cyborg-run/cyborg-run/stages"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// verdict is what schema and loader say of one file.
type verdict int

const (
	accepted verdict = iota // by both
	refused                 // by both
	beyond                  // by the loader alone, for a reason that is in the table
	unread                  // YAML that only the loader reads
	disagree
)

// beyondSchema is what the loader refuses and no schema can, by code and, where a code has other uses, by message.
var beyondSchema = []struct{ code, message, why string }{
	{spec.Syntax, "", "the editor's YAML parser says it"},
	{spec.NotASpec, "", "an empty file, a second document, bytes that are no text: the YAML parser's"},
	{spec.DuplicateKey, "", "the YAML parser's; and key beside key! are two keys to a schema"},
	{spec.BadYAML, "", "tags, aliases and keys as YAML has them are gone before a schema looks"},
	{spec.TooLarge, "", "counts of values and levels over a whole file"},
	{spec.Unreadable, "", "other files"},
	{spec.ExtendsCycle, "", "other files"},
	{spec.UnknownProfile, "", "a name that refers to another key"},
	{spec.BadAppend, "", "what is below in another layer; that key+ holds a list is in the schema"},
	{spec.BadParam, "", "a profile's parameter refers to a declared one and has its type"},
	{spec.Missing, "the parameter .* has no default", "--set gives it"},
	{spec.Missing, "at least one term is needed", "a loss without terms is what Build finds, behind the types"},
	{spec.Missing, "a spec that trains needs a model", "follows from what stages use, which may be an expression"},
	{spec.OutOfRange, "no whole number of at most 64 bits|is no number", "JSON has no such numbers"},
	{spec.BadMatrix, "twice|more than|advance|not on the axis|leaves none|there is none for|comes from the stage|several nodes", "compares values with one another"},
	{spec.UnknownDataset, "", "a name that refers to another key"},
	{spec.UnusedDataset, "", "a name that nothing refers to"},
	{spec.UnknownLoss, "", "a name that refers to another key"},
	{spec.UnknownArch, "", "an axis or a stage's own arch is any text to its type; model.arch is in the schema"},
	{spec.BadName, "begin with data. or generate.", "names of nodes that the graph makes"},
	{spec.BadName, "is neither letter nor digit", "which characters are letters, beyond ASCII: see fileNames"},
	{spec.BadName, "bytes in UTF-8", "a schema counts characters"},
	{spec.NotAllowed, "model.init: ", "addresses, digests and published names"},
	{spec.Missing, "model.init: ", "of several keys one is given, and not empty"},
	{spec.NotAllowed, "^losses[.]", "keys of terms that belong together, the words and the length of a weight"},
	{spec.NotAllowed, "^saliency[:.]", "of several keys one is given, with those that it needs; the kind of another stage"},
	{spec.BadMatrix, "maps come from one", "counts the nodes of another stage"},
	{spec.NotAllowed, "^labels: ", "a map of texts to a schema"},
	{spec.NotAllowed, "^reproduce[.]", "keys that belong together, bounds of a map of numbers, names of metrics"},
	{spec.NotAllowed, "arch: ", "of several keys one is given, and not empty"},
	{spec.Missing, "the data set .* needs csv", "of several keys one is given, and not empty"},
	{spec.NotAllowed, "the data set ", "of several keys one is given, and not empty; columns of patterns"},
	{spec.OutOfRange, "the data set ", "the number of generated images is even"},
	{spec.NotAllowed, "there is no metric", "the names of the metrics are the stage's own"},
	{spec.OutOfRange, "tap|grid|CAM|input|pixels", "follows from the layers of a network"},
	{spec.UnknownStage, "", "a name that refers to another key"},
	{spec.StageCycle, "", "names that refer to one another"},
	{spec.UnknownAxis, "", "a name that refers to another key"},
	{spec.MissingInput, "", "what another stage makes"},
	{spec.MissingFile, "", "other files"},
	{spec.BadRow, "", "other files"},
	{spec.BadList, "", "other files"},
	{spec.MissingImage, "", "other files"},
	{spec.BadExpression, "", "the language of expressions"},
	{spec.UnknownName, "", "the language of expressions"},
	{spec.ParamCycle, "", "the language of expressions"},
	{spec.ExpressionLimit, "", "the language of expressions"},
	{spec.ExpressionFails, "", "the language of expressions"},
}

func sayable(d diag.Diagnostic) bool {
	return !slices.ContainsFunc(beyondSchema, func(row struct{ code, message, why string }) bool {
		return row.code == d.Code && regexp.MustCompile(row.message).MatchString(d.Message)
	})
}

type judge struct{ schema *jsonschema.Schema }

func newJudge(t *testing.T) judge {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(specs.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("spec.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("spec.json") // held against the draft's own schema
	if err != nil {
		t.Fatal(err)
	}
	return judge{schema}
}

// judge lets both look at a file.
func (j judge) judge(file, text string) (verdict, string) {
	instance, err := plain(text)
	mistakes, resolved := load(file, text)
	if err != nil {
		if len(mistakes) == 0 && !strings.Contains(text, "${") {
			return disagree, fmt.Sprintf("the loader reads what is no YAML: %v", err)
		}
		return unread, ""
	}
	complaint := j.schema.Validate(instance)
	switch {
	case complaint != nil && len(mistakes) > 0:
		return refused, ""
	case complaint != nil:
		return disagree, fmt.Sprintf("the schema alone refuses: %v", complaint)
	case len(mistakes) == 0:
		return accepted, ""
	}
	for _, m := range mistakes {
		if !sayable(m.Diagnostic) || m.Code == spec.Missing && !whole(instance) {
			continue
		}
		if strings.Contains(text, "${") || strings.Contains(text, "extends") || strings.Contains(text, "profile") {
			// What an expression gives, or another layer, is in the resolved document: that must be refused then.
			if again, err := plain(resolved[m.profile]); err == nil && j.schema.Validate(again) != nil {
				continue
			}
		}
		return disagree, fmt.Sprintf("the loader alone refuses: %v", m)
	}
	return beyond, ""
}

// whole tells whether the schema takes a file for a whole spec.
func whole(instance any) bool {
	m, _ := instance.(map[string]any)
	has := func(key string) bool { _, ok := m[key]; return ok }
	return has("name") && has("stages") && !has("extends") && !has("profiles")
}

type mistake struct {
	diag.Diagnostic
	profile string
}

// load is what the loader says of a file: as it stands, and with each of its profiles, of which it looks at one only.
func load(file, text string) (all []mistake, resolved map[string]string) {
	resolved = map[string]string{}
	profiles := []string{""}
	for i := 0; i < len(profiles); i++ {
		doc, diags := spec.Load(file, spec.Options{Profile: profiles[i], Sections: stages.Sections(),
			Env: func(string) (string, bool) { return "", false },
			ReadFile: func(path string) ([]byte, error) {
				if path == file {
					return []byte(text), nil
				}
				return os.ReadFile(path)
			}})
		if doc != nil {
			if i == 0 {
				profiles = append(profiles, doc.ProfileNames...)
			}
			resolved[profiles[i]] = string(doc.YAML())
			_, err := experiment.Build(doc, stages.Kinds(), experiment.Options{NoFiles: true}, diags)
			if err != nil && diags.Len() == 0 {
				panic(err)
			}
		}
		for _, d := range diags.All() {
			if d.Pos.File == file {
				all = append(all, mistake{d, profiles[i]})
			}
		}
	}
	return all, resolved
}

// plain is a file as an editor's parser gives it to a schema.
func plain(text string) (any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return (&reader{}).value(doc.Content[0], 0)
}

// reader counts values: aliases may stand for very many.
type reader struct{ count int }

func (r *reader) value(n *yaml.Node, depth int) (any, error) {
	if r.count++; r.count > 200_000 || depth > 200 {
		return nil, fmt.Errorf("too large")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return r.value(n.Alias, depth+1)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			var err error
			if list[i], err = r.value(item, depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.ShortTag() == "!!merge" {
				continue
			}
			item, err := r.value(n.Content[i+1], depth+1)
			if _, twice := out[key.Value]; err != nil || twice {
				return nil, fmt.Errorf("line %d: %q twice, or %v", key.Line, key.Value, err)
			}
			out[key.Value] = item
		}
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].ShortTag() != "!!merge" {
				continue
			}
			from, err := r.value(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			list, ok := from.([]any)
			if !ok {
				list = []any{from}
			}
			for _, one := range list {
				below, _ := one.(map[string]any)
				for key, item := range below {
					if _, ok := out[key]; !ok {
						out[key] = item
					}
				}
			}
		}
		return out, nil
	}
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return nil, nil
	case "!!bool", "!!int":
		var v any
		err := n.Decode(&v)
		return v, err
	case "!!float":
		var f float64
		if err := n.Decode(&f); err != nil {
			return nil, err
		}
		if f != f || f > 1e308 || f < -1e308 {
			return n.Value, nil // .nan and .inf: JSON has none
		}
		return f, nil
	}
	return n.Value, nil
}
