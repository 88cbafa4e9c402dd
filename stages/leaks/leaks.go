// Package leaks declares the two kinds of node by which `cyborg-run data leaks` reads the images of a data set: heads, what
// files say before their pixels are decoded, and pixels, their mean colours and hashes. Specs do not name them. Neither
// fails on a file that cannot be read: its row says why.
package leaks

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cyborg-run/cyborg-run/internal/leaks"
	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// The two kinds. Raise a revision when the same files give other rows.
var (
	Heads  = &pipeline.Stage{Kind: "heads", Revision: 1, Program: pipeline.Runner, Outputs: []string{Output}}
	Pixels = &pipeline.Stage{Kind: "pixels", Revision: 1, Program: pipeline.Torch, Outputs: []string{Output}}
)

// Output has one JSON object a line for each row of the list (Row), and Source is the optional input: the folder of a
// generate node, in which CSV lies.
const (
	Output = "rows.jsonl"
	Source = "source"
)

// Params say which images are read: those of package table's list, below Root, or below the list's folder without one.
type Params struct {
	CSV       string            `json:"csv"`
	Root      string            `json:"root,omitempty"`
	Header    string            `json:"header,omitempty"`
	Where     string            `json:"where,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	MaxPixels int               `json:"max_pixels,omitempty"` // of an image that is decoded
}

// Row is what was learnt of one image.
type Row struct {
	Head   *leaks.Head   `json:"head,omitempty"`
	Pixels *leaks.Pixels `json:"pixels,omitempty"`
	Bad    string        `json:"bad,omitempty"`
}

// Add takes over what another node learnt of the same image. An image that one of them cannot read is bad, and takes part in
// nothing but names.
func (r *Row) Add(other Row) {
	if other.Head != nil {
		r.Head = other.Head
	}
	if other.Pixels != nil {
		r.Pixels = other.Pixels
	}
	if r.Bad == "" {
		r.Bad = other.Bad
	}
	if r.Bad != "" {
		r.Head, r.Pixels = nil, nil
	}
}

// At is the same with the list in the folder dir.
func (p Params) At(dir string) Params {
	p.CSV, p.Root = filepath.Join(dir, p.CSV), dir
	return p
}

// List reads the list, and says where each of its images lies.
func (p Params) List() (list *table.Table, images []string, err error) {
	list, err = table.Read(p.CSV, table.Options{Header: table.Header(p.Header), Where: p.Where, Labels: p.Labels})
	if err != nil {
		return nil, nil, err
	}
	root := p.Root
	if root == "" {
		root = filepath.Dir(p.CSV)
	}
	for _, row := range list.Rows {
		images = append(images, filepath.Join(root, filepath.FromSlash(row.Path)))
	}
	return list, images, nil
}

// RunHeads does a node of kind heads.
func RunHeads(ctx context.Context, t *task.Task) error {
	return Run(ctx, t, func() func(string, Params) Row {
		var buffer bytes.Buffer
		return func(path string, _ Params) (row Row) {
			data, err := read(path, &buffer)
			if err == nil {
				var head leaks.Head
				head, err = leaks.ReadHead(data)
				row.Head = &head
			}
			if err != nil {
				return Row{Bad: why(err)}
			}
			return row
		}
	})
}

// read reads a file into a buffer that the next one uses again.
func read(path string, buffer *bytes.Buffer) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	buffer.Reset()
	_, err = buffer.ReadFrom(file)
	return buffer.Bytes(), err
}

// why is an error without the file's name, which the row has.
func why(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err.Error()
}

// Run reads every image of the task's list, t.Threads at a time; each goroutine has a reader of its own.
func Run(ctx context.Context, t *task.Task, reader func() func(image string, p Params) Row) error {
	var p Params
	if err := t.Decode(&p); err != nil {
		return err
	}
	if len(t.Inputs[Source]) > 0 {
		source, err := t.One(Source)
		if err != nil {
			return err
		}
		p = p.At(source.Path)
	}
	_, images, err := p.List()
	if err != nil {
		return err
	}
	rows := make([]Row, len(images))
	var next, done atomic.Int64
	var workers sync.WaitGroup
	for range max(1, t.Threads) {
		workers.Go(func() {
			look := reader()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(images) {
					return
				}
				rows[i] = look(images[i], p)
				t.Progress(int(done.Add(1)), len(images), "images", nil)
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return write(t.Out(Output), rows)
}

func write(path string, rows []Row) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 1<<16)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for i := range rows {
		if err := encoder.Encode(&rows[i]); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return errors.Join(out.Flush(), file.Close())
}

// ReadRows reads an output of n rows.
func ReadRows(path string, n int) ([]Row, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	decoder := json.NewDecoder(bufio.NewReaderSize(file, 1<<16))
	rows, words := make([]Row, 0, n), map[string]string{}
	keep := func(word *string) { // one copy of each word, however many rows have it
		if known, ok := words[*word]; ok {
			*word = known
		} else {
			words[*word] = *word
		}
	}
	for decoder.More() {
		var row Row
		if err := decoder.Decode(&row); err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", path, len(rows)+1, err)
		}
		if h := row.Head; h != nil {
			for _, word := range []*string{&h.Format, &h.Codec, &h.Mode, &h.Tables, &h.Subsampling, &h.Structure} {
				keep(word)
			}
		}
		rows = append(rows, row)
	}
	if len(rows) != n {
		return nil, fmt.Errorf("%s: %d rows for %d images", path, len(rows), n)
	}
	return rows, nil
}
