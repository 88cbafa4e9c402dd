package trained

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// First is what came of the checkpoint that a training started from; it stands in run.json.
type First struct {
	From       string   `json:"from,omitempty"`   // its path, or
	SHA256     string   `json:"sha256,omitempty"` // its digest, if it was fetched, or
	Node       string   `json:"node,omitempty"`   // the node that made it
	Taken      int      `json:"taken"`            // tensors
	Excepted   []string `json:"excepted"`         // in the network; they keep the values that the seed gave them
	Missing    []string `json:"missing"`          // of these, not in the file
	Mismatched []string `json:"mismatched"`       // of these, of another shape in the file
	Unused     []string `json:"unused"`           // in the file, not in the network
}

// Begin draws a network's weights from a seed, then reads those of the checkpoint that the spec names or that another node
// made, but for the tensors that the spec leaves out. Those of the patterns in aside are left out without a word: the file and
// the network need not have them in common. first is nil where all weights are random.
func Begin(net *model.Model, t *task.Task, seed uint64, from experiment.Init, aside ...string) (first *First, err error) {
	random := torch.NewGenerator(torch.CPU, seed)
	defer random.Close()
	if err := net.Init(random); err != nil {
		return nil, err
	}
	first = &First{From: from.From, SHA256: from.SHA256}
	var file string
	switch made := t.Inputs[experiment.FirstPort]; {
	case len(made) > 0:
		file, first.Node = made[0].Path, made[0].Node
	case !from.Given():
		return nil, nil
	default:
		if file, err = from.Path(); err != nil {
			return nil, err
		}
	}
	weights, err := checkpoint.Read(file)
	if err != nil {
		return nil, err
	}
	report, err := net.Load(weights.Tensors, model.LoadOptions{Except: slices.Concat(from.Except, aside)})
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w", file, err)
	}
	listed := func(names []string) []string { // an empty list in JSON where there are none
		return slices.DeleteFunc(append([]string{}, names...), func(name string) bool { return matches(aside, name) })
	}
	first.Taken, first.Mismatched = report.Taken, []string{}
	first.Excepted, first.Missing, first.Unused = listed(report.Excepted), listed(report.Missing), listed(report.Unused)
	for _, m := range report.Mismatched {
		first.Mismatched = append(first.Mismatched, m.String())
	}
	t.Emit(task.Event{Type: task.Log, Message: first.String()})
	return first, nil
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok })
}

// String is the line of the log.
func (f *First) String() string {
	where := f.From
	switch {
	case f.Node != "":
		where = f.Node
	case f.SHA256 != "":
		where = "SHA-256 " + f.SHA256
	}
	out := fmt.Sprintf("first weights from %s: %d tensors", where, f.Taken)
	for _, part := range []struct {
		what  string
		names []string
	}{
		{"excepted, which keep random values", f.Excepted}, {"of them missing in the file", f.Missing},
		{"of them of another shape", f.Mismatched}, {"unused", f.Unused},
	} {
		if len(part.names) > 0 {
			out += fmt.Sprintf("; %d %s (%s)", len(part.names), part.what, strings.Join(part.names, ", "))
		}
	}
	return out
}
