package worker_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	stdimage "image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
	"github.com/cyborg-run/cyborg-run/stages/prepare/worker"
)

var update = flag.Bool("update", false, "write testdata/revision.golden")

func save(t testing.TB, path string, m stdimage.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.String())
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func photo(w, h, seed int) *stdimage.NRGBA {
	m := stdimage.NewNRGBA(stdimage.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{byte(x*seed + y), byte(y * seed), byte(x ^ y), 255})
		}
	}
	return m
}

func drawing(w, h, seed int) *stdimage.Gray {
	m := stdimage.NewGray(stdimage.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = byte(i * seed / 3)
	}
	return m
}

// small is a data set of seven images of 20 x 16; 0 to 4 have a map, and masks of one or two parts.
func small(t testing.TB) (dir string) {
	dir = t.TempDir()
	list := ""
	for i := range 7 {
		list += fmt.Sprintf("train,%s,/images/%d.png\n", []string{"Real", "Synthetic"}[i%2], i)
		save(t, fmt.Sprintf("%s/images/%d.png", dir, i), photo(20, 16, i+1))
		if i < 5 {
			save(t, fmt.Sprintf("%s/maps/%d.png", dir, i), drawing(20, 16, i+1))
			save(t, fmt.Sprintf("%s/masks/eyes/%d.png", dir, i), half(20, 16, false))
		}
		if i < 2 {
			save(t, fmt.Sprintf("%s/masks/nose/%d.png", dir, i), half(20, 16, true))
		}
	}
	write(t, dir+"/data.csv", list)
	return dir
}

// half is a mask of the left or of the right half, of label 1 above and 7 below.
func half(w, h int, right bool) *stdimage.Gray {
	m := stdimage.NewGray(stdimage.Rect(0, 0, w, h))
	for i := range m.Pix {
		if (i%w >= w/2) == right {
			m.Pix[i] = 1
			if i >= len(m.Pix)/2 {
				m.Pix[i] = 7
			}
		}
	}
	return m
}

var all = []prepare.Saliency{
	{Name: "human", Maps: "maps/{stem}.png", Simulated: true},
	{Name: "cells", Maps: "maps/{stem}.png", Filter: "box"},
	{Name: "parts", Masks: "masks/{part}/{stem}.png", Parts: []string{"eyes", "nose"}, Filter: "box"},
	{Name: "below", Masks: "masks/eyes/{stem}.png", Parts: []string{"7"}, Filter: "box"},
	{Name: "control", From: "human", Shuffle: "class", ShuffleSeed: 1},
}

func params(dir string, s ...prepare.Saliency) prepare.Params {
	return prepare.Params{CSV: dir + "/data.csv", Side: 12, GridH: 2, GridW: 4, Saliency: s}
}

// run does the task in a folder of its own and returns that.
func run(ctx context.Context, t testing.TB, p prepare.Params, threads int, inputs map[string][]task.Input) (dir string, err error) {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	tk, err := (&task.Task{Node: "data.train", Kind: "prepare", Params: raw, Inputs: inputs, Threads: threads}).In(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := tk.Open(); err != nil {
		t.Fatal(err)
	}
	return dir, worker.Run(ctx, tk)
}

func open(t testing.TB, dir string) *pack.Set {
	t.Helper()
	s, err := pack.Open(dir + "/out/data.pack")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestPacked(t *testing.T) {
	data := small(t)
	dir, err := run(t.Context(), t, params(data, all...), 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	for i, row := range s.Rows() {
		if want := (pack.Row{Path: fmt.Sprintf("/images/%d.png", i), Label: []string{"Real", "Synthetic"}[i%2], Class: i % 2}); row != want {
			t.Errorf("row %d: %+v", i, row)
		}
		rgb, err := image.Decode(data+row.Path, image.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(s.Image(i), rgb.Resize(12, 12, image.Bilinear).Pix) {
			t.Errorf("image %d differs", i)
		}
	}
	grids := map[string][]byte{}
	for _, name := range s.MapNames() {
		grid, has, err := s.Map(name)
		if err != nil {
			t.Fatal(err)
		}
		grids[name] = grid
		if d := cmp.Diff([]bool{true, true, true, true, true, false, false}, has); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	for i := range 5 {
		grey, err := image.DecodeGrey(fmt.Sprintf("%s/maps/%d.png", data, i), image.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for name, filter := range map[string]image.Filter{"human": image.Bilinear, "cells": image.Box} {
			full, _ := s.MapFull(name, i)
			if !bytes.Equal(grids[name][8*i:8*i+8], grey.Resize(4, 2, filter).Pix) || !bytes.Equal(full, grey.Resize(12, 12, filter).Pix) {
				t.Errorf("map %s of image %d differs", name, i)
			}
		}
	}
	for name, c := range map[string]struct {
		row  int
		want []byte
	}{
		"parts": {1, []byte{255, 255, 255, 255, 255, 255, 255, 255}}, // two parts are united
		"below": {1, []byte{0, 0, 0, 0, 255, 255, 0, 0}},             // one value of the mask
	} {
		if d := cmp.Diff(c.want, grids[name][8*c.row:8*c.row+8]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if d := cmp.Diff([]byte{255, 255, 0, 0, 255, 255, 0, 0}, grids["parts"][16:24]); d != "" {
		t.Errorf("the part that there is: %s", d)
	}
	// Within the class, 0, 2 and 4 exchange their maps in a ring, and so do 1 and 3.
	if !bytes.Equal(grids["control"][8:16], grids["human"][24:32]) || !bytes.Equal(grids["control"][24:32], grids["human"][8:16]) {
		t.Error("images 1 and 3 did not exchange their maps")
	}
}

func TestEvents(t *testing.T) {
	dir, err := run(t.Context(), t, params(small(t), all[0]), 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(dir + "/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"type":"log","node":"data.train","message":"7 images: 4 Real, 3 Synthetic; map human: 5 (simulated)"`,
		`"type":"warning","node":"data.train","message":"2 of 7 images have no map \"human\""`,
		`"done":7,"of":7,"unit":"images"`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no event %s in\n%s", want, raw)
		}
	}
}

// The bytes depend on the files alone: neither on the threads nor on where the files lie.
func TestSameBytes(t *testing.T) {
	var first []byte
	for _, threads := range []int{1, 2, 5} {
		dir, err := run(t.Context(), t, params(small(t), all...), threads, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(dir + "/out/data.pack")
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(first, got) {
			t.Errorf("%d threads give other bytes", threads)
		}
	}
	golden := "testdata/revision.golden"
	sum := fmt.Sprintf("revision %d: %x\n", prepare.Stage.Revision, sha256.Sum256(first))
	if *update {
		write(t, golden, sum)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != sum {
		t.Errorf("other bytes than before:\n%s%sraise prepare.Stage.Revision, then run this test with -update", want, sum)
	}
}

// The folder of a generate node holds the list and the images.
func TestSource(t *testing.T) {
	data := small(t)
	p := params(data, all[0])
	p.CSV = "data.csv"
	dir, err := run(t.Context(), t, p, 1, map[string][]task.Input{prepare.Source: {{Node: "generate.train", Path: data}}})
	if err != nil {
		t.Fatal(err)
	}
	if s := open(t, dir); s.Len() != 7 {
		t.Errorf("%d images", s.Len())
	}
}

// Real photographs, packed here, are what the Python reference feeds its network.
func TestRealPhotographs(t *testing.T) {
	faces := testenv.Shared(t, "data/faces")
	p := prepare.Params{CSV: faces + "/csvs/train.csv", Root: faces + "/images", Where: `split == "test"`, Side: 224, GridH: 7, GridW: 7}
	dir, err := run(t.Context(), t, p, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := sha256.Sum256(open(t, dir).Pixels())
	want := testenv.RunPython(t, `
import csv, hashlib, sys
from PIL import Image
digest = hashlib.sha256()
for split, label, path in csv.reader(open(sys.argv[1])):
    if split == "test":
        digest.update(Image.open(sys.argv[2] + path).convert("RGB").resize((224, 224), Image.BILINEAR).tobytes())
print(digest.hexdigest(), end="")`, p.CSV, p.Root)
	if fmt.Sprintf("%x", got) != string(want) {
		t.Errorf("pixels %x, Python's %s", got, want)
	}
}
