package human

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
	"github.com/cyborg-run/cyborg-run/stages/saliency"
)

// What a study exports is read by both stages that it is for: saliency finds every drawing under the annotator and image,
// and human every answer.
func TestExportIsRead(t *testing.T) {
	dir := t.TempDir()
	list := ""
	for i := range 4 {
		path := fmt.Sprintf("/faces/%d.png", i)
		list += "train," + table.ClassNames[i%2] + "," + path + "\n"
		if err := os.MkdirAll(filepath.Join(dir, "faces"), 0o755); err != nil {
			t.Fatal(err)
		}
		file, err := os.Create(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(file, image.NewGray(image.Rect(0, 0, 24, 16))); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	csv := filepath.Join(dir, "list.csv")
	put(t, csv, list)
	rows, err := table.Read(csv, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	images, err := study.Images(rows, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "study")
	e, err := study.Open(folder, &study.Study{Settings: study.Settings{Blocks: []string{study.Annotated}, Participants: 2}, Images: images, Stimuli: study.Singles(images)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		secret, err := e.Join()
		if err != nil {
			t.Fatal(err)
		}
		for trial := range 3 {
			err := e.Record(secret, study.Answer{Trial: trial, Answer: study.Real, Time: 1, Total: 1, Drawings: [][]study.Stroke{{{Size: 0.2, Points: [][2]float64{{0.5, 0.5}}}}}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "export")
	if _, err := study.Export(folder, out); err != nil {
		t.Fatal(err)
	}

	plan, err := prepare.NewPlan(prepare.Params{CSV: csv, Root: dir, Header: "no", Side: 8, GridH: 2, GridW: 2})
	if err != nil {
		t.Fatal(err)
	}
	drawings, err := saliency.FindDrawings(plan, filepath.Join(out, "drawings", "{annotator}", "{path}.png"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, of := range drawings {
		for _, d := range of {
			found[d.Annotator]++
			file, err := os.Open(d.File)
			if err != nil {
				t.Fatal(err)
			}
			size, err := png.DecodeConfig(file)
			_ = file.Close()
			if err != nil || size.Width != 24 || size.Height != 16 {
				t.Errorf("%s: %v, %v", d.File, size, err)
			}
		}
	}
	if found["p0001"] != 3 || found["p0002"] != 3 || len(found) != 2 {
		t.Errorf("found %v, want 3 of each of two", found)
	}
	h, err := fake{dir: out}.try(t, Job{Path: filepath.Join(out, "trials.csv")})
	if err != nil {
		t.Fatal(err)
	}
	if h.Participants != 2 || h.Trials != 6 {
		t.Errorf("%+v", h)
	}
}
