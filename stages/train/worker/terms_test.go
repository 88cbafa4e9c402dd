package worker

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// The terms that a spec may name are those that package loss computes; the runner, which checks specs, cannot ask it.
func TestSpecsKnowEveryTerm(t *testing.T) {
	field, _ := reflect.TypeFor[experiment.Term]().FieldByName("Term")
	declared, computed := strings.Split(field.Tag.Get("enum"), "|"), loss.Names()
	slices.Sort(declared)
	slices.Sort(computed)
	if !slices.Equal(declared, computed) {
		t.Errorf("specs may name %v, package loss computes %v", declared, computed)
	}
	for _, name := range computed {
		mapped := loss.Loss{{Name: name, Weight: 1}}.Check() != nil // a map and a tap are missing
		if got := (experiment.Term{Term: name}).Saliency(); got != mapped {
			t.Errorf("%s: specs take it for a saliency term: %v; package loss: %v", name, got, mapped)
		}
	}
}
