package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/report"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/version"
	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/stages/agreement"
	"github.com/cyborg-run/cyborg-run/stages/check"
	"github.com/cyborg-run/cyborg-run/stages/human"
	"github.com/cyborg-run/cyborg-run/stages/saliency"
	"github.com/cyborg-run/cyborg-run/stages/summary"
)

func reportCommand() *cobra.Command {
	var f specFlags
	var place placeFlags
	c := &cobra.Command{
		Use:   "report SPEC",
		Short: "Make the report again from what is there",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			doc, g, err := f.lookAt(c, &place, args[0])
			if err != nil {
				return err
			}
			plan, st, w, err := place.plan(doc, g)
			if err != nil {
				return err
			}
			defer st.Close()
			if plan.Count(graph.Done) == 0 {
				return wrong(fmt.Errorf("there is nothing to report: no node of %s is done; run it first", args[0]))
			}
			r := &oneRun{doc: doc, plan: plan, store: st, worker: w, dir: place.folder(doc)}
			if err := r.publish(); err != nil {
				return failed(err)
			}
			if err := r.leave(executor.Outcome{}, true); err != nil {
				return failed(err)
			}
			fmt.Fprintf(c.OutOrStdout(), "report: %s\n", filepath.Join(r.dir, "report.html"))
			return nil
		},
	}
	f.add(c)
	place.add(c)
	return c
}

// notes is what a reader of a run must know first, such as which data are simulated.
func notes(p *graph.Plan) []string {
	var all []string
	for _, s := range p.Steps {
		if params, ok := s.Node.Params.(summary.Params); ok {
			all = append(all, params.Notes...)
		}
	}
	return all
}

// leave writes resolved.yaml and report.html. The report is left alone where nothing changed that it shows, unless
// always.
func (r *oneRun) leave(o executor.Outcome, always bool) error {
	if err := renameio.WriteFile(filepath.Join(r.dir, "resolved.yaml"), r.doc.YAML(), 0o644); err != nil {
		return fmt.Errorf("write resolved.yaml: %w", err)
	}
	page := filepath.Join(r.dir, "report.html")
	mark := filepath.Join(r.store.Dir(), "last", strings.ReplaceAll(runName(r.doc), string(filepath.Separator), "_")+".report")
	state := r.state(o)
	if before, err := os.ReadFile(mark); !always && err == nil && string(before) == state && isFile(page) {
		return nil
	}
	var html bytes.Buffer
	if err := report.Write(&html, r.input(o)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := renameio.WriteFile(page, html.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	_ = renameio.WriteFile(mark, []byte(state), 0o644) // only saves writing the page again
	return nil
}

// state changes with all that a report shows.
func (r *oneRun) state(o executor.Outcome) string {
	parts := []store.Part{{Name: "spec", Value: string(r.doc.YAML())}, {Name: "version", Value: version.Version},
		{Name: "folder", Value: r.dir}, {Name: "profile", Value: r.doc.Profile + r.doc.ProfileOrigin}}
	for _, s := range r.plan.Steps {
		parts = append(parts, store.Part{Name: s.Node.Name, Value: string(s.State) + string(s.Key)})
	}
	for _, f := range o.Failures {
		parts = append(parts, store.Part{Name: f.Node, Value: f.Reason})
	}
	return string(store.MakeKey(parts))
}

func (r *oneRun) input(o executor.Outcome) report.Input {
	in := report.Input{
		Name: runName(r.doc), Title: r.doc.Title, Description: r.doc.Description, Spec: string(r.doc.YAML()),
		Version: version.Version, Files: os.DirFS(r.dir), Environment: r.environment(),
	}
	if r.doc.Profile != "" && len(r.doc.ProfileNames) > 1 {
		in.Profile, in.Why = r.doc.Profile, "chosen by "+r.doc.ProfileOrigin
	}
	for _, s := range r.plan.Steps {
		if s.State == graph.Done {
			in.Timings = append(in.Timings, report.Timing{Node: s.Node.Name, Seconds: s.Artifact.Seconds,
				Cached: s.Artifact.Started.Before(r.began)})
		}
		r.take(&in, s)
	}
	if in.Summary != nil {
		in.Figures = r.figures() // without a summary, those that are there are of another run
	} else {
		in.Notes = notes(r.plan) // which a summary has itself
	}
	for _, f := range o.Failures {
		in.Failures = append(in.Failures, report.Failure{Node: f.Node, Message: f.Reason})
	}
	return in
}

// take adds what a step found out: the summary, and the outcome of a check whether it held or not.
func (r *oneRun) take(in *report.Input, s *graph.Step) {
	in.Imported = in.Imported || s.Node.Stage.Kind == "scores"
	switch s.Node.Stage {
	case summary.Stage:
		var found results.Summary
		if s.State == graph.Done && readJSON(s.Artifact.Path("summary.json"), &found) == nil {
			in.Summary = &found
		}
	case agreement.Stage:
		var found results.Agreement
		if s.State == graph.Done && readJSON(s.Artifact.Path("agreement/agreement.json"), &found) == nil {
			in.Agreement = append(in.Agreement, found)
		}
	case saliency.Stage:
		var found results.Annotators
		if s.State == graph.Done && readJSON(s.Artifact.Path(saliency.AgreementJSON), &found) == nil {
			job, _ := s.Node.Params.(saliency.Job)
			in.Annotators = append(in.Annotators, report.Annotators{Annotators: &found, Node: s.Node.Name, Simulated: job.SimulatedMaps()})
		}
	case human.Stage:
		var found results.Human
		if s.State == graph.Done && readJSON(s.Artifact.Path("human.json"), &found) == nil {
			in.Humans = append(in.Humans, report.Human{Human: &found, Figures: figuresIn(s.Artifact.Path("figures"))})
		}
	case check.Stage:
		path := filepath.Join(r.store.Dir(), "attempts", string(s.Key), "out", "check.json")
		if s.State == graph.Done {
			path = s.Artifact.Path("check.json")
		}
		var outcome results.Check
		if s.Key != "" && readJSON(path, &outcome) == nil {
			in.Check = &outcome
		}
	}
}

func readJSON(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func (r *oneRun) figures() map[string][]byte { return figuresIn(filepath.Join(r.dir, "figures")) }

// figuresIn are the SVG files of a folder, by name without ending.
func figuresIn(dir string) map[string][]byte {
	figures := map[string][]byte{}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.svg"))
	for _, path := range paths {
		if raw, err := os.ReadFile(path); err == nil {
			figures[strings.TrimSuffix(filepath.Base(path), ".svg")] = raw
		}
	}
	return figures
}

// environment is what the workers said of their surroundings; where they differ, all that was said.
func (r *oneRun) environment() map[string]string {
	said := map[string][]string{"cyborg-run": {version.Version}, "libtorch": {r.worker.Libtorch}, "device": {r.worker.device}}
	for _, s := range r.plan.Steps {
		if s.State != graph.Done {
			continue
		}
		for key, value := range s.Artifact.Environment {
			if !slices.Contains(said[key], value) {
				said[key] = append(said[key], value)
			}
		}
	}
	all := map[string]string{}
	for key, values := range said {
		all[key] = strings.Join(values, ", ")
	}
	return all
}
