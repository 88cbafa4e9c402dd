package cli_test

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cyborg-run/cyborg-run/internal/cli"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages"
)

var update = flag.Bool("update", false, "write what the scripts print into them")

// TestMain lets this test binary be cyborg-run, for scripts and as its own worker.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"cyborg-run": func() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts are command lines and what they print; no script here needs cyborg-torch. Beside testscript's own commands
// there are:
//
//	status N COMMAND...     the command ends with exit status N
//	tree DIR                prints the files below DIR, one a line, in order
//	damage GLOB             changes one byte in each of the files, which may be read-only
//	rot GLOB                the same, and leaves their size and times as they were
//	misremember STORE FILE OTHER   lets the store remember of FILE the digest of OTHER, as if no status told them apart
//	checkpoint FILE         writes a small checkpoint, with all that one may hold
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Cmds:                commands,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup:               setup(t, ""),
	})
}

// setup makes a script's surroundings, with no worker but the one that is named.
func setup(t *testing.T, worker string) func(*testscript.Env) error {
	root := testenv.Root(t)
	return func(env *testscript.Env) error {
		env.Setenv("CYBORG_TORCH", worker)
		env.Setenv("CYBORG_DATA", "")
		env.Setenv("CYBORG_CACHE", filepath.Join(env.WorkDir, "cache"))
		env.Setenv("CUDA_VISIBLE_DEVICES", "-1")
		env.Setenv("ROOT", root)
		return nil
	}
}

// TestShippedSpecs: no spec that we ship may rot, in any of its profiles.
func TestShippedSpecs(t *testing.T) {
	root := testenv.Root(t)
	specs := 0
	for _, folder := range []string{"specs", "examples"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".yaml" || strings.HasSuffix(path, ".lock.yaml") || filepath.Base(filepath.Dir(path)) == "base" {
				return err
			}
			specs++
			name, err := filepath.Rel(root, path)
			t.Run(filepath.ToSlash(name), func(t *testing.T) {
				for _, profile := range append([]string{""}, profiles(t, path)...) {
					validates(t, path, profile)
				}
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if specs < 5 {
		t.Errorf("%d specs were found in specs/ and examples/: the test looks in the wrong place", specs)
	}
}

// profiles are the names under `profiles`, which may be those of a file that the spec extends.
func profiles(t *testing.T, path string) []string {
	t.Helper()
	doc, diags := spec.Load(path, spec.Options{Sections: stages.Sections()})
	if doc == nil {
		t.Fatal(diags.Err())
	}
	return doc.ProfileNames
}

func validates(t *testing.T, path, profile string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args := []string{"validate", "--no-files", path}
	if profile != "" {
		args = append(args, "--profile", profile)
	}
	if status := cli.Main(args, &stdout, &stderr); status != cli.ExitDone || !strings.Contains(stdout.String(), ": good; ") {
		t.Errorf("cyborg-run %s: exit status %d\n%s%s", strings.Join(args, " "), status, &stdout, &stderr)
	}
}
