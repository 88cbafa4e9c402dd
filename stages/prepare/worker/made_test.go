package worker_test

import (
	"fmt"
	stdimage "image"
	"image/color"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// An earlier node's maps, a combination of them with masks, and a control of that.
func TestMadeAndCombined(t *testing.T) {
	data, made := small(t), t.TempDir()
	for i := range 3 {
		flat := stdimage.NewGray(stdimage.Rect(0, 0, 6, 6)) // of another size than the images
		for k := range flat.Pix {
			flat.Pix[k] = byte(40 * (i + 1))
		}
		save(t, fmt.Sprintf("%s/images/%d.png.png", made, 2*i), flat) // of 0, 2 and 4
	}
	p := params(data,
		prepare.Saliency{Name: "human", Made: true, Size: "any"},
		prepare.Saliency{Name: "nose", Masks: "masks/nose/{stem}.png", Filter: "box"},
		prepare.Saliency{Name: "bright", Combine: "min(1, 3 * human)", Simulated: true},
		prepare.Saliency{Name: "both", Combine: "max(human, 0.5 * nose)"},
		prepare.Saliency{Name: "control", From: "bright", Shuffle: "class", ShuffleSeed: 1})
	dir, err := run(t.Context(), t, p, 2, map[string][]task.Input{prepare.MadePort("human"): {{Node: "marks", Path: made}}})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	first := func(name string) (cells []int) { // of each image, -1 without a map
		grid, has, err := s.Map(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range has {
			if cells = append(cells, -1); has[i] {
				cells[i] = int(grid[8*i+7]) // in the right half, where the nose is
			}
		}
		return cells
	}
	for name, want := range map[string][]int{
		"human":  {40, -1, 80, -1, 120, -1, -1},
		"bright": {120, -1, 240, -1, 255, -1, -1},
		"both":   {128, -1, -1, -1, -1, -1, -1}, // images 0 and 1 alone have a nose, and 0 alone both
	} {
		if d := cmp.Diff(want, first(name)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	control, seen := first("control"), map[int]bool{}
	for i, v := range control {
		if want := []int{120, -1, 240, -1, 255, -1, -1}[i]; (v < 0) != (want < 0) || v >= 0 && v == want {
			t.Errorf("image %d has %d in the control", i, v)
		}
		seen[v] = true
	}
	if len(seen) != 4 {
		t.Errorf("the control has %v", control)
	}
	for _, m := range s.Maps() {
		if m.Simulated != (m.Name == "bright" || m.Name == "control") {
			t.Errorf("%s: simulated %v", m.Name, m.Simulated)
		}
	}
	if _, err := run(t.Context(), t, p, 1, nil); err == nil || !strings.Contains(err.Error(), `input "maps.human": 0 given, 1 needed`) {
		t.Errorf("without the folder: %v", err)
	}
	p.Saliency[0].Required = true
	_, err = run(t.Context(), t, p, 1, map[string][]task.Input{prepare.MadePort("human"): {{Path: made}}})
	if err == nil || !strings.Contains(err.Error(), `image /images/1.png has no map "human", which is required`) {
		t.Errorf("required: %v", err)
	}
}

// CelebAMask-HQ's folders: masks of the parts, white on black in colour, of another size than the images.
func TestCelebAMaskHQ(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/data.csv", "label,path\nReal,img/7.jpg\nReal,img/04001.jpg\nReal,img/4002.jpg\n")
	for _, name := range []string{"7", "04001", "4002"} {
		save(t, dir+"/img/"+name+".jpg", photo(16, 16, 3))
	}
	mask := func(right bool) stdimage.Image {
		m := stdimage.NewNRGBA(stdimage.Rect(0, 0, 8, 8))
		for i := range 64 {
			c := color.NRGBA{0, 0, 0, 255}
			if i%8 >= 4 == right {
				c = color.NRGBA{255, 255, 255, 255}
			}
			m.SetNRGBA(i%8, i/8, c)
		}
		return m
	}
	save(t, dir+"/masks/0/00007_l_eye.png", mask(false))
	save(t, dir+"/masks/0/00007_hair.png", mask(true))
	save(t, dir+"/masks/2/04001_r_eye.png", mask(true))
	p := params(dir, prepare.Saliency{Name: "eyes", Masks: "masks", Layout: prepare.CelebAMaskHQ, Parts: []string{"l_eye", "r_eye"}, Size: "any", Mode: "convert", Filter: "box"})
	out, err := run(t.Context(), t, p, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	grid, has, err := open(t, out).Map("eyes")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]bool{true, true, false}, has); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]byte{255, 255, 0, 0, 255, 255, 0, 0, 0, 0, 255, 255, 0, 0, 255, 255}, grid[:16]); d != "" {
		t.Error(d)
	}
	write(t, dir+"/data.csv", "label,path\nReal,img/face.jpg\n")
	save(t, dir+"/img/face.jpg", photo(16, 16, 3))
	if _, err := run(t.Context(), t, p, 1, nil); err == nil || !strings.Contains(err.Error(), "data.csv:2: image img/face.jpg: layout celebamask-hq needs images that are called by their number, such as 12345.jpg") {
		t.Errorf("%v", err)
	}
	if len(prepare.CelebAParts) != 18 {
		t.Errorf("%d parts", len(prepare.CelebAParts))
	}
}
