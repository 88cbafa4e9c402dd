package worker

import (
	"strconv"
	"strings"
)

// table is the text of a CSV file that grows by a row at a time. It stays in memory, so that a checkpoint can hold it
// whole; the rows of a million steps are about 60 MB.
type table struct{ text []byte }

func newTable(columns ...string) *table {
	return &table{[]byte(strings.Join(columns, ",") + "\n")}
}

// row adds a row: a count, some figures, and one more. Figures have as many digits as are needed to read them again.
func (t *table) row(count int, figures []float64, last float64) {
	t.text = strconv.AppendInt(t.text, int64(count), 10)
	for _, v := range append(figures[:len(figures):len(figures)], last) {
		t.text = strconv.AppendFloat(append(t.text, ','), v, 'g', -1, 64)
	}
	t.text = append(t.text, '\n')
}
