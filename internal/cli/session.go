package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/publish"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/stages"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// specFlags are the flags of every command that reads a spec.
type specFlags struct {
	set     []string
	profile string
	noFiles bool
	lists   experiment.Lists // what is known of those of the spec that was loaded last
}

func (f *specFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.set, "set", nil, "set a parameter or a field: seeds=4, train.epochs=3")
	c.Flags().StringVar(&f.profile, "profile", "", "take this profile of the spec")
}

func (f *specFlags) addNoFiles(c *cobra.Command) {
	c.Flags().BoolVar(&f.noFiles, "no-files", false, "do not look for the files that the spec names")
}

// read reads a spec.
func (f *specFlags) read(path string) (*spec.Document, *diag.List) {
	return spec.Load(path, spec.Options{Profile: f.profile, Set: f.set, Sections: stages.Sections()})
}

// load reads a spec and builds its graph.
func (f *specFlags) load(path string) (*spec.Document, *graph.Graph, error) {
	doc, diags := f.read(path)
	if doc == nil {
		return nil, nil, wrong(diags.Err())
	}
	g, err := experiment.Build(doc, stages.Kinds(), experiment.Options{Cores: runtime.NumCPU(), NoFiles: f.noFiles, Lists: &f.lists}, diags)
	if mistakes := diags.Err(); mistakes != nil {
		return nil, nil, wrong(mistakes)
	}
	if err != nil {
		return nil, nil, exit{ExitFailed, err}
	}
	if err := publish.Conflicts(g); err != nil {
		var list diag.List
		list.Add(diag.Pos{File: path}, spec.BadMatrix, "%v", err)
		return nil, nil, wrong(list.Err())
	}
	return doc, g, nil
}

// loadKnown is load for commands that look at what is done. Where files are not at hand, which is no mistake of the spec's,
// it loads without them and says what is missing.
func (f *specFlags) loadKnown(path string) (doc *spec.Document, g *graph.Graph, missing, err error) {
	doc, g, err = f.load(path)
	if err == nil || f.noFiles {
		return doc, g, nil, err
	}
	bare := *f
	bare.noFiles = true
	doc, g, mistakes := bare.load(path)
	if mistakes != nil {
		return nil, nil, nil, err
	}
	return doc, g, err, nil
}

// lookAt loads a spec for a command that shows what is done, and notes where files are taken as they were.
func (f *specFlags) lookAt(c *cobra.Command, place *placeFlags, path string) (*spec.Document, *graph.Graph, error) {
	doc, g, missing, err := f.loadKnown(path)
	if missing != nil {
		fmt.Fprintf(c.ErrOrStderr(), "note: %s; files are taken to be as in the last run\n", firstLine(missing))
		place.asKnown = true
	}
	return doc, g, err
}

// firstLine is an error in one line: of several mistakes the first.
func firstLine(err error) string {
	var mistakes diag.Error
	if errors.As(err, &mistakes) && len(mistakes.Diagnostics) > 0 {
		return mistakes.Diagnostics[0].Error()
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// placeFlags say where a run keeps its things.
type placeFlags struct {
	out, store string
	device     string
	rehash     bool
	verify     bool
	asKnown    bool // files are as in the last run
}

func (f *placeFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.out, "out", "", "the run's folder (default runs/NAME)")
	c.Flags().StringVar(&f.store, "store", ".cyborg", "the folder of the cache")
	c.Flags().StringVar(&f.device, "device", "auto", "auto, cpu, cuda or cuda:N")
	c.Flags().BoolVar(&f.rehash, "rehash", false, "read all of your files again, whatever is remembered of them")
	c.Flags().BoolVar(&f.verify, "verify", false, "read every output of every finished node; what is damaged is made again")
}

// runName is the spec's name, with @profile behind it for a profile other than the main one.
func runName(doc *spec.Document) string {
	if doc.Profile != "" && doc.Profile != doc.ProfileNames[0] {
		return doc.Name + "@" + doc.Profile
	}
	return doc.Name
}

// folder is where a run leaves its results.
func (f *placeFlags) folder(doc *spec.Document) string {
	if f.out != "" {
		return f.out
	}
	return filepath.Join("runs", runName(doc))
}

// plan opens the store and looks every node up. The caller closes the store.
func (f *placeFlags) plan(doc *spec.Document, g *graph.Graph) (*graph.Plan, *store.Store, *worker, error) {
	st, err := store.Open(f.store)
	if err != nil {
		return nil, nil, nil, failed(err)
	}
	w, err := findWorker(st, f.device)
	if err != nil {
		_ = st.Close()
		return nil, nil, nil, wrong(err)
	}
	if f.rehash {
		st.Rehash()
	}
	if f.verify {
		st.Verify()
	}
	look := graph.MakePlan
	if f.asKnown {
		look = graph.MakePlanAsKnown
	}
	p, err := look(g, st, runName(doc), w.decides())
	if err != nil {
		_ = st.Close()
		return nil, nil, nil, exit{ExitFailed, err}
	}
	return p, st, w, nil
}

func executable() string {
	self, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return self
}
