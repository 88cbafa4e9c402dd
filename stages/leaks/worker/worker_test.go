package worker_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/leaks"
	"github.com/cyborg-run/cyborg-run/stages/leaks/worker"
)

const imageHashes = `
import json, sys, numpy, imagehash
from PIL import Image
out = []
for line in open(sys.argv[1]):
    with Image.open(line.strip().split(",", 2)[2]) as image:
        out.append(dict(p=str(imagehash.phash(image)), d=str(imagehash.dhash(image)),
            mean=numpy.asarray(image.convert("RGB"), dtype=numpy.float64).reshape(-1, 3).mean(0).tolist()))
print(json.dumps(out))`

func pixels(t *testing.T, list string, n int) []leaks.Row {
	t.Helper()
	raw, err := json.Marshal(leaks.Params{CSV: list, Root: "/"})
	if err != nil {
		t.Fatal(err)
	}
	made, err := (&task.Task{Params: raw, Threads: 2}).In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Run(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	rows, err := leaks.ReadRows(made.Out(leaks.Output), n)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Of real photographs, hashes and mean colours are those of ImageHash and NumPy, from the file on.
func TestPixelsEqualImageHash(t *testing.T) {
	var list strings.Builder
	n := 0
	for _, pattern := range []string{"data/faces/images/*/*7.jpg", "data/osie/stimuli/*5.jpg", "data/cyborg/images/*.png"} {
		found, err := filepath.Glob(testenv.Shared(t, filepath.Dir(filepath.Dir(pattern))) + pattern[len(filepath.Dir(filepath.Dir(pattern))):])
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			abs, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&list, "test,Real,%s\n", abs)
			n++
		}
	}
	if n < 40 {
		t.Errorf("only %d photographs", n)
	}
	file := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(file, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var want []struct {
		P, D string
		Mean [3]float64
	}
	if err := json.Unmarshal(testenv.RunPython(t, imageHashes, file), &want); err != nil {
		t.Fatal(err)
	}
	for i, row := range pixels(t, file, n) {
		if row.Pixels == nil {
			t.Fatal(row.Bad)
		}
		if p, d := fmt.Sprintf("%016x", row.Pixels.PHash), fmt.Sprintf("%016x", row.Pixels.DHash); p != want[i].P || d != want[i].D {
			t.Errorf("row %d: %s %s, ImageHash says %s %s", i, p, d, want[i].P, want[i].D)
		}
		for c, mean := range want[i].Mean {
			if math.Abs(float64(row.Pixels.Mean[c])-mean) > 1e-4 {
				t.Errorf("row %d: mean colour %v, NumPy says %v", i, row.Pixels.Mean, want[i].Mean)
			}
		}
	}
}

// What cannot be decoded is said, without the name that the row has already.
func TestBadPixels(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"list.csv": "a,Real," + dir + "/x.jpg\na,Real," + dir + "/gone.png\n", "x.jpg": "\xff\xd8\xff no"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rows := pixels(t, filepath.Join(dir, "list.csv"), 2)
	for _, row := range rows {
		if row.Pixels != nil || row.Bad == "" || strings.Contains(row.Bad, dir) {
			t.Errorf("%+v", row)
		}
	}
}
