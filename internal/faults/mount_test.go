//go:build slow && linux

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// mount lays a file system in memory over a folder, which it makes; the test skips where that may not be done.
func mount(t *testing.T, dir, options string) (unmount func()) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("mounting a tmpfs needs root: %v", err)
	}
	mounted := true
	unmount = func() {
		if mounted {
			mounted = false
			if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(unmount)
	return unmount
}

func remount(t *testing.T, dir, options string, flags uintptr) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|flags, options); err != nil {
		t.Fatal(err)
	}
}

// A disk that is full, and gets a little room again and again: each run gets as far as there is room, keeps it and says what
// is lacking; the last one ends as if there had always been room. The room is given in parts of what the experiment needs,
// to one node after the other, so that the disk is full at the same places on every machine.
func TestFaultFullDisk(t *testing.T) {
	const plenty = "size=200m,nr_inodes=10k"
	for _, of := range []string{"store", "out"} {
		for _, limit := range []string{"size", "nr_inodes"} {
			t.Run(of+"_"+limit, func(t *testing.T) {
				x, ref := newSmall(t)
				dir := x.out
				if of == "store" {
					dir = x.store
				}
				unmount := mount(t, dir, plenty)
				x.finishes(ref)
				all := used(t, dir, limit)
				unmount()
				x.empty()

				mount(t, dir, fmt.Sprintf("%s=%d", limit, max(1, all/32)))
				failed, places := 0, map[int]bool{}
				for _, percent := range []int{3, 12, 25, 40, 55, 70, 80, 90, 97} {
					room := fmt.Sprintf("%s=%d", limit, max(1, all*percent/100))
					remount(t, dir, room, 0)
					e := x.run("--jobs", "1")
					switch {
					case e.status == 0:
					case e.status == 1 && strings.Contains(e.stderr, "no space left on device"):
						failed++
					default:
						t.Fatalf("%s: %v", room, e)
					}
					if _, err := os.Stat(filepath.Join(x.store, "artifacts")); err == nil { // a store that could not be made cannot be looked at
						x.sound(ref)
					}
					places[len(x.done)] = true
					t.Logf("%d %% of the room, %s: %d nodes are done", percent, room, len(x.done))
				}
				if failed < 3 || len(places) < 3 {
					t.Errorf("it was full %d times, at %d different places: this test shows too little", failed, len(places))
				}
				remount(t, dir, plenty, 0)
				x.finishes(ref)
			})
		}
	}
}

// used is how much of what an option of a tmpfs limits is taken: bytes, or files and folders.
func used(t *testing.T, dir, option string) int {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	if option == "size" {
		return int(fs.Blocks-fs.Bfree) * int(fs.Bsize)
	}
	return int(fs.Files - fs.Ffree)
}

// What may not be written to is said before anything is done; a store that is complete can be read where it may not.
func TestFaultReadOnly(t *testing.T) {
	x, ref := newSmall(t)
	mount(t, x.out, "")
	remount(t, x.out, "", unix.MS_RDONLY)
	x.fails(ref, `open .*/out/events\.jsonl: read-only file system`)
	if len(x.done) > 0 {
		t.Errorf("done in vain: %v", x.done)
	}
	remount(t, x.out, "", 0)
	mount(t, x.store, "")
	remount(t, x.store, "", unix.MS_RDONLY)
	if e := x.run(); e.status != 1 || !strings.Contains(e.stderr, "open store: ") || !strings.Contains(e.stderr, "read-only file system") {
		t.Fatal(e)
	}
	remount(t, x.store, "", 0)
	x.finishes(ref)
	remount(t, x.store, "", unix.MS_RDONLY)
	x.complete(ref)
	if e := x.run("--set", "train.epochs=1"); e.status != 1 || !regexp.MustCompile(`ERR fit\S+ failed: lock \S+: .*: read-only file system`).MatchString(e.stderr) {
		t.Fatal(e)
	}
	remount(t, x.store, "", 0)
	x.finishes(ref)
}

// A store over two file systems has no way to let an artifact appear at once: it is refused before any work.
func TestFaultStoreOnTwoFileSystems(t *testing.T) {
	const words = `begin attempt: .*/store/attempts and .*/store/artifacts are not on one file system, or are mounted apart: --store names a folder that is all on one \(invalid cross-device link\)`
	t.Run("attempts", func(t *testing.T) {
		x, ref := newSmall(t)
		if e := x.run("--only", "score"); e.status != 0 {
			t.Fatal(e)
		}
		x.sound(ref)
		unmount := mount(t, filepath.Join(x.store, "attempts"), "")
		x.fails(ref, words)
		unmount()
		x.finishes(ref)
	})
	t.Run("artifacts", func(t *testing.T) {
		x, ref := newSmall(t)
		unmount := mount(t, filepath.Join(x.store, "artifacts"), "")
		x.fails(ref, words)
		unmount()
		x.finishes(ref)
	})
	t.Run("mounted_twice", func(t *testing.T) { // the same file system, and yet nothing can be moved
		x, ref := newSmall(t)
		unmount := mount(t, filepath.Join(x.store, "attempts"), "")
		unmount()
		from := t.TempDir()
		attempts := filepath.Join(x.store, "attempts")
		if err := unix.Mount(from, attempts, "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		bound := true
		t.Cleanup(func() {
			if bound {
				_ = unix.Unmount(attempts, unix.MNT_DETACH)
			}
		})
		x.fails(ref, words)
		if err := unix.Unmount(attempts, unix.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
		bound = false
		x.finishes(ref)
	})
}
