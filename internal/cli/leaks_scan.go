package cli

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/leaks"
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	scan "github.com/cyborg-run/cyborg-run/stages/leaks"
)

// scan reads the files of the lists, and says what of them it read. Each list is a node for the heads of its files and one
// for their pixels, so that the store keeps both until a file changes.
func (f *dataLeaks) scan(c *cobra.Command, doc *spec.Document, lists []*aList, began time.Time) (read string, err error) {
	kinds, read := []*pipeline.Stage{scan.Heads, scan.Pixels}, leaks.Everything
	if f.noPixels {
		kinds, read = kinds[:1], leaks.Heads
	}
	var nodes []*graph.Node
	for _, l := range lists {
		files, err := l.files()
		if err != nil {
			return "", err
		}
		if l.set.Absent != "" {
			continue
		}
		var needs []graph.Edge
		if l.generate != nil {
			nodes = append(nodes, l.generate)
			needs = []graph.Edge{{Port: scan.Source, From: l.generate, Output: "data"}}
		}
		for _, kind := range kinds {
			nodes = append(nodes, &graph.Node{Name: nodeName(kind, l), Stage: kind, Params: l.params, Needs: needs, Files: files,
				CPUs: runtime.NumCPU(), Title: kind.Kind + " of " + l.set.Name})
		}
	}
	g, err := graph.New(nodes)
	if err != nil {
		return "", exit{ExitFailed, err}
	}
	r, err := f.make(c, doc, g, began)
	if err != nil {
		return "", err
	}
	defer r.store.Close()
	for _, l := range lists {
		if l.set.Absent != "" {
			continue
		}
		if err := l.learn(r, kinds); err != nil {
			return "", exit{ExitFailed, fmt.Errorf("the data set %q: %w", l.set.Name, err)}
		}
	}
	return read, nil
}

func nodeName(kind *pipeline.Stage, l *aList) string { return "leaks." + kind.Kind + "." + l.set.Name }

// files are the list and those of its images that are there. A list that is not is noted in the set.
func (l *aList) files() ([]string, error) {
	if l.generate != nil {
		return nil, nil
	}
	_, images, err := l.params.List()
	if err != nil {
		return nil, l.failed(err)
	}
	return append([]string{l.params.CSV}, there(images)...), nil
}

func there(images []string) (files []string) {
	for _, image := range images {
		if info, err := os.Stat(image); err == nil && info.Mode().IsRegular() {
			files = append(files, image)
		}
	}
	return files
}

// learn takes over what the nodes of a list found, and the digests of its files.
func (l *aList) learn(r *oneRun, kinds []*pipeline.Stage) error {
	artifacts := map[string]*store.Artifact{}
	for _, s := range r.plan.Steps {
		artifacts[s.Node.Name] = s.Artifact
	}
	if l.generate != nil {
		l.params = l.params.At(artifacts[l.generate.Name].Path("data"))
	}
	_, images, err := l.params.List()
	if err != nil {
		return err
	}
	l.rows = make([]scan.Row, len(images))
	for _, kind := range kinds {
		rows, err := scan.ReadRows(artifacts[nodeName(kind, l)].Path(scan.Output), len(images))
		if err != nil {
			return err
		}
		for i, row := range rows {
			l.rows[i].Add(row)
		}
	}
	digests, err := r.store.Files(there(images))
	if err != nil {
		return err
	}
	l.digests = make(map[string]string, len(digests))
	for _, d := range digests {
		l.digests[d.Name] = string(d.Digest)
	}
	return nil
}
