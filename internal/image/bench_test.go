package image_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// BenchmarkAgainstPillow decodes and resizes 1024 x 1024 to 224 x 224. Every iteration is a turn of each side: Pillow, this
// package on one core, and on two. It reports the median milliseconds an image, by the clock. What counting gains from the
// second core is what the machine has to give.
func BenchmarkAgainstPillow(b *testing.B) {
	folder := b.TempDir()
	pillow := startPillow(b, folder)
	photo, err := image.Decode(filepath.Join(folder, "photo.jpg"), image.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	load := func(name string) func() {
		return func() {
			m, err := image.Decode(filepath.Join(folder, name), image.Limits{})
			if err != nil {
				b.Error(err)
				return
			}
			m.Resize(224, 224, image.Bilinear)
		}
	}
	for name, work := range map[string]func(){
		"photo.jpg": load("photo.jpg"),
		"photo.png": load("photo.png"),
		"resize":    func() { photo.Resize(224, 224, image.Bilinear) },
		"counting":  count,
	} {
		b.Run(name, func(b *testing.B) {
			const images = 16 // a side and turn
			var theirs, one, two []float64
			for b.Loop() {
				if name != "counting" {
					theirs = append(theirs, pillow(name, images)/images)
				}
				one = append(one, onCores(1, images, work)/images)
				two = append(two, onCores(2, images, work)/images)
			}
			b.ReportMetric(0, "ns/op")
			if theirs != nil {
				b.ReportMetric(1000*middle(theirs), "Pillow-ms")
			}
			b.ReportMetric(1000*middle(one), "one-core-ms")
			b.ReportMetric(1000*middle(two), "two-cores-ms")
		})
	}
}

// onCores does the work so many times on so many cores, the collector's work included, and returns the seconds.
func onCores(cores, times int, work func()) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	start := time.Now()
	var all sync.WaitGroup
	for range cores {
		all.Go(func() {
			for range times / cores {
				work()
			}
		})
	}
	all.Wait()
	return time.Since(start).Seconds()
}

var counted atomic.Uint64

// count is work for some milliseconds that needs no memory.
func count() {
	x := uint64(1)
	for range 4_000_000 {
		x = x*6364136223846793005 + 1442695040888963407
	}
	counted.Store(x)
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// startPillow starts testdata/bench.py, which writes its pictures to the folder, and returns what asks it for seconds.
func startPillow(b *testing.B, folder string) func(name string, times int) float64 {
	script, err := os.ReadFile("testdata/bench.py")
	if err != nil {
		b.Fatal(err)
	}
	python := exec.Command(testenv.Python(b), "-c", string(script), folder)
	python.Stderr = os.Stderr
	in, err := python.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := python.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := python.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		if err := python.Wait(); err != nil {
			b.Error(err)
		}
	})
	seconds := func() (s float64) {
		if _, err := fmt.Fscanln(out, &s); err != nil {
			b.Fatal(err)
		}
		return s
	}
	seconds() // its pictures are there
	return func(name string, times int) float64 {
		if _, err := fmt.Fprintln(in, name, times); err != nil {
			b.Fatal(err)
		}
		return seconds()
	}
}
