package summary

import (
	names "github.com/cyborg-run/cyborg-run/internal/naming"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// setAxis is the matrix axis that says which data set a node of evaluate scored.
const setAxis = names.SetAxis

// model is one setting at one repeat.
type model struct{ setting, repeat string }

// naming turns a node's axes into its setting and repeat.
type naming struct {
	names.Names
	compare, repeat, baseline string
	axes                      []string // all that occur, in the spec's order
}

func newNaming(p Params, inputs map[string][]task.Input) naming {
	n := names.New(p.Compare, p.Repeat, p.Baseline, inputs[Scores], inputs[Histories], inputs[CAMs])
	return naming{Names: n, compare: p.Compare, repeat: p.Repeat, baseline: p.Baseline, axes: n.Axes}
}

func (n naming) setting(axes map[string]string) string { return n.Setting(axes) }

func (n naming) baselineOf(axes map[string]string) string { return n.BaselineOf(axes) }

// parts are what a row of a table is called: the further axes, then the compared one.
func (n naming) parts(axes map[string]string) (parts []string) {
	for _, axis := range append(n.Further(), n.compare) {
		parts = append(parts, axes[axis])
	}
	return parts
}

func (n naming) model(axes map[string]string) model { return model{n.setting(axes), axes[n.repeat]} }
