package image_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// BenchmarkAgainstPillow decodes and resizes 1024 x 1024 to 224 x 224 in both programs and reports Pillow's processor
// time over ours: above 1 is faster than Pillow.
func BenchmarkAgainstPillow(b *testing.B) {
	script, err := os.ReadFile("testdata/bench.py")
	if err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	var theirs map[string]float64 // seconds an image
	if err := json.Unmarshal(testenv.RunPython(b, string(script), folder), &theirs); err != nil {
		b.Fatal(err)
	}
	photo, err := image.Decode(filepath.Join(folder, "photo.jpg"), image.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	load := func(name string) func() {
		return func() {
			m, err := image.Decode(filepath.Join(folder, name), image.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			m.Resize(224, 224, image.Bilinear)
		}
	}
	for name, work := range map[string]func(){
		"photo.jpg": load("photo.jpg"),
		"photo.png": load("photo.png"),
		"resize":    func() { photo.Resize(224, 224, image.Bilinear) },
	} {
		b.Run(name, func(b *testing.B) {
			start := cpuSeconds(b)
			for b.Loop() {
				work()
			}
			b.ReportMetric(theirs[name]*float64(b.N)/(cpuSeconds(b)-start), "x-Pillow")
		})
	}
}

func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
