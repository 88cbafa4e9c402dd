package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/study"
)

// The section on people says what was measured, beside the networks too, and takes nobody's name for markup.
func TestPeople(t *testing.T) {
	low, high, half := 0.5, 0.7, 0.5
	measure := func(name, condition, group, model string, value float64) results.HumanMeasure {
		return results.HumanMeasure{Name: name, Condition: condition, Group: group, Model: model, Value: value, Low: &low, High: &high, Trials: 40}
	}
	h := results.Human{
		Node: "people", Participants: 2, Images: 20, Trials: 80, Conditions: []string{study.Free, study.Annotated}, Groups: []string{"G0", "U1"},
		Models: []string{"cyborg"}, Resamples: 2000,
		Measures: []results.HumanMeasure{
			measure("accuracy", study.Free, "", "", 0.611), measure("accuracy", study.Annotated, "", "", 0.677),
			measure("accuracy", results.HumanDifference, "", "", 0.066), measure("dprime", results.HumanAll, "", "", 1.234),
			measure("accuracy", study.Free, "U1", "", 0.333),
			measure("people", results.HumanAll, "", "cyborg", 0.644), measure("model", results.HumanAll, "", "cyborg", 0.812),
			measure("people - model", results.HumanAll, "", "cyborg", -0.168), measure("people - model", results.HumanAll, "U1", "cyborg", -0.271),
		},
		Paired:    &results.HumanPaired{N: 2, Difference: 0.066, Low: 0.01, High: 0.12, P: 0.04},
		Agreement: []results.HumanAgreement{{Model: "cyborg", Images: 20, Majority: 0.75, Correlation: &half}},
		People:    []results.Participant{{Participant: "<b>Ann</b>", Trials: 40, Accuracy: &half, Checks: 3, Failed: 1}, {Participant: "p2", Excluded: "fewer than 9 trials left"}},
		Excluded:  []results.HumanExclusion{{Rule: "fewer than 9 trials left", Participants: 1, Trials: 5}},
		Notes:     []string{"Simulated answers: a program took part."},
	}
	var page bytes.Buffer
	err := Write(&page, Input{Name: "x", Humans: []Human{{Human: &h, Figures: map[string][]byte{"people": []byte("<svg viewBox=\"0 0 9 9\"></svg>"), "groups": []byte("<svg onload=\"x\"></svg>")}}}})
	if err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, want := range []string{`<section id="people">`, "2 participants judged 20 images in 80 trials.", "<b>0.611</b>", "0.500 to 0.700", "<b>1.234</b>", "<b>0.333</b>",
		"<b>0.812</b>", "<b>−0.168</b>", "<b>−0.271</b>", "paired t-test, " + equation(0.04), "cyborg says what most people say on 0.750 of 20 images", "correlate by 0.500",
		"&lt;b&gt;Ann&lt;/b&gt;", "1 of 3", "fewer than 9 trials left: 1 participant, 5 trials", "Simulated answers", `<svg viewBox="0 0 9 9">`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, not := range []string{"<b>Ann", "onload", "There is no summary"} {
		if strings.Contains(text, not) {
			t.Errorf("the page says %q", not)
		}
	}
}
