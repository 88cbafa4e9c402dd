package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

// A thousand scores that are stale because of a training each are one line, not a thousand.
func TestPlanGroupsReasonsOfOneForm(t *testing.T) {
	var plan graph.Plan
	for seed := range 25 {
		plan.Steps = append(plan.Steps, &graph.Step{State: graph.Stale, Node: &graph.Node{Name: fmt.Sprintf("score[seed=%d]", seed)},
			Reasons: []string{fmt.Sprintf("fit[seed=%d] is stale", seed)}})
	}
	plan.Steps = append(plan.Steps, &graph.Step{State: graph.Stale, Node: &graph.Node{Name: "score[seed=99]"}, Reasons: []string{"never done"}})
	text := func(all bool) string {
		var out strings.Builder
		if err := planText(&out, &plan, all); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	want := `stale    score[seed=0] .. score[seed=24] (25 nodes)  fit[...] is stale
stale    score[seed=99]                              never done

26 nodes: 0 done, 0 to run, 26 stale
`
	if got := text(false); got != want {
		t.Errorf("plan:\n%s\nwant:\n%s", got, want)
	}
	if got := text(true); strings.Count(got, "\n") != 28 || !strings.Contains(got, "fit[seed=7] is stale") {
		t.Errorf("with --all:\n%s", got)
	}
}
