package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/lock"
	"github.com/cyborg-run/cyborg-run/internal/version"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

func lockCommand() *cobra.Command {
	var f runFlags
	var file string
	var run bool
	c := &cobra.Command{
		Use:   "lock SPEC",
		Short: "Write down what a finished run was made of and what came out, for `check`",
		Long: "lock writes SPEC's lock, STEM.lock.yaml beside the spec: digests of spec, data and outputs, the environment, and every\n" +
			"metric. All nodes must be done; --run does what is missing first. `cyborg-run check SPEC` holds another run to the lock.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if run {
				if err := f.run(aside(c), args[0]); err != nil {
					return err
				}
			}
			now, plan, err := f.collect(args[0])
			if err != nil {
				return err
			}
			if err := allDone(plan, args[0]); err != nil {
				return wrong(err)
			}
			if file == "" {
				doc, err := f.profileOf(args[0])
				if err != nil {
					return err
				}
				file = lockPath(args[0], doc)
			}
			if err := now.WriteFile(file); err != nil {
				return failed(err)
			}
			fmt.Fprintf(c.OutOrStdout(), "locked: %d nodes and %d evaluations in %s\n", len(now.Nodes), len(now.Metrics), file)
			return nil
		},
	}
	f.specFlags.add(c)
	f.placeFlags.add(c)
	f.addBrief(c)
	c.Flags().StringVar(&file, "lock", "", "the lock file (default STEM.lock.yaml beside the spec)")
	c.Flags().BoolVar(&run, "run", false, "run first what is not done")
	return c
}

// addBrief adds the flags of `run` that commands which run a spec as a part of their work have too.
func (f *runFlags) addBrief(c *cobra.Command) {
	c.Flags().IntVar(&f.jobs, "jobs", 0, "nodes at a time (default: as many as the cores allow)")
	c.Flags().StringVar(&f.progress, "progress", "auto", "auto, bars, plain or none")
	f.executor = "local"
}

// aside is a command for a part of c's work: what it prints as results goes to standard error.
func aside(c *cobra.Command) *cobra.Command {
	inner := &cobra.Command{}
	inner.SetOut(c.ErrOrStderr())
	inner.SetErr(c.ErrOrStderr())
	inner.SetContext(c.Context())
	return inner
}

// lockPath is the lock's place: STEM.lock.yaml, or STEM@PROFILE.lock.yaml for a profile other than the main one.
func lockPath(path string, doc *spec.Document) string {
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if doc.Profile != "" && doc.Profile != doc.ProfileNames[0] {
		stem += "@" + doc.Profile
	}
	return filepath.Join(filepath.Dir(path), stem+".lock.yaml")
}

// collect makes the lock of what is done of a spec now. The plan is for looking at: its store is closed.
func (f *runFlags) collect(path string) (*lock.Lock, *graph.Plan, error) {
	doc, g, err := f.load(path)
	if err != nil {
		return nil, nil, err
	}
	plan, st, w, err := f.plan(doc, g)
	if err != nil {
		return nil, nil, err
	}
	defer st.Close()
	var diags diag.List // stays empty: the spec was good
	l, err := lock.Collect(doc, plan, st, lock.About{Name: runName(doc), Dir: filepath.Dir(path), Set: f.set,
		Environment: w.machineFacts(), Reproduce: experiment.Reproduce(doc, &diags)})
	if err != nil {
		return nil, nil, exit{ExitFailed, err}
	}
	return l, plan, nil
}

const openShown = 5

func allDone(plan *graph.Plan, path string) error {
	var open []string
	for _, s := range plan.Steps {
		if s.State != graph.Done {
			open = append(open, s.Node.Name)
		}
	}
	if len(open) == 0 {
		return nil
	}
	names := strings.Join(open[:min(len(open), openShown)], ", ")
	if more := len(open) - openShown; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Errorf("%d of %d nodes of %s are not done: %s; run them by `cyborg-run %s` with the same flags, or lock with --run",
		len(open), len(plan.Steps), path, names, path)
}

// machineFacts are what a lock says of this machine and these programs. What nodes depend on they said themselves.
func (w *worker) machineFacts() map[string]string {
	facts := map[string]string{
		"cyborg-run": version.Version, "go": runtime.Version(), "system": runtime.GOOS + "/" + runtime.GOARCH,
		"cores": fmt.Sprint(runtime.NumCPU()),
	}
	for name, value := range map[string]string{"cuda": w.CUDA, "processor": processor(), "driver": driver()} {
		if value != "" {
			facts[name] = value
		}
	}
	return facts
}

// processor is the CPU's name as the kernel gives it, "" where it does not.
func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// driver is the version of the NVIDIA driver, "" where there is none.
func driver() string {
	raw, err := os.ReadFile("/sys/module/nvidia/version")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

// readLock reads a lock file for a command: mistakes in it are those of the command line.
func readLock(path, spec string) (*lock.Lock, error) {
	l, err := lock.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && spec != "" {
		return nil, wrong(fmt.Errorf("there is no lock %s; `cyborg-run lock %s` writes one, or --lock names another", path, spec))
	}
	if err != nil {
		return nil, wrong(err)
	}
	return l, nil
}

// profileOf loads a spec just far enough to know its profile.
func (f *specFlags) profileOf(path string) (*spec.Document, error) {
	doc, diags := spec.Load(path, spec.Options{Profile: f.profile, Sections: stages.Sections()})
	if doc == nil {
		return nil, wrong(diags.Err())
	}
	return doc, nil
}
