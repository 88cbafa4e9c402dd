//go:build slow

// Package examples_test runs the worked examples as a reader would.
package examples_test

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// TestOwnData trains on real portraits and ProGAN faces, scores unseen StarGAN ones, and leaves the whole report. The
// photographs are read where they are.
func TestOwnData(t *testing.T) {
	faces := testenv.Shared(t, "data/faces")
	root := testenv.Root(t)
	dir := t.TempDir()
	run(t, root, "examples/own-data/spec.yaml", "--set", "data="+faces, "--out", filepath.Join(dir, "out"),
		"--store", filepath.Join(dir, "store"), "--progress", "none")

	for _, name := range []string{"report.html", "resolved.yaml", "events.jsonl", "figures/roc.svg", "figures/roc.png",
		"models/fit[loss=cross_entropy,seed=1]/final.pth", "cams/maps[loss=cross_entropy,seed=2]/mean.png"} {
		if info, err := os.Stat(filepath.Join(dir, "out", name)); err != nil || info.Size() == 0 {
			t.Errorf("%s is not there or empty (%v)", name, err)
		}
	}
	scores := table(t, filepath.Join(dir, "out", "scores", "score[loss=cross_entropy,seed=1,set=stargan].csv"))
	if got := strings.Join(scores[0], ","); got != "path,label,score" {
		t.Errorf("header of the scores: %s", got)
	}
	if got, want := len(scores)-1, 175; got != want { // test_stargan.csv: 75 real, 100 synthetic
		t.Errorf("%d scores, the list has %d images", got, want)
	}
	sets := map[string]bool{}
	for _, row := range table(t, filepath.Join(dir, "out", "metrics.csv"))[1:] {
		sets[row[3]] = true
	}
	if !sets["stargan"] || !sets["progan"] {
		t.Errorf("metrics.csv speaks of %v, not of stargan and progan", sets)
	}
}

// TestOwnDataWithMaps adds saliency maps, which here are simulated, and trains with the CYBORG loss too.
func TestOwnDataWithMaps(t *testing.T) {
	faces := testenv.Shared(t, "data/faces")
	dir := t.TempDir()
	maps := simulatedMaps(t, faces)
	run(t, testenv.Root(t), "examples/own-data/spec.yaml", "--set", "data="+faces, "--set", "maps="+maps, "--set", "simulated=true",
		"--set", "seeds=1", "--set", "epochs=1", "--out", filepath.Join(dir, "out"), "--store", filepath.Join(dir, "store"), "--progress", "none")
	page, err := os.ReadFile(filepath.Join(dir, "out", "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "Simulated maps") {
		t.Error("the report does not say that the maps are simulated")
	}
	steps := table(t, filepath.Join(dir, "out", "models", "fit[loss=cyborg,seed=1]", "steps.csv"))
	if got := strings.Join(steps[0], ","); got != "step,cross_entropy,cyborg,total" {
		t.Errorf("columns of steps.csv: %s", got)
	}
}

func run(t *testing.T, root string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(root, "bin", "cyborg-run"), args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cyborg-run %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func table(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
