package experiment_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// The maps of a stage that cannot be used are reported, each once and with its place.
func TestMadeMapsSayWhatIsWrong(t *testing.T) {
	const spec = `
version: 1
name: made
datasets:
  train: {generate: {faces: {count: 4}}, saliency: {human: {stage: marks}}}
  other: {generate: {faces: {count: 4}}}
model: {arch: resnet_small}
losses: {cyborg: [{term: cross_entropy}, {term: cyborg, tap: pooled}]}
train: {select: {on: other}, loss: cyborg}
stages:
  fit: {uses: train}
  marks: {uses: saliency, boxes: boxes.csv, set: other}
`
	for name, c := range map[string]struct{ old, with, want string }{
		"nothing":     {"", "", ""},
		"same_set":    {", set: other", "", ""}, // it needs the images alone, not the packed set
		"no_stage":    {"stage: marks", "stage: mark", `saliency.human: "mark" is not a stage, did you mean "marks"?; there are: fit, marks`},
		"no_maps":     {"stage: marks", "stage: fit", `saliency.human: the stage "fit" uses train, which makes no maps; saliency and annotate do`},
		"matrix":      {"boxes: boxes.csv", "boxes: boxes.csv, matrix: {threshold: [0.2, 0.3]}", `saliency.human: the stage "marks" has 2 nodes, and maps come from one; take its matrix away`},
		"circle":      {"set: other}", "set: other, needs: fit}", `the data set train needs the stage marks needs the stage fit, a circle: make the maps from another entry of datasets over the same list`},
		"no_source":   {"boxes: boxes.csv, ", "", "saliency: one of drawings, boxes, polygons, clicks and fixations is needed; given: none"},
		"two_sources": {"boxes: boxes.csv", "boxes: boxes.csv, clicks: clicks.csv", "one of drawings, boxes, polygons, clicks and fixations is needed; given: boxes, clicks"},
		"no_sigma":    {"boxes: boxes.csv", "clicks: clicks.csv", "saliency: clicks need a width: sigma: {degrees: 1, pixels_per_degree: 24}"},
		"two_sigmas":  {"boxes: boxes.csv", "clicks: clicks.csv, sigma: {pixels: 3, degrees: 1, pixels_per_degree: 24}", "sigma is given in pixels and in degrees; give one"},
		"half_screen": {"boxes: boxes.csv", "fixations: gaze.csv, sigma: {degrees: 1, screen_pixels: 800}", "saliency: fixations need a width"},
		"box_sigma":   {"boxes: boxes.csv", "boxes: boxes.csv, sigma: {pixels: 3}", "sigma is for clicks and fixations; what smooths boxes is smooth"},
		"pooled":      {"boxes: boxes.csv", "boxes: boxes.csv, average: pooled", "pooled is for clicks and fixations; boxes have mean, any and majority"},
		"majority":    {"boxes: boxes.csv", "clicks: boxes.csv, sigma: {pixels: 3}, average: majority", "majority is for drawings, boxes and polygons; clicks have mean and pooled"},
		"drop_first":  {"boxes: boxes.csv", "boxes: boxes.csv, drop_first: true", "drop_first is for fixations"},
		"categories":  {"boxes: boxes.csv", "boxes: boxes.csv, categories: [eye]", "categories are those of COCO's JSON"},
		"combination": {"{stage: marks}", "{stage: marks}, twice: {combine: 2 * humans}", `saliency twice: combine: 2 * humans: column 5: no map is called "humans"; there are: human`},
		"of_control":  {"{stage: marks}", "{stage: marks}, c: {from: human, shuffle: all}, d: {combine: 2 * c}", `saliency d: combine: 2 * c: column 5: no map is called "c"; there are: human`},
		"celeba":      {"{stage: marks}", "{stage: marks}, m: {masks: x, layout: celebamask-hq, parts: [eyes]}", `saliency m: parts: "eyes"; there are: skin, nose, eye_g`},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(spec, c.old) {
				t.Fatalf("%q is not in the spec", c.old)
			}
			path := filepath.Join(t.TempDir(), "made.yaml")
			if err := os.WriteFile(path, []byte(strings.Replace(spec, c.old, c.with, 1)), 0o644); err != nil {
				t.Fatal(err)
			}
			g, err := build(t, path, true)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range g.Nodes {
					if n.Name == "data.train" && (len(n.Needs) != 2 || n.Needs[1].Port != "maps.human" || n.Needs[1].From.Name != "marks" || n.Needs[1].Output != "maps") {
						t.Errorf("data.train needs %v", n.Needs)
					}
				}
				return
			}
			var mistakes diag.Error
			if !errors.As(err, &mistakes) || len(mistakes.Diagnostics) != 1 || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v\nwant %s", err, c.want)
			}
			if d := mistakes.Diagnostics[0]; d.Pos.File != path || d.Pos.Line == 0 {
				t.Errorf("it has no place: %v", d.Pos)
			}
		})
	}
}
