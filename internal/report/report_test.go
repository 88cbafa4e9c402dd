package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// nasty is what a user might write to break a page.
const nasty = `<script>alert("1")</script><img src="http://example.org/x.png" onerror=alert(1)> & 'q' {{.}} </style></pre>`

func dot(t testing.TB, side int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&out, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// small is a run of two settings, two seeds, one set; every text of the user's has the given word in it.
func small(t testing.TB, word string) Input {
	t.Helper()
	s := &results.Summary{
		Axes: []string{"loss", "seed", "set"}, Compare: "loss", Repeat: "seed", Metric: "auc",
		Settings: []string{"base" + word, "cyborg" + word}, Sets: []string{"u1" + word}, Mean: []string{"u1" + word}, Notes: []string{"a note " + word},
	}
	files := fstest.MapFS{}
	for k, setting := range s.Settings {
		cell := results.Cell{Setting: setting, Metric: "auc", N: 2, Mean: 0.5 + 0.3*float64(k), SD: 0.1, Values: []float64{0.4, 0.6}}
		for _, set := range []string{s.Sets[0], "mean"} {
			cell.Set = set
			s.Cells = append(s.Cells, cell)
		}
		for seed := range 2 {
			axes := map[string]string{"loss": setting, "seed": fmt.Sprint(seed)}
			s.Runs = append(s.Runs, results.Run{Node: "score" + setting, Axes: axes, Setting: setting, Set: s.Sets[0], Images: 10, Metrics: map[string]float64{"auc": 0.5}})
			folder := fmt.Sprintf("cams/%d-%d", k, seed)
			for _, name := range []string{"mean.png", "a.png", "cam.png", "map.png"} {
				files[folder+"/"+name] = &fstest.MapFile{Data: dot(t, 8)}
			}
			files[folder+"/cam.npy"] = &fstest.MapFile{Data: npy(2, 2, 0, 1, 2, 3)}
			s.Maps = append(s.Maps, results.CAM{Node: "maps", Axes: axes, Setting: setting, Folder: folder, Mean: "mean.png", Human: 0.25,
				MapName: "human (simulated) " + word, Images: []results.CAMImage{
					{Path: "x.png" + word, Label: "Real", Score: 0.7, Picture: "a.png", Overlay: "cam.png", Human: "map.png", Grid: "cam.npy"},
					{Path: "y.png" + word, Label: "Synthetic", Score: 0.9, Picture: "a.png", Overlay: "cam.png", Grid: "cam.npy"}}})
		}
	}
	s.Tests = []results.Test{{Setting: s.Settings[1], Baseline: s.Settings[0], Set: "mean", Metric: "auc", N: 2, Difference: 0.3, Low: new(0.1), High: new(0.5), PairedP: 0.01, WelchP: 0.02, Higher: 2}}
	s.Tables = []results.Table{{Metric: "auc", Axes: []string{"arch" + word, "loss"}, Columns: []string{"u1" + word, "pooled"}, Tests: s.Tests, Rows: []results.TableRow{
		{Setting: s.Settings[0], Names: []string{"r50" + word, "base"}, Starts: true, Runs: 2, Cells: []results.TableCell{{N: 2, Mean: 0.5, SD: 0.1}, {}}},
		{Setting: s.Settings[1], Names: []string{"r50" + word, "cyborg"}, Runs: 2, Cells: []results.TableCell{{N: 2, Mean: 0.812, SD: 0.1, Best: true}, {}}}}}}
	s.Areas = []results.Area{{Setting: s.Settings[0], Set: "u1" + word, N: 2, AUC: 0.5, Low: 0.401, High: 0.602, BootLow: -1, BootHigh: -1}}
	s.DeLong = []results.DeLong{{Setting: s.Settings[1], Baseline: s.Settings[0], Set: "u1" + word, N: 2, Difference: 0.3, P: 0.0123, Holm: 0.0456},
		{Setting: s.Settings[1], Baseline: s.Settings[0], Set: "u1" + word, Repeat: "one of many", N: 1, Difference: 0.777, P: 0.1, Holm: -1}}
	s.Skipped = []results.Skipped{{Set: "u1" + word, Path: "z.png" + word, Reason: "truncated" + word}}
	line := plot.Lines{Title: "T " + word, XLabel: "x", YLabel: "y", Series: []plot.Line{{Name: word, X: []float64{0, 1}, Y: []float64{0, 1}}}}.SVG()
	return Input{
		Name: "spec" + word, Title: "Title " + word, Description: "What for " + word, Profile: "demo" + word, Why: "because " + word, Notes: []string{"simulated " + word},
		Summary: s, Files: files, Figures: map[string][]byte{"roc": line, "auc": line, "learning_loss": line, "learning_accuracy": line, "roc_u1": line, "reliability": line},
		Check: &results.Check{Assertions: []results.Assertion{{Text: "a > b " + word, Message: "a = 1 " + word}}},
		Spec:  "name: " + word, Environment: map[string]string{"device" + word: "cpu " + word},
		Timings:  []Timing{{Node: "fit" + word, Seconds: 3}, {Node: "score", Cached: true}},
		Failures: []Failure{{Node: "fit" + word, Message: "died " + word}}, Version: "1" + word,
	}
}

func write(t testing.TB, in Input) string {
	t.Helper()
	var page bytes.Buffer
	if err := Write(&page, in); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestThePageRefersToNothingOutsideOfItself(t *testing.T) {
	for _, word := range []string{"", nasty, "file:///etc/passwd", `url(http://example.org)`} {
		page := write(t, small(t, word))
		tags := regexp.MustCompile(`<[a-zA-Z][^>]*>`).FindAllString(page, -1)
		if len(tags) < 100 {
			t.Fatalf("only %d tags found", len(tags))
		}
		attribute := regexp.MustCompile(`([a-zA-Z:-]+)="([^"]*)"`) // the page quotes all values
		refers := regexp.MustCompile(`(?i)^(src|href|xlink:href|srcset|action|data|poster|background|on[a-z]+)$`)
		for _, tag := range tags {
			for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
				if refers.MatchString(a[1]) && (a[1] != "src" || !strings.HasPrefix(a[2], "data:image/png;base64,")) {
					t.Errorf("with %q: a tag refers to something: %.120s", word, tag)
				}
			}
			if name := strings.ToLower(strings.Fields(strings.Trim(tag, "<>/"))[0]); name == "script" || name == "link" || name == "iframe" || name == "object" || name == "base" {
				t.Errorf("with %q: the page has %s", word, tag)
			}
		}
		if !strings.Contains(page, `src="data:image/png;base64,`) {
			t.Errorf("with %q: the page has no pictures", word)
		}
		for _, style := range regexp.MustCompile(`(?s)<style>.*?</style>`).FindAllString(page, -1) {
			if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
				t.Errorf("with %q: the style refers to something", word)
			}
		}
		if strings.Count(page, "<style>") != 1 {
			t.Errorf("with %q: %d styles", word, strings.Count(page, "<style>"))
		}
	}
}

func TestWhatAUserWroteIsTextNeverMarkup(t *testing.T) {
	page := write(t, small(t, nasty))
	if strings.Contains(page, "<script") || strings.Contains(page, "<img src=\"http") || strings.Count(page, "</style>") != 1 {
		t.Error("a user's text became markup")
	}
	if got := strings.Count(page, "&lt;script&gt;"); got < 20 {
		t.Errorf("the user's text is there %d times, at least 20 expected", got)
	}
}

func TestTablesOfThePage(t *testing.T) {
	page := write(t, small(t, ""))
	_, section, _ := strings.Cut(page, `<section id="tables">`)
	section, _, _ = strings.Cut(section, "</section>")
	for _, want := range []string{`<td class="n best">0.812<span class="sd">± 0.100</span></td>`, "0.401 to 0.602", "0.0456", "Calibration", "tables/auc.*"} {
		if !strings.Contains(section, want) {
			t.Errorf("the tables lack %q", want)
		}
	}
	if strings.Contains(section, "0.777") || strings.Count(section, ">r50<") != 1 {
		t.Error("single seeds of DeLong's test are shown, or a network is named on each of its rows")
	}
}

// The page is HTML, and, its void elements aside, also balanced.
func TestTagsAreBalanced(t *testing.T) {
	decoder := xml.NewDecoder(strings.NewReader(write(t, small(t, ""))))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	open := []string{}
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
		case xml.EndElement:
			if open[len(open)-1] != e.Name.Local {
				t.Fatalf("</%s> closes <%s>", e.Name.Local, open[len(open)-1])
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) != 0 {
		t.Errorf("not closed: %v", open)
	}
}

func TestTheOrderOfThePage(t *testing.T) {
	page := write(t, small(t, ""))
	at := -1
	for _, part := range []string{"<h1>", "because", "simulated", "died", `id="comparison"`, `class="findings"`, `id="checks"`, `id="scores"`, `id="learning"`, `id="maps"`,
		"Mean CAM", "Every evaluation", "Images that could not be read (1)", "z.png", "The spec, resolved", "Environment", "Times (3.0 s of work in 2 nodes)", "<footer>"} {
		next := strings.Index(page[at+1:], part)
		if next < 0 {
			t.Fatalf("%s is missing, or stands too early", part)
		}
		at += 1 + next
	}
}

func TestTheSameInputGivesTheSamePage(t *testing.T) {
	first, second := write(t, small(t, "x")), write(t, small(t, "x"))
	if first != second {
		t.Error("two pages of the same input differ")
	}
}

func TestThePageOfARunThatFailed(t *testing.T) {
	page := write(t, Input{Name: "broken", Failures: []Failure{{"fit", "out of memory"}}})
	for _, want := range []string{"<h1>broken</h1>", "out of memory", "There is no summary"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	empty := write(t, Input{Name: "empty", Summary: &results.Summary{Compare: "loss", Repeat: "seed", Metric: "auc"}})
	if !strings.Contains(empty, `id="comparison"`) {
		t.Error("a summary of nothing has no comparison")
	}
	curves := write(t, Input{Name: "curves", Summary: &results.Summary{Compare: "loss", Repeat: "seed", Metric: "auc", Settings: []string{"a"},
		Curves: []results.Curve{{Setting: "a", Name: "train_loss", Epoch: []int{1}, Mean: []float64{1}, SD: []float64{0}, N: 3}}}})
	if strings.Contains(curves, `id="comparison"`) || !strings.Contains(curves, "1 setting of loss, each trained with 3 seeds; nothing was scored.") {
		t.Error("learning curves without scores have a comparison, or no word on it")
	}
}

func TestPicturesKeepToTheirBudget(t *testing.T) {
	in := small(t, "")
	files := in.Files.(fstest.MapFS)
	large := dot(t, 500) // 250 kB: twelve fit, three rows of four
	for name := range files {
		files[name] = &fstest.MapFile{Data: large}
	}
	for i := range in.Summary.Maps {
		for len(in.Summary.Maps[i].Images) < 40 {
			image := in.Summary.Maps[i].Images[0] // many real ones in front of the synthetic one
			image.Path, image.Label = fmt.Sprint(len(in.Summary.Maps[i].Images)), "Real"
			in.Summary.Maps[i].Images = append([]results.CAMImage{image}, in.Summary.Maps[i].Images...)
		}
	}
	page := write(t, in)
	if len(page) > 6<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	if !strings.Contains(page, ">Real</th>") || !strings.Contains(page, ">Synthetic</th>") {
		t.Error("the grid lacks a class")
	}
	if !strings.Contains(page, "of 40 images are shown") {
		t.Error("the page does not say how many images it leaves out")
	}
	files["cams/0-0/a.png"] = &fstest.MapFile{Data: []byte("<svg onload=alert(1)>")}
	if strings.Contains(write(t, in), "PHN2Zy") {
		t.Error("what is no PNG was taken into the page")
	}
}

func TestFiguresThatCouldDoSomethingAreLeftOut(t *testing.T) {
	for _, bad := range []string{`<svg onload="x()">`, `<svg ><script>`, `<svg ><a href="x">`, `<svg ><image x="">`, `<svg ><style>`, `<svg style="fill:url(x)">`, `text`, ``} {
		if inline([]byte(bad)) != "" {
			t.Errorf("%s was taken", bad)
		}
	}
	if inline([]byte(`<svg ><title>ROC on u1, once</title></svg>`)) == "" {
		t.Error("the word on in a title was taken for a handler")
	}
}

func TestFindings(t *testing.T) {
	s := &results.Summary{Repeat: "seed", Metric: "auc", Mean: []string{"u1", "u2"}, Cells: []results.Cell{
		{Setting: "a", Set: "mean", Metric: "auc", N: 8, Mean: 0.9}, {Setting: "b", Set: "mean", Metric: "auc", N: 8, Mean: 0.65}}}
	for want, test := range map[string]results.Test{
		"On average over u1 and u2, a has a mean AUC of 0.900, against 0.650 of b: higher by 0.250 (95 % interval +0.100 to +0.400), and higher on 7 of 8 seeds; " +
			"an improvement that chance alone would rarely bring (paired t-test, p\u00a0=\u00a00.0069).": {N: 8, Difference: 0.25, Low: new(0.1), High: new(0.4), PairedP: 0.0069, Higher: 7},
		"On average over u1 and u2, a has a mean AUC of 0.900, against 0.650 of b: lower by 0.250 (95 % interval −0.400 to −0.100), and higher on 0 of 8 seeds; " +
			"a setback that chance alone would rarely bring (paired t-test, p\u00a0<\u00a00.0001).": {N: 8, Difference: -0.25, Low: new(-0.4), High: new(-0.1), PairedP: 1e-9},
		"On average over u1 and u2, a has a mean AUC of 0.900, against 0.650 of b: higher by 0.250 (95 % interval −0.100 to +0.600), and higher on 5 of 8 seeds; " +
			"this does not tell the difference from chance (paired t-test, p\u00a0=\u00a00.31).": {N: 8, Difference: 0.25, Low: new(-0.1), High: new(0.6), PairedP: 0.31, Higher: 5},
		"On average over u1 and u2, a has a mean AUC of 0.900, against 0.650 of b; over the 1 seed that both have: higher by 0.250, on one seed, which cannot tell a difference from chance.": {N: 1, Difference: 0.25, PairedP: -1, Higher: 1},
		"On average over u1 and u2, a has a mean AUC of 0.900, against 0.650 of b: higher by 0.250, the same on each of 8 seeds, which leaves nothing to test.":                               {N: 8, Difference: 0.25, PairedP: -1, Higher: 8},
		"On average over u1 and u2, a has a mean AUC of 0.900, against 0.650 of b: no difference.":                                                                                            {N: 8, PairedP: -1},
	} {
		test.Setting, test.Baseline, test.Set, test.Metric = "a", "b", "mean", "auc"
		if got := finding(s, test); got != want {
			t.Errorf(" got %s\nwant %s", got, want)
		}
	}
	s.Metric = "eer"
	if got := finding(s, results.Test{Setting: "a", Baseline: "b", N: 4, Difference: 0.2, Low: new(0.1), High: new(0.3), PairedP: 0.01}); !strings.Contains(got, "a setback") {
		t.Errorf("a higher error rate: %s", got)
	}
}

func TestSentencesHoldOfImportedScores(t *testing.T) {
	in := small(t, "")
	if page := write(t, in); !strings.Contains(page, "4 networks trained elsewhere") || !strings.Contains(page, "a score is the softmax probability of Synthetic.") {
		t.Error("two settings with two seeds are four networks, and their scores a softmax's")
	}
	in.Imported = true
	if page := write(t, in); strings.Contains(page, "the softmax probability of Synthetic.") || !strings.Contains(page, "as its file has it") {
		t.Error("scores from files are called a softmax's")
	}
}

func TestNumbers(t *testing.T) {
	for want, got := range map[string]string{
		"0.123": number(0.1234), "−0.500": number(-0.5), "0.000": signed(-1e-9), "–": number(math.NaN()), "+0.250": signed(0.25),
		"0.5 s": seconds(0.5), "42 s": seconds(42), "2 min 05 s": seconds(125), "1 h 01 min": seconds(3660),
		"0.0690": chance(0.069), "0.31": chance(0.31), "< 0.0001": chance(1e-5),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
