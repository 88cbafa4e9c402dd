// Package loss computes what a network is trained to lower: a list of weighted terms over one forward pass.
//
// Terms of the field: a CAM (class activation map, Zhou et al., 2016) is the tapped features weighted by one row of the
// linear head; a human map says where people looked; a map is in unit range when its minimum is 0 and its maximum 1.
//
// A Term is plain data and may be read anywhere; Loss.Evaluate works in the caller's scope, on the caller's goroutine, and
// what it returns is freed with that scope. Losses are computed in the type of the head's weights (float32 or float64),
// so features in bfloat16 are widened first: call it outside of autocast.
//
// A new term is a file with its function and a line in terms.go.
package loss

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// Term is one summand of a loss, as a spec declares it.
type Term struct {
	Name   string  // cross_entropy, cyborg: see Names
	Weight float64 // the factor of its value in the total

	// For terms that compare CAMs with maps:
	Map   string // which of the batch's maps
	Class Class  // whose CAM; the default is Predicted
	Tap   string // which of the batch's features
}

// Class says whose CAM is taken.
type Class string

// The classes whose CAM a term may take.
const (
	Predicted Class = "predicted" // the class of the highest logit, the lower one where two are equal: the authors' code
	True      Class = "true"      // the label's class
)

// Loss is the weighted sum of its terms.
type Loss []Term

// Batch is what terms may look at, for B images, K classes and C channels.
type Batch struct {
	Logits   torch.Tensor            // [B,K], float32 or float64
	Labels   torch.Tensor            // [B], int64
	Weight   torch.Tensor            // [K,C], the weight of the linear head
	Features map[string]torch.Tensor // by tap: [B,C,h,w]
	Maps     map[string]Maps         // by name
	// Auxiliary is [B,K], the logits of the auxiliary classifier; none where the network has none.
	Auxiliary torch.Tensor
}

// Maps are the human (or other) maps of a batch.
type Maps struct {
	Values torch.Tensor // [B,h,w], uint8 in 0..255 or floating in any finite range; any finite value where an image has none
	Has    torch.Tensor // [B], bool
}

// Value is the outcome of one batch. The tensors are scalars that belong to the scope of Evaluate.
type Value struct {
	Total torch.Tensor   // the sum of weight x term, to be differentiated
	Terms []torch.Tensor // the unweighted value of each term, in the loss's order
}

// Check says what is wrong with a loss: no terms, an unknown name, a class that is neither predicted nor true,
// no map or tap where a term needs them.
func (l Loss) Check() error {
	if len(l) == 0 {
		return fmt.Errorf("the loss has no terms; there are: %s", strings.Join(Names(), ", "))
	}
	for i, term := range l {
		k := find(term.Name)
		if k < 0 {
			return fmt.Errorf("term %d of the loss: unknown term %q; there are: %s", i+1, term.Name, strings.Join(Names(), ", "))
		}
		if term.Class != "" && term.Class != Predicted && term.Class != True {
			return fmt.Errorf("term %d of the loss (%s): class %q is neither predicted nor true", i+1, term.Name, term.Class)
		}
		if terms[k].mapped && (term.Map == "" || term.Tap == "") {
			return fmt.Errorf("term %d of the loss (%s): it compares CAMs with maps: name a map and a tap", i+1, term.Name)
		}
	}
	return nil
}

// Columns names the terms for a table: by their names, numbered from the second of a kind on.
func (l Loss) Columns() []string {
	columns, seen := make([]string, len(l)), map[string]int{}
	for i, term := range l {
		columns[i] = term.Name
		if seen[term.Name]++; seen[term.Name] > 1 {
			columns[i] = fmt.Sprintf("%s_%d", term.Name, seen[term.Name])
		}
	}
	return columns
}

// Taps lists the features that the loss reads, each once.
func (l Loss) Taps() []string { return l.distinct(func(t Term) string { return t.Tap }) }

// Maps lists the maps that the loss reads, each once.
func (l Loss) Maps() []string { return l.distinct(func(t Term) string { return t.Map }) }

func (l Loss) distinct(field func(Term) string) []string {
	var names []string
	for _, term := range l {
		if name := field(term); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Evaluate computes all terms and their weighted sum. The loss must have passed Check, and the batch must hold the taps
// and maps that it names.
func (l Loss) Evaluate(s *torch.Scope, b Batch) Value {
	var v Value
	for i, term := range l {
		value := terms[find(term.Name)].value(s, term, b)
		v.Terms = append(v.Terms, value)
		weighted := s.MulScalar(value, term.Weight)
		if i == 0 {
			v.Total = weighted
		} else {
			v.Total = s.Add(v.Total, weighted)
		}
	}
	return v
}
