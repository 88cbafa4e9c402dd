package pack_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/pack"
)

// content is a data set in memory.
type content struct {
	header pack.Header
	pixels []byte
	grids  [][]byte         // by map: all cells, zeros where an image has none
	fulls  []map[int][]byte // by map and row
}

func draw(t *rapid.T) content {
	c := content{header: pack.Header{
		Side: rapid.IntRange(1, 9).Draw(t, "side"), GridH: rapid.IntRange(1, 4).Draw(t, "h"), GridW: rapid.IntRange(1, 4).Draw(t, "w"),
	}}
	rows := rapid.IntRange(0, 12).Draw(t, "rows")
	for i := range rows {
		c.header.Rows = append(c.header.Rows, pack.Row{Path: fmt.Sprintf("/ä %d.png", i), Label: "Live", Class: i % 2})
	}
	square, cells := c.header.Side*c.header.Side, c.header.GridH*c.header.GridW
	bytesOf := func(n int, name string) []byte { return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, name) }
	c.pixels = bytesOf(3*square*rows, "pixels")
	for k := range rapid.IntRange(0, 3).Draw(t, "maps") {
		has := rapid.SliceOfN(rapid.Bool(), rows, rows).Draw(t, "has")
		c.header.Maps = append(c.header.Maps, pack.MapInfo{Name: fmt.Sprint("map", k), Simulated: k == 1, Source: "maps", Has: pack.BitsOf(has)})
		grid, full := make([]byte, rows*cells), map[int][]byte{}
		for i, yes := range has {
			if yes {
				copy(grid[i*cells:], bytesOf(cells, "grid"))
				full[i] = bytesOf(square, "full")
			}
		}
		c.grids, c.fulls = append(c.grids, grid), append(c.fulls, full)
	}
	return c
}

// write writes all rows at once, each from its own goroutine.
func write(path string, c content) error {
	w, err := pack.Create(path, c.header)
	if err != nil {
		return err
	}
	square, cells := c.header.Side*c.header.Side, c.header.GridH*c.header.GridW
	var all sync.WaitGroup
	failed := make(chan error, 4*len(c.header.Rows))
	for i := range c.header.Rows {
		all.Go(func() {
			failed <- w.WriteImage(i, c.pixels[3*square*i:3*square*(i+1)])
			for k, m := range c.header.Maps {
				if full, ok := c.fulls[k][i]; ok {
					failed <- w.WriteMap(m.Name, i, c.grids[k][cells*i:cells*(i+1)], full)
				}
			}
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			w.Abort()
			return err
		}
	}
	return w.Commit()
}

// What is written is read back, and twice the same is twice the same bytes.
func TestRoundTrip(t *testing.T) {
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		c := draw(t)
		path := filepath.Join(folder, "data.pack")
		if err := write(path, c); err != nil {
			t.Fatal(err)
		}
		s, err := pack.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if h, w := s.Grid(); s.Side() != c.header.Side || h != c.header.GridH || w != c.header.GridW || s.Len() != len(c.header.Rows) {
			t.Fatalf("%d images of %d, grid %d x %d", s.Len(), s.Side(), h, w)
		}
		if d := cmp.Diff(c.header.Rows, s.Rows()); d != "" {
			t.Fatal(d)
		}
		if !bytes.Equal(s.Pixels(), c.pixels) {
			t.Fatal("pixels differ")
		}
		for k, m := range c.header.Maps {
			grid, has, err := s.Map(m.Name)
			if err != nil || !bytes.Equal(grid, c.grids[k]) || cmp.Diff(has, m.Has.List()) != "" || s.Maps()[k].Simulated != m.Simulated {
				t.Fatalf("map %s: %v", m.Name, err)
			}
			for i := range has {
				full, ok := s.MapFull(m.Name, i)
				if want, has := c.fulls[k][i]; ok != has || !bytes.Equal(full, want) {
					t.Fatalf("map %s of image %d differs", m.Name, i)
				}
			}
		}
		again := filepath.Join(folder, "again.pack")
		if err := write(again, c); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(contents(t, path), contents(t, again)) {
			t.Fatal("the same rows gave other bytes")
		}
	})
}

func contents(t rapid.TB, path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// small is a data set of two images, of which the first has a map.
func small() content {
	return content{
		header: pack.Header{
			Side: 2, GridH: 1, GridW: 2,
			Rows:  []pack.Row{{Path: "/a.png", Label: "Real"}, {Path: "/b.png", Label: "Synthetic", Class: 1}},
			Maps:  []pack.MapInfo{{Name: "human", Has: pack.BitsOf([]bool{true, false})}},
			Notes: []string{"a note"},
		},
		pixels: bytes.Repeat([]byte{1, 2, 3}, 8),
		grids:  [][]byte{{7, 8, 0, 0}},
		fulls:  []map[int][]byte{{0: {1, 2, 3, 4}}},
	}
}

func TestUnknownMap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.pack")
	if err := write(path, small()); err != nil {
		t.Fatal(err)
	}
	s, err := pack.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.Map("humann"); err == nil || err.Error() != `no map is called "humann"; there are: human` {
		t.Error(err)
	}
}

func TestDamagedFiles(t *testing.T) {
	folder := t.TempDir()
	good := filepath.Join(folder, "good.pack")
	if err := write(good, small()); err != nil {
		t.Fatal(err)
	}
	data := contents(t, good)
	header := int(binary.LittleEndian.Uint32(data[12:]))
	change := func(at int, with ...byte) []byte {
		out := bytes.Clone(data)
		copy(out[at:], with)
		return out
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":             {nil, "not a packed data set (0 bytes, without its mark at the start)"},
		"another_file":      {[]byte(strings.Repeat("no", 100)), "not a packed data set (200 bytes, without its mark at the start)"},
		"later_version":     {change(8, 9), "version 9; this program reads version 1: make it again"},
		"cut_in_the_header": {data[:100], fmt.Sprintf("truncated: the header ends at byte %d, the file at 100; delete it, to make it again", 48+header)},
		"cut_by_a_byte":     {data[:len(data)-1], fmt.Sprintf("truncated or damaged: %d bytes, its header promises %d; delete it, to make it again", len(data)-1, len(data))},
		"longer":            {append(bytes.Clone(data), 0), fmt.Sprintf("truncated or damaged: %d bytes, its header promises %d; delete it, to make it again", len(data)+1, len(data))},
		"changed_header":    {change(60, 'x'), "damaged: the header does not fit its checksum; delete it, to make it again"},
		"changed_checksum":  {change(20, 1, 2, 3), "damaged: the header does not fit its checksum; delete it, to make it again"},
		"endless_header":    {change(12, 255, 255, 255, 255), fmt.Sprintf("truncated: the header ends at byte 4294967343, the file at %d; delete it, to make it again", len(data))},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, c.data, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := pack.Open(path)
			if want := "open packed data set " + path + ": " + c.want; err == nil || err.Error() != want {
				t.Errorf("%v\nwant %s", err, want)
			}
		})
	}
}

// Mistakes of the writer leave no file behind.
func TestWriting(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *pack.Header)
		do     func(w *pack.Writer) error
		want   string
	}{
		"a_row_too_few": {
			do:   func(w *pack.Writer) error { return w.WriteImage(1, make([]byte, 12)) },
			want: "image 0 (/a.png) was never written",
		},
		"a_map_too_few": {
			do: func(w *pack.Writer) error {
				_ = w.WriteImage(0, make([]byte, 12))
				return w.WriteImage(1, make([]byte, 12))
			},
			want: `map "human" of image 0 (/a.png) was never written`,
		},
		"a_row_twice": {
			do: func(w *pack.Writer) error {
				_ = w.WriteImage(0, make([]byte, 12))
				return w.WriteImage(0, make([]byte, 12))
			},
			want: "written twice",
		},
		"pixels_of_another_size": {
			do:   func(w *pack.Writer) error { return w.WriteImage(0, make([]byte, 13)) },
			want: "13 bytes, 12 needed",
		},
		"a_map_that_was_not_declared": {
			do:   func(w *pack.Writer) error { return w.WriteMap("human", 1, make([]byte, 2), make([]byte, 4)) },
			want: "the header says that it has none",
		},
		"no_side":          {change: func(h *pack.Header) { h.Side = 0 }, want: "side 0 is not between 1 and 32768"},
		"two_maps_a_name":  {change: func(h *pack.Header) { h.Maps = append(h.Maps, h.Maps[0]) }, want: `map "human": names must be given and differ`},
		"map_of_more_rows": {change: func(h *pack.Header) { h.Maps[0].Has = pack.BitsOf(make([]bool, 3)) }, want: "says of 3 images whether they have it, there are 2"},
		"a_class_too_many": {change: func(h *pack.Header) { h.Rows[0].Class = 2 }, want: "row 0 (/a.png) is of class 2; there are 0 and 1"},
	} {
		t.Run(name, func(t *testing.T) {
			folder, header := t.TempDir(), small().header
			if c.change != nil {
				c.change(&header)
			}
			w, err := pack.Create(filepath.Join(folder, "data.pack"), header)
			if err == nil {
				if err = c.do(w); err == nil {
					err = w.Commit()
				} else {
					w.Abort()
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			left, err := os.ReadDir(folder)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// An older pack stays as it is until the new one is complete, and is not touched by a reader's mapping of it.
func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.pack")
	if err := write(path, small()); err != nil {
		t.Fatal(err)
	}
	old, err := pack.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	changed := small()
	changed.pixels = make([]byte, len(changed.pixels))
	if err := write(path, changed); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(old.Pixels(), small().pixels) {
		t.Error("the open pack changed")
	}
}

// Whatever the bytes, opening ends in an error or in a set whose every image and map can be read.
func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "data.pack")
	if err := write(path, small()); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(nil), contents(f, path))
	f.Add([]byte(`{"side":1,"grid_h":1,"grid_w":1,"rows":null}`), []byte(nil))
	f.Add([]byte(`{"side":32768,"grid_h":32768,"grid_w":32768,"rows":[{},{},{}],"maps":[{"name":"a","has":{"n":3,"bits":"Bw=="}}]}`), []byte(nil))
	f.Fuzz(func(t *testing.T, header, data []byte) {
		file := filepath.Join(t.TempDir(), "fuzz.pack")
		if len(header) > 0 { // a header with its checksum, which chance would not find
			data = append(pack.Preamble(header), data...)
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := pack.Open(file)
		if err != nil {
			return
		}
		defer s.Close()
		sum := 0
		for _, v := range s.Pixels() {
			sum += int(v)
		}
		for _, name := range s.MapNames() {
			for i := range s.Len() {
				full, _ := s.MapFull(name, i)
				for _, v := range full {
					sum += int(v)
				}
			}
		}
		_ = sum
	})
}
