package worker

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
)

// table is a CSV file that grows by a row at a time and can be cut back to where a checkpoint was made.
type table struct {
	file *os.File
	out  *bufio.Writer
	size int64
	err  error // the first failure of a write; flush returns it
}

// openTable opens the file for rows after its first size bytes; size 0 starts it anew with the header.
func openTable(path string, columns []string, size int64) (*table, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := file.Truncate(size); err != nil {
		_ = file.Close()
		return nil, err
	}
	if _, err := file.Seek(size, io.SeekStart); err != nil {
		_ = file.Close()
		return nil, err
	}
	t := newTable(file, size)
	if size == 0 {
		t.write(strings.Join(columns, ",") + "\n")
	}
	return t, nil
}

func newTable(file *os.File, size int64) *table {
	return &table{file: file, out: bufio.NewWriter(file), size: size}
}

// row adds a row: a count, some figures, and one more. Figures have as many digits as are needed to read them again.
func (t *table) row(count int, figures []float64, last float64) {
	cells := []string{strconv.Itoa(count)}
	for _, v := range append(figures[:len(figures):len(figures)], last) {
		cells = append(cells, strconv.FormatFloat(v, 'g', -1, 64))
	}
	t.write(strings.Join(cells, ",") + "\n")
}

func (t *table) write(text string) {
	n, err := t.out.WriteString(text)
	t.size += int64(n)
	if t.err == nil {
		t.err = err
	}
}

// flush sees that all rows are on the disk and returns the file's size.
func (t *table) flush() (int64, error) {
	if err := t.out.Flush(); t.err == nil {
		t.err = err
	}
	if err := t.file.Sync(); t.err == nil {
		t.err = err
	}
	return t.size, t.err
}

func (t *table) close() {
	if t != nil {
		_ = t.file.Close()
	}
}
