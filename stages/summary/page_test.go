package summary

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/report"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// A whole made-up run becomes a page. With CYBORG_PAGE set to a path, the page is left there to be looked at.
func TestTheReportOfAMadeUpRun(t *testing.T) {
	inputs, folder := fakeRun(t, []string{"cross_entropy", "cyborg", "shuffled", "head_mask"}, 8, []string{"u1", "u2", "u3", "s"})
	out := summarise(t, Params{Mean: []string{"u1", "u2", "u3"}, Tables: []string{"eer", "acer_on_test"}, Bootstrap: 200}, inputs)
	s := read(t, out)
	figures := map[string][]byte{}
	names, err := filepath.Glob(filepath.Join(out, "figures", "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if figures[strings.TrimSuffix(filepath.Base(name), ".svg")], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	in := report.Input{
		Name: "quickstart", Title: "CYBORG against cross-entropy on generated faces", Profile: "demo", Why: "CYBORG_DATA is not set",
		Description: "A small network learns to tell real from synthetic cartoon faces although a shortcut is easier to find.",
		Notes: []string{"All data of this page are made up by a test: faces, human maps and scores are simulated.",
			"The profile demo shows the machinery, not the paper's result."},
		Summary: &s, Figures: figures, Files: os.DirFS(folder), Version: "0.1.0",
		Check: &results.Check{Held: false, Assertions: []results.Assertion{
			{Text: "mean(auc, loss == 'cyborg') > mean(auc, loss == 'cross_entropy')", Held: true,
				Message: "mean(auc, loss == 'cyborg') = 0.906 > mean(auc, loss == 'cross_entropy') = 0.651 holds"},
			{Text: "paired_p(auc, loss == 'cyborg', loss == 'shuffled') < 0.01",
				Message: "paired_p(auc, loss == 'cyborg', loss == 'shuffled') = 0.03 < 0.01 does not hold"}}},
		Spec:        "version: 1\nname: quickstart\nmodel: {arch: resnet_small}\n",
		Environment: map[string]string{"libtorch": "2.11.0", "device": "cpu, 2 cores", "go": "go1.26"},
		Timings:     []report.Timing{{Node: "generate.train", Seconds: 3.2}, {Node: "fit[loss=cyborg,seed=1]", Seconds: 21.4}, {Node: "score[loss=cyborg,seed=1,set=u1]", Seconds: 0.6, Cached: true}},
		Failures:    []report.Failure{{Node: "fit[loss=cyborg,seed=9]", Message: "killed by the system: out of memory"}},
	}
	var page bytes.Buffer
	if err := report.Write(&page, in); err != nil {
		t.Fatal(err)
	}
	if page.Len() > 6<<20 {
		t.Errorf("the page has %d bytes", page.Len())
	}
	for _, want := range []string{"data:image/png;base64,", "human (simulated)", "of 8 seeds", "does not hold", "<b>cyborg</b>"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if path := os.Getenv("CYBORG_PAGE"); path != "" {
		if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
