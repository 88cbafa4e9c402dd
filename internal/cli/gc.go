package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/stages"
)

type gcFlags struct {
	store  string
	runs   int
	chosen bool // how many runs keep what they needed
	yes    bool
}

func gcCommand() *cobra.Command {
	var f gcFlags
	c := &cobra.Command{
		Use:   "gc [SPEC...]",
		Short: "Show what the cache holds that nothing needs; --yes frees it",
		Long: "gc keeps what the specs need as they are now, in all of their profiles, what locks beside them name, and what the\n" +
			"last runs of each name needed. Without specs it takes all in and below this folder. Where a spec's data are not at hand,\n" +
			"what it needed when it last ran stays. Where a spec does not load, --yes is refused, unless --keep-runs is given.",
		RunE: func(c *cobra.Command, args []string) error {
			f.chosen = f.runs > 0 && c.Flags().Changed("keep-runs")
			return f.collect(c, args)
		},
	}
	c.Flags().StringVar(&f.store, "store", ".cyborg", "the folder of the cache")
	c.Flags().IntVar(&f.runs, "keep-runs", 3, "how many of the last runs of each name keep what they needed")
	c.Flags().BoolVar(&f.yes, "yes", false, "free it")
	return c
}

func (f *gcFlags) collect(c *cobra.Command, args []string) error {
	if f.runs < 0 {
		return wrong(fmt.Errorf("--keep-runs %d: at least 0 is needed", f.runs))
	}
	if _, err := os.Stat(f.store); err != nil {
		return wrong(fmt.Errorf("there is no cache: %w", err))
	}
	st, err := store.Open(f.store)
	if err != nil {
		return failed(err)
	}
	if f.yes {
		if err := st.Alone(); err != nil {
			var busy *store.Busy
			if errors.As(err, &busy) {
				err = fmt.Errorf("%s is %w; wait for it to end", f.store, err)
			}
			return closed(st, exit{ExitFailed, err})
		}
	}
	return closed(st, f.free(c, st, args))
}

func (f *gcFlags) free(c *cobra.Command, st *store.Store, args []string) error {
	roots, err := f.roots(st, args, c.ErrOrStderr())
	if err != nil {
		return err
	}
	g, err := st.Garbage(roots.needed, f.runs)
	if err != nil {
		return exit{ExitFailed, err}
	}
	if len(roots.broken) > 0 && !f.chosen {
		roots.refused = "gc --yes is refused while a spec does not load, since what it needs is not known: name the specs that count, or say " +
			"how much stays for it by --keep-runs N, the last N runs of each name"
	}
	if f.yes && roots.refused != "" {
		return wrong(errors.New(strings.Join(append(roots.broken, roots.refused), "\n")))
	}
	if f.yes {
		if err := g.Remove(); err != nil {
			return exit{ExitFailed, err}
		}
	}
	return garbageText(c.OutOrStdout(), g, roots, f.yes)
}

// roots are the keys that must stay, and what asks for them.
type roots struct {
	needed             map[store.Key]bool
	specs, locks, runs int
	broken             []string // specs that do not load, and why
	refused            string   // why nothing may be freed
}

func (f *gcFlags) roots(st *store.Store, args []string, stderr io.Writer) (roots, error) {
	r := roots{needed: map[store.Key]bool{}}
	paths, locks, err := specsAndLocks(args)
	if err != nil {
		return r, exit{ExitFailed, err}
	}
	w, err := findWorker(st, "auto")
	if err != nil {
		return r, wrong(err)
	}
	for _, path := range paths {
		missing, err := r.spec(st, w, path)
		switch {
		case err == nil:
			r.specs++
		case len(args) > 0:
			return r, err
		default:
			r.broken = append(r.broken, fmt.Sprintf("%s does not load: %s", path, firstLine(err)))
		}
		if missing != nil {
			fmt.Fprintf(stderr, "note: %s: %s; what it needed when it last ran is kept\n", path, firstLine(missing))
		}
	}
	for _, path := range locks {
		raw, err := os.ReadFile(path)
		if err != nil {
			return r, exit{ExitFailed, err}
		}
		keys, err := lockedKeys(raw)
		if err != nil {
			return r, wrong(fmt.Errorf("read the lock %s: %w", path, err))
		}
		for _, key := range keys {
			r.needed[key] = true
		}
		r.locks++
	}
	records, err := st.Records()
	if err != nil {
		return r, exit{ExitFailed, err}
	}
	last, _ := store.Latest(records, f.runs)
	for _, record := range last {
		for _, key := range record.Nodes {
			r.needed[key] = true
		}
		r.runs++
	}
	return r, nil
}

// spec adds what a spec needs in each of its profiles, on the devices that are there. What it needs next, a node that is
// begun or waits for others, has its key too where that is known. Where files are missing, it is what it last needed.
func (r *roots) spec(st *store.Store, w *worker, path string) (missing, err error) {
	doc, _, _, err := (&specFlags{}).loadKnown(path)
	if err != nil {
		return nil, err
	}
	for _, profile := range append([]string{doc.Profile}, doc.ProfileNames...) {
		with := r.profile(st, w, path, specFlags{profile: profile})
		if with == nil {
			continue
		}
		if err := r.profile(st, w, path, specFlags{profile: profile, noFiles: true}); err != nil {
			return nil, with
		}
		missing = with
	}
	return missing, nil
}

func (r *roots) profile(st *store.Store, w *worker, path string, f specFlags) error {
	doc, g, err := f.load(path)
	if err != nil {
		return err
	}
	look := graph.MakePlan
	if f.noFiles {
		look = graph.MakePlanAsKnown
	}
	for _, device := range slices.Compact([]string{"cpu", w.deviceClass()}) {
		machine := w.decides()
		machine.Device = device
		plan, err := look(g, st, runName(doc), machine)
		if err != nil {
			return exit{ExitFailed, err}
		}
		for _, s := range plan.Steps {
			if s.Key != "" {
				r.needed[s.Key] = true
			}
			if f.noFiles || s.Key == "" && len(plan.Changes(s)) == 0 { // what it needs may come out as it was
				r.needed[plan.LastKey(s)] = true
			}
		}
	}
	return nil
}

// specsAndLocks are the given specs and the locks beside them, or all in and below this folder.
func specsAndLocks(args []string) (specs, locks []string, err error) {
	for _, path := range args {
		beside, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.lock.yaml"))
		if err != nil {
			return nil, nil, err
		}
		specs, locks = append(specs, path), append(locks, beside...)
	}
	if len(args) == 0 {
		err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
			switch name := d.Name(); {
			case err != nil:
				return err
			case d.IsDir() && path != "." && (strings.HasPrefix(name, ".") || path == "runs"):
				return fs.SkipDir
			case strings.HasSuffix(name, ".lock.yaml"):
				locks = append(locks, path)
			case filepath.Ext(name) == ".yaml" && looksLikeSpec(path):
				specs = append(specs, path)
			}
			return nil
		})
	}
	slices.Sort(locks)
	return specs, slices.Compact(locks), err
}

// looksLikeSpec keeps files of other programs, and those that only others extend, out. A spec whose mistake hides its stages
// is told by its sections.
func looksLikeSpec(path string) bool {
	doc, diags := spec.Load(path, spec.Options{Sections: stages.Sections()})
	if doc != nil && (len(doc.Stages) > 0 || !slices.ContainsFunc(diags.All(), hidesStages)) {
		return len(doc.Stages) > 0
	}
	raw, err := os.ReadFile(path)
	return err != nil || section.Match(raw)
}

func hidesStages(d diag.Diagnostic) bool {
	return strings.HasSuffix(d.Message, `did you mean "stages"?`) || strings.HasPrefix(d.Message, "stages: ")
}

var section = regexp.MustCompile(`(?m)^["']?(datasets|losses|extends)["']?[ \t]*:`)

// lockedKeys are the keys that a lock names. Of a lock, gc reads this alone: it keeps what locks of other versions name.
func lockedKeys(raw []byte) ([]store.Key, error) {
	var lock struct {
		Nodes []struct {
			Name string    `yaml:"name"`
			Key  store.Key `yaml:"key"`
		} `yaml:"nodes"`
	}
	if err := yaml.Unmarshal(raw, &lock); err != nil {
		return nil, err
	}
	if len(lock.Nodes) == 0 {
		return nil, errors.New("it names no nodes")
	}
	var keys []store.Key
	for i, n := range lock.Nodes {
		if n.Key == "" {
			return nil, fmt.Errorf("nodes[%d] %s has no key", i, n.Name)
		}
		keys = append(keys, n.Key)
	}
	return keys, nil
}

func garbageText(out io.Writer, g *store.Garbage, r roots, done bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	freed, linked := g.Bytes()
	verb := "would free"
	if done {
		verb = "freed"
	}
	if g.Empty() {
		fmt.Fprint(w, "nothing to free\n")
	} else {
		fmt.Fprintf(w, "%s %s\n", verb, size(freed))
	}
	type sum struct {
		count         int
		bytes, linked int64
	}
	byStage := map[string]sum{}
	add := func(name string, wastes []store.Waste, stage bool) {
		for _, waste := range wastes {
			key := name
			if stage && waste.Node != "" {
				key = waste.Stage()
			}
			s := byStage[key]
			byStage[key] = sum{s.count + 1, s.bytes + waste.Bytes, s.linked + waste.Linked}
		}
	}
	add("(damaged)", g.Artifacts, true)
	add("(cut off)", g.Attempts, false)
	var names []string
	for name := range byStage {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := byStage[b].bytes - byStage[a].bytes; d != 0 {
			return int(max(-1, min(1, d)))
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		s := byStage[name]
		note := ""
		if s.linked > 0 {
			note = fmt.Sprintf("%s more stay, linked from a run's folder", size(s.linked))
		}
		fmt.Fprintf(w, "  %s\t%d\t%s\t%s\n", name, s.count, size(s.bytes), note)
	}
	for _, rest := range []struct {
		what  string
		count int
	}{{"locks of keys that are gone", g.Locks}, {"remembered digests of files that are gone", g.Digests}, {"records of older runs", len(g.Records)}} {
		if rest.count > 0 {
			fmt.Fprintf(w, "  %s\t%d\n", rest.what, rest.count)
		}
	}
	fmt.Fprintf(w, "keeps %s for %s, %s and %s\n", size(g.Kept.Bytes), many(r.specs, "spec"), many(r.locks, "lock"), many(r.runs, "recorded run"))
	for _, line := range r.broken {
		fmt.Fprintln(w, line)
	}
	switch {
	case r.refused != "":
		fmt.Fprintln(w, r.refused)
	case !done && !g.Empty():
		fmt.Fprintln(w, "gc --yes does it")
	}
	if done && linked > 0 {
		fmt.Fprintf(w, "%s stay on the disk: delete the folders in runs/ that link to them\n", size(linked))
	}
	return w.Flush()
}

func many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
