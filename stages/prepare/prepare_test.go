package prepare_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// folder writes empty files, and lists with their text, below a new folder.
func folder(t rapid.TB, dir string, files ...string) {
	t.Helper()
	for _, file := range files {
		name, text, _ := strings.Cut(file, "=")
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var set = []string{
	"set.csv=split,label,path,who\ntrain,Real,/in/a.jpg,eve\ntrain,Synthetic,/in/b.jpg,bob\n",
	"in/a.jpg", "in/b.jpg", "maps/a.png", "maps/in/b.jpg", "eve/a.jpg.png", "masks/eyes/a.png", "masks/nose/a.png", "masks/nose/b.png",
}

func params(dir string, s ...prepare.Saliency) prepare.Params {
	return prepare.Params{CSV: filepath.Join(dir, "set.csv"), Side: 4, GridH: 2, GridW: 2, Saliency: s}
}
func filesOf(p prepare.Params) ([]string, error) {
	plan, err := prepare.NewPlan(p)
	if err != nil {
		return nil, err
	}
	return plan.Files(), nil
}

// Files lists what is read: the list, the images, and those map files that are there.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	folder(t, dir, set...)
	for name, c := range map[string]struct {
		saliency prepare.Saliency
		want     []string
	}{
		"stem":     {prepare.Saliency{Maps: "maps/{stem}.png"}, []string{"maps/a.png"}},
		"path":     {prepare.Saliency{Maps: "maps/{path}"}, []string{"maps/in/b.jpg"}},
		"dir":      {prepare.Saliency{Maps: "maps/{dir}/{name}"}, []string{"maps/in/b.jpg"}},
		"column":   {prepare.Saliency{Maps: "{who}/{name}.png"}, []string{"eve/a.jpg.png"}},
		"absolute": {prepare.Saliency{Maps: dir + "/maps/{stem}.png"}, []string{"maps/a.png"}},
		"parts": {
			prepare.Saliency{Masks: "masks/{part}/{stem}.png", Parts: []string{"eyes", "nose"}},
			[]string{"masks/eyes/a.png", "masks/nose/a.png", "masks/nose/b.png"},
		},
		"none": {prepare.Saliency{Maps: "nowhere/{stem}.png"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.saliency.Name = "human"
			got, err := filesOf(params(dir, c.saliency))
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"set.csv", "in/a.jpg", "in/b.jpg"}
			for i := range got {
				got[i], _ = filepath.Rel(dir, got[i])
			}
			if d := cmp.Diff(append(want, c.want...), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Where bad images are skipped, missing ones are no part of the key, so that it changes when they come.
func TestFilesWithoutMissing(t *testing.T) {
	dir := t.TempDir()
	folder(t, dir, set...)
	p := params(dir, prepare.Saliency{Name: "human", Maps: "maps/{stem}.png"})
	p.OnBadImage = prepare.Skip
	for _, c := range []struct {
		remove string
		want   []string
		err    string
	}{
		{"", []string{"set.csv", "in/a.jpg", "in/b.jpg", "maps/a.png"}, ""},
		{"in/b.jpg", []string{"set.csv", "in/a.jpg", "maps/a.png"}, ""},
		{"in/a.jpg", nil, "2 of 2 images are not there"},
	} {
		if c.remove != "" {
			if err := os.Remove(filepath.Join(dir, c.remove)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := filesOf(p)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Fatalf("without %q: %v", c.remove, err)
		}
		for i := range got {
			got[i], _ = filepath.Rel(dir, got[i])
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("without %q: %s", c.remove, d)
		}
	}
}

func TestProblems(t *testing.T) {
	dir := t.TempDir()
	folder(t, dir, set...)
	human := prepare.Saliency{Name: "human", Maps: "maps/{stem}.png"}
	for name, c := range map[string]struct {
		change func(p *prepare.Params)
		want   string // DIR stands for the folder
	}{
		"no_list": {func(p *prepare.Params) { p.CSV = "" }, "csv: no list of images is named"},
		"all_at_once": {
			func(p *prepare.Params) { p.Header, p.Side, p.OnBadImage = "maybe", 0, "ignore" },
			"header: \"maybe\"; there are: auto, yes, no\non_bad_image: \"ignore\"; there are: fail, skip\nside: 0 pixels",
		},
		"missing_list":   {func(p *prepare.Params) { p.CSV = "DIR/no.csv" }, "read list DIR/no.csv: no such file or directory"},
		"missing_images": {func(p *prepare.Params) { p.Root = "DIR/in" }, "DIR/set.csv:2: image /in/a.jpg: there is no file DIR/in/in/a.jpg\nDIR/set.csv:3: image /in/b.jpg: there is no file DIR/in/in/b.jpg\nDIR/set.csv: 2 of 2 images are not there; root is DIR/in"},
		"required_map": {
			func(p *prepare.Params) { p.Saliency[0].Required = true },
			`DIR/set.csv:3: image /in/b.jpg has no map "human", which is required: there is no file DIR/maps/b.png`,
		},
		"unknown_placeholder": {
			func(p *prepare.Params) { p.Saliency[0].Maps = "maps/{id}.png" },
			"saliency human: maps/{id}.png: {id} stands for nothing; there are: {stem}, {name}, {dir}, {path}, {part}, {split}, {label}, {who}",
		},
		"map_is_a_folder": {func(p *prepare.Params) { p.Saliency[0].Maps = "maps" }, `DIR/set.csv:2: the map "human" of image /in/a.jpg: DIR/maps is a folder; an image file is needed`},
		"two_sources":     {func(p *prepare.Params) { p.Saliency[0].Masks = "x" }, "saliency human: 2 of maps, masks, stage, combine and from are given; give one"},
		"a_name_twice":    {func(p *prepare.Params) { p.Saliency = append(p.Saliency, human) }, "saliency human is declared twice"},
		"parts_of_maps":   {func(p *prepare.Params) { p.Saliency[0].Parts = []string{"1"} }, "saliency human: parts belong to masks"},
		"parts_without_place": {
			func(p *prepare.Params) {
				p.Saliency[0] = prepare.Saliency{Name: "m", Masks: "masks/{stem}.png", Parts: []string{"eyes"}}
			},
			"saliency m: parts: \"eyes\" is no value of a mask; write 0 to 65535, or {part} in the pattern of masks for one file a part",
		},
		"control_of_nothing": {
			func(p *prepare.Params) {
				p.Saliency = append(p.Saliency, prepare.Saliency{Name: "c", From: "humans", Shuffle: "all"})
			},
			`saliency c: from: no source is called "humans"; there are: human`,
		},
		"control_without_shuffle": {
			func(p *prepare.Params) { p.Saliency = append(p.Saliency, prepare.Saliency{Name: "c", From: "human"}) },
			"saliency c: from without shuffle would be human again; write shuffle: class or shuffle: all",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := params(dir, human)
			c.change(&p)
			p.CSV, p.Root = strings.Replace(p.CSV, "DIR", dir, 1), strings.Replace(p.Root, "DIR", dir, 1)
			_, err := filesOf(p)
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(c.want, strings.ReplaceAll(err.Error(), dir, "DIR")); d != "" {
				t.Error(d)
			}
		})
	}
}

// A control hands every map to another image of its ring, keeps which images have one, and depends on its seed alone.
func TestShuffle(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 25).Draw(t, "images")
		has := rapid.SliceOfN(rapid.Bool(), count, count).Draw(t, "has")
		kind := rapid.SampledFrom([]string{"class", "all"}).Draw(t, "shuffle")
		text, files := "set.csv=", []string(nil)
		for i := range count {
			text += fmt.Sprintf("train,%s,%d.png\n", []string{"Real", "Synthetic"}[i%2], i)
			files = append(files, fmt.Sprintf("%d.png", i))
		}
		os.RemoveAll(filepath.Join(dir, "maps"))
		for i, yes := range has {
			if yes {
				files = append(files, fmt.Sprintf("maps/%d.png", i))
			}
		}
		folder(t, dir, append(files, text)...)
		p := params(dir, prepare.Saliency{Name: "human", Maps: "maps/{stem}.png", Simulated: true},
			prepare.Saliency{Name: "control", From: "human", Shuffle: kind, ShuffleSeed: 3})
		plan, err := prepare.NewPlan(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := prepare.NewPlan(p)
		if err != nil {
			t.Fatal(err)
		}
		control := plan.Maps[1]
		if d := cmp.Diff(control.Gets, again.Maps[1].Gets); d != "" {
			t.Fatal(d)
		}
		if !control.Simulated {
			t.Fatal("the control of simulated maps is simulated")
		}
		ring := func(i int) int {
			if kind == "all" {
				return 0
			}
			return i % 2
		}
		var size [2]int
		for i, yes := range has {
			if yes {
				size[ring(i)]++
			}
		}
		taken := map[int]bool{}
		for i, to := range control.Gets {
			switch {
			case !has[i] && to != -1:
				t.Fatalf("image %d has no map and gives one to %d", i, to)
			case !has[i]:
			case taken[to] || !has[to] || ring(to) != ring(i):
				t.Fatalf("image %d gives its map to %d", i, to)
			case to == i && size[ring(i)] > 1:
				t.Fatalf("image %d keeps its map", i)
			default:
				taken[to] = true
			}
		}
	})
}

// What the packed file says of its maps names no folder of this machine.
func TestHeader(t *testing.T) {
	dir := t.TempDir()
	folder(t, dir, set...)
	plan, err := prepare.NewPlan(params(dir,
		prepare.Saliency{Name: "human", Maps: dir + "/maps/{stem}.png", Simulated: true},
		prepare.Saliency{Name: "parts", Masks: "masks/{part}/{stem}.png", Parts: []string{"eyes", "nose"}},
		prepare.Saliency{Name: "control", From: "human", Shuffle: "class", ShuffleSeed: 5}))
	if err != nil {
		t.Fatal(err)
	}
	h := plan.Header()
	var sources []string
	for _, m := range h.Maps {
		sources = append(sources, m.Source)
	}
	want := []string{"maps {stem}.png", "masks {stem}.png (eyes, nose)", `the maps "human", shuffled within the class (seed 5)`}
	if d := cmp.Diff(want, sources); d != "" {
		t.Error(d)
	}
	notes := []string{
		`The maps "human" are simulated: no person made them.`,
		`The maps "control" are simulated: no person made them.`,
		`The maps "control" are a control: the maps "human", shuffled within the class (seed 5).`,
	}
	if d := cmp.Diff(notes, h.Notes); d != "" {
		t.Error(d)
	}
}
