package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// TestMain lets this test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CYBORG_TEST_COMMITS"); dir != "" {
		if err := commits(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// commits makes the artifact of one key again and again, each time other than before, until it is killed.
func commits(dir string) error {
	s, err := store.Open(dir)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		try, err := s.Begin("k1")
		if err != nil {
			return err
		}
		content := bytes.Repeat([]byte(strconv.Itoa(i)+"\n"), 500)
		for _, name := range []string{"a", "b"} {
			if err := os.WriteFile(filepath.Join(try.Dir, "out", name), content, 0o644); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(try.Dir, "state", "checkpoint"), content, 0o644); err != nil {
			return err
		}
		if _, err := try.Commit(store.Manifest{Node: "n"}, []string{"a", "b"}); err != nil {
			return err
		}
		if _, err := os.Stdout.WriteString("."); err != nil {
			return err
		}
	}
}

// Killed at any moment, a store holds no artifact or a whole one, and can be worked with as it is.
func TestKilledInTheMiddle(t *testing.T) {
	dir := inMemory(t)
	random := rand.New(rand.NewPCG(1, 2))
	whole, none := 0, 0
	for range 60 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CYBORG_TEST_COMMITS="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 2)); err != nil { // well under way
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.IntN(1500)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()

		s := open(t, dir)
		a, err := s.Find("k1")
		switch {
		case err == nil:
			whole++
			first, err := os.ReadFile(a.Path("a"))
			if err != nil {
				t.Fatal(err)
			}
			second, err := os.ReadFile(a.Path("b"))
			if err != nil {
				t.Fatal(err)
			}
			d, err := store.DigestFile(a.Path("a"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first, second) || d != a.Digest("a") || len(first) < 1000 {
				t.Fatalf("the artifact is a mixture: %d and %d bytes", len(first), len(second))
			}
		case errors.Is(err, store.ErrMissing): // gone, or being taken away for the next
			none++
		default:
			t.Fatal(err)
		}
		commit(t, s, "k1", map[string]string{"a": "again"})
	}
	t.Logf("%d times a whole artifact, %d times none", whole, none)
}

// What a kill leaves between two steps of a commit, step by step: the next attempt begins with an empty out/ and the
// state of the one before, and its commit goes through.
func TestBeginAfterAKill(t *testing.T) {
	for name, left := range map[string]func(t *testing.T, dir string){
		"begun":          func(*testing.T, string) {},
		"half_an_output": func(t *testing.T, dir string) { write(t, filepath.Join(dir, "out", "a"), "ha") },
		"sealed": func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "out", "cams", "a"), "all")
			if err := os.Chmod(filepath.Join(dir, "out", "cams", "a"), 0o444); err != nil {
				t.Fatal(err)
			}
		},
		"half_a_manifest": func(t *testing.T, dir string) { write(t, filepath.Join(dir, "manifest.json"), `{"key": "k`) },
		"all_but_the_name": func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "manifest.json"), `{"key": "k1", "outputs": []}`)
		},
		"events": func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "events.jsonl"), `{"type":"failed","message":"of long ago"}`+"\n")
			write(t, filepath.Join(dir, "stderr.log"), "of long ago")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			try := begin(t, s, "k1")
			write(t, filepath.Join(try.Dir, "state", "checkpoint.pth"), "half way")
			left(t, try.Dir)

			if _, err := s.Find("k1"); err != store.ErrMissing {
				t.Fatalf("%v, want %v", err, store.ErrMissing)
			}
			again := begin(t, s, "k1")
			if inside, err := os.ReadDir(filepath.Join(again.Dir, "out")); err != nil || len(inside) > 0 {
				t.Errorf("out/ holds %v (%v)", inside, err)
			}
			for _, stale := range []string{"manifest.json", "events.jsonl", "stderr.log"} {
				if _, err := os.Stat(filepath.Join(again.Dir, stale)); !os.IsNotExist(err) {
					t.Errorf("%s of the attempt before is still there", stale)
				}
			}
			if raw, err := os.ReadFile(filepath.Join(again.Dir, "state", "checkpoint.pth")); string(raw) != "half way" {
				t.Errorf("the state is %q (%v)", raw, err)
			}
			write(t, filepath.Join(again.Dir, "out", "a"), "whole")
			if _, err := again.Commit(store.Manifest{Node: "n"}, []string{"a"}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Find("k1"); err != nil {
				t.Error(err)
			}
		})
	}
}

// A commit that fails leaves the state for the next attempt.
func TestFailedCommitKeepsState(t *testing.T) {
	s := open(t, t.TempDir())
	try := begin(t, s, "k1")
	write(t, filepath.Join(try.Dir, "state", "checkpoint.pth"), "half way")
	if _, err := try.Commit(store.Manifest{Node: "n"}, []string{"final.pth"}); err == nil {
		t.Fatal("committed without its output")
	}
	if _, err := os.Stat(filepath.Join(begin(t, s, "k1").Dir, "state", "checkpoint.pth")); err != nil {
		t.Error(err)
	}
}
