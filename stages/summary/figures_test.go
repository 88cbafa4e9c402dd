package summary

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Each network has figures of its own, in which settings are named by what is compared and have the same colours.
func TestFiguresOfSeveralNetworks(t *testing.T) {
	out := summarise(t, Params{Mean: []string{"u1", "u2"}, Bootstrap: 10}, map[string][]task.Input{Scores: networks(t, []string{"resnet50", "xception"}, 3)})
	for _, network := range []string{"resnet50", "xception"} {
		for _, name := range []string{"roc", "reliability", "roc_u1", "roc_validation"} {
			raw, err := os.ReadFile(filepath.Join(out, "figures", name+"."+network+".svg"))
			if err != nil {
				t.Fatal(err)
			}
			text := string(raw)
			if !strings.Contains(text, "<title>"+network+": ") || strings.Contains(text, "arch=") || !strings.Contains(text, ">cyborg, ") ||
				!strings.Contains(text, "plot-s0") || !strings.Contains(text, "plot-s1") || strings.Contains(text, "plot-s2") {
				t.Errorf("%s of %s: %.400s", name, network, text)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(out, "figures", "roc.svg")); err == nil {
		t.Error("all networks are in one figure too")
	}
}

func TestDotsOfAllNetworksHaveOneAxis(t *testing.T) {
	s := &results.Summary{Compare: "loss", Repeat: "seed", Metric: "auc", Sets: []string{"u1"},
		Tables: []results.Table{{Metric: "auc", Axes: []string{"arch", "loss"}}}}
	for i, names := range [][]string{{"a", "ce"}, {"a", "cyborg"}, {"b", "ce"}, {"b", "cyborg"}} {
		setting := names[1] + ", arch=" + names[0]
		s.Settings = append(s.Settings, setting)
		s.Tables[0].Rows = append(s.Tables[0].Rows, results.TableRow{Setting: setting, Names: names, Starts: i%2 == 0})
		s.Cells = append(s.Cells, results.Cell{Setting: setting, Set: "u1", Metric: "auc", Values: []float64{0.5 + 0.1*float64(i)}})
	}
	files, err := figures(s, "ce")
	if err != nil {
		t.Fatal(err)
	}
	ticks := func(name string) string {
		_, rest, _ := strings.Cut(string(files[name]), "plot-faint-line")
		axis, _, found := strings.Cut(rest, `transform="rotate`)
		if !found {
			t.Fatalf("%s has no axis: %s", name, files[name])
		}
		return axis
	}
	if a, b := ticks("figures/auc.a.svg"), ticks("figures/auc.b.svg"); a != b {
		t.Errorf("the axes differ:\n%s\n\n%s", a, b)
	}
}
