// Package report makes the page that a run leaves behind: report.html, one file that holds all it shows.
//
// The page refers to nothing outside of itself, needs no JavaScript, and follows the reader's choice of a light or a dark
// page. Every number and sentence on it is computed from the Input; what a user wrote (names, notes, the spec) is text and
// never markup. The same Input gives the same bytes.
package report

import (
	_ "embed" // the page and its style
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// Input is all that the page is made of. Only Name is needed; what is missing is left out or said to be missing.
type Input struct {
	Name        string   // of the spec
	Title       string   // one line; Name where it is empty
	Description string   // what the spec is for, one paragraph
	Profile     string   // the one taken; empty: the spec has none
	Why         string   // why that profile was taken: "CYBORG_DATA is not set"
	Notes       []string // what must be read first: simulated data, a demo profile that shows the machinery

	Imported   bool                // some scores were read from files that another program left
	Summary    *results.Summary    // nil: there is none, because a node failed
	Check      *results.Check      // nil: the spec has no check, or it did not run
	Agreement  []results.Agreement // of CAMs and maps: one for each stage of that kind
	Annotators []Annotators        // of maps made of annotations: one for each stage of that kind
	Humans     []Human             // human studies: one for each stage of that kind
	Figures    map[string][]byte   // SVG by name, without ending: "roc", "learning_loss"
	Files      fs.FS               // the run's folder, for CAM pictures; nil: no pictures

	Spec        string            // resolved.yaml
	Environment map[string]string // versions, device, threads
	Timings     []Timing          // nodes in the order of the graph
	Failures    []Failure
	Version     string // of cyborg-run
}

// Timing is what one node took.
type Timing struct {
	Node    string
	Seconds float64
	Cached  bool // taken from the cache; Seconds are those of the run that made it
}

// Failure is a node that did not come to its end, or was never started because of such a one.
type Failure struct{ Node, Message string }

//go:embed page.html
var pageText string

//go:embed story.html
var storyText string

//go:embed page.css
var pageStyle string

var page = sync.OnceValues(func() (*template.Template, error) {
	return template.New("page").Funcs(template.FuncMap{
		"join": strings.Join, "seconds": seconds, "number": number, "signed": signed, "chance": chance, "effect": effect, "parted": parted,
	}).Parse(tablesText + storyText + agreementText + humanText + annotatorsText + pageText)
})

// Write makes the page.
func Write(w io.Writer, in Input) error {
	layout, err := page()
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if in.Title == "" {
		in.Title = in.Name
	}
	v := view{Input: in, Style: style()}
	if s := in.Summary; s != nil {
		v.Groups = s.Groups()
		v.marks = newMarks(s, v.Groups)
		v.Lead = lead(s)
		if !onlyCurves(s) {
			v.Comparison, v.Runs = newComparison(s, v.Groups), newRuns(s)
		}
		v.Findings = findings(s, v.Groups)
		v.Others = newOthers(s, v.Groups)
		if len(s.Settings) > 2 { // else the comparison says it already
			v.Pairs = s.Pairs
		}
		v.Tables, v.DeLong = layouts(s), overRepeats(s.DeLong)
		v.Story = newStory(s, in.Files)
		v.Read = reading(s.Maps)
		v.Grid, v.Means = v.pictures(s, in.Files)
		if v.Story != nil {
			v.Story.bands = newBands(v.Groups, v.Story.names())
		}
		if v.Grid != nil {
			v.Grid.bands = newBands(v.Groups, v.Grid.Columns)
		}
		v.Notes = append(v.Notes, s.Notes...)
	}
	v.Agreements = newAgreements(in.Agreement, in.Files)
	v.Annotated = newAnnotators(in.Annotators)
	v.People = newHumans(in.Humans)
	v.figures()
	v.timings()
	if err := layout.Execute(w, v); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// view is what the page's template sees.
type view struct {
	Input
	marks

	Style      template.CSS
	Groups     []results.Group
	Lead       string
	Findings   []string
	Comparison *comparison
	Others     *others
	Pairs      []results.Test
	Runs       *runs
	Story      *story
	Agreements []agreement
	Annotated  []annotators
	People     []human
	Read       string // whose CAMs these are
	Grid       *grid
	Means      []meanMaps

	Tables      []layout
	DeLong      []results.DeLong // over all repeats
	Reliability *panels

	ROC, Dots, Accuracy, Loss *panels
	Sets                      []*panels // the ROC of each set
	Bars                      []bar
	Total                     float64
}

// panels are a figure of each group of settings, side by side.
type panels struct {
	Panels []template.HTML
	Broad  bool // they need the page's whole width
}

// panels are nil where none of the groups has that figure.
func (v *view) panels(name string) *panels {
	p := &panels{}
	for _, g := range v.Groups {
		if svg := inline(v.Input.Figures[name+g.File]); svg != "" {
			p.Panels, p.Broad = append(p.Panels, svg), p.Broad || widthOf(svg) > 600
		}
	}
	if p.Broad = p.Broad || len(p.Panels) > 1; len(p.Panels) == 0 {
		return nil
	}
	return p
}

// figures sorts the figures to their places. One that is not what this program draws is left out.
func (v *view) figures() {
	if v.Summary == nil {
		return
	}
	v.ROC, v.Dots = v.panels("roc"), v.panels(results.FileName(v.Summary.Metric))
	v.Reliability = v.panels("reliability")
	v.Accuracy, v.Loss = v.panels("learning_accuracy"), v.panels("learning_loss")
	for _, set := range v.Summary.Sets {
		if p := v.panels("roc_" + results.FileName(set)); p != nil {
			v.Sets = append(v.Sets, p)
		}
	}
}

// inline takes an SVG into the page, if it is one that can do nothing but be seen.
func inline(svg []byte) template.HTML {
	text := string(svg)
	if !strings.HasPrefix(text, "<svg ") {
		return ""
	}
	lower := strings.ToLower(text)
	for _, word := range []string{"<script", "href", "<foreignobject", "<style", "<image", "url(", " on"} {
		for at := 0; ; {
			i := strings.Index(lower[at:], word)
			if i < 0 {
				break
			}
			at += i + len(word)
			if word != " on" || isHandler(lower[at:]) {
				return ""
			}
		}
	}
	return template.HTML(text)
}

// widthOf is the width of a figure's view box; 0 where it has none.
func widthOf(svg template.HTML) (width float64) {
	_, box, _ := strings.Cut(string(svg), `viewBox="0 0 `)
	_, _ = fmt.Sscan(box, &width) // not a number: 0
	return width
}

// isHandler says whether what follows " on" makes it an event handler such as onload="...", not a word of a title.
func isHandler(rest string) bool {
	end := strings.IndexFunc(rest, func(r rune) bool { return r < 'a' || r > 'z' })
	return end > 0 && rest[end] == '='
}

// bar is one node in the list of times.
type bar struct {
	Timing
	Share float64 // of the longest, in percent
}

func (v *view) timings() {
	longest := 0.0
	for _, t := range v.Timings {
		longest = max(longest, t.Seconds)
		v.Total += t.Seconds
	}
	for _, t := range v.Timings {
		b := bar{Timing: t}
		if longest > 0 {
			b.Share = 100 * t.Seconds / longest
		}
		v.Bars = append(v.Bars, b)
	}
}

// style is the page's CSS: the colours of the series in front, the same as in the figures.
func style() template.CSS {
	var light, dark, rules strings.Builder
	for i, tone := range plot.Palette() {
		fmt.Fprintf(&light, "--s%d:%s;", i, tone.Light)
		fmt.Fprintf(&dark, "--s%d:%s;", i, tone.Dark)
		fmt.Fprintf(&rules, ".plot-s%d{fill:var(--s%[1]d)}.plot-s%[1]d-line{stroke:var(--s%[1]d)}\n", i)
	}
	return template.CSS(fmt.Sprintf(":root{%s}\n@media screen and (prefers-color-scheme:dark){:root{%s}}\n%s%s", &light, &dark, &rules, pageStyle))
}
