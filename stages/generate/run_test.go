package generate

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/faces"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

var update = flag.Bool("update", false, "write the golden files anew")

// quickstart is the recipe of the quick start: what a spec asks for, and how many images wear the stamp.
var quickstart = []struct {
	name            string
	faces           Faces
	real, synthetic int
}{
	{"train", Faces{Generator: "G0", Split: "train", Count: 600, Seed: 1, Shortcut: Shortcut{Synthetic: 0.95, Real: 0.05}}, 15, 285},
	{"validation", Faces{Generator: "G0", Split: "validation", Count: 100, Seed: 1, Shortcut: Shortcut{Synthetic: 0.95, Real: 0.05}}, 3, 48},
	{"U1", Faces{Generator: "U1", Split: "test", Count: 400, Seed: 1}, 0, 0},
	{"U2", Faces{Generator: "U2", Split: "test", Count: 400, Seed: 1}, 0, 0},
	{"U3", Faces{Generator: "U3", Split: "test", Count: 400, Seed: 1, Shortcut: Shortcut{Synthetic: 0.5, Real: 0.5}}, 100, 100},
	{"S", Faces{Generator: "G0", Split: "test", Count: 200, Seed: 1, Shortcut: Shortcut{Synthetic: 0.5, Real: 0.5}}, 50, 50},
}

// BenchmarkQuickstart draws and saves all 2,100 images of the quick start, on two threads.
func BenchmarkQuickstart(b *testing.B) {
	for b.Loop() {
		for _, set := range quickstart {
			run(b, b.TempDir(), 2, set.faces)
		}
	}
}

// run does the stage in a folder and returns the folder of its data.
func run(tb testing.TB, dir string, threads int, f Faces) string {
	tb.Helper()
	t := newTask(tb, dir, threads, f)
	if err := Run(context.Background(), t); err != nil {
		tb.Fatal(err)
	}
	return t.Out("data")
}

func newTask(tb testing.TB, dir string, threads int, f Faces) *task.Task {
	tb.Helper()
	params, err := json.Marshal(Params{Faces: f})
	if err != nil {
		tb.Fatal(err)
	}
	t, err := (&task.Task{Node: "generate.train", Kind: Stage.Kind, Params: params, Threads: threads}).In(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// rows reads data.csv and takes its header away.
func rows(t *testing.T, data string) [][]string {
	t.Helper()
	file, err := os.Open(filepath.Join(data, "data.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"split", "label", "path", "generator", "shortcut"}, all[0]); diff != "" {
		t.Fatal(diff)
	}
	return all[1:]
}

func TestRunLeavesADataSet(t *testing.T) {
	data := run(t, t.TempDir(), 2, Faces{Generator: "U3", Split: "test", Count: 8, Seed: 1, Shortcut: Shortcut{Synthetic: 1}})
	want := [][]string{
		{"test", "Real", "images/u3_000000_real.png", "U3", "none"},
		{"test", "Synthetic", "images/u3_000001_synthetic.png", "U3", "stamp"},
		{"test", "Real", "images/u3_000002_real.png", "U3", "none"},
		{"test", "Synthetic", "images/u3_000003_synthetic.png", "U3", "stamp"},
	}
	got := rows(t, data)
	if diff := cmp.Diff(want, got[:4]); diff != "" {
		t.Error(diff)
	}
	if len(got) != 8 {
		t.Errorf("%d rows", len(got))
	}

	set, err := Params{Faces{Generator: "U3", Split: "test", Count: 8, Seed: 1, Shortcut: Shortcut{Synthetic: 1}}}.Set()
	if err != nil {
		t.Fatal(err)
	}
	p := faces.NewPicture(set.Side())
	for i, row := range got {
		set.Draw(i, p)
		name := filepath.Base(row[2])
		for folder, pixels := range map[string][]byte{"images": p.Pixels, "maps": p.Human, "masks/parts": p.Parts, "masks/head": p.Head} {
			if diff := cmp.Diff(pixels, decode(t, filepath.Join(data, filepath.FromSlash(folder), name))); diff != "" {
				t.Errorf("%s/%s is not what was drawn", folder, name)
			}
		}
	}
}

// decode reads a PNG with the standard library: one byte a pixel where it is grey, three where it is in colour.
func decode(tb testing.TB, path string) []byte {
	tb.Helper()
	file, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	m, err := png.Decode(file)
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	if grey, ok := m.(*image.Gray); ok {
		return grey.Pix
	}
	var pixels []byte
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			c := m.At(x, y).(color.RGBA)
			pixels = append(pixels, c.R, c.G, c.B)
		}
	}
	return pixels
}

// TestQuickstartShortcut counts who wears the stamp in the sets of the quick start: none in U1 and U2, half in U3.
func TestQuickstartShortcut(t *testing.T) {
	for _, c := range quickstart {
		t.Run(c.name, func(t *testing.T) {
			set, err := Params{c.faces}.Set()
			if err != nil {
				t.Fatal(err)
			}
			real, synthetic := 0, 0
			for i := range set.Len() {
				switch {
				case set.Stamped(i) && set.Synthetic(i):
					synthetic++
				case set.Stamped(i):
					real++
				}
			}
			if real != c.real || synthetic != c.synthetic {
				t.Errorf("%d real and %d synthetic, want %d and %d", real, synthetic, c.real, c.synthetic)
			}
		})
	}
}

// TestListNamesEveryShortcut: stamps and clips are told apart, and a set without clips has the key that it always had.
func TestListNamesEveryShortcut(t *testing.T) {
	half := Shortcut{Synthetic: 0.5, Real: 0.5}
	f := Faces{Generator: "G0", Split: "train", Count: 40, Seed: 3, Shortcut: half, Clip: half}
	seen := map[string]int{}
	for _, row := range rows(t, run(t, t.TempDir(), 1, f)) {
		seen[row[4]]++
	}
	if len(seen) != 4 || seen["stamp"]+seen["stamp+clip"] != 20 || seen["clip"]+seen["stamp+clip"] != 20 {
		t.Errorf("%v, want none, stamp, clip and stamp+clip, 20 of each shortcut", seen)
	}
	f.Clip = Shortcut{}
	if raw, err := json.Marshal(Params{Faces: f}); err != nil || strings.Contains(string(raw), "clip") {
		t.Errorf("%s (%v) has a clip", raw, err)
	}
}

// digest is of all files of a folder, with their names.
func digest(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		fmt.Fprintf(h, "%s %d\n%s", path, len(raw), raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

func TestThreadsChangeNothing(t *testing.T) {
	f := Faces{Generator: "G0", Split: "train", Count: 30, Seed: 9, Shortcut: Shortcut{Synthetic: 0.8, Real: 0.2}}
	one := digest(t, run(t, t.TempDir(), 1, f))
	for _, threads := range []int{0, 2, 7} {
		if got := digest(t, run(t, t.TempDir(), threads, f)); got != one {
			t.Errorf("%d threads: %s, one thread: %s", threads, got, one)
		}
	}
}

// TestRevision fails when the stage's bytes have changed and its revision has not. Raise Stage.Revision, then -update.
func TestRevision(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the golden digest was made on amd64; other processors may fuse multiplications with additions")
	}
	f := Faces{Generator: "G0", Split: "train", Count: 10, Seed: 1, Shortcut: Shortcut{Synthetic: 0.8, Real: 0.2}}
	got := fmt.Sprintf("revision %d: %s\n", Stage.Revision, digest(t, run(t, t.TempDir(), 1, f)))
	path := filepath.Join("testdata", "revision.golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%sgolden: %s", got, want)
	}
}

func TestRunReportsProgress(t *testing.T) {
	dir := t.TempDir()
	task := newTask(t, dir, 2, Faces{Generator: "G0", Count: 20, Seed: 1})
	if err := task.Open(); err != nil {
		t.Fatal(err)
	}
	if err := Run(context.Background(), task); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	finished := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var e struct {
			Type, Unit string
			Done, Of   int
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		finished = finished || (e.Type == "progress" && e.Unit == "images" && e.Done == 20 && e.Of == 20)
	}
	if !finished {
		t.Error("no event says that 20 of 20 images are done")
	}
}

func TestRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	err := Run(ctx, newTask(t, dir, 2, Faces{Generator: "G0", Count: 5000, Seed: 1}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(filepath.Join(dir, "out", "data", "data.csv")); err == nil {
		t.Error("a run that was stopped has listed its images")
	}
}

func TestRunFails(t *testing.T) {
	t.Run("on a parameter that cannot be", func(t *testing.T) {
		err := Run(context.Background(), newTask(t, t.TempDir(), 1, Faces{Generator: "StyleGAN", Count: 2}))
		if want := `generate: faces: generator "StyleGAN": there are G0, U1, U2, U3`; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	})
	t.Run("where it cannot write", func(t *testing.T) {
		dir := t.TempDir()
		task := newTask(t, dir, 1, Faces{Generator: "G0", Count: 2})
		blocked := filepath.Join(task.Out("data"), "images", "g0_000000_real.png")
		if err := os.MkdirAll(blocked, 0o755); err != nil {
			t.Fatal(err)
		}
		err := Run(context.Background(), task)
		if want := "generate image 0 of 2: open " + blocked; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s ...", err, want)
		}
	})
}

// TestEncoder writes any pixels and reads them back with the standard library.
func TestEncoder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "picture.png")
	rapid.Check(t, func(rt *rapid.T) {
		side, depth := rapid.IntRange(1, 40).Draw(rt, "side"), rapid.SampledFrom([]int{1, 3}).Draw(rt, "bytes a pixel")
		pixels := rapid.SliceOfN(rapid.Byte(), side*side*depth, side*side*depth).Draw(rt, "pixels")
		e, err := newEncoder(side)
		if err != nil {
			rt.Fatal(err)
		}
		for range 2 { // what the first picture left must not show in the second
			if err := e.save(path, pixels); err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(pixels, decode(t, path)); diff != "" {
				rt.Fatal(diff)
			}
		}
	})
}
