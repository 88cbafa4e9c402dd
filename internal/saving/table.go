package saving

import (
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
)

// Table is the text of a CSV file that grows by a row at a time. It stays in memory, so that a checkpoint can hold it whole;
// the rows of a million steps are about 60 MB.
type Table struct{ Text []byte }

// NewTable is a table with the names of its columns alone.
func NewTable(columns ...string) *Table {
	return &Table{[]byte(strings.Join(columns, ",") + "\n")}
}

// Row adds a row: a count, then figures in as many digits as are needed to read them again.
func (t *Table) Row(count int, figures ...float64) {
	t.Text = strconv.AppendInt(t.Text, int64(count), 10)
	for _, v := range figures {
		t.Text = strconv.AppendFloat(append(t.Text, ','), v, 'g', -1, 64)
	}
	t.Text = append(t.Text, '\n')
}

// Blob is bytes as an entry of a checkpoint's Extra.
func Blob(raw []byte) checkpoint.Tensor {
	return checkpoint.Tensor{DType: checkpoint.Uint8, Shape: []int{len(raw)}, Data: raw}
}

// Held is the bytes of an entry of a checkpoint's Extra; none where it holds none.
func Held(file *checkpoint.File, name string) []byte {
	t, _ := file.Extra[name].(checkpoint.Tensor)
	return t.Data
}
