package cli

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/inputs"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

func dataCommand() *cobra.Command {
	c := &cobra.Command{Use: "data", Short: "Look at the data sets of a spec", Args: cobra.NoArgs}
	c.AddCommand(dataShowCommand(), dataLeaksCommand())
	return c
}

type dataShow struct {
	runFlags
	images int
	of     string
}

func dataShowCommand() *cobra.Command {
	f := dataShow{runFlags: runFlags{progress: "auto"}}
	c := &cobra.Command{
		Use:   "show SPEC",
		Short: "Show what the networks really see",
		Long: "show decodes and resizes the data sets of a spec as a run does, and writes inputs.html into the run's folder: a contact\n" +
			"sheet of each set, with its maps and masks over the images, and the figures of each channel after normalisation.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.show(c, args[0]) },
	}
	f.specFlags.add(c)
	f.placeFlags.add(c)
	c.Flags().IntVar(&f.images, "images", 24, "how many images of each set")
	c.Flags().StringVar(&f.of, "of", "", "this data set alone")
	return c
}

func (f *dataShow) show(c *cobra.Command, path string) error {
	if f.images < 1 {
		return wrong(fmt.Errorf("--images %d: at least 1 is needed", f.images))
	}
	began := time.Now()
	doc, whole, err := f.load(path)
	if err != nil {
		return err
	}
	pattern := "data.*"
	if f.of != "" {
		pattern = "data." + f.of
	}
	g, err := whole.Only(pattern)
	if err != nil {
		return wrong(fmt.Errorf("--of: %w", err))
	}
	r, err := f.make(c, doc, g, began)
	if err != nil {
		return err
	}
	defer r.store.Close()
	page := filepath.Join(r.dir, "inputs.html")
	if err := f.write(page, runName(doc), whole, r.plan); err != nil {
		return exit{ExitFailed, fmt.Errorf("write %s: %w", page, err)}
	}
	fmt.Fprintln(c.OutOrStdout(), "inputs:", page)
	return nil
}

// make does what of a graph is not done, and is an error where not all of it then is. The caller closes the store.
func (f *runFlags) make(c *cobra.Command, doc *spec.Document, g *graph.Graph, began time.Time) (*oneRun, error) {
	r, err := f.prepare(doc, g, began, c.ErrOrStderr())
	if err != nil || r.plan.Left() == 0 {
		return r, err
	}
	if err := f.execute(c, r); err != nil {
		return nil, errors.Join(err, r.store.Close())
	}
	return r, nil
}

func (f *runFlags) execute(c *cobra.Command, r *oneRun) error {
	sink, err := f.sink(c, r.plan.Left(), r.dir)
	if err != nil {
		return err
	}
	outcome, err := r.execute(sink, executor.Options{Machine: r.worker.machine()})
	if err := errors.Join(err, sink.Close()); err != nil {
		return exit{ExitFailed, err}
	}
	if outcome.Interrupted {
		return silent(ExitInterrupted)
	}
	for _, failure := range outcome.Failures {
		return exit{ExitFailed, fmt.Errorf("%s: %s", failure.Node, failure.Reason)}
	}
	return nil
}

func (f *dataShow) write(page, title string, whole *graph.Graph, plan *graph.Plan) error {
	var sets []inputs.Dataset
	for _, s := range plan.Steps {
		name, isData := strings.CutPrefix(s.Node.Name, "data.")
		if !isData || s.State != graph.Done {
			continue
		}
		set, err := pack.Open(s.Artifact.Path("data.pack"))
		if err != nil {
			return err
		}
		defer set.Close()
		network, err := reader(whole, s.Node.Name)
		if err != nil {
			return err
		}
		sets = append(sets, inputs.Dataset{Name: name, Network: network.Name, Input: network.Input, Set: set})
	}
	var html bytes.Buffer
	if err := inputs.Write(&html, title, f.images, sets); err != nil {
		return err
	}
	return renameio.WriteFile(page, html.Bytes(), 0o644)
}

// reader is the first network that reads a data node.
func reader(g *graph.Graph, data string) (*nn.Network, error) {
	for _, n := range g.Nodes {
		for _, e := range n.Needs {
			if with, ok := n.Params.(experiment.WithNetwork); ok && e.From.Name == data {
				return experiment.Network(with.Network().Model)
			}
		}
	}
	return nil, fmt.Errorf("no network reads %s", data)
}
