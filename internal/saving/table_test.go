package saving_test

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/saving"
)

// What a table says is what it was given, to the last bit.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		figures := rapid.SliceOf(rapid.Float64()).Draw(t, "figures")
		tab := saving.NewTable("step", "cross_entropy", "total")
		for i, v := range figures {
			tab.Row(i, v, -v)
		}
		rows, err := csv.NewReader(strings.NewReader(string(tab.Text))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(rows[0], " "); got != "step cross_entropy total" || len(rows) != len(figures)+1 {
			t.Fatalf("%d rows of %d, under %s", len(rows)-1, len(figures), got)
		}
		for i, v := range figures {
			for k, want := range []float64{float64(i), v, -v} {
				if read, err := strconv.ParseFloat(rows[i+1][k], 64); err != nil || read != want {
					t.Fatalf("row %d is %s, want %v in column %d", i, rows[i+1], want, k)
				}
			}
		}
	})
}
