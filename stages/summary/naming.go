package summary

import (
	"slices"
	"sort"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// setAxis is the matrix axis that says which data set a node of evaluate scored.
const setAxis = "set"

// model is one setting at one repeat.
type model struct{ setting, repeat string }

// naming turns a node's axes into its setting and repeat.
type naming struct {
	compare, repeat, baseline string
	axes                      []string // all that occur, in the spec's order
	further                   []string // those that are part of a setting's name beside the compared one
}

func newNaming(p Params, inputs map[string][]task.Input) naming {
	n := naming{compare: p.Compare, repeat: p.Repeat, baseline: p.Baseline}
	values := map[string][]string{}
	for _, port := range []string{Scores, Histories, CAMs} {
		for _, in := range inputs[port] {
			for _, axis := range axesInOrder(in) {
				n.axes = appendNew(n.axes, axis)
				values[axis] = appendNew(values[axis], in.Axes[axis])
			}
		}
	}
	for _, axis := range n.axes {
		if axis != p.Compare && axis != p.Repeat && axis != setAxis && len(values[axis]) > 1 {
			n.further = append(n.further, axis)
		}
	}
	return n
}

// setting is the name of the node's setting; "model" where nothing is compared.
func (n naming) setting(axes map[string]string) string { return n.name(axes[n.compare], axes) }

// baselineOf is the name of the setting that a node's setting is tested against: the same further axes.
func (n naming) baselineOf(axes map[string]string) string { return n.name(n.baseline, axes) }

func (n naming) name(compared string, axes map[string]string) string {
	var parts []string
	if compared != "" {
		parts = append(parts, compared)
	}
	for _, axis := range n.further {
		if value, ok := axes[axis]; ok {
			parts = append(parts, axis+"="+value)
		}
	}
	if len(parts) == 0 {
		return "model"
	}
	return strings.Join(parts, ", ")
}

func (n naming) model(axes map[string]string) model { return model{n.setting(axes), axes[n.repeat]} }

// axesInOrder lists a node's axes as its name does: score[loss=cyborg,seed=1]. Axes that the name lacks come last.
func axesInOrder(in task.Input) []string {
	axes := make([]string, 0, len(in.Axes))
	for axis := range in.Axes {
		axes = append(axes, axis)
	}
	slices.Sort(axes)
	place := func(axis string) int {
		for _, before := range []string{"[", ","} {
			if i := strings.Index(in.Node, before+axis+"="); i >= 0 {
				return i
			}
		}
		return len(in.Node)
	}
	sort.SliceStable(axes, func(i, j int) bool { return place(axes[i]) < place(axes[j]) })
	return axes
}
