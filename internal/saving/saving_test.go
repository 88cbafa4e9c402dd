package saving_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/saving"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

func attempt(t *testing.T, dir string) *task.Task {
	t.Helper()
	tk, err := (&task.Task{Node: "pre", Params: json.RawMessage("{}"), Device: "cpu", Threads: 1}).In(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := tk.Open(); err != nil {
		t.Fatal(err)
	}
	return tk
}

func file(text string) *checkpoint.File {
	return &checkpoint.File{Tensors: []checkpoint.Tensor{{Name: "w", DType: checkpoint.Uint8, Shape: []int{len(text)}, Data: []byte(text)}}}
}

// Two checkpoints and the weights that go with them are kept, and whichever is whole is where the next attempt goes on.
func TestKeeper(t *testing.T) {
	dir := t.TempDir()
	k := saving.New(attempt(t, dir), saving.Rule{Steps: 2})
	save := func(step, epoch int, text string) {
		t.Helper()
		if err := k.Save(saving.Place{Step: step, Epoch: epoch}, func() (*checkpoint.File, error) { return file(text), nil }); err != nil {
			t.Fatal(err)
		}
	}
	resume := func() (text string, resumed, touched bool) {
		t.Helper()
		next := saving.New(attempt(t, dir), saving.Rule{})
		resumed, touched, err := next.Resume(func(f *checkpoint.File) error { text = string(f.Tensors[0].Data); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if resumed {
			if err := next.Final(filepath.Join(dir, "final.pth")); err != nil {
				t.Fatal(err)
			}
			f, err := checkpoint.Read(filepath.Join(dir, "final.pth"))
			if err != nil {
				t.Fatal(err)
			}
			text += " with " + string(f.Tensors[0].Data)
		}
		return text, resumed, touched
	}
	if _, resumed, touched := resume(); resumed || touched {
		t.Error("it went on from nothing")
	}
	for at, want := range map[int]bool{1: false, 2: true, 3: true} {
		if got := k.Due(saving.Place{Step: at}, false); got != want {
			t.Errorf("after %d steps due is %v", at, got)
		}
	}
	k.Select(1, 0.5, file("weights of epoch 1"))
	save(2, 1, "step 2")
	k.Select(2, 0.6, file("weights of epoch 2"))
	save(4, 2, "step 4")
	save(6, 2, "step 6")
	if !k.Saved(saving.Place{Step: 6, Epoch: 2}) || k.Saved(saving.Place{Step: 6, Epoch: 3}) {
		t.Error("it does not know where it saved")
	}
	entries, err := os.ReadDir(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "checkpoint-000000004.pth checkpoint-000000006.pth selected-000002.pth" {
		t.Errorf("the state holds %s", got)
	}
	if text, _, _ := resume(); text != "step 6 with weights of epoch 2" {
		t.Error(text)
	}
	cut := func(name string) {
		if err := os.Truncate(filepath.Join(dir, "state", name), 100); err != nil {
			t.Fatal(err)
		}
	}
	cut("checkpoint-000000006.pth")
	if text, _, _ := resume(); text != "step 4 with weights of epoch 2" {
		t.Error(text)
	}
	cut("selected-000002.pth")
	if _, resumed, touched := resume(); resumed || !touched {
		t.Error("it went on without its selected weights")
	}
}

// A checkpoint that cannot be written is one warning for its cause, and no error; one that cannot be made is an error.
func TestUnsaved(t *testing.T) {
	dir := t.TempDir()
	tk := attempt(t, dir)
	k := saving.New(tk, saving.Rule{Every: time.Hour})
	if err := os.RemoveAll(filepath.Join(dir, "state")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "state"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for step := range 2 {
		if err := k.Save(saving.Place{Step: step}, func() (*checkpoint.File, error) { return file("x"), nil }); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(raw), "the training goes on, but was not saved"); n != 1 || k.Kept() != "" {
		t.Errorf("%d warnings:\n%s", n, raw)
	}
	broken := errors.New("broken")
	if err := k.Save(saving.Place{}, func() (*checkpoint.File, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}
