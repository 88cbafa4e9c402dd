// Package earlier brings results that another program left into a run's tables and figures: the logs and score files of
// the authors' code (CVRL/CYBORG and its relatives), whose trainings need not be done again to stand beside new ones.
//
// Two kinds of stage. train_log reads what a training left, Logs/model_log.json and Logs/params.json, and stands in a
// summary where a training stands; its outputs are history.csv, in the columns that it knows, and run.json, with the
// arguments of that training. scores reads a file of scores and stands where an evaluation stands; its outputs are
// scores.csv and metrics.json.
//
// Such results are as good as the files: nothing here can tell which code, seed or data they come from. A summary of them
// says so.
package earlier

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Under are the matrix values under which earlier results stand. In the path of a file, {arch}, {loss} and {seed} stand for
// them.
type Under struct {
	// Arch is the network that was trained.
	Arch string `yaml:"arch" json:"arch,omitempty"`
	// Loss is what it was trained with, by the name that tables shall show: it need be none of the spec's losses.
	Loss string `yaml:"loss" json:"loss,omitempty"`
	// Seed numbers the run; the authors' code sets none.
	Seed int `yaml:"seed" json:"seed,omitempty" min:"0"`
}

func (u Under) values() map[string]string {
	return map[string]string{"arch": u.Arch, "loss": u.Loss, "seed": strconv.Itoa(u.Seed)}
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// expand puts values into the braces of a pattern, and reports those that stand for nothing.
func expand(b *experiment.Builder, at diag.Pos, pattern string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(pattern, func(braces string) string {
		name := braces[1 : len(braces)-1]
		value, known := values[name]
		if !known {
			b.Diags.Add(at, spec.NotAllowed, "%s: %s stands for nothing; there are: %s", pattern, braces, braced(values))
		}
		return value
	})
}

func braced(values map[string]string) (text string) {
	for _, name := range []string{"arch", "loss", "seed", "set"} {
		if _, known := values[name]; known {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("{%s}", name)
		}
	}
	return text
}
