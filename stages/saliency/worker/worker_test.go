package worker_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	stdimage "image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
	"github.com/cyborg-run/cyborg-run/stages/saliency"
	"github.com/cyborg-run/cyborg-run/stages/saliency/worker"
)

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func save(t testing.TB, path string, m stdimage.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.String())
}

// small is a list of four images of 8 x 4 pixels, two of one name.
func small(t testing.TB) (dir string) {
	dir = t.TempDir()
	write(t, dir+"/list.csv", "split,label,path\ntrain,Live,/a/1.png\ntrain,Spoof,/b/1.png\ntrain,Live,/a/2.png\ntrain,Spoof,3.png\n")
	for _, name := range []string{"a/1", "b/1", "a/2", "3"} {
		save(t, dir+"/"+name+".png", stdimage.NewGray(stdimage.Rect(0, 0, 8, 4)))
	}
	return dir
}

// defaults are what a spec has where it says nothing.
func defaults(p saliency.Params) saliency.Params {
	p.Match, p.Ink, p.Size, p.Only, p.Average, p.Weight, p.Granularity, p.MinAnnotators = "path", "auto", "exact", "right", "mean", "duration", "features", 1
	return p
}

func run(t testing.TB, dir string, p saliency.Params, threads int) (out string, err error) {
	t.Helper()
	list := prepare.Params{CSV: dir + "/list.csv", Side: 1, GridH: 1, GridW: 1, Labels: map[string]string{"Live": "Real", "Spoof": "Synthetic"}}
	raw, err := json.Marshal(saliency.Job{Params: p, List: list})
	if err != nil {
		t.Fatal(err)
	}
	at := t.TempDir()
	tk, err := (&task.Task{Node: "marks", Kind: "saliency", Params: raw, Threads: threads}).In(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := tk.Open(); err != nil {
		t.Fatal(err)
	}
	return at, worker.Run(t.Context(), tk)
}

// picture is a map of 8 x 4 pixels as text: . for 0, # for 255, else the tenths.
func picture(t *testing.T, dir, name string) string {
	t.Helper()
	m, err := image.Open(dir+"/out/maps/"+name, image.Limits{})
	if err != nil {
		return "none"
	}
	if m.Mode != image.Grey8 {
		t.Errorf("%s is of mode %s", name, m.Mode)
	}
	var out strings.Builder
	for i, v := range m.Grey().Pix {
		switch v {
		case 0:
			out.WriteByte('.')
		case 255:
			out.WriteByte('#')
		default:
			fmt.Fprintf(&out, "%d", (int(v)*10+127)/255)
		}
		if (i+1)%m.W == 0 && i+1 < m.W*m.H {
			out.WriteByte('/')
		}
	}
	return out.String()
}

const boxes = "image,annotator,x,y,width,height,answer\n" +
	"/a/1.png,ann,0,0,4,2,Live\n" +
	"/a/1.png,bob,2,0,4,2,Real\n" +
	"b/1.png,ann,1,1,2,2,Spoof\nb/1.png,bob,0,0,8,4,live\n" + // bob is wrong
	"a/2.png,cat,6,3,50,50,\n" + // who did not answer
	"3.png,ann,,,,,Spoof\n" + // nothing marked
	"4.png,ann,0,0,1,1,Live\n"

// What becomes of annotations: who counts, how they are averaged, what is said.
func TestBoxes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *saliency.Params)
		want   map[string]string
	}{
		"right_alone": {func(*saliency.Params) {}, map[string]string{
			"b/1.png.png": "......../.##...../.##...../........", "a/2.png.png": "none", "3.png.png": "none",
		}},
		"wrong_alone":    {func(p *saliency.Params) { p.Only = "wrong" }, map[string]string{"b/1.png.png": "########/########/########/########"}},
		"all":            {func(p *saliency.Params) { p.Only = "all" }, map[string]string{"b/1.png.png": "55555555/5##55555/5##55555/55555555", "a/2.png.png": "......../......../......../......##"}},
		"any":            {func(p *saliency.Params) { p.Only, p.Average = "all", "any" }, map[string]string{"b/1.png.png": "########/########/########/########"}},
		"majority":       {func(p *saliency.Params) { p.Only, p.Average = "all", "majority" }, map[string]string{"b/1.png.png": "......../.##...../.##...../........"}},
		"two_at_least":   {func(p *saliency.Params) { p.Only, p.MinAnnotators = "all", 2 }, map[string]string{"a/2.png.png": "none", "b/1.png.png": "55555555/5##55555/5##55555/55555555"}},
		"threshold":      {func(p *saliency.Params) { p.Only, p.Threshold = "all", 0.6 }, map[string]string{"b/1.png.png": "......../.##...../.##...../........"}},
		"the_box_around": {func(p *saliency.Params) { p.Only, p.Granularity, p.Threshold = "all", "boundary", 0.5 }, map[string]string{"b/1.png.png": "########/########/########/########", "a/2.png.png": "......../......../......../......##"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := small(t)
			p := defaults(saliency.Params{Boxes: dir + "/boxes.csv"})
			c.change(&p)
			write(t, dir+"/boxes.csv", boxes)
			out, err := run(t, dir, p, 2)
			if err != nil {
				t.Fatal(err)
			}
			for file, want := range c.want {
				if d := cmp.Diff(strings.ReplaceAll(want, "/", "\n"), strings.ReplaceAll(picture(t, out, file), "/", "\n")); d != "" {
					t.Errorf("%s: %s", file, d)
				}
			}
		})
	}
}

func TestTables(t *testing.T) {
	dir := small(t)
	write(t, dir+"/boxes.csv", boxes)
	out, err := run(t, dir, defaults(saliency.Params{Boxes: dir + "/boxes.csv"}), 1)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		saliency.Images: "path,map,annotators,wrong,unanswered,empty,outside\n" +
			"/a/1.png,maps/a/1.png.png,2,0,0,0,0\n/b/1.png,maps/b/1.png.png,1,1,0,0,0\n/a/2.png,,0,0,1,0,0\n3.png,,0,0,0,1,0\n",
		saliency.AgreementCSV: "path,annotators,pairs,cc,iou\n/a/1.png,2,1,0.333333333,0.333333333\n",
		saliency.AgreementJSON: "{\n  \"images\": 1,\n  \"cc\": 0.333333333,\n  \"iou\": 0.333333333,\n  \"answers\": 5,\n  \"rated\": 2,\n  \"kappa\": -0.333333333,\n" +
			"  \"listed\": 4,\n  \"maps\": 2,\n  \"annotators\": 2,\n  \"wrong\": 1,\n  \"unanswered\": 1\n}\n",
	} {
		got, err := os.ReadFile(out + "/out/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, string(got)); d != "" {
			t.Errorf("%s: %s", file, d)
		}
	}
	events, err := os.ReadFile(out + "/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"maps for 2 of 4 images", "1 images of the annotations are not in the list of the data set, the first is 4.png",
		`1 annotations are left out for their answer (only: right)`, "1 annotations are left out because their annotator gave no answer on the image", "1 annotations mark nothing",
	} {
		if !strings.Contains(string(events), want) {
			t.Errorf("no event says %q:\n%s", want, events)
		}
	}
}

// A drawing is where there is ink, in whatever mode its file is, and whoever's file it is.
func TestDrawings(t *testing.T) {
	dir := small(t)
	rect := stdimage.Rect(0, 0, 8, 4)
	mark := stdimage.Rect(1, 1, 3, 3)
	grey := stdimage.NewGray(rect)
	draw.Draw(grey, mark, stdimage.White, stdimage.Point{}, draw.Src)
	deep := stdimage.NewGray16(rect)
	draw.Draw(deep, mark, stdimage.White, stdimage.Point{}, draw.Src)
	see := stdimage.NewNRGBA(rect) // red, half see-through, on nothing
	draw.Draw(see, mark, stdimage.NewUniform(color.NRGBA{255, 0, 0, 128}), stdimage.Point{}, draw.Src)
	palette := stdimage.NewPaletted(rect, color.Palette{color.NRGBA{0, 0, 0, 0}, color.NRGBA{0, 0, 90, 255}})
	draw.Draw(palette, mark, stdimage.NewUniform(palette.Palette[1]), stdimage.Point{}, draw.Src)
	black := stdimage.NewGray(rect)
	draw.Draw(black, rect, stdimage.White, stdimage.Point{}, draw.Src)
	draw.Draw(black, mark, stdimage.Black, stdimage.Point{}, draw.Src)
	full, half := "......../.##...../.##...../........", "......../.55...../.55...../........"
	for name, c := range map[string]struct {
		picture stdimage.Image
		ink     string
		want    string
	}{
		"grey": {grey, "auto", full}, "deep": {deep, "light", full}, "see_through": {see, "auto", half}, "palette": {palette, "opacity", full}, "black": {black, "dark", full},
	} {
		t.Run(name, func(t *testing.T) {
			save(t, dir+"/"+name+"/1/1.png", c.picture)
			p := defaults(saliency.Params{Drawings: name + "/{annotator}/{stem}.png"})
			p.Ink = c.ink
			out, err := run(t, dir, p, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := picture(t, out, "a/1.png.png"); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	t.Run("svg_of_two", func(t *testing.T) {
		write(t, dir+"/two/a_1_ann.svg", `<svg viewBox="0 0 80 40"><path d="M10 20H30" stroke="red" stroke-width="20"/></svg>`)
		write(t, dir+"/two/a_1_bob.svg", "\ufeff<?xml version='1.0'?>\n<svg/>") // nothing drawn: no annotator of it
		write(t, dir+"/two/a_1_cat.svg", `<svg viewBox="0 0 80 40"><rect width="80" height="40"/></svg>`)
		write(t, dir+"/two/a_10_dog.svg", `<p>no drawing of image 1</p>`)
		write(t, dir+"/answers.csv", "annotator,image,answer\nann,/a/1.png,Live\nbob,/a/1.png,Live\ncat,/a/1.png,Spoof\n")
		out, err := run(t, dir, defaults(saliency.Params{Drawings: "two/{dir}_{stem}_{annotator}.svg", Answers: dir + "/answers.csv"}), 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := picture(t, out, "a/1.png.png"); got != full {
			t.Errorf("%s, want %s", got, full)
		}
	})
}

// coco is a file that knows a/1.png, of 8 x 4 pixels, as one of w x h, with one segmentation and one box.
func coco(w, h int, segmentation, box string) string {
	return fmt.Sprintf(`{"images":[{"id":1,"file_name":"a/1.png","width":%d,"height":%d}],"annotations":[{"image_id":1,"segmentation":%s,"bbox":%s}]}`, w, h, segmentation, box)
}

// What was marked on an image of half the size is an error, or is scaled to the image.
func TestOtherSize(t *testing.T) {
	const (
		polygon = "[[0.5,0.5, 2,0.5, 2,1.5, 0.5,1.5]]"
		runs    = `{"size":[2,4],"counts":[2,1,1,2,2]}` // .##./..#., column by column
		box     = "[1,1,3,1]"
		scaled  = "......../.###..../.###..../........"
		there   = "/marks.json: its image was of 4 x 2 pixels there, and is of 8 x 4; mark it as it is, or allow other sizes by size: any"
		mask    = "/marks.json: a mask in run lengths has 4 x 2 pixels, its image 8 x 4; scale it, or allow other sizes by size: any"
	)
	dir := small(t)
	for name, c := range map[string]struct {
		text     string
		polygons bool
		exact    string // the map, or why there is none
		any      string
	}{
		"polygon":             {coco(4, 2, polygon, box), true, there, scaled},
		"box":                 {coco(4, 2, polygon, box), false, there, "......../......../..######/..######"},
		"run_lengths":         {coco(0, 0, runs, box), true, mask, pillow(t, dir)},
		"run_lengths_of_both": {coco(4, 2, runs, box), true, mask, pillow(t, dir)},
		"runs_of_the_image":   {coco(4, 2, `{"size":[4,8],"counts":[4,2,26]}`, box), true, there, ".#....../.#....../......../........"},
		"size_not_said":       {coco(0, 0, polygon, box), true, "35....../35....../......../........", "35....../35....../......../........"},
		"size_of_the_image":   {coco(8, 4, polygon, box), true, "35....../35....../......../........", "35....../35....../......../........"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, dir+"/marks.json", c.text)
			p := defaults(saliency.Params{Boxes: dir + "/marks.json"})
			if c.polygons {
				p.Boxes, p.Polygons = "", p.Boxes
			}
			out, err := run(t, dir, p, 1)
			if strings.HasPrefix(c.exact, "/") {
				if err == nil || !strings.HasPrefix(err.Error(), dir+"/list.csv:2: /a/1.png: "+dir+c.exact) {
					t.Errorf("exact: %v, want %s", err, c.exact)
				}
			} else if got := picture(t, out, "a/1.png.png"); err != nil || got != c.exact {
				t.Errorf("exact: %s, want %s (%v)", got, c.exact, err)
			}
			p.Size = "any"
			out, err = run(t, dir, p, 1)
			if got := picture(t, out, "a/1.png.png"); err != nil || got != c.any {
				t.Errorf("any: %s, want %s (%v)", got, c.any, err)
			}
		})
	}
}

// pillow is the map of a PNG drawing of the run lengths above, which is resized as Pillow does.
func pillow(t *testing.T, dir string) string {
	t.Helper()
	mask := stdimage.NewGray(stdimage.Rect(0, 0, 4, 2))
	for _, at := range []stdimage.Point{{1, 0}, {2, 0}, {2, 1}} {
		mask.SetGray(at.X, at.Y, color.Gray{255})
	}
	save(t, dir+"/half/1.png", mask)
	p := defaults(saliency.Params{Drawings: "half/{stem}.png"})
	p.Size = "any"
	out, err := run(t, dir, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	return picture(t, out, "a/1.png.png")
}

// A region of which a part leaves its image is cut at the edge, counted, and spoken of.
func TestRegionsOutside(t *testing.T) {
	dir := small(t)
	write(t, dir+"/boxes.csv", "image,x,y,width,height\na/1.png,6,0,4,2\na/1.png,0,0,1,1\na/1.png,-3,0,3,3\n")
	write(t, dir+"/polygons.csv", "image,points\na/1.png,\"6,0 10,0 10,2 6,2\"\na/2.png,\"0,0 8,0 8,4 0,4\"\n")
	write(t, dir+"/marks.json", coco(4, 2, "[[3,0, 5,0, 5,1, 3,1]]", "[0,0,1,1]"))
	for name, c := range map[string]struct {
		params saliency.Params
		want   string
		count  int
	}{
		"boxes":    {saliency.Params{Boxes: dir + "/boxes.csv"}, "#.....##/......##/......../........", 2},
		"polygons": {saliency.Params{Polygons: dir + "/polygons.csv"}, "......##/......##/......../........", 1},
		"scaled":   {saliency.Params{Polygons: dir + "/marks.json"}, "......##/......##/......../........", 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := defaults(c.params)
			p.Size = "any"
			out, err := run(t, dir, p, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := picture(t, out, "a/1.png.png"); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			images, err := os.ReadFile(out + "/out/" + saliency.Images)
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("/a/1.png,maps/a/1.png.png,1,0,0,0,%d\n", c.count); !strings.Contains(string(images), want) {
				t.Errorf("%s, want %s", images, want)
			}
			events, err := os.ReadFile(out + "/events.jsonl")
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("%d regions reach beyond their images", c.count); !strings.Contains(string(events), want) {
				t.Errorf("no event says %q:\n%s", want, events)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	dir := small(t)
	save(t, dir+"/large/1.png", stdimage.NewGray(stdimage.Rect(0, 0, 9, 4)))
	write(t, dir+"/text/1.png", "no picture")
	write(t, dir+"/svg/1.svg", "<svg>\n<text/></svg>")
	save(t, dir+"/opaque/1.png", stdimage.NewGray(stdimage.Rect(0, 0, 8, 4)))
	write(t, dir+"/twice.csv", "image,x,y\na/1.png,1,1\n/a/1.png,2,2\n")
	write(t, dir+"/name.csv", "image,x,y\n1.png,1,1\n")
	write(t, dir+"/outside.csv", "image,x,y\na/1.png,8,1\na/2.png,-0.1,3\n")
	write(t, dir+"/answer.csv", "image,annotator,x,y,width,height,answer\na/1.png,ann,1,1,2,2,Fake\n")
	write(t, dir+"/bad.csv", "image,x\n")
	write(t, dir+"/bad.json", "{")
	write(t, dir+"/rows.csv", "image,x,y,width,height\n")
	sigma := saliency.Sigma{Pixels: 1}
	for name, c := range map[string]struct {
		params saliency.Params
		ink    string
		want   string
	}{
		"other_size":  {saliency.Params{Drawings: "large/{stem}.png"}, "", "list.csv:2: /a/1.png: drawing " + dir + "/large/1.png: it has 9 x 4 pixels, its image 8 x 4; scale it, or allow other sizes by size: any\n"},
		"no_picture":  {saliency.Params{Drawings: "text/{stem}.png"}, "", "not an image: it begins with \"no picture\""},
		"no_svg":      {saliency.Params{Drawings: "svg/{stem}.svg"}, "", "/svg/1.svg: SVG line 2: <text>: this kind of element is not read"},
		"no_opacity":  {saliency.Params{Drawings: "opaque/{stem}.png"}, "opacity", "it has no opacity; say by ink whether light or dark is marked"},
		"placeholder": {saliency.Params{Drawings: "opaque/{steem}.png"}, "", "{steem} stands for nothing; there are: {stem}"},
		"two_names":   {saliency.Params{Clicks: dir + "/twice.csv", Sigma: sigma}, "", "the annotations name /a/1.png and a/1.png, which are one image of the list"},
		"one_name":    {saliency.Params{Clicks: dir + "/name.csv", Match: "name", Sigma: sigma}, "", "several images of the list are called 1.png; name them by their paths (match: path)"},
		"no_map":      {saliency.Params{Clicks: dir + "/outside.csv", Sigma: sigma}, "", "none of the 4 images of " + dir + "/list.csv gets a map\n2 points lie outside of their images and were left out\n"},
		"no_drawing": {saliency.Params{Drawings: "marks/{annotator}/{path}.png"}, "", "none of the 4 images of " + dir + "/list.csv gets a map\n" +
			"there is no drawing marks/{annotator}/{path}.png below " + dir + "/, the root of the data set" +
			"; for /a/1.png there is no " + dir + "/marks/{annotator}/a/1.png.png, nor a folder " + dir + "/marks\n"},
		"no_drawing_of_any": {saliency.Params{Drawings: dir + "/large/{annotator}.svg"}, "", "there is no drawing " + dir + "/large/{annotator}.svg; for /a/1.png there is no " + dir + "/large/{annotator}.svg\n"},
		"no_rows":           {saliency.Params{Boxes: dir + "/rows.csv"}, "", "gets a map\n" + dir + "/rows.csv holds no annotations\n"},
		"answer":            {saliency.Params{Boxes: dir + "/answer.csv"}, "", `annotator "ann" answered "Fake" on a/1.png; the answers that are known: live, real, spoof, synthetic`},
		"csv":               {saliency.Params{Clicks: dir + "/bad.csv", Sigma: sigma}, "", "/bad.csv: CSV line 1: there is no column y"},
		"json":              {saliency.Params{Fixations: dir + "/bad.json", Sigma: sigma}, "", "/bad.json: line 1: no JSON: "},
		"no_file":           {saliency.Params{Boxes: dir + "/none.csv"}, "", "none.csv: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			p := defaults(c.params)
			if c.params.Match != "" {
				p.Match = c.params.Match
			}
			if c.ink != "" {
				p.Ink = c.ink
			}
			if _, err := run(t, dir, p, 2); err == nil || !strings.Contains(err.Error()+"\n", c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// Real fixations of 15 viewers become what NumPy makes of them: per viewer, by duration, without the first, each viewer's with
// a sum of 1, averaged, and scaled to 255.
func TestRealFixations(t *testing.T) {
	osie := testenv.Shared(t, "data/osie")
	dir := t.TempDir()
	write(t, dir+"/list.csv", "label,path\nReal,/stimuli/1002.jpg\nReal,/stimuli/1007.jpg\n")
	if err := os.Symlink(osie+"/stimuli", dir+"/stimuli"); err != nil {
		t.Fatal(err)
	}
	p := defaults(saliency.Params{Fixations: osie + "/fixations.json", DropFirst: true, Sigma: saliency.Sigma{Degrees: 1, PixelsPerDegree: 24}})
	p.Match = "name"
	var first []byte
	for _, threads := range []int{1, 3} {
		out, err := run(t, dir, p, threads)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(out + "/out/maps/stimuli/1007.jpg.png")
		if err != nil {
			t.Fatal(err)
		}
		agreement, err := os.ReadFile(out + "/out/agreement.csv")
		if err != nil {
			t.Fatal(err)
		}
		if raw = append(raw, agreement...); first != nil && !bytes.Equal(first, raw) {
			t.Errorf("%d threads give other bytes", threads)
		}
		if first = raw; threads == 3 {
			compare(t, out, osie)
		}
	}
}

func compare(t *testing.T, out, osie string) {
	var want struct {
		Pixels []int
		CC     float64
	}
	err := json.Unmarshal(testenv.RunPython(t, `
import itertools, json, sys
import numpy as np
y, x = np.mgrid[0:600, 0:800] + 0.5
maps = []
for viewer in json.load(open(sys.argv[1]))["1007.jpg"]:
    m = np.zeros((600, 800))
    for a, b, ms in list(zip(viewer["x"], viewer["y"], viewer["ms"]))[1:]:
        if 0 <= a < 800 and 0 <= b < 600:
            m += ms * np.exp(-((x - a)**2 + (y - b)**2) / (2 * 24**2))
    maps.append(m / m.sum())
mean = sum(maps)
cc = np.corrcoef([m.ravel() for m in maps])
print(json.dumps({"Pixels": np.round(255 * mean / mean.max()).astype(int).ravel().tolist(), "CC": np.mean([cc[i, j] for i, j in itertools.combinations(range(len(maps)), 2)])}))`,
		osie+"/fixations.json"), &want)
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.DecodeGrey(out+"/out/maps/stimuli/1007.jpg.png", image.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	other := 0
	for i, v := range m.Pix {
		if d := int(v) - want.Pixels[i]; d < -1 || d > 1 {
			t.Fatalf("pixel %d is %d, NumPy has %d", i, v, want.Pixels[i])
		} else if d != 0 {
			other++
		}
	}
	if other > 5 { // which lie between two levels
		t.Errorf("%d pixels differ by a level", other)
	}
	file, err := os.Open(out + "/out/agreement.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rows[2][3], want.CC; rows[2][2] != "105" || !strings.HasPrefix(got, fmt.Sprintf("%.7f", want)[:8]) {
		t.Errorf("agreement %v, NumPy has a mean correlation of %v", rows[2], want)
	}
}
