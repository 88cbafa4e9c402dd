package human

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
	"github.com/cyborg-run/cyborg-run/stages/saliency"
)

// What a study exports is read by both stages that it is for: saliency finds every drawing under the annotator and image,
// and human every answer. The paths are those that docs/human-study.md prints.
func TestExportIsRead(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(testenv.Root(t), "docs", "human-study.md"))
	if err != nil {
		t.Fatal(err)
	}
	printed := func(pattern string) string {
		t.Helper()
		found := regexp.MustCompile(pattern).FindSubmatch(raw)
		if found == nil {
			t.Fatalf("human-study.md has no %s", pattern)
		}
		return filepath.FromSlash(string(found[1]))
	}
	documented := files{
		list: printed(`images: {csv: (\S+)}`), study: printed(`human export (\S+)`), drawings: printed(`\n    drawings: "(.+)"`),
		answers: printed(`\n    answers: (\S+)`), trials: printed(`\n    trials: (\S+)`),
	}
	withRoot := documented
	withRoot.root, withRoot.drawings = printed("With `root: (.+?)`"), printed("With `root: .+?` they are `\"(.+?)\"`")
	t.Run("documented", func(t *testing.T) { documented.read(t, t.TempDir()) })
	t.Run("documented_with_root", func(t *testing.T) { withRoot.read(t, t.TempDir()) })
	t.Run("absolute", func(t *testing.T) {
		dir, absolute := t.TempDir(), documented
		absolute.drawings = filepath.Join(dir, documented.drawings)
		absolute.read(t, dir)
	})
}

// files are below one folder, but for drawings, which are below the root.
type files struct{ list, root, study, drawings, answers, trials string }

func (f files) read(t *testing.T, dir string) {
	list, root := "", filepath.Join(dir, f.root)
	for i := range 4 {
		path := fmt.Sprintf("/a/%d.png", i)
		list += "train," + table.ClassNames[i%2] + "," + path + "\n"
		if err := os.MkdirAll(filepath.Join(root, "a"), 0o755); err != nil {
			t.Fatal(err)
		}
		file, err := os.Create(filepath.Join(root, path))
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
	csv := filepath.Join(dir, f.list)
	put(t, csv, list)
	rows, err := table.Read(csv, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	images, err := study.Images(rows, root, "")
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, f.study)
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
	if _, err := study.Export(folder, filepath.Join(folder, "export")); err != nil {
		t.Fatal(err)
	}

	params := prepare.Params{CSV: csv, Header: "no", Side: 8, GridH: 2, GridW: 2}
	if f.root != "" {
		params.Root = root
	}
	plan, err := prepare.NewPlan(params)
	if err != nil {
		t.Fatal(err)
	}
	drawings, err := saliency.FindDrawings(plan, f.drawings)
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
	if _, err := os.Stat(filepath.Join(dir, f.answers)); err != nil {
		t.Error(err)
	}
	trials := filepath.Join(dir, f.trials)
	h, err := fake{dir: filepath.Dir(trials)}.try(t, Job{Path: trials})
	if err != nil {
		t.Fatal(err)
	}
	if h.Participants != 2 || h.Trials != 6 {
		t.Errorf("%+v", h)
	}
}
