//go:build slow

package agreement

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// Ten runs of 20,000 images with CAMs of 14x14 cells take no more memory than a fraction of their 157 MB of grids.
func TestTenRunsOfTwentyThousandImages(t *testing.T) {
	const images, cells = 20_000, 14
	w := newWorld(t, Params{Images: 6})
	w.data("validation", images, cells, "human")
	for seed := 1; seed <= 10; seed++ {
		random := rand.New(rand.NewPCG(uint64(seed), 0))
		axes := map[string]string{"loss": "cyborg", "seed": fmt.Sprint(seed)}
		w.cams("validation", fmt.Sprintf("maps[loss=cyborg,seed=%d]", seed), axes, true, func(_ int, human []float64) []float64 {
			grid := make([]float64, len(human))
			for k, v := range human {
				grid[k] = v + random.Float64()
			}
			return grid
		})
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	most := make(chan uint64)
	done := make(chan bool)
	go func() { // the largest heap that is seen
		peak := uint64(0)
		for {
			select {
			case <-done:
				most <- peak
				return
			case <-time.After(20 * time.Millisecond):
				runtime.ReadMemStats(&after)
				peak = max(peak, after.HeapAlloc)
			}
		}
	}()
	_, a, err := w.run()
	done <- true
	peak := <-most
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Stability) != 1 || a.Stability[0].Pairs != 45 {
		t.Fatalf("%+v", a.Stability)
	}
	t.Logf("%v, heap grown by %d MB", time.Since(began).Round(time.Millisecond), (peak-min(peak, before.HeapAlloc))>>20)
	if peak > before.HeapAlloc+64<<20 {
		t.Errorf("the heap grew by %d MB", (peak-before.HeapAlloc)>>20)
	}
}
