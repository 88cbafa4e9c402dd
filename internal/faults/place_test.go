//go:build slow && linux

package faults

import (
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// bound starts a command that permissions bind, although it may be root's.
func bound(cmd *exec.Cmd) error {
	if os.Getuid() != 0 {
		return cmd.Start()
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		for _, capability := range []uintptr{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH} {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil {
				started <- err
				return
			}
		}
		started <- cmd.Start()
	}()
	return <-started
}

// newPhotos is an experiment on images of noise in a folder.
func newPhotos(t *testing.T) (x *experiment, data string) {
	t.Helper()
	spec, err := filepath.Abs("testdata/photos.yaml")
	if err != nil {
		t.Fatal(err)
	}
	x, data = newExperiment(t, spec), t.TempDir()
	list := "split,label,path\n"
	for i := range 8 {
		name := strconv.Itoa(i) + ".png"
		list += "train," + []string{"Real", "Synthetic"}[i%2] + "," + name + "\n"
		noise(t, filepath.Join(data, name), uint64(i))
	}
	if err := os.WriteFile(filepath.Join(data, "data.csv"), []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	x.args = []string{"--set", "data=" + data}
	return x, data
}

// noise writes a picture; those of all seeds have the same size in bytes.
func noise(t *testing.T, path string, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	picture := image.NewRGBA(image.Rect(0, 0, 32, 32))
	for i := range 32 * 32 {
		picture.SetRGBA(i%32, i/32, color.RGBA{uint8(random.Uint32()), uint8(random.Uint32()), uint8(random.Uint32()), 255})
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(file, picture); err != nil {
		t.Fatal(err)
	}
}

// What may not be read or written to is named; once it may be, the same command does it all.
func TestFaultPermissions(t *testing.T) {
	x, data := newPhotos(t)
	ref := x.refer()
	for name, c := range map[string]struct {
		path   string
		status int // 2 where the spec's list cannot be read: it is said with the place where the spec names it
		words  string
	}{
		"list":     {filepath.Join(data, "data.csv"), 2, `photos\.yaml:5:\d+: .*data\.csv: permission denied \[E402\]`},
		"image":    {filepath.Join(data, "5.png"), 1, `/5\.png: permission denied`},
		"images":   {data, 2, `photos\.yaml:5:\d+: .*: permission denied \[E210\]`},
		"store":    {x.store, 1, `open store: mkdir .*/store/artifacts: permission denied`},
		"attempts": {filepath.Join(x.store, "attempts"), 1, `data\.train: begin attempt: mkdir .*: permission denied`},
		"out":      {x.out, 1, `open .*/out/events\.jsonl: permission denied`},
	} {
		t.Run(name, func(t *testing.T) {
			x := &experiment{t: t, spec: x.spec, store: x.store, out: x.out, args: x.args, launch: bound}
			x.empty()
			for _, dir := range []string{x.store, x.out} {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if name == "attempts" {
				if err := os.Mkdir(c.path, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			info, err := os.Stat(c.path)
			if err != nil {
				t.Fatal(err)
			}
			mode := info.Mode() &^ 0o222 // of the store and the run's folder, which may be read
			if strings.HasPrefix(c.path, data) {
				mode &^= 0o777
			}
			if err := os.Chmod(c.path, mode); err != nil {
				t.Fatal(err)
			}
			e := x.run()
			if err := os.Chmod(c.path, info.Mode()); err != nil {
				t.Fatal(err)
			}
			if e.status != c.status || !regexp.MustCompile(c.words).MatchString(e.stderr) {
				t.Errorf("%v\nwant exit status %d and: %s", e, c.status, c.words)
			}
			x.sound(ref)
			x.finishes(ref)
		})
	}
}

// takeAway removes a folder at once, as far as those who look for it can tell.
func takeAway(t *testing.T, dir string) {
	t.Helper()
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir + ".gone"); err != nil {
		t.Fatal(err)
	}
}

// The run's folder is removed at a random moment: the run ends well, and all of its results are there.
func TestFaultOutRemoved(t *testing.T) {
	x, ref := newSmall(t)
	random := testenv.Random(t)
	for range 3 {
		r := x.start("run", "--progress", "plain", "--device", "cpu")
		r.await("out/events.jsonl")
		time.Sleep(time.Duration(random.Int64N(int64(ref.took * 3 / 4))))
		takeAway(t, x.out)
		e := r.end()
		said := regexp.MustCompile(`note: .*/out was removed while the run was at work; its results are there again, but not its events\.jsonl`).MatchString(e.stderr)
		if late := strings.Contains(e.stderr, "publish "); e.status != 0 && !late || e.status == 0 && !said {
			t.Fatal(e)
		}
		if e.status == 0 {
			x.published(ref)
		}
		x.finishes(ref)
		x.empty()
	}
}

// The store is removed at a random moment: the run fails and says why, and the next one does it all again.
func TestFaultStoreRemoved(t *testing.T) {
	x, ref := newSmall(t)
	random := testenv.Random(t)
	for range 3 {
		r := x.start("run", "--progress", "plain", "--device", "cpu")
		r.await("store/attempts/*/task.json")
		time.Sleep(time.Duration(random.Int64N(int64(ref.took * 3 / 4))))
		takeAway(t, x.store)
		e := r.end()
		if e.status != 1 || !regexp.MustCompile(`the folder .*/store\S* was removed while .*; the same command makes again what is gone|: its artifact is not there right after it was made|publish .*: no such file|remember the run in .*: no such file`).MatchString(e.stderr) {
			t.Fatal(e)
		}
		x.done = nil
		x.finishes(ref)
		x.empty()
	}
}

// await waits for a file.
func (r *running) await(glob string) {
	r.x.t.Helper()
	for range 3000 {
		if found, _ := filepath.Glob(filepath.Join(filepath.Dir(r.x.store), glob)); len(found) > 0 {
			return
		}
		select {
		case <-r.over:
			r.x.t.Fatalf("it ended before there was %s\n%s", glob, &r.stderr)
		case <-time.After(10 * time.Millisecond):
		}
	}
	r.x.t.Fatalf("there is no %s", glob)
}

// The clock goes back by ten years: all that a run left, and the checkpoint of one that was cut off, are from the future.
// Then it goes forward by twenty. Neither makes anything done, or undone.
func TestFaultClock(t *testing.T) {
	x, ref := newSmall(t)
	r := x.start("run", "--progress", "plain", "--device", "cpu")
	r.await("store/attempts/*/state/checkpoint-*.pth")
	if err := r.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-r.over
	r.leavesNobody()
	x.sound(ref)
	x.shift(10)
	x.sound(ref)
	if e := x.run(); e.status != 0 || !strings.Contains(e.stderr, "fit[loss=") || !strings.Contains(e.stderr, ": goes on from step ") {
		t.Fatal(e)
	}
	x.complete(ref)
	for _, years := range []int{10, -20} {
		x.shift(years)
		x.complete(ref)
		if e := x.start("plan", "--verify", "--device", "cpu").end(); e.status != 0 || !strings.Contains(e.stdout, "11 nodes: 11 done, 0 to run") {
			t.Fatal(e)
		}
	}
}

var year = regexp.MustCompile(`"(started|ended|time)": ?"(\d{4})-`)

// shift moves the times of all files, and those that the store's and the run's records name.
func (x *experiment) shift(years int) {
	x.t.Helper()
	for _, dir := range []string{x.store, x.out} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if name := d.Name(); !d.IsDir() && (strings.HasSuffix(name, ".jsonl") || name == "manifest.json" || filepath.Base(filepath.Dir(path)) == "runs") {
				raw, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				raw = year.ReplaceAllFunc(raw, func(found []byte) []byte {
					m := year.FindSubmatch(found)
					was, _ := strconv.Atoi(string(m[2]))
					return []byte(`"` + string(m[1]) + `":"` + strconv.Itoa(was+years) + "-")
				})
				if err := os.WriteFile(path, raw, 0o644); err != nil {
					return err
				}
			}
			then := info.ModTime().AddDate(years, 0, 0)
			return os.Chtimes(path, then, then)
		})
		if err != nil {
			x.t.Fatal(err)
		}
	}
}

// A file of the user's that changed counts as changed, whatever its time says: that of before, the future or the past.
func TestFaultClockOfTheData(t *testing.T) {
	x, data := newPhotos(t)
	path := filepath.Join(data, "3.png")
	first, seed := x.refer(), uint64(100)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, then := range map[string]time.Time{"as_before": before.ModTime(), "future": time.Now().AddDate(10, 0, 0), "past": time.Unix(0, 0)} {
		noise(t, path, seed)
		seed++
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() != before.Size() {
			t.Fatalf("%v: the sizes differ too", err)
		}
		if states := x.states(); states["data.train"] != "stale" || states["fit"] != "stale" {
			t.Errorf("%s: %v", name, states)
		}
		if e := x.run(); e.status != 0 || !strings.HasPrefix(e.stdout, "done: ") {
			t.Errorf("%s: %v", name, e)
		}
		if d := digests(t, x.out); d["models/fit/final.pth"] == first.files["models/fit/final.pth"] {
			t.Errorf("%s: the training is the one before", name)
		}
		if e := x.run(); e.status != 0 || !strings.HasPrefix(e.stdout, "nothing to do") {
			t.Errorf("%s: %v", name, e)
		}
	}
}
