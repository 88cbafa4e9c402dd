// Package naming tells the nodes of a matrix apart by what is compared and what is repeated.
//
// Terms: a setting is a value of the compared axis (loss=cyborg); where further axes have several values, they are part of
// the setting's name ("cyborg, alpha=0.5"). A repeat is a value of the axis over which mean and deviation are taken
// (seed=3). The axis "set" says on which data set a node worked and is part of no setting.
package naming

import (
	"slices"
	"sort"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// SetAxis is the matrix axis that says on which data set a node worked.
const SetAxis = "set"

// Names turns a node's axes into its setting and its repeat.
type Names struct {
	Compare, Repeat, Baseline string
	Axes                      []string // all that occur, in the spec's order
	further                   []string // those that are part of a setting's name beside the compared one
}

// New looks at all nodes that are to be told apart, port by port.
func New(compare, repeat, baseline string, ports ...[]task.Input) Names {
	n := Names{Compare: compare, Repeat: repeat, Baseline: baseline}
	values := map[string][]string{}
	for _, inputs := range ports {
		for _, in := range inputs {
			for _, axis := range axesInOrder(in) {
				n.Axes = appendNew(n.Axes, axis)
				values[axis] = appendNew(values[axis], in.Axes[axis])
			}
		}
	}
	for _, axis := range n.Axes {
		if axis != compare && axis != repeat && axis != SetAxis && len(values[axis]) > 1 {
			n.further = append(n.further, axis)
		}
	}
	return n
}

// Further are the axes that are part of a setting's name beside the compared one.
func (n Names) Further() []string { return slices.Clone(n.further) }

// Setting is the name of the node's setting; "model" where nothing is compared.
func (n Names) Setting(axes map[string]string) string { return n.name(axes[n.Compare], axes) }

// BaselineOf is the name of the setting that a node's setting is tested against: the same further axes.
func (n Names) BaselineOf(axes map[string]string) string { return n.name(n.Baseline, axes) }

func (n Names) name(compared string, axes map[string]string) string {
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

func appendNew(list []string, v string) []string {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
