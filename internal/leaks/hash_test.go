package leaks

import (
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

const imageHashes = `
import json, os, sys, numpy, imagehash
from PIL import Image
out, facts = sys.argv[1], []
random = numpy.random.default_rng(3)
for n, (w, h) in enumerate([(224, 224), (128, 128), (32, 32), (9, 8), (33, 31), (20, 14), (640, 480), (100, 400), (400, 60), (5, 7)] * 4):
    coarse = Image.fromarray(random.integers(0, 256, (3 + n % 9, 4 + n % 7), dtype=numpy.uint8))
    image = coarse.resize((w, h), Image.BICUBIC)
    if n % 4 == 3: image = Image.fromarray(random.integers(0, 256, (h, w), dtype=numpy.uint8))
    name = os.path.join(out, "%d.png" % n)
    image.save(name)
    facts.append(dict(name=name, p=str(imagehash.phash(image)), d=str(imagehash.dhash(image)),
        small=image.resize((32, 32), Image.LANCZOS).tobytes().hex(), tiny=image.resize((9, 8), Image.LANCZOS).tobytes().hex()))
print(json.dumps(facts))`

// Both hashes are those of the Python package ImageHash, and the pictures that they are of are Pillow's, byte by byte.
func TestHashesEqualImageHash(t *testing.T) {
	var facts []struct{ Name, P, D, Small, Tiny string }
	if err := json.Unmarshal(testenv.RunPython(t, imageHashes, t.TempDir()), &facts); err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		file, err := os.Open(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := png.Decode(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		grey := decoded.(*image.Gray)
		w, h := grey.Rect.Dx(), grey.Rect.Dy()
		name := fmt.Sprintf("%s, %d x %d", filepath.Base(f.Name), w, h)
		if got := fmt.Sprintf("%x", lanczos(grey.Pix, w, h, 32, 32)); got != f.Small {
			t.Errorf("%s: 32 x 32 is not Pillow's", name)
		}
		if got := fmt.Sprintf("%x", lanczos(grey.Pix, w, h, 9, 8)); got != f.Tiny {
			t.Errorf("%s: 9 x 8 is not Pillow's", name)
		}
		p := Look(make([]byte, 3*w*h), grey.Pix, w, h)
		if p, d := fmt.Sprintf("%016x", p.PHash), fmt.Sprintf("%016x", p.DHash); p != f.P || d != f.D {
			t.Errorf("%s: %s %s, ImageHash says %s %s", name, p, d, f.P, f.D)
		}
	}
}

// Pictures without structure have no hash to speak of.
func TestFlat(t *testing.T) {
	even := make([]byte, 50*40)
	for i := range even {
		even[i] = byte(100 + i%2)
	}
	if !Look(make([]byte, 3*50*40), even, 50, 40).Flat {
		t.Error("an even picture is not flat")
	}
	for i := range even {
		even[i] = byte(i / 40)
	}
	if Look(make([]byte, 3*50*40), even, 50, 40).Flat {
		t.Error("a gradient is flat")
	}
}

// The search finds the pairs that comparing all with all does, each once.
func TestNearPairsEqualsAllPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := clustered(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), rapid.IntRange(0, 300).Draw(t, "hashes"))
		var want, got [][2]int
		for i := range all {
			for j := i + 1; j < len(all); j++ {
				if bits.OnesCount64(all[i].p^all[j].p) <= nearP && bits.OnesCount64(all[i].d^all[j].d) <= nearD && max(all[i].mean[2]-all[j].mean[2], all[j].mean[2]-all[i].mean[2]) <= nearMean {
					want = append(want, [2]int{i, j})
				}
			}
		}
		nearPairs(all, func(i, j int) { got = append(got, [2]int{i, j}) })
		slices.SortFunc(got, func(a, b [2]int) int { return (a[0]-b[0])*len(all) + a[1] - b[1] })
		if !slices.Equal(got, want) {
			t.Fatalf("%v, all with all: %v", got, want)
		}
	})
}

// clustered are random hashes of which many differ from an earlier one in few bits.
func clustered(random *rand.Rand, n int) []hashes {
	all := make([]hashes, n)
	for i := range all {
		all[i] = hashes{p: random.Uint64(), d: random.Uint64()}
		if i > 0 && random.IntN(2) == 0 {
			all[i] = all[random.IntN(i)]
			all[i].mean[2] = float32(random.IntN(25))
			for range random.IntN(8) {
				all[i].p ^= 1 << random.IntN(64)
				all[i].d ^= 1 << random.IntN(64)
			}
		}
	}
	return all
}

// BenchmarkNearPairs searches a list as long as the paper's: 700,000 images, one in a thousand near another.
func BenchmarkNearPairs(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	all := make([]hashes, 700_000)
	for i := range all {
		all[i] = hashes{p: random.Uint64(), d: random.Uint64()}
		if i%1000 == 999 {
			all[i] = hashes{p: all[i-5].p ^ 1<<random.IntN(64), d: all[i-5].d}
		}
	}
	for b.Loop() {
		found := 0
		nearPairs(all, func(int, int) { found++ })
		if found < 700 {
			b.Fatalf("%d pairs", found)
		}
	}
}
