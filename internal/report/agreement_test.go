package report

import (
	"encoding/base64"
	"image"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

func looked() results.Agreement {
	return results.Agreement{
		Node: "looks", Compare: "loss", Repeat: "seed", Metric: "cc", Baseline: "cross_entropy", Map: "human (simulated)",
		Settings: []string{"cross_entropy", "cyborg<i>"}, Sets: []string{"u1", "u2"},
		Runs: []results.AgreementRun{
			{Setting: "cross_entropy", Set: "u1", Cells: 144, Points: 0.5, Measures: []results.Measure{{Images: "all", Metric: "cc", N: 9, Undefined: 3}}},
			{Setting: "cross_entropy", Set: "u1", Cells: 144, Points: 0.5}, {Setting: "cyborg<i>", Set: "u1", Cells: 144, Points: 0.5}},
		Cells: []results.AgreementCell{
			{Setting: "cross_entropy", Set: "u1", Metric: "cc", N: 2, Mean: -0.125, SD: 0.0625},
			{Setting: "cyborg<i>", Set: "u1", Metric: "cc", N: 1, Mean: 0.75},
			{Setting: "cross_entropy", Set: "u1", Metric: "human_entropy", N: 2, Mean: 3.25}},
		Stability: []results.Stability{{Setting: "cross_entropy", Set: "u1", Pairs: 1, Mean: 0.375}},
		Sheets:    []results.AgreementSheet{{Setting: "cyborg<i>", Figure: "sheet_cyborg_i_"}, {Setting: "cross_entropy", Figure: "sheet_large"}},
		Notes:     []string{"cyborg on u2: <b>not</b> kept."},
	}
}

// The section stands without a summary, names simulated maps as such, shows what there is, and takes no name for markup.
func TestAgreement(t *testing.T) {
	small := plot.Sheet{Title: "small"}.SVG()
	files := fstest.MapFS{
		"agreement/looks/average.svg":         {Data: small},
		"agreement/looks/cc.svg":              {Data: plot.Dots{Title: "dots of cc", Reference: math.NaN()}.SVG()},
		"agreement/looks/stability.svg":       {Data: []byte("<svg onload=alert()>")},
		"agreement/looks/sheet_cyborg_i_.svg": {Data: small},
		"agreement/looks/sheet_large.svg":     {Data: make([]byte, sheetsBudget)},
	}
	html := write(t, Input{Name: "x", Agreement: []results.Agreement{looked(), {Node: "other", Repeat: "seed", Settings: []string{"model"}}}, Files: files})
	for _, words := range []string{
		`<section id="agreement">`, `<section id="agreement-2">`, "CAMs against the map “human (simulated)”", "CAMs of different seeds",
		"−0.125", "± 0.062", "0.375", "that of 144 cells is at most 4.970", "of the maps is 3.250 on average", "Up to 3 images of a run are left out",
		"cells with at least 50 % of a map", "cyborg&lt;i&gt;", "&lt;b&gt;not&lt;/b&gt; kept", "dots of cc", "Pictures left out for their size: 1",
		`src="data:image/svg&#43;xml;base64,` + strings.ReplaceAll(base64.StdEncoding.EncodeToString(small), "+", "&#43;"),
	} {
		if !strings.Contains(html, words) {
			t.Errorf("the page lacks %q", words)
		}
	}
	for _, words := range []string{"cyborg<i>", "onload"} {
		if strings.Contains(html, words) {
			t.Errorf("the page has %q", words)
		}
	}
	if n := strings.Count(html, "<td>u2</td>"); n != 0 {
		t.Errorf("%d rows of a set without runs", n)
	}
}

// withAgreement adds the section and its pictures to a page.
func withAgreement(in Input) Input {
	photo := image.NewGray(image.Rect(0, 0, 8, 8))
	sheet := plot.Sheet{Title: "sheet", Blocks: []plot.Block{{Name: "Best", Number: -1, Rows: [][]plot.Picture{make([]plot.Picture, 14), {{Image: photo}}}}}}.SVG()
	files := in.Files.(fstest.MapFS)
	for _, name := range []string{"average", "sheet_cyborg_i_"} {
		files["agreement/looks/"+name+".svg"] = &fstest.MapFile{Data: sheet}
	}
	files["agreement/looks/cc.svg"] = &fstest.MapFile{Data: plot.Dots{Title: "cc", Reference: math.NaN()}.SVG()}
	agreement := looked()
	agreement.Sets = agreement.Sets[:1]
	for _, metric := range []string{"sim", "kl", "nss", "auc_judd", "pointing", "entropy"} {
		agreement.Cells = append(agreement.Cells, results.AgreementCell{Setting: "cross_entropy", Set: "u1", Metric: metric, N: 4, Mean: -2.125, SD: 0.479})
	}
	in.Agreement = []results.Agreement{agreement}
	return in
}
