package worker

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// Of a damaged state the older checkpoint is taken up, with its tables and its weights; where both are of no use, all is
// done again. A warning says so, and the bytes are the same.
func TestRunFromADamagedState(t *testing.T) {
	want := done(t, small()).outputs()
	const older, again = "tries the one before", "starts again from the beginning"
	newest := func(a *attempt) string { return a.checkpoints()[0] }
	each := func(a *attempt, glob string, harm func(string) error) error {
		paths, err := filepath.Glob(filepath.Join(a.dir, "state", glob))
		if err == nil && len(paths) == 0 {
			err = fs.ErrNotExist
		}
		for _, path := range paths {
			err = errors.Join(err, harm(path))
		}
		return err
	}
	for name, c := range map[string]struct {
		harm func(*attempt) error
		says []string
	}{
		"nothing":       {func(*attempt) error { return nil }, []string{"goes on from step 10, in epoch 3"}},
		"damaged":       {func(a *attempt) error { return flip(newest(a)) }, []string{older, "goes on from step 9"}},
		"cut_off":       {func(a *attempt) error { return os.Truncate(newest(a), 1000) }, []string{older, "goes on from step 9"}},
		"empty":         {func(a *attempt) error { return os.Truncate(newest(a), 0) }, []string{older, "goes on from step 9"}},
		"gone":          {func(a *attempt) error { return os.Remove(newest(a)) }, []string{"goes on from step 9"}},
		"older_damaged": {func(a *attempt) error { return flip(a.checkpoints()[1]) }, []string{"goes on from step 10"}},
		"other_program": {func(a *attempt) error { return checkpoint.Write(newest(a), &checkpoint.File{}) }, []string{older, "goes on from step 9"}},
		"both":          {func(a *attempt) error { return each(a, "checkpoint-*", flip) }, []string{older, again}},
		"both_gone":     {func(a *attempt) error { return each(a, "checkpoint-*", os.Remove) }, nil},
		"no_weights":    {func(a *attempt) error { return each(a, "selected-*", os.Remove) }, []string{older, again, "selected weights"}},
		"their_weights": {func(a *attempt) error { return each(a, "selected-*", flip) }, []string{older, again, "are damaged: "}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAttempt(t, small())
			a.how.Steps = 1
			if err := a.run(&stopAfter{t.Context(), 10 + 6}); !errors.Is(err, context.Canceled) { // 6 asks are of validations
				t.Fatal(err)
			}
			if err := c.harm(a); err != nil {
				t.Fatal(err)
			}
			if err := a.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			a.same(want)
			said := a.said()
			for _, says := range c.says {
				if !strings.Contains(said, says) {
					t.Errorf("it does not say %q: %s", says, said)
				}
			}
		})
	}
}

// flip changes bytes in the middle of a file: more than there is of padding between two tensors.
func flip(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i := range 200 {
		raw[len(raw)/2+i] ^= 1
	}
	return os.WriteFile(path, raw, 0o644)
}

// One bit that flips is noticed, wherever it is, or changes nothing of what a checkpoint says.
func TestAFlippedBitIsNoticed(t *testing.T) {
	a := newAttempt(t, small())
	if err := a.run(&stopAfter{t.Context(), 8}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	path := a.checkpoints()[0]
	want, err := checkpoint.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random := testenv.Random(t)
	tail := 20 << 10 // most of it are tensors; the directory of the entries is at the end
	noticed := 0
	const tries = 300
	for i := range tries {
		at := random.IntN(len(raw))
		if i%2 == 0 {
			at = len(raw) - 1 - random.IntN(tail)
		}
		flipped := bytes.Clone(raw)
		flipped[at] ^= 1 << random.IntN(8)
		if err := os.WriteFile(path, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := checkpoint.Read(path)
		if err != nil {
			noticed++
		} else if !reflect.DeepEqual(want, got) {
			t.Errorf("byte %d of %d: another checkpoint is read", at, len(raw))
		}
	}
	if noticed < tries/4 {
		t.Errorf("%d of %d are noticed", noticed, tries)
	}
}

// A state that cannot be written is a warning, once for each cause, and the training ends in the same bytes. When it can be
// written again, it is.
func TestRunWithoutRoomForItsState(t *testing.T) {
	want := done(t, small()).outputs()
	a := newAttempt(t, small())
	a.how.Steps = 1
	state := filepath.Join(a.dir, "state")
	asks := 0
	if err := a.run(&watched{t.Context(), func() {
		switch asks++; asks {
		case 1: // a file is in the folder's place
			if err := errors.Join(os.Remove(state), os.WriteFile(state, nil, 0o644)); err != nil {
				t.Fatal(err)
			}
		case 10:
			if err := errors.Join(os.Remove(state), os.Mkdir(state, 0o755)); err != nil {
				t.Fatal(err)
			}
		}
	}}); err != nil {
		t.Fatal(err)
	}
	a.same(want)
	if n := strings.Count(a.said(), "the training goes on, but was not saved: "); n != 1 {
		t.Errorf("%d warnings: %s", n, a.said())
	}
	if !strings.Contains(a.said(), "not a directory; cut off now, it would go on from the beginning") {
		t.Error(a.said())
	}
	if len(a.checkpoints()) != 2 {
		t.Errorf("it does not save again: %v", a.checkpoints())
	}
}
