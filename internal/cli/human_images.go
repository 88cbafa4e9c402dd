package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// humanImages say which images a study shows.
type humanImages struct {
	runFlags
	of, root, where string
	group, pairs    string
}

func (f *humanImages) add(c *cobra.Command) {
	f.progress = "auto"
	f.device = "auto"
	f.specFlags.add(c)
	c.Flags().StringVar(&f.store, "store", ".cyborg", "the folder of the cache, for a spec's generated data")
	c.Flags().StringVar(&f.of, "of", "", "the data set of the spec (default: its only one)")
	c.Flags().StringVar(&f.root, "root", "", "the folder that the paths of a list are below (default: the list's)")
	c.Flags().StringVar(&f.where, "where", "", "which rows of a list: an expression over its columns, such as split == \"test\"")
	c.Flags().StringVar(&f.group, "group", "", "the column that says where an image comes from (default: generator, where there is one)")
	c.Flags().StringVar(&f.pairs, "pairs", "", "show pairs of a real and a synthetic image: random, by name (p1_7_real, p1_7_fake), or by a column")
}

// read fills in the images and stimuli of a study.
func (f *humanImages) read(c *cobra.Command, path string, s *study.Study) error {
	list, root, err := f.list(c, path)
	if err != nil {
		return err
	}
	group := f.group
	if group == "" && slices.Contains(list.Columns, "generator") {
		group = "generator"
	}
	if s.Images, err = study.Images(list, root, group); err != nil {
		return exit{ExitFailed, err}
	}
	s.Pairs = f.pairs != ""
	switch f.pairs {
	case "":
		s.Stimuli = study.Singles(s.Images)
	case "random":
		s.Stimuli, err = study.RandomPairs(s.Images, s.Seed)
	case "name":
		s.Stimuli, err = study.PairsBy(s.Images, func(i int) string { return study.PairName(s.Images[i].Path) })
	default:
		if !slices.Contains(list.Columns, f.pairs) {
			return wrong(fmt.Errorf("--pairs %s: take random, name, or a column of the list: %s", f.pairs, strings.Join(list.Columns, ", ")))
		}
		s.Stimuli, err = study.PairsBy(s.Images, func(i int) string { v, _ := list.Value(list.Rows[i], f.pairs); return v })
	}
	if err != nil {
		return wrong(err)
	}
	return nil
}

// list reads a list, or that of a data set of a spec, and says which folder its paths are below.
func (f *humanImages) list(c *cobra.Command, path string) (*table.Table, string, error) {
	if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
		return f.dataset(c, path)
	}
	if f.root == "" {
		f.root = filepath.Dir(path)
	}
	list, err := table.Read(path, table.Options{Where: f.where})
	if err != nil {
		return nil, "", wrong(err)
	}
	return list, f.root, nil
}

func (f *humanImages) dataset(c *cobra.Command, path string) (*table.Table, string, error) {
	if f.where != "" || f.root != "" {
		return nil, "", wrong(errors.New("--where and --root are for lists; a spec says them itself"))
	}
	f.noFiles = true // the files of the other data sets do not matter here
	doc, g, err := f.load(path)
	if err != nil {
		return nil, "", err
	}
	var sets spec.Named[experiment.Dataset]
	var mistakes diag.List
	spec.Decode(doc.Root.Get("datasets"), &sets, &mistakes)
	if err := mistakes.Err(); err != nil {
		return nil, "", wrong(err)
	}
	names := sets.Names()
	if f.of == "" && len(names) == 1 {
		f.of = names[0]
	}
	at := slices.Index(names, f.of)
	if at < 0 {
		return nil, "", wrong(fmt.Errorf("--of: name a data set of %s; there are: %s", path, strings.Join(names, ", ")))
	}
	set := sets[at]
	options := table.Options{Header: table.Header(set.Value.Header), Where: set.Value.Where, Labels: set.Value.Labels}
	file, root := "", ""
	if set.Value.Generate != nil {
		if root, err = f.generated(c, doc, g); err != nil {
			return nil, "", err
		}
		file = filepath.Join(root, "data.csv")
	} else {
		file = set.From.Get("csv").Resolve()
		root = filepath.Dir(file)
		if declared := set.From.Get("root"); !declared.Absent() {
			root = declared.Resolve()
		}
	}
	list, err := table.Read(file, options)
	if err != nil {
		return nil, "", exit{ExitFailed, err}
	}
	return list, root, nil
}

// generated is the folder of a generated data set, which is made where it is not there.
func (f *humanImages) generated(c *cobra.Command, doc *spec.Document, whole *graph.Graph) (string, error) {
	began := time.Now()
	name := "generate." + f.of
	g, err := whole.Only(name)
	if err != nil {
		return "", wrong(fmt.Errorf("--of: no stage of the spec uses the data set %s, so that it would not be generated", f.of))
	}
	r, err := f.prepare(doc, g, began, c.ErrOrStderr())
	if err != nil {
		return "", err
	}
	defer r.store.Close()
	if n := r.plan.Left(); n > 0 {
		sink, err := f.sink(c, n, r.dir)
		if err != nil {
			return "", err
		}
		outcome, err := r.execute(sink, executor.Options{Machine: r.worker.machine()})
		if err := errors.Join(err, sink.Close()); err != nil {
			return "", exit{ExitFailed, err}
		}
		if outcome.Interrupted {
			return "", silent(ExitInterrupted)
		}
		for _, failure := range outcome.Failures {
			return "", exit{ExitFailed, fmt.Errorf("%s: %s", failure.Node, failure.Reason)}
		}
	}
	for _, s := range r.plan.Steps {
		if s.Node.Name == name && s.State == graph.Done {
			return s.Artifact.Path("data"), nil
		}
	}
	return "", exit{ExitFailed, fmt.Errorf("%s was not made", name)}
}
