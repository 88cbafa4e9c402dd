// Package npy reads and writes float32 arrays in NumPy's format (.npy, version 1.0, little-endian, C order), a part at a time,
// so that an array larger than memory is no matter.
package npy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
)

const magic = "\x93NUMPY\x01\x00"

// Writer writes one array. It keeps the first error for Close.
type Writer struct {
	file *os.File
	out  *bufio.Writer
	left int // values
	err  error
}

// Create starts the file of an array of that shape, whose values come row by row.
func Create(path string, shape ...int) (*Writer, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: file, out: bufio.NewWriter(file), left: 1}
	sizes := make([]string, len(shape))
	for i, n := range shape {
		w.left *= n
		sizes[i] = strconv.Itoa(n)
	}
	text := strings.Join(sizes, ", ")
	if len(shape) == 1 {
		text += ","
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", text)
	header += strings.Repeat(" ", 63-(len(magic)+2+len(header))%64) + "\n"
	_, _ = w.out.WriteString(magic) // Flush keeps the first error
	_, _ = w.out.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	_, _ = w.out.WriteString(header)
	return w, nil
}

// Write appends values.
func (w *Writer) Write(values []float32) {
	var raw [4]byte
	for _, v := range values {
		binary.LittleEndian.PutUint32(raw[:], math.Float32bits(v))
		if _, err := w.out.Write(raw[:]); err != nil && w.err == nil {
			w.err = err
		}
	}
	w.left -= len(values)
}

// Close ends the file. It fails where anything was not written or the number of values is not that of the shape.
func (w *Writer) Close() error {
	if err := w.out.Flush(); w.err == nil {
		w.err = err
	}
	if err := w.file.Close(); w.err == nil {
		w.err = err
	}
	if w.err == nil && w.left != 0 {
		w.err = fmt.Errorf("write %s: %d values too few for its shape", w.file.Name(), w.left)
	}
	return w.err
}

// Save writes a whole array.
func Save(path string, values []float32, shape ...int) error {
	w, err := Create(path, shape...)
	if err != nil {
		return err
	}
	w.Write(values)
	return w.Close()
}

// Reader reads one array.
type Reader struct {
	Shape []int

	in    *bufio.Reader
	close func() error
	name  string
	raw   []byte
}

// Open opens the file of a float32 array and reads its shape.
func Open(path string) (*Reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := newReader(file)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	r.name, r.close = path, file.Close
	return r, nil
}

var header = regexp.MustCompile(`^\{'descr': '<f4', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n$`)

func newReader(from io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReader(from)}
	var start [len(magic) + 2]byte
	if _, err := io.ReadFull(r.in, start[:]); err != nil || string(start[:len(magic)]) != magic {
		return nil, fmt.Errorf("no array of NumPy's, version 1.0")
	}
	text := make([]byte, binary.LittleEndian.Uint16(start[len(magic):]))
	if _, err := io.ReadFull(r.in, text); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	found := header.FindSubmatch(text)
	if found == nil {
		return nil, fmt.Errorf("the array is not of float32 in C order, or its header is damaged: %.100q", text)
	}
	for _, size := range strings.Split(strings.TrimSuffix(strings.TrimSpace(string(found[1])), ","), ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(size), 10, 31)
		if err != nil {
			return nil, fmt.Errorf("header: shape (%s)", found[1])
		}
		r.Shape = append(r.Shape, int(n))
	}
	return r, nil
}

// Read fills values with the next ones of the array.
func (r *Reader) Read(values []float32) error {
	if len(r.raw) < 4*len(values) {
		r.raw = make([]byte, 4*len(values))
	}
	raw := r.raw[:4*len(values)]
	if _, err := io.ReadFull(r.in, raw); err != nil {
		return fmt.Errorf("read %s: it ends before its array does: %w", r.name, err)
	}
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.close() }

// Load reads a whole array, of at most limit values.
func Load(path string, limit int) (values []float32, shape []int, err error) {
	r, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	n := 1
	for _, size := range r.Shape {
		if size > 0 && n > limit/size {
			return nil, nil, fmt.Errorf("read %s: shape %v, at most %d values expected", path, r.Shape, limit)
		}
		n *= size
	}
	values = make([]float32, n)
	return values, r.Shape, r.Read(values)
}
