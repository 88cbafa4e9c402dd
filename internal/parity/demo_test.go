//go:build slow

package parity

import (
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// TestParityOfTheAuthorsDemo scores the ten images that the CYBORG authors publish with their code by specs/score.yaml, one
// command a network, and compares the scores with the reference's. The weights are random: theirs are on request only.
func TestParityOfTheAuthorsDemo(t *testing.T) {
	demo := testenv.Shared(t, "data/cyborg")
	list, images := filepath.Join(demo, "csvs/test.csv"), filepath.Join(demo, "images")
	w := &world{t: t, dir: t.TempDir(), photos: images, reference: testenv.Shared(t, "reference/reference.py")}
	program, spec := w.build(), filepath.Join(testenv.Root(t), "specs/score.yaml")
	for _, arch := range []string{"resnet50", "densenet121", "inception_v3", "xception"} {
		t.Run(arch, func(t *testing.T) {
			w.t = t
			weights := arch + ".pth"
			testenv.RunPython(t, start, filepath.Dir(w.reference), arch, list, "test", images, w.path(weights))
			w.run(program, spec, "--set", "weights="+weights, "--set", "arch="+arch, "--set", "csv="+list, "--set", "root="+images,
				"--out", arch, "--device", "cpu", "--progress", "none")
			w.run(testenv.Python(t), w.reference, "score", "--arch", arch, "--weights", weights, "--csv", list, "--root", images, "--out", arch+".csv")
			w.sameScores(t, arch+"/scores/score.csv", arch+".csv", 10)
		})
	}
}
