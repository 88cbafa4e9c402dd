package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/lock"
	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/stages/check"
)

// checkFlags are those of `cyborg-run check`, which has nothing to do with stages of the kind check.
type checkFlags struct {
	runFlags
	lock    string
	json    bool
	junit   string
	within  []string
	bytes   string
	changes bool
}

func checkCommand() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check SPEC",
		Short: "Run what is missing, and judge whether it reproduces the lock",
		Long: "check runs what is not done of SPEC and holds the outcome to the lock that `cyborg-run lock` wrote: the same bytes where\n" +
			"device, libtorch and threads are the same, metrics within the stated tolerances elsewhere. It ends with 3 where the run\n" +
			"does not reproduce the lock, and with 2 where spec or data are others. docs/reproduce.md says more.\n\n" +
			"(The kind of stage that is called check holds assertions of a spec; it is a part of the run.)",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.check(c, args[0]) },
	}
	f.specFlags.add(c)
	f.placeFlags.add(c)
	f.addBrief(c)
	c.Flags().StringVar(&f.lock, "lock", "", "the lock file (default STEM.lock.yaml beside the spec)")
	c.Flags().BoolVar(&f.json, "json", false, "print the report as JSON")
	c.Flags().StringVar(&f.junit, "junit", "", "write the report as JUnit XML to this file too")
	c.Flags().StringArrayVar(&f.within, "within", nil, "tolerance of a metric, instead of the stated one: auc=0.005")
	c.Flags().StringVar(&f.bytes, "bytes", string(lock.Auto), "when equal bytes are demanded: auto (under the same conditions), always or never")
	c.Flags().BoolVar(&f.changes, "allow-changes", false, "judge the metrics although spec or data are not those of the lock")
	return c
}

func (f *checkFlags) check(c *cobra.Command, path string) error {
	if !slices.Contains([]lock.Bytes{lock.Auto, lock.Always, lock.Never}, lock.Bytes(f.bytes)) {
		return wrong(fmt.Errorf("--bytes %s: take auto, always or never", f.bytes))
	}
	within, err := tolerancesOf(f.within)
	if err != nil {
		return wrong(err)
	}
	if err := f.clearJUnit(); err != nil {
		return wrong(err)
	}
	err = f.judge(c, path, within)
	f.leaveErrors(c, path, err)
	return err
}

// judge makes the run, and judges it.
func (f *checkFlags) judge(c *cobra.Command, path string, within map[string]float64) error {
	was, err := f.read(path, c.ErrOrStderr())
	if err != nil {
		return err
	}
	now, plan, err := f.collect(path)
	if err != nil {
		return err
	}
	if !f.changes && lock.Compare(was, now).Changed() {
		return f.refuse(c, was, now)
	}
	before := plan.Count(graph.Done)
	asserts := f.run(aside(c), path)
	if status := (exit{}); asserts != nil && !(errors.As(asserts, &status) && status.status == ExitCheck) {
		return asserts
	}
	if now, plan, err = f.collect(path); err != nil {
		return err
	}
	notHeld, err := left(plan, asserts != nil)
	if err != nil {
		return exit{ExitFailed, err}
	}
	tolerances, notes := tolerances(was, now, within)
	r := lock.Judge(was, now, lock.Options{Bytes: lock.Bytes(f.bytes), Reproduce: tolerances})
	r.Lock, r.Notes = f.lock, append(r.Notes, notes...)
	r.Notes = append(r.Notes, fmt.Sprintf("%d of %d nodes were run for this check; the others were in the cache, %s",
		len(now.Nodes)-before, len(plan.Steps), f.store))
	r.Assert(notHeld...)
	return f.conclude(c, r)
}

// read finds and reads the lock. What was --set when it was written is set again, before what is set now.
func (f *checkFlags) read(path string, stderr io.Writer) (*lock.Lock, error) {
	if f.lock == "" {
		doc, err := f.profileOf(path)
		if err != nil {
			return nil, err
		}
		f.lock = lockPath(path, doc)
	}
	was, err := readLock(f.lock, path)
	if err != nil {
		return nil, err
	}
	if f.profile == "" {
		f.profile = was.Spec.Profile
	}
	if len(was.Spec.Set) > 0 {
		fmt.Fprintf(stderr, "as in the lock: --set %s\n", strings.Join(was.Spec.Set, " --set "))
		f.set = append(slices.Clone(was.Spec.Set), f.set...)
	}
	return was, nil
}

// refuse says that spec or data are not those of the lock, before anything is run.
func (f *checkFlags) refuse(c *cobra.Command, was, now *lock.Lock) error {
	r := lock.Judge(was, &lock.Lock{Name: now.Name, Environment: was.Environment}, lock.Options{Bytes: lock.Never})
	r.Held, r.Changed, r.Lock, r.Changes, r.Missing, r.Environment.Now = false, true, f.lock, lock.Compare(was, now), []string{}, now.Environment
	r.Changes.Environment = slices.DeleteFunc(r.Changes.Environment, func(c lock.Change) bool { return c.Now == "" }) // not known before a run
	r.Notes = append(r.Notes, "nothing was run or judged: what was locked is another experiment. Lock again if the change is meant, or judge all the same with --allow-changes")
	if err := f.report(c, r); err != nil {
		return err
	}
	return silent(ExitSpec)
}

// left are the stages of kind check that did not hold, where those are all that is not done; the rest can be judged.
func left(plan *graph.Plan, failed bool) (notHeld []string, err error) {
	for _, s := range plan.Steps {
		switch {
		case s.State == graph.Done:
		case failed && s.Node.Stage.Kind == check.Kind:
			notHeld = append(notHeld, s.Node.Name)
		default:
			return nil, fmt.Errorf("%s is not done after the run: %s", s.Node.Name, strings.Join(s.Reasons, "; "))
		}
	}
	return notHeld, nil
}

// tolerancesOf reads --within.
func tolerancesOf(args []string) (map[string]float64, error) {
	within := map[string]float64{}
	for _, arg := range args {
		metric, written, _ := strings.Cut(arg, "=")
		value, err := strconv.ParseFloat(written, 64)
		if err != nil || !(value >= 0) || !slices.Contains(metrics.Names, metric) {
			return nil, fmt.Errorf("--within %s: take METRIC=TOLERANCE, such as auc=0.005; metrics are %s", arg, strings.Join(metrics.Names, ", "))
		}
		within[metric] = value
	}
	return within, nil
}

// tolerances are those of the spec as it is now; of the lock, where the spec has none; and --within over both.
func tolerances(was, now *lock.Lock, within map[string]float64) (r lock.Reproduce, notes []string) {
	r = now.Reproduce
	switch {
	case reflect.DeepEqual(r, lock.Reproduce{}):
		r = was.Reproduce
	case !reflect.DeepEqual(r, was.Reproduce):
		notes = append(notes, "the tolerances are those of the spec, which are not those that the lock was written with")
	}
	r.Within = maps.Clone(r.Within)
	for metric, value := range within {
		if r.Within == nil {
			r.Within = map[string]float64{}
		}
		r.Within[metric] = value
		r.Except = slices.Clone(r.Except)
		for i, e := range r.Except {
			r.Except[i].Within = maps.Clone(e.Within)
			delete(r.Except[i].Within, metric)
		}
	}
	return r, notes
}

// conclude reports, and turns the judgement into an exit status.
func (f *checkFlags) conclude(c *cobra.Command, r *lock.Report) error {
	r.Ask()
	if err := f.report(c, r); err != nil {
		return err
	}
	switch {
	case r.Unstated != "":
		return silent(ExitSpec)
	case !r.Held:
		return silent(ExitCheck)
	}
	return nil
}

// clearJUnit takes away what an earlier check left, so that it is never taken for this one's, and finds out that the file
// can be written.
func (f *checkFlags) clearJUnit() error {
	if f.junit == "" {
		return nil
	}
	if info, err := os.Stat(f.junit); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("write --junit: %s is no file", f.junit)
	}
	if err := f.writeJUnit(func(io.Writer) error { return nil }); err != nil {
		return err
	}
	return os.Remove(f.junit)
}

func (f *checkFlags) writeJUnit(write func(io.Writer) error) error {
	if f.junit == "" {
		return nil
	}
	var xml bytes.Buffer
	err := write(&xml)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(f.junit), 0o755)
	}
	if err == nil {
		err = renameio.WriteFile(f.junit, xml.Bytes(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write --junit: %w", err)
	}
	return nil
}

// leaveErrors writes why there is no report: the nodes that failed, or what else did.
func (f *checkFlags) leaveErrors(c *cobra.Command, path string, err error) {
	status := exit{}
	if err == nil || errors.As(err, &status) && status.status != ExitFailed && err.Error() == "" {
		return // it was judged, or interrupted
	}
	var causes []lock.NotDone
	for _, failure := range f.failures {
		causes = append(causes, lock.NotDone{Name: failure.Node, Reason: failure.Reason})
	}
	if len(causes) == 0 {
		causes = []lock.NotDone{{Name: "check", Reason: err.Error()}}
	}
	run := path
	if doc, err := f.profileOf(path); err == nil {
		run = runName(doc)
	}
	if err := f.writeJUnit(func(w io.Writer) error { return lock.WriteErrors(w, run, causes) }); err != nil {
		fmt.Fprintln(c.ErrOrStderr(), "cyborg-run:", err)
	}
}

func (f *checkFlags) report(c *cobra.Command, r *lock.Report) error {
	if err := f.writeJUnit(r.JUnit); err != nil {
		return exit{ExitFailed, err}
	}
	if f.json {
		return printJSON(c.OutOrStdout(), r)
	}
	r.Text(c.OutOrStdout())
	return nil
}
