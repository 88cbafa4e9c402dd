package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/pipeline/event"
	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/publish"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/check"
)

type runFlags struct {
	specFlags
	placeFlags
	only      string
	jobs      int
	keepGoing bool
	executor  string
	progress  string
	failures  []executor.Failure // of the last run
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run SPEC",
		Short: "Run what is not done, and write the report",
		Args:  cobra.ExactArgs(1),
		RunE:  func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	f.specFlags.add(c)
	f.placeFlags.add(c)
	c.Flags().StringVar(&f.only, "only", "", "only the nodes that match, and what they need: 'fit', 'fit[loss=cyborg*'")
	c.Flags().IntVar(&f.jobs, "jobs", 0, "nodes at a time (default: as many as the cores allow)")
	c.Flags().BoolVar(&f.keepGoing, "keep-going", false, "after a failure, go on with what does not depend on it")
	c.Flags().StringVar(&f.executor, "executor", "local", "where nodes are done: local")
	c.Flags().StringVar(&f.progress, "progress", "auto", "auto, bars, plain, json or none")
	return c
}

func (f *runFlags) run(c *cobra.Command, path string) error {
	began := time.Now()
	if f.executor != "local" {
		return wrong(fmt.Errorf("--executor %s: this version has the executor local", f.executor))
	}
	if f.jobs < 0 {
		return wrong(fmt.Errorf("--jobs %d: at least 1 is needed", f.jobs))
	}
	if !slices.Contains(progresses, f.progress) {
		return wrong(fmt.Errorf("--progress %s: take auto, bars, plain, json or none", f.progress))
	}
	doc, g, err := f.load(path)
	if err != nil {
		return err
	}
	if f.only != "" {
		if g, err = g.Only(f.only); err != nil {
			return wrong(fmt.Errorf("--only: %w", err))
		}
	}
	stderr := c.ErrOrStderr()
	r, err := f.prepare(doc, g, began, stderr)
	if err != nil {
		return err
	}
	defer r.store.Close()
	plan := r.plan
	stdout := c.OutOrStdout()
	if f.progress == "json" {
		stdout = stderr // standard output is for the events alone
	}
	if plan.Left() == 0 {
		return r.nothingToDo(stdout)
	}
	r.announce()
	if err := fetch(c.Context(), plan, stderr); err != nil {
		return err
	}
	sink, err := f.sink(c, plan.Left(), r.dir)
	if err != nil {
		return err
	}
	outcome, err := r.execute(sink, executor.Options{Jobs: f.jobs, Machine: r.worker.machine(), KeepGoing: f.keepGoing})
	f.failures = outcome.Failures
	if closing := sink.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return exit{ExitFailed, err}
	}
	return r.conclude(stdout, outcome)
}

// prepare plans a run, and makes its folder once a worker that can do it is there. The caller closes the store.
func (f *placeFlags) prepare(doc *spec.Document, g *graph.Graph, began time.Time, stderr io.Writer) (*oneRun, error) {
	plan, st, w, err := f.plan(doc, g)
	if err != nil {
		return nil, err
	}
	r := &oneRun{doc: doc, plan: plan, store: st, worker: w, dir: f.folder(doc), began: began, stderr: stderr}
	err = w.needed(plan)
	if err == nil {
		if err = os.MkdirAll(r.dir, 0o755); err != nil {
			err = fmt.Errorf("make the run's folder: %w", err)
		}
	}
	if err != nil {
		_ = st.Close()
		return nil, failed(err)
	}
	return r, nil
}

// record is the file of a run's events.
const record = "events.jsonl"

var progresses = []string{"auto", "bars", "plain", "json", "none"}

func (f *runFlags) sink(c *cobra.Command, nodes int, dir string) (event.Sink, error) {
	file, err := event.NewFile(filepath.Join(dir, record))
	if err != nil {
		return nil, exit{ExitFailed, err}
	}
	stderr := c.ErrOrStderr()
	terminal := isTerminal(stderr)
	how := f.progress
	if how == "auto" {
		how = "plain"
		if terminal {
			how = "bars"
		}
	}
	switch how {
	case "bars":
		return event.All{file, event.NewBars(stderr, nodes)}, nil
	case "plain":
		return event.All{file, event.NewPlain(stderr, terminal)}, nil
	case "json":
		return event.All{file, event.JSON{W: c.OutOrStdout()}}, nil
	}
	return event.All{file}, nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd()) && os.Getenv("TERM") != "dumb"
}

// oneRun is one call of `cyborg-run run`.
type oneRun struct {
	doc    *spec.Document
	plan   *graph.Plan
	store  *store.Store
	worker *worker
	dir    string
	began  time.Time
	stderr io.Writer
}

// announce says what a reader must know before anything is done: the profile, and the device.
func (r *oneRun) announce() {
	if r.doc.Profile != "" && len(r.doc.ProfileNames) > 1 {
		fmt.Fprintf(r.stderr, "profile %s, chosen by %s; results go to %s\n", strings.ToUpper(r.doc.Profile), r.doc.ProfileOrigin, r.dir)
	}
	for _, note := range notes(r.plan) {
		fmt.Fprintln(r.stderr, "note:", note)
	}
	device := "device " + r.worker.device
	if r.worker.why != "" {
		device += " (" + r.worker.why + ")"
	}
	fmt.Fprintf(r.stderr, "%s: %d nodes, %d of them to run; %s\n", runName(r.doc), len(r.plan.Steps), r.plan.Left(), device)
}

// execute runs the plan until it is done or the user stops it: the first Ctrl-C lets workers save what they can, the
// second ends them at once.
func (r *oneRun) execute(sink event.Sink, o executor.Options) (executor.Outcome, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as by nohup
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)
	local := &executor.Local{Programs: r.worker.programs(), Grace: 30 * time.Second, Env: workerEnvironment(),
		Guard: []string{executable(), "guard"}}
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
			return
		}
		fmt.Fprintln(r.stderr, "stopping: workers save their state; once more to stop at once")
		cancel()
		<-signals
		os.Exit(ExitInterrupted) // the kernel ends the workers with us
	}()
	sink.Emit(task.Event{Time: r.began.UTC(), Type: task.RunStarted, Of: len(r.plan.Steps), Message: r.doc.Path,
		Words: map[string]string{"profile": r.doc.Profile, "device": r.worker.device, "libtorch": r.worker.Libtorch}})
	outcome, err := executor.Run(ctx, r.plan, r.store, local, o, sink.Emit, func(s *graph.Step) error {
		return publish.Step(r.dir, s)
	})
	sink.Emit(task.Event{Time: time.Now().UTC(), Type: task.RunFinished, Facts: map[string]float64{
		"seconds": time.Since(r.began).Seconds(), "done": float64(outcome.Done), "failed": float64(outcome.Failed),
		"skipped": float64(outcome.Skipped)}})
	if remembering := r.plan.Remember(runName(r.doc)); err == nil && remembering != nil && outcome.Failed == 0 {
		err = fmt.Errorf("remember the run in %s: %w", r.store.Dir(), remembering)
	}
	if err == nil {
		err = r.restore()
	}
	return outcome, err
}

// restore publishes everything once more where somebody removed the run's folder meanwhile.
func (r *oneRun) restore() error {
	if _, err := os.Stat(filepath.Join(r.dir, record)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	fmt.Fprintf(r.stderr, "note: %s was removed while the run was at work; its results are there again, but not its %s\n", r.dir, record)
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return fmt.Errorf("make the run's folder: %w", err)
	}
	return r.publish()
}

// publish shows what is done in the run's folder.
func (r *oneRun) publish() error {
	for _, s := range r.plan.Steps {
		if s.State != graph.Done {
			continue
		}
		if err := publish.Step(r.dir, s); err != nil {
			return err
		}
	}
	return nil
}

// nothingToDo is the end of a run that found everything done.
func (r *oneRun) nothingToDo(stdout io.Writer) error {
	if err := r.publish(); err != nil {
		return failed(err)
	}
	if err := r.leave(executor.Outcome{}, false); err != nil {
		return exit{ExitFailed, err}
	}
	fmt.Fprintf(stdout, "nothing to do: all %d nodes are done (%s); report: %s\n", len(r.plan.Steps),
		event.Duration(time.Since(r.began).Seconds()), filepath.Join(r.dir, "report.html"))
	return nil
}

// conclude writes the report and says how it went.
func (r *oneRun) conclude(stdout io.Writer, o executor.Outcome) error {
	if err := r.leave(o, true); err != nil {
		return exit{ExitFailed, err}
	}
	took := event.Duration(time.Since(r.began).Seconds())
	switch {
	case o.Interrupted:
		fmt.Fprintf(r.stderr, "stopped after %s: %d of %d nodes are done; the same command goes on from here\n", took, o.Done, len(r.plan.Steps))
		return silent(ExitInterrupted)
	case o.Failed > 0:
		fmt.Fprintf(r.stderr, "\n%d of %d nodes failed, %d were not tried; the same command goes on from here\n", o.Failed, len(r.plan.Steps), o.Skipped)
		status := ExitCheck
		for _, failure := range o.Failures {
			fmt.Fprintf(r.stderr, "  %s: %s\n", failure.Node, failure.Reason)
			if n := nodeOf(r.plan, failure.Node); n == nil || n.Stage.Kind != check.Kind {
				status = ExitFailed
			}
		}
		return silent(status)
	}
	fmt.Fprintf(stdout, "done: %d nodes in %s; report: %s\n", len(r.plan.Steps), took, filepath.Join(r.dir, "report.html"))
	return nil
}

func nodeOf(p *graph.Plan, name string) *graph.Node {
	for _, s := range p.Steps {
		if s.Node.Name == name {
			return s.Node
		}
	}
	return nil
}
