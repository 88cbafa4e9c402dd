package generate

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/cyborg-run/cyborg-run/internal/faces"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// The folders of the output, one for each kind of picture.
const (
	images = "images"
	maps   = "maps"
	parts  = "masks/parts"
	heads  = "masks/head"
)

// Run draws the set of the task's parameters into the output folder data, on the task's threads.
func Run(ctx context.Context, t *task.Task) error {
	var p Params
	if err := t.Decode(&p); err != nil {
		return err
	}
	set, err := p.Set()
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	out := folder{root: t.Out("data"), faces: p.Faces, set: set}
	if err := out.make(); err != nil {
		return fmt.Errorf("generate: %w", err)
	}

	var next, done atomic.Int64
	workers, ctx := errgroup.WithContext(ctx)
	for range max(1, t.Threads) {
		workers.Go(func() error {
			picture := faces.NewPicture(set.Side())
			pngs, err := newEncoder(set.Side())
			if err != nil {
				return err
			}
			for i := int(next.Add(1)) - 1; i < set.Len(); i = int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				set.Draw(i, picture)
				if err := out.write(i, picture, pngs); err != nil {
					return fmt.Errorf("generate image %d of %d: %w", i, set.Len(), err)
				}
				t.Progress(int(done.Add(1)), set.Len(), "images", nil)
			}
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	if err := out.list(); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	return nil
}

// folder is the data set on disk.
type folder struct {
	root  string
	faces Faces
	set   *faces.Set
}

func (f folder) make() error {
	for _, sub := range []string{images, maps, parts, heads} {
		if err := os.MkdirAll(filepath.Join(f.root, filepath.FromSlash(sub)), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// name is the file name of image i, and of its map and masks: g0_000123_synthetic.png.
func (f folder) name(i int) string {
	return fmt.Sprintf("%s_%06d_%s.png", strings.ToLower(f.faces.Generator), i, strings.ToLower(f.label(i)))
}

func (f folder) label(i int) string {
	if f.set.Synthetic(i) {
		return "Synthetic"
	}
	return "Real"
}

// shortcut is what image i wears.
func (f folder) shortcut(i int) string {
	switch stamped, clipped := f.set.Stamped(i), f.set.Clipped(i); {
	case stamped && clipped:
		return "stamp+clip"
	case stamped:
		return "stamp"
	case clipped:
		return "clip"
	}
	return "none"
}

func (f folder) path(sub string, i int) string {
	return filepath.Join(f.root, filepath.FromSlash(sub), f.name(i))
}

// write saves picture i with its map and masks.
func (f folder) write(i int, p *faces.Picture, pngs *encoder) error {
	for _, file := range []struct {
		folder string
		pixels []byte
	}{{images, p.Pixels}, {maps, p.Human}, {parts, p.Parts}, {heads, p.Head}} {
		if err := pngs.save(f.path(file.folder, i), file.pixels); err != nil {
			return err
		}
	}
	return nil
}

// list writes data.csv.
func (f folder) list() error {
	file, err := os.Create(filepath.Join(f.root, "data.csv"))
	if err != nil {
		return err
	}
	rows := csv.NewWriter(file)
	_ = rows.Write([]string{"split", "label", "path", "generator", "shortcut"})
	for i := range f.set.Len() {
		_ = rows.Write([]string{f.faces.Split, f.label(i), images + "/" + f.name(i), f.faces.Generator, f.shortcut(i)})
	}
	rows.Flush()
	if err := rows.Error(); err != nil { // the first that failed, of all rows
		_ = file.Close()
		return fmt.Errorf("write data.csv: %w", err)
	}
	return file.Close()
}
