package npy

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, shape := range [][]int{{3}, {2, 3}, {5, 2, 2}, {0, 4, 4}, {2000, 12, 12}} {
		path := filepath.Join(t.TempDir(), "a.npy")
		n := 1
		for _, size := range shape {
			n *= size
		}
		want := make([]float32, n)
		for i := range want {
			want[i] = float32(i) / 7
		}
		if err := Save(path, want, shape...); err != nil {
			t.Fatal(err)
		}
		got, read, err := Load(path, 1<<20)
		if err != nil || !slices.Equal(read, shape) || !slices.Equal(got, want) {
			t.Errorf("%v: shape %v, error %v, or other values", shape, read, err)
		}
	}
}

func TestNumPyReadsTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	if err := Save(path, []float32{1, -2.5, 3e-9, math.MaxFloat32, 0.1, 6}, 3, 1, 2); err != nil {
		t.Fatal(err)
	}
	said := testenv.RunPython(t, `
import sys, json, numpy as np
a = np.load(sys.argv[1])
np.save(sys.argv[1], a * 2 / 2)
print(json.dumps([str(a.dtype), a.shape, a.astype(float).ravel().tolist()]))`, path)
	var got []any
	if err := json.Unmarshal(said, &got); err != nil {
		t.Fatal(err)
	}
	if got[0] != "float32" || len(got[1].([]any)) != 3 || got[2].([]any)[2] != float64(float32(3e-9)) {
		t.Errorf("NumPy reads %s", said)
	}
	if values, shape, err := Load(path, 6); err != nil || !slices.Equal(shape, []int{3, 1, 2}) || values[1] != -2.5 {
		t.Errorf("what NumPy wrote: %v %v %v", values, shape, err)
	}
}

func TestDamage(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.npy")
	if err := Save(good, make([]float32, 6), 2, 3); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for want, content := range map[string][]byte{
		"ends before its array does": raw[:len(raw)-1],
		"no array of NumPy's":        []byte("PNG"),
		"not of float32":             bytes.Replace(raw, []byte("<f4"), []byte("<f8"), 1),
		"at most 6 values":           bytes.Replace(raw, []byte("(2, 3)"), []byte("(9, 9)"), 1),
		"shape (9, ,)":               bytes.Replace(raw, []byte("(2, 3)"), []byte("(9, ,)"), 1),
	} {
		path := filepath.Join(dir, "bad.npy")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Load(path, 6); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if err := Save(filepath.Join(dir, "few.npy"), make([]float32, 5), 2, 3); err == nil {
		t.Error("five values for a shape of six")
	}
}

func FuzzRead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "a.npy")
	if err := Save(path, []float32{1, 2}, 1, 2); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := newReader(bytes.NewReader(raw))
		if err != nil {
			return
		}
		for _, n := range r.Shape {
			if n < 0 {
				t.Fatalf("shape %v", r.Shape)
			}
		}
		if err := r.Read(make([]float32, 1)); err == nil && len(raw) < 4 {
			t.Fatal("a value out of nothing")
		}
	})
}
