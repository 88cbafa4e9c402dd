// Package human is the stage that reads what people answered in a study, and says how well they told real from synthetic
// images: with and without annotation, on each generator, and beside the networks on the same images.
//
// The trials are a CSV file with the columns participant, image, answer (Real or Synthetic), annotated (true or false) and,
// where there are, time (seconds), label, generator, check (passed or failed) and pair; `cyborg-run human export` writes one. Labels
// and generators may come from a data set's list instead, labels also from the scores of the networks that the stage needs.
// A row with an image in pair is a choice between two: answer is what the image in the column image was taken for.
//
// Intervals are 95 % percentile intervals of a bootstrap that draws participants and images anew, both at a time, so that
// they hold for other people and other images alike: the pigeonhole bootstrap (Owen, Annals of Applied Statistics 1, 2007),
// whose variance is rather too large than too small. The networks' own seeds are not drawn anew. The same draws serve every
// measure.
//
// Outputs: human.csv with every measure, human.json with the participants and exclusions too, and figures. The measures:
//
//   - accuracy, and accuracy_real and accuracy_synthetic, of all trials.
//   - dprime and criterion of signal detection, Synthetic being the signal: z(H) - z(F) and -(z(H) + z(F)) / 2 with the rates of
//     hits and false alarms over all trials, 0.5 added to counts and 1 to totals (Hautus, 1995). Of pairs, dprime is
//     divided by the square root of 2 and the signal is a synthetic image on the left (Macmillan and Creelman, 2005).
//   - time, the geometric mean of the seconds to the answer; and as the difference of conditions, the ratio of the two.
//   - people and model, the accuracy of both on the trials whose images the model scored, people - model, and agreement, the
//     share of those trials in which both say the same. Each is averaged over the repeats of a setting.
package human

import (
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Params are what a spec says of a human study's evaluation.
type Params struct {
	// Trials is the CSV file of the trials.
	Trials string `yaml:"trials" json:"-" required:"true"`
	// Set is a data set whose list gives the labels and generators of the images; networks then are compared by their scores
	// of this set alone. Without it the trials and the scores say what there is.
	Set string `yaml:"set" json:"set,omitempty"`
	// Group is the column, of the trials or else of the list, by which images are told apart.
	Group string `yaml:"group" json:"group" default:"generator"`
	// Labels says what other words for answers and labels mean than Real and Synthetic: {fake: Synthetic}.
	Labels map[string]string `yaml:"labels" json:"labels,omitempty"`
	// Exclude says which participants and trials do not count. Without it all do.
	Exclude Exclude `yaml:"exclude" json:"exclude"`
	// Threshold is the score from which a network says Synthetic.
	Threshold float64 `yaml:"threshold" json:"threshold" default:"0.5" min:"0" max:"1"`
	// Compare is the matrix axis that names the networks' settings.
	Compare string `yaml:"compare" json:"compare" default:"loss"`
	// Repeat is the matrix axis over which networks of one setting are averaged.
	Repeat string `yaml:"repeat" json:"repeat" default:"seed"`
	// Resamples is how often participants and images are drawn anew for the intervals.
	Resamples int `yaml:"resamples" json:"resamples" default:"2000" min:"100" max:"100000"`
	// Seed decides the draws.
	Seed uint64 `yaml:"seed" json:"seed" default:"1"`
	// Simulated says that a program gave the answers and no person, and the report says so too.
	Simulated bool `yaml:"simulated" json:"simulated,omitempty"`
}

// Exclude are rules that leave out participants and trials, applied in this order. 0 switches a rule off.
type Exclude struct {
	// Participants are left out by their names.
	Participants []string `yaml:"participants" json:"participants,omitempty"`
	// FailedChecks leaves out who failed so many attention checks.
	FailedChecks int `yaml:"failed_checks" json:"failed_checks,omitempty" default:"0" min:"0" max:"1000000"`
	// FasterThan leaves out trials that took less than so many seconds.
	FasterThan float64 `yaml:"faster_than" json:"faster_than,omitempty" default:"0" min:"0" max:"1000000"`
	// SlowerThan leaves out trials that took more than so many seconds.
	SlowerThan float64 `yaml:"slower_than" json:"slower_than,omitempty" default:"0" min:"0" max:"1000000"`
	// MinTrials leaves out who has fewer trials left.
	MinTrials int `yaml:"min_trials" json:"min_trials,omitempty" default:"0" min:"0" max:"1000000"`
}

// Job is the stage as the worker gets it.
type Job struct {
	Params
	Path  string            `json:"path"`            // of the trials
	Lists []experiment.List `json:"lists,omitempty"` // of Set
	Notes []string          `json:"notes,omitempty"`
}

// Scores is the port of the networks' scores, any number of them.
const Scores = "scores"

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     "human",
	Revision: 1, // raise it when the same trials give other numbers
	Program:  pipeline.Runner,
	Named:    true,
	Outputs:  []string{"human.csv", "human.json"},
	Publish: []pipeline.Publication{
		{Output: "human.csv", To: "human/{node}/human.csv"},
		{Output: "human.json", To: "human/{node}/human.json"},
		{Output: "figures", To: "human/{node}/figures"},
	},
}

// Kind is how specs use it.
var Kind = experiment.Kind{
	Stage:  Stage,
	Params: func() any { return &Params{} },
	Bind:   bind,
}
