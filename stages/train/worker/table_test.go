package worker

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A table that is cut back to where it was flushed and written on is the table that was never cut.
func TestTableIsCutBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "steps.csv")
	columns := []string{"step", "cross_entropy", "total"}
	rapid.Check(t, func(t *rapid.T) {
		figures := rapid.SliceOfN(rapid.Float64Range(0, 10), 1, 30).Draw(t, "figures")
		kept := rapid.IntRange(0, len(figures)).Draw(t, "kept")
		fill := func(size int64, rows []float64, from int) int64 {
			tab, err := openTable(path, columns, size)
			if err != nil {
				t.Fatal(err)
			}
			defer tab.close()
			for i, v := range rows {
				tab.row(from+i, []float64{v}, v/2)
			}
			end, err := tab.flush()
			if err != nil {
				t.Fatal(err)
			}
			return end
		}
		at := fill(0, figures[:kept], 0)
		fill(at, []float64{1, 2, 3}, 900) // what an attempt wrote after its last checkpoint
		end := fill(at, figures[kept:], kept)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(raw)) != end {
			t.Fatalf("%d bytes, flush says %d", len(raw), end)
		}
		lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
		if lines[0] != "step,cross_entropy,total" || len(lines) != len(figures)+1 {
			t.Fatalf("%d rows of %d, under %s", len(lines)-1, len(figures), lines[0])
		}
		for i, v := range figures {
			cells := strings.Split(lines[i+1], ",")
			if read, err := strconv.ParseFloat(cells[1], 64); err != nil || read != v || cells[0] != strconv.Itoa(i) {
				t.Fatalf("row %d is %s, want %v", i, lines[i+1], v)
			}
		}
	})
}

// The first failure of a write is the one that flush tells, however late.
func TestTableOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("there is no /dev/full: %v", err)
	}
	tab := newTable(full, 0)
	defer tab.close()
	for i := range 10_000 {
		tab.row(i, []float64{1}, 1)
	}
	if _, err := tab.flush(); err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("%v", err)
	}
}
