package leaks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	measure "github.com/cyborg-run/cyborg-run/internal/leaks"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/leaks"
)

// folder has a list of six files, of which three cannot be read.
func folder(t *testing.T) leaks.Params {
	t.Helper()
	dir := t.TempDir()
	picture := image.NewGray(image.Rect(0, 0, 12, 8))
	var asPNG, asJPEG bytes.Buffer
	if err := errors.Join(png.Encode(&asPNG, picture), jpeg.Encode(&asJPEG, picture, &jpeg.Options{Quality: 60})); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"a.png": asPNG.Bytes(), "b.jpg": asJPEG.Bytes(), "large.jpg": append(asJPEG.Bytes(), make([]byte, 100_000)...),
		"cut.jpg": asJPEG.Bytes()[:100], "text.png": []byte("no image"),
		"list.csv": []byte("train,Real,/a.png\ntrain,Synthetic,b.jpg\ntrain,Real,large.jpg\ntrain,Real,cut.jpg\ntrain,Real,text.png\ntrain,Real,gone.png\ntest,Real,other.png\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return leaks.Params{CSV: filepath.Join(dir, "list.csv"), Where: `split == "train"`}
}

func newTask(t *testing.T, p leaks.Params, threads int) *task.Task {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	made, err := (&task.Task{Node: "leaks.heads.train", Kind: "heads", Params: raw, Threads: threads}).In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// Files that cannot be read are named by their rows; the others are read all the same.
func TestHeads(t *testing.T) {
	p := folder(t)
	want := []leaks.Row{
		{Head: &measure.Head{Format: "PNG", Codec: "deflate 789c", Mode: "L", W: 12, H: 8, Structure: "IHDR IDAT IEND"}},
		{Head: &measure.Head{Format: "JPEG", Codec: "baseline", Mode: "L", W: 12, H: 8, Structure: "DQT SOF0 DHT SOS"}},
		{Head: &measure.Head{Format: "JPEG", Codec: "baseline", Mode: "L", W: 12, H: 8, Structure: "DQT SOF0 DHT SOS"}},
		{Bad: "JPEG: truncated: segment db ends behind the file"},
		{Bad: `no image of a known kind: it begins with "no image"`},
		{Bad: "no such file or directory"},
	}
	var first []byte
	for _, threads := range []int{1, 4} {
		made := newTask(t, p, threads)
		if err := leaks.RunHeads(t.Context(), made); err != nil {
			t.Fatal(err)
		}
		rows, err := leaks.ReadRows(made.Out(leaks.Output), 6)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Head != nil && r.Head.Bytes < 70 {
				t.Errorf("%d bytes", r.Head.Bytes)
			}
		}
		if d := cmp.Diff(want, rows, cmpopts.IgnoreFields(measure.Head{}, "Bytes", "Tables"), cmpopts.IgnoreUnexported(measure.Head{})); d != "" {
			t.Error(d)
		}
		raw, err := os.ReadFile(made.Out(leaks.Output))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = raw
		} else if !bytes.Equal(first, raw) {
			t.Error("four threads give other bytes than one")
		}
	}
}

// An output that is not the list's is refused.
func TestReadRowsOfAnotherList(t *testing.T) {
	made := newTask(t, folder(t), 1)
	if err := leaks.RunHeads(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	if _, err := leaks.ReadRows(made.Out(leaks.Output), 5); err == nil || !strings.Contains(err.Error(), "6 rows for 5 images") {
		t.Error(err)
	}
}

// A task that is stopped ends, and leaves nothing.
func TestStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	made := newTask(t, folder(t), 2)
	if err := leaks.RunHeads(ctx, made); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := os.Stat(made.Out(leaks.Output)); err == nil {
		t.Error("there is an output")
	}
}

// A list that cannot be read is the error of the task.
func TestBadList(t *testing.T) {
	p := folder(t)
	p.Where = `splitt == "train"`
	if err := leaks.RunHeads(t.Context(), newTask(t, p, 1)); err == nil || !strings.Contains(err.Error(), "splitt") {
		t.Error(err)
	}
}

// An image that one node cannot read is bad, whatever the other says.
func TestAdd(t *testing.T) {
	head, pixels := &measure.Head{W: 1}, &measure.Pixels{PHash: 1}
	for name, c := range map[string]struct{ a, b, want leaks.Row }{
		"both":       {leaks.Row{Head: head}, leaks.Row{Pixels: pixels}, leaks.Row{Head: head, Pixels: pixels}},
		"bad pixels": {leaks.Row{Head: head}, leaks.Row{Bad: "x"}, leaks.Row{Bad: "x"}},
		"bad head":   {leaks.Row{Bad: "x"}, leaks.Row{Pixels: pixels}, leaks.Row{Bad: "x"}},
		"both bad":   {leaks.Row{Bad: "x"}, leaks.Row{Bad: "y"}, leaks.Row{Bad: "x"}},
	} {
		got := c.a
		if got.Add(c.b); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
