package report

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/results"
)

func marked() []Annotators {
	n := func(text string) *json.Number {
		v := json.Number(text)
		return &v
	}
	return []Annotators{
		{Node: "marks<b>", Simulated: true, Annotators: &results.Annotators{Images: 12, CC: n("0.4567"), IoU: n("0.3211"), Answers: 60, Rated: 1, Kappa: n("-0.25"),
			Listed: 20, Maps: 17, Names: 5, Wrong: 7, Unanswered: 2}},
		{Node: "drawn[size=any]", Annotators: &results.Annotators{Listed: 3, Maps: 3}},
	}
}

// Each stage has a row, what is not defined a dash, and no name is taken for markup. Without such stages there is no section.
func TestAnnotators(t *testing.T) {
	page := write(t, Input{Name: "x", Annotators: marked()})
	for _, row := range []string{
		`<tr><th scope="row">marks&lt;b&gt;<small>simulated</small></th><td class="n">17 of 20</td><td class="n">5</td>` +
			`<td class="n"><b>0.457</b><span class="sd">12 images</span></td><td class="n"><b>0.321</b><span class="sd">12 images</span></td>` +
			`<td class="n"><b>−0.250</b><span class="sd">1 image</span></td><td class="n">7</td><td class="n">2</td></tr>`,
		`<tr><th scope="row">drawn[size=any]</th><td class="n">3 of 3</td><td class="n">–</td>` +
			strings.Repeat(`<td class="n">–</td>`, 5) + `</tr>`,
	} {
		if !strings.Contains(page, row) {
			t.Errorf("the page lacks the row %s", row)
		}
	}
	if strings.Count(page, `<section id="annotators">`) != 1 {
		t.Error("there is not one section on annotators")
	}
	if strings.Contains(write(t, Input{Name: "x"}), "annotators") {
		t.Error("a page without annotations speaks of annotators")
	}
}
