package lock

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// evaluate is the kind of stage whose nodes leave metrics.json.
const evaluate = "evaluate"

// About is what a run's lock says of the run as a whole.
type About struct {
	Name        string            // NAME or NAME@PROFILE
	Dir         string            // where the lock lies: its sources are relative to it
	Set         []string          // --set
	Environment map[string]string // of this machine and these programs
	Reproduce   Reproduce
}

// Collect makes the lock of what is done of a plan.
func Collect(doc *spec.Document, plan *graph.Plan, st *store.Store, about About) (*Lock, error) {
	settings := SettingsOf(doc)
	l := &Lock{Version: Version, Name: about.Name, Settings: settings, Environment: maps.Clone(about.Environment), Reproduce: about.Reproduce,
		Spec: Spec{Digest: settings.Digest(), Profile: doc.Profile, Set: about.Set}, Data: []Data{}}
	for _, source := range doc.Sources {
		digest, err := store.DigestFile(source)
		if err != nil {
			return nil, fmt.Errorf("lock: %w", err)
		}
		l.Spec.Sources = append(l.Spec.Sources, File{relative(about.Dir, source), string(digest)})
	}
	for _, s := range plan.Steps {
		if err := l.addData(s.Node, st); err != nil {
			return nil, fmt.Errorf("lock %s: %w", s.Node.Name, err)
		}
		l.addAxes(s.Node)
		if s.State != graph.Done {
			continue
		}
		if err := l.addNode(s); err != nil {
			return nil, fmt.Errorf("lock %s: %w", s.Node.Name, err)
		}
	}
	l.Share()
	return l, nil
}

// relative is a path from a folder, with slashes; where there is no way, as it is.
func relative(dir, path string) string {
	from, err := filepath.Abs(dir)
	if err != nil {
		return filepath.ToSlash(path)
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	if below, err := filepath.Rel(from, to); err == nil {
		return filepath.ToSlash(below)
	}
	return filepath.ToSlash(path)
}

// addData adds the user's files of a node, under the name of its stage where all of a stage's nodes read the same.
func (l *Lock) addData(n *graph.Node, st *store.Store) error {
	if len(n.Files) == 0 {
		return nil
	}
	files, err := st.Files(n.Files)
	if err != nil {
		return err
	}
	digests := make([]string, len(files))
	for i, f := range files {
		digests[i] = string(f.Digest)
	}
	d := Data{Name: stage(n.Name), Files: len(files), Digest: CombineData(digests)}
	at := slices.IndexFunc(l.Data, func(have Data) bool { return have.Name == d.Name })
	switch {
	case at >= 0 && l.Data[at].Digest == d.Digest:
		return nil
	case at >= 0:
		d.Name = n.Name
	}
	l.Data = append(l.Data, d)
	return nil
}

func (l *Lock) addAxes(n *graph.Node) {
	for _, a := range n.Axes {
		at := slices.IndexFunc(l.Axes, func(have Axis) bool { return have.Name == a.Name })
		if at < 0 {
			at = len(l.Axes)
			l.Axes = append(l.Axes, Axis{Name: a.Name})
		}
		if !slices.Contains(l.Axes[at].Values, a.Value) {
			l.Axes[at].Values = append(l.Axes[at].Values, a.Value)
		}
	}
}

// outputs are the digests of an artifact's outputs by name: of a file its bytes', of a folder one for all files in it.
func outputs(a *store.Artifact) map[string]string {
	digests := map[string]string{}
	for _, o := range a.Outputs {
		name, _, _ := strings.Cut(o.Name, "/")
		if _, have := digests[name]; !have {
			digests[name] = string(a.Digest(name))
		}
	}
	return digests
}

func (l *Lock) addNode(s *graph.Step) error {
	n := s.Node
	made := Node{Name: n.Name, Stage: n.Stage.Kind + " " + strconv.Itoa(n.Stage.Revision), Key: string(s.Key),
		Seconds: math.Round(s.Artifact.Seconds*1000) / 1000, Environment: maps.Clone(s.Artifact.Environment), Outputs: outputs(s.Artifact), Tensors: n.Stage.Tensors}
	if device, _, numbered := strings.Cut(made.Environment["device"], ":"); numbered {
		made.Environment["device"] = device // the class: which of several equal cards it was changes nothing
	}
	delete(made.Environment, "threads")    // stands beside it
	delete(made.Environment, "cyborg-run") // the stage's revision says what matters of it
	if n.Stage.Tensors {
		made.Threads = n.CPUs
	}
	for _, e := range n.Needs {
		if !slices.Contains(made.Needs, e.From.Name) {
			made.Needs = append(made.Needs, e.From.Name)
		}
	}
	l.Nodes = append(l.Nodes, made)
	if n.Stage.Kind != evaluate {
		return nil
	}
	var report metrics.Report
	raw, err := os.ReadFile(s.Artifact.Path("metrics.json"))
	if err == nil {
		err = json.Unmarshal(raw, &report)
	}
	if err != nil {
		return err
	}
	e := Evaluation{Node: n.Name, Axes: n.AxisMap(), Values: report.Metrics}
	e.Set = e.Axes["set"]
	if e.Set == "" {
		e.Set = report.Set
	}
	if e.Set == "" { // as in metrics.csv
		e.Set = stage(n.Name)
	}
	delete(e.Axes, "set")
	l.Metrics = append(l.Metrics, e)
	return nil
}
