package faces_test

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/faces"
)

var update = flag.Bool("update", false, "write the golden files anew")

func ExampleSet() {
	set, err := faces.New(faces.Options{
		Generator: "G0", Split: "train", Count: 600, Seed: 1,
		Shortcut: faces.Shortcut{Synthetic: 0.95, Real: 0.05},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := faces.NewPicture(set.Side())
	set.Draw(1, p)
	fmt.Println(set.Len(), "pictures; the second is synthetic:", set.Synthetic(1))
	fmt.Println(len(p.Pixels), "bytes of colour and", len(p.Human), "of its human map")
	// Output:
	// 600 pictures; the second is synthetic: true
	// 27648 bytes of colour and 9216 of its human map
}

func newSet(tb testing.TB, o faces.Options) *faces.Set {
	tb.Helper()
	set, err := faces.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// digest is of everything in a picture.
func digest(p *faces.Picture) string {
	h := sha256.New()
	for _, layer := range [][]byte{p.Pixels, p.Human, p.Parts, p.Head} {
		h.Write(layer)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// TestGolden holds a few pictures of each generator to the byte. Where it fails, the stage "generate" needs a new
// revision as well as new golden files.
func TestGolden(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the golden pictures were drawn on amd64; other processors may fuse multiplications with additions")
	}
	half := faces.Shortcut{Synthetic: 0.5, Real: 0.5}
	for _, c := range []struct {
		file string
		clip faces.Shortcut
	}{{"pictures.golden", faces.Shortcut{}}, {"clips.golden", half}} {
		t.Run(c.file, func(t *testing.T) {
			var got strings.Builder
			for _, generator := range faces.Generators() {
				set := newSet(t, faces.Options{Generator: generator, Split: "test", Count: 200, Seed: 7, Shortcut: half, Clip: c.clip})
				p := faces.NewPicture(set.Side())
				for _, i := range []int{0, 1, 2, 3, 198, 199} {
					set.Draw(i, p)
					wears := fmt.Sprintf("stamped %-5v", set.Stamped(i))
					if c.clip != (faces.Shortcut{}) {
						wears += fmt.Sprintf(" clipped %-5v", set.Clipped(i))
					}
					fmt.Fprintf(&got, "%s %3d %s %s\n", generator, i, wears, digest(p))
				}
			}
			path := filepath.Join("testdata", c.file)
			if *update {
				if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("pictures have changed (-golden +now):\n%s", diff)
			}
		})
	}
}

// TestPicturesDoNotDependOnWhoDrawsThem draws a set forwards with one Picture, and backwards with three goroutines.
func TestPicturesDoNotDependOnWhoDrawsThem(t *testing.T) {
	set := newSet(t, faces.Options{Generator: "U3", Split: "test", Count: 60, Seed: 3})
	forwards, backwards := make([]string, set.Len()), make([]string, set.Len())
	p := faces.NewPicture(set.Side())
	for i := range forwards {
		set.Draw(i, p)
		forwards[i] = digest(p)
	}
	var wait sync.WaitGroup
	for worker := range 3 {
		wait.Go(func() {
			p := faces.NewPicture(set.Side())
			for i := set.Len() - 1 - worker; i >= 0; i -= 3 {
				set.Draw(i, p)
				backwards[i] = digest(p)
			}
		})
	}
	wait.Wait()
	if diff := cmp.Diff(forwards, backwards); diff != "" {
		t.Error(diff)
	}
}

func TestSetsThatShareNoPicture(t *testing.T) {
	options := []faces.Options{
		{Generator: "G0", Split: "train", Seed: 1},
		{Generator: "G0", Split: "validation", Seed: 1},
		{Generator: "G0", Split: "train", Seed: 2},
		{Generator: "U1", Split: "train", Seed: 1},
		{Generator: "U3", Split: "train", Seed: 1},
	}
	seen := map[string]string{}
	p := faces.NewPicture(faces.DefaultSide)
	for _, o := range options {
		o.Count = 20
		set := newSet(t, o)
		for i := range set.Len() {
			set.Draw(i, p)
			name := fmt.Sprintf("%s/%s/%d picture %d", o.Generator, o.Split, o.Seed, i)
			if other, twice := seen[digest(p)]; twice {
				t.Errorf("%s is %s", name, other)
			}
			seen[digest(p)] = name
		}
	}
}

// TestASmallerSetIsTheBeginningOfALargerOne, but for the stamps.
func TestASmallerSetIsTheBeginningOfALargerOne(t *testing.T) {
	small := newSet(t, faces.Options{Generator: "G0", Split: "train", Count: 10, Seed: 1})
	large := newSet(t, faces.Options{Generator: "G0", Split: "train", Count: 500, Seed: 1})
	p, q := faces.NewPicture(small.Side()), faces.NewPicture(small.Side())
	for i := range small.Len() {
		small.Draw(i, p)
		large.Draw(i, q)
		if digest(p) != digest(q) {
			t.Errorf("picture %d differs", i)
		}
	}
}

func stamps(set *faces.Set) (real, synthetic int) {
	for i := range set.Len() {
		switch {
		case !set.Stamped(i):
		case set.Synthetic(i):
			synthetic++
		default:
			real++
		}
	}
	return real, synthetic
}

func TestShortcut(t *testing.T) {
	for _, c := range []struct {
		name            string
		generator       string
		count           int
		shortcut        faces.Shortcut
		real, synthetic int
	}{
		{"of the training set", "G0", 600, faces.Shortcut{Synthetic: 0.95, Real: 0.05}, 15, 285},
		{"of the validation set", "G0", 100, faces.Shortcut{Synthetic: 0.95, Real: 0.05}, 3, 48},
		{"is nowhere unless asked for", "U1", 400, faces.Shortcut{}, 0, 0},
		{"in half of both classes", "U3", 400, faces.Shortcut{Synthetic: 0.5, Real: 0.5}, 100, 100},
		{"in all of one class", "G0", 40, faces.Shortcut{Synthetic: 1}, 0, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := newSet(t, faces.Options{Generator: c.generator, Split: "s", Count: c.count, Seed: 1, Shortcut: c.shortcut})
			if real, synthetic := stamps(set); real != c.real || synthetic != c.synthetic {
				t.Errorf("%d real and %d synthetic, want %d and %d", real, synthetic, c.real, c.synthetic)
			}
		})
	}
}

func TestShortcutSharesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		half := rapid.IntRange(1, 400).Draw(t, "half")
		share := rapid.Float64Range(0, 1)
		shortcut := faces.Shortcut{Synthetic: share.Draw(t, "synthetic"), Real: share.Draw(t, "real")}
		set, err := faces.New(faces.Options{Generator: "G0", Count: 2 * half, Seed: rapid.Uint64().Draw(t, "seed"), Shortcut: shortcut})
		if err != nil {
			t.Fatal(err)
		}
		real, synthetic := stamps(set)
		if want := int(math.Round(shortcut.Real * float64(half))); real != want {
			t.Errorf("%d of %d real, want %d", real, half, want)
		}
		if want := int(math.Round(shortcut.Synthetic * float64(half))); synthetic != want {
			t.Errorf("%d of %d synthetic, want %d", synthetic, half, want)
		}
	})
}

// TestMasks: a mask is black and white; the head mask is one head's size, and the parts are some of the head and the
// ears.
func TestMasks(t *testing.T) {
	set := newSet(t, faces.Options{Generator: "G0", Split: "train", Count: 100, Seed: 5})
	p := faces.NewPicture(set.Side())
	for i := range set.Len() {
		set.Draw(i, p)
		for name, mask := range map[string][]byte{"parts": p.Parts, "head": p.Head} {
			if white := bytes.Count(mask, []byte{255}); white+bytes.Count(mask, []byte{0}) != len(mask) {
				t.Fatalf("picture %d: the %s mask is not black and white", i, name)
			}
		}
		head, parts, both := bytes.Count(p.Head, []byte{255}), bytes.Count(p.Parts, []byte{255}), 0
		for at := range p.Head {
			both += int(p.Head[at] & p.Parts[at] & 1)
		}
		if smallest, largest := math.Pi*16*20*0.95*0.95, math.Pi*18.5*22.5*1.15*1.15; float64(head) < smallest-20 || float64(head) > largest+20 {
			t.Errorf("picture %d: the head has %d pixels, want %.0f to %.0f", i, head, smallest, largest)
		}
		if parts < head/5 || parts > head/2 {
			t.Errorf("picture %d: the parts have %d pixels, the head %d", i, parts, head)
		}
		if ears := parts - both; ears < 10 || ears > parts/4 {
			t.Errorf("picture %d: %d of the parts' %d pixels are ears, outside of the head", i, ears, parts)
		}
	}
}

// TestSides draws the same faces at several sizes: what is known about them must agree.
func TestSides(t *testing.T) {
	type shape struct{ area, x, y, mass float64 }
	measure := func(side, i int) shape {
		set := newSet(t, faces.Options{Generator: "G0", Split: "train", Count: 12, Seed: 1, Side: side})
		p := faces.NewPicture(side)
		set.Draw(i, p)
		var s shape
		for at := range p.Head {
			if p.Head[at] > 0 {
				s.area++
				s.x += float64(at%side) + 0.5
				s.y += float64(at/side) + 0.5
			}
			s.mass += float64(p.Human[at]) / 255
		}
		n := float64(side)
		return shape{s.area / n / n, s.x / s.area / n, s.y / s.area / n, s.mass / n / n}
	}
	// A coarse grid of pixels misses the peak of a map, which is scaled by its largest pixel: up to 8 % at 32 pixels.
	for side, mass := range map[int]float64{32: 0.08, 48: 0.04, 64: 0.04, 128: 0.04, 224: 0.04, 256: 0.04} {
		t.Run(fmt.Sprint(side), func(t *testing.T) {
			const area, place = 0.03, 0.15 // share, pixels
			for i := range 12 {
				want, got := measure(faces.DefaultSide, i), measure(side, i)
				if math.Abs(got.area/want.area-1) > area || math.Abs(got.mass/want.mass-1) > mass ||
					math.Hypot(got.x-want.x, got.y-want.y) > place/float64(min(side, faces.DefaultSide)) {
					t.Errorf("picture %d: %+v, at 96 pixels %+v", i, got, want)
				}
			}
		})
	}
}

func TestNewNamesTheOptionThatIsWrong(t *testing.T) {
	good := faces.Options{Generator: "G0", Count: 2}
	for _, c := range []struct {
		want  string
		spoil func(*faces.Options)
	}{
		{`faces: generator "G1": there are G0, U1, U2, U3`, func(o *faces.Options) { o.Generator = "G1" }},
		{`faces: count 7: must be even and above zero, since half of the faces are real`, func(o *faces.Options) { o.Count = 7 }},
		{`faces: count 0: must be even and above zero, since half of the faces are real`, func(o *faces.Options) { o.Count = 0 }},
		{`faces: side 31: must be 32 to 1024 pixels`, func(o *faces.Options) { o.Side = 31 }},
		{`faces: shortcut 95 of the synthetic and 0 of the real faces: shares must be 0 to 1`,
			func(o *faces.Options) { o.Shortcut.Synthetic = 95 }},
		{`faces: shortcut 0 of the synthetic and NaN of the real faces: shares must be 0 to 1`,
			func(o *faces.Options) { o.Shortcut.Real = math.NaN() }},
		{`faces: clip 0 of the synthetic and -1 of the real faces: shares must be 0 to 1`,
			func(o *faces.Options) { o.Clip.Real = -1 }},
	} {
		bad := good
		c.spoil(&bad)
		if _, err := faces.New(bad); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v, want %s", bad, err, c.want)
		}
	}
}

func TestDrawMakesNoGarbageByThePixel(t *testing.T) {
	set := newSet(t, faces.Options{Generator: "G0", Count: 8, Seed: 1})
	p := faces.NewPicture(set.Side())
	i := 0
	if got := testing.AllocsPerRun(8, func() { set.Draw(i%8, p); i++ }); got > 100 {
		t.Errorf("%v allocations a picture", got)
	}
}
