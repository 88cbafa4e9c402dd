package report

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// several is four networks with four losses on six sets; the CAMs of small's images with them.
func several(t testing.TB) Input {
	t.Helper()
	in := small(t, "")
	s := &results.Summary{Axes: []string{"arch", "loss", "seed", "set"}, Compare: "loss", Repeat: "seed", Metric: "auc",
		Sets: []string{"progan", "stylegan", "stylegan2", "stylegan2_ada", "stylegan3", "star"}}
	s.Mean = s.Sets
	table := results.Table{Metric: "auc", Axes: []string{"arch", "loss"}, Columns: append(s.Sets[:6:6], "mean", "pooled")}
	in.Figures = map[string][]byte{}
	for a, arch := range []string{"resnet50", "densenet121", "inception_v3", "xception"} {
		for l, loss := range []string{"cross_entropy", "cyborg", "segmentation", "cross_entropy_7x"} {
			setting := loss + ", arch=" + arch
			row := results.TableRow{Setting: setting, Names: []string{arch, loss}, Starts: l == 0, Runs: 10}
			s.Settings = append(s.Settings, setting)
			for _, set := range table.Columns {
				row.Cells = append(row.Cells, results.TableCell{N: 10, Mean: 0.6, SD: 0.1})
				if set != "pooled" {
					s.Cells = append(s.Cells, results.Cell{Setting: setting, Set: set, Metric: "auc", N: 10, Mean: 0.6, SD: 0.1})
				}
			}
			table.Rows = append(table.Rows, row)
			if l > 0 {
				p := []float64{0, 0.001, 0.001, 0.2}[l]
				s.Tests = append(s.Tests, results.Test{Setting: setting, Baseline: "cross_entropy, arch=" + arch, Set: "mean", Metric: "auc", N: 10,
					Difference: []float64{0, 0.1, -0.1, 0.01}[l], Low: new(-0.1), High: new(0.1), PairedP: p, PairedHolm: p * 2, Wins: 9, Higher: 9})
			}
			for _, cam := range in.Summary.Maps[:2] {
				cam.Setting = setting
				s.Maps = append(s.Maps, cam)
			}
		}
		for _, name := range []string{"roc", "auc", "reliability", "learning_loss", "roc_progan"} {
			in.Figures[name+"."+arch] = plot.Lines{Title: fmt.Sprint(name, " of network ", a)}.SVG()
		}
	}
	s.Tables = []results.Table{table}
	in.Summary = s
	return in
}

func TestThePageOfSeveralNetworks(t *testing.T) {
	page := strings.ReplaceAll(write(t, several(t)), "&#43;", "+")
	for want, n := range map[string]int{
		`<th scope="rowgroup" colspan="7">xception</th>`: 1, "<title>roc of network ": 4, "<title>auc of network ": 4, "<title>learning_loss of network ": 4,
		"<title>roc_progan of network ": 4, `<table class="layout stacked">`: 1, "On each set": 0, "Each set by itself is in the first table below": 1,
		"xception, against 0.600 of cross_entropy: cyborg (+0.100, p\u00a0=\u00a00.0020) is an improvement that chance alone would rarely bring; " +
			"segmentation (−0.100, p\u00a0=\u00a00.0020) is a setback that chance alone would rarely bring; cross_entropy_7x (+0.010, p\u00a0=\u00a00.40) is not told from chance.": 1,
		"corrected by Holm&#39;s rule over the tests against one baseline.": 1,
		`<th scope="row" class="band">xception</th>`:                        4, // two images in both tables of CAMs
		`alt="Real image x.png"`:                                            2, // once in each, beside all networks
		`alt="mean CAM over x.png"`:                                         16,
		`alt="CAM over x.png"`:                                              16,
	} {
		if got := strings.Count(page, want); got != n {
			t.Errorf("%d times %q, want %d", got, want, n)
		}
	}
	section, _, _ := strings.Cut(page, `<section id="tables">`)
	if _, comparison, _ := strings.Cut(section, `<section id="comparison">`); strings.Contains(strings.Split(comparison, "<details>")[0], "arch=") {
		t.Error("the comparison names the axis on each row")
	}
	alone := several(t)
	alone.Summary.Tests = slices.DeleteFunc(alone.Summary.Tests, func(t results.Test) bool { return !strings.HasPrefix(t.Setting, "cyborg,") })
	if page := write(t, alone); !strings.Contains(page, "p of a paired t-test over seeds.") {
		t.Error("one test against each baseline is called corrected")
	}
	in := several(t)
	in.Summary.Metric = "eer"
	for i := range in.Summary.Cells {
		in.Summary.Cells[i].Metric = "eer"
	}
	for i := range in.Summary.Tests {
		in.Summary.Tests[i].Metric = "eer"
	}
	if page := strings.ReplaceAll(write(t, in), "&#43;", "+"); !strings.Contains(page, "On each set") || !strings.Contains(page, "cyborg (+0.100, p\u00a0=\u00a00.0020) is a setback") {
		t.Error("the sets are nowhere, or a higher error rate is an improvement")
	}
}

// The tables that everybody sees fit the page; what does not fit scrolls in its box.
func TestTablesOfSeveralNetworksFit(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	program := browser(t)
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(write(t, several(t))), fs.FileMode(0o644)); err != nil {
		t.Fatal(err)
	}
	ctx, end := open(t, program)
	defer end()
	for width, script := range map[int64]string{
		1280: `[...document.querySelectorAll("#comparison>.wide,#tables>.wide,#maps>.wide,#story>.wide")].filter(e => e.scrollWidth > e.clientWidth).length`,
		420:  `document.documentElement.scrollWidth - document.documentElement.clientWidth`,
	} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate("file://"+path)); err != nil {
			t.Fatalf("%d pixels: %v", width, err)
		}
		if n, err := chromedp.Run(ctx, chromedp.Evaluate[int](script)); err != nil || n != 0 {
			t.Errorf("%d pixels: %d boxes or pixels too wide: %v", width, n, err)
		}
	}
}
