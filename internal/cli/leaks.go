package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/leaks"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/agreement"
	"github.com/cyborg-run/cyborg-run/stages/annotate"
	"github.com/cyborg-run/cyborg-run/stages/cam"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	scan "github.com/cyborg-run/cyborg-run/stages/leaks"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

type dataLeaks struct {
	runFlags
	namesAlone bool
	noPixels   bool
	asJSON     bool
	html       bool
	failOver   float64
}

func dataLeaksCommand() *cobra.Command {
	f := dataLeaks{runFlags: runFlags{progress: "auto"}}
	c := &cobra.Command{
		Use:   "leaks SPEC",
		Short: "Look for what gives labels or test images away",
		Long: "leaks looks for facts of the files that predict the label without a look at the picture, for copies of images within and\n" +
			"across the data sets of a spec, and for names that come twice. It says the worst first, what each means and what to do.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	f.specFlags.add(c)
	f.placeFlags.add(c)
	c.Flags().BoolVar(&f.namesAlone, "no-files", false, "look at lists and names alone; open no image")
	c.Flags().BoolVar(&f.noPixels, "no-pixels", false, "read heads and bytes of files, and decode none: no near copies, no mean colours")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print everything as JSON")
	c.Flags().BoolVar(&f.html, "html", false, "write leaks.html into the run's folder")
	c.Flags().Float64Var(&f.failOver, "fail-over", 1, "end with exit status 3 where a finding weighs more, 0.5 to 1: of a fact, the AUC")
	return c
}

func (f *dataLeaks) run(c *cobra.Command, path string) error {
	if !(f.failOver >= 0.5 && f.failOver <= 1) {
		return wrong(fmt.Errorf("--fail-over %v: 0.5 to 1 is needed", f.failOver))
	}
	failing := c.Flags().Changed("fail-over")
	began := time.Now()
	f.noFiles = true // maps and weights are not looked at; lists and images are, below
	doc, whole, err := f.load(path)
	if err != nil {
		return err
	}
	if len(doc.ProfileNames) > 1 {
		fmt.Fprintf(c.ErrOrStderr(), "profile %s, chosen by %s\n", strings.ToUpper(doc.Profile), doc.ProfileOrigin)
	}
	lists, err := listsOf(doc, whole)
	if err != nil {
		return err
	}
	read := leaks.Names
	if !f.namesAlone {
		if read, err = f.scan(c, doc, lists, began); err != nil {
			return err
		}
	}
	var sets []leaks.Set
	seen := false
	for _, l := range lists {
		if err := l.names(); err != nil {
			return err
		}
		sets = append(sets, l.set)
		seen = seen || l.set.Absent == ""
	}
	if failing && !seen {
		return exit{ExitFailed, errors.New("--fail-over: none of the data sets could be looked at: " + sets[0].Name + ": " + sets[0].Absent)}
	}
	return f.print(c, doc, leaks.Examine(sets, read), failing)
}

// print gives the report in the forms that were asked for, and ends with the status.
func (f *dataLeaks) print(c *cobra.Command, doc *spec.Document, report *leaks.Report, failing bool) error {
	stdout := c.OutOrStdout()
	var err error
	if f.asJSON {
		err = printJSON(stdout, report)
		stdout = c.ErrOrStderr() // standard output is for the JSON alone
	} else {
		err = report.WriteText(stdout)
	}
	if err != nil {
		return exit{ExitFailed, err}
	}
	if f.html {
		page := filepath.Join(f.folder(doc), "leaks.html")
		var html bytes.Buffer
		err := errors.Join(report.WriteHTML(&html, runName(doc)), os.MkdirAll(filepath.Dir(page), 0o755))
		if err == nil {
			err = renameio.WriteFile(page, html.Bytes(), 0o644)
		}
		if err != nil {
			return exit{ExitFailed, fmt.Errorf("write %s: %w", page, err)}
		}
		fmt.Fprintln(stdout, "leaks:", page)
	}
	if over := report.Over(f.failOver); failing && len(over) > 0 {
		return exit{ExitCheck, fmt.Errorf("%d of %d findings weigh more than %v (--fail-over)", len(over), len(report.Findings), f.failOver)}
	}
	return nil
}

// aList is one data set on its way to being looked at.
type aList struct {
	set      leaks.Set
	params   scan.Params
	generate *graph.Node // that makes it; nil: it is there
	rows     []scan.Row  // what heads and pixels say, row by row
	digests  map[string]string
}

// listsOf are the data sets of a spec, each with what it is for.
func listsOf(doc *spec.Document, whole *graph.Graph) ([]*aList, error) {
	var datasets spec.Named[experiment.Dataset]
	var mistakes diag.List
	spec.Decode(doc.Root.Get("datasets"), &datasets, &mistakes)
	if err := mistakes.Err(); err != nil {
		return nil, wrong(err)
	}
	roles := rolesOf(whole)
	var lists []*aList
	for _, d := range datasets {
		l := &aList{set: leaks.Set{Name: d.Name, Role: roles[d.Name], With: d.Value.With}}
		if l.set.Role == "" {
			l.set.Role = leaks.Test
		}
		l.params = scan.Params{Where: d.Value.Where, Labels: d.Value.Labels, Header: d.Value.Header, MaxPixels: d.Value.MaxPixels}
		if d.Value.Generate != nil {
			l.generate = node(whole, "generate."+d.Name)
			l.params.CSV, l.params.Header = "data.csv", "yes"
		} else {
			l.params.CSV = d.From.Get("csv").Resolve()
			if root := d.From.Get("root"); !root.Absent() {
				l.params.Root = root.Resolve()
			}
		}
		lists = append(lists, l)
	}
	return lists, nil
}

// rolesOf says of each data set what networks do with it: learn from it, be chosen by it, be scored on it, or explained.
func rolesOf(g *graph.Graph) map[string]leaks.Role {
	roles := map[string]leaks.Role{}
	for _, n := range g.Nodes {
		role := leaks.Test
		switch {
		case trains(n.Stage.Kind):
			role = leaks.Training
		case n.Stage.Kind == cam.Stage.Kind || n.Stage.Kind == agreement.Stage.Kind || n.Stage.Kind == annotate.Stage.Kind:
			role = leaks.Shown
		}
		for _, e := range n.Needs {
			name, isData := strings.CutPrefix(e.From.Name, "data.")
			if !isData {
				continue
			}
			name, _, _ = strings.Cut(name, "[") // a second size of the same set
			its := role
			if e.Port == "validation" {
				its = leaks.Validation
			}
			if has, ok := roles[name]; !ok || its.Before(has) {
				roles[name] = its
			}
		}
	}
	return roles
}

func trains(kind string) bool { return kind == train.Stage.Kind || kind == experiment.Pretraining }

func node(g *graph.Graph, name string) *graph.Node {
	for _, n := range g.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// names reads the list, and puts what is known of each row together.
func (l *aList) names() error {
	if l.set.Absent != "" {
		return nil
	}
	if l.generate != nil && l.rows == nil {
		l.set.Absent = "it is generated, and has no list before it was"
		return nil
	}
	list, images, err := l.params.List()
	if err != nil {
		return l.failed(err)
	}
	l.set.Images = make([]leaks.Image, len(images))
	for i, row := range list.Rows {
		m := leaks.Image{Path: row.Path, File: images[i], Class: row.Class, Digest: l.digests[images[i]]}
		if l.rows != nil {
			m.Head, m.Pixels, m.Bad = l.rows[i].Head, l.rows[i].Pixels, l.rows[i].Bad
		}
		l.set.Images[i] = m
	}
	return nil
}

// failed sorts errors of a list: a list that is not there is left out, as some are given out on request alone.
func (l *aList) failed(err error) error {
	if _, missing := os.Stat(l.params.CSV); errors.Is(missing, fs.ErrNotExist) {
		l.set.Absent = "there is no list " + l.params.CSV
		return nil
	}
	return exit{ExitFailed, fmt.Errorf("the data set %q: %w", l.set.Name, err)}
}
