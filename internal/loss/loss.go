// Package loss computes what a network is trained to lower: a list of weighted terms over one forward pass.
//
// Terms of the field: a CAM (class activation map, Zhou et al., 2016) is the tapped features weighted by one row of the
// linear head; a human map says where people looked; a map is in unit range when its minimum is 0 and its maximum 1. A
// saliency term is one that reads CAMs. A distance compares the CAM and the human map of one image, both in unit range; a
// method is how CAMs are made of features.
//
// Formulas are sourced where they stand. The Notre Dame code is a training script with entropy losses by colleagues of
// CYBORG's authors; that it belongs to nd-crane/nd-blueteam-1 is inferred from its name.
//
// A Term is plain data and may be read anywhere; Loss.Evaluate works in the caller's scope, on the caller's goroutine, and
// what it returns is freed with that scope. Losses are computed in the type of the head's weights (float32 or float64),
// so features in bfloat16 are widened first: call it outside of autocast.
//
// A new term is a file with its function and a line in terms.go; a new distance a function and a line in distance.go.
package loss

import (
	"fmt"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// Term is one summand of a loss, as a spec declares it.
type Term struct {
	Name   string  // cross_entropy, cyborg: see Names
	Weight float64 // the factor of its value in the total

	// Ramp, if there is one, is the weight over the training, in place of Weight.
	Ramp *Ramp
	// Adaptive weighs the cross-entropy against the saliency terms that say so too, in place of Weight: see weight.go.
	Adaptive bool
	// Log puts the term into ln(1 + the weighted sum of all terms that say so), which is added to the others.
	Log bool

	// For saliency terms:
	Map      string   // which of the batch's maps; for those that compare with maps
	Class    Class    // whose CAM; the default is Predicted
	Tap      string   // which of the batch's features
	Method   Method   // how the CAM is made; the default is PlainCAM
	Distance Distance // for cyborg; the default is MSE
	// Keep is the share of images, from 0 to 1, on which the term counts; nil is all. See kept.go.
	Keep *float64

	place int // in its loss
}

// Class says whose CAM is taken.
type Class string

// The classes whose CAM a term may take.
const (
	Predicted Class = "predicted" // the class of the highest logit, the lower one where two are equal: the authors' code
	True      Class = "true"      // the label's class
	// TrueMinusFalse is the CAM of the label's class less that of the other, for two classes. Divisive Decisions
	// (arXiv:2507.17000) trains with the CAMs of both classes; its formulas are not known to us, and this one is ours.
	TrueMinusFalse Class = "true_minus_false"
)

// Classes are all of them.
func Classes() []Class { return []Class{Predicted, True, TrueMinusFalse} }

// Loss is the weighted sum of its terms.
type Loss []Term

// Batch is what terms may look at, for B images, K classes and C channels.
type Batch struct {
	Logits   torch.Tensor            // [B,K], float32 or float64
	Labels   torch.Tensor            // [B], int64
	Weight   torch.Tensor            // [K,C], the weight of the linear head
	Features map[string]torch.Tensor // by tap: [B,C,h,w]; for other methods than PlainCAM, what Logits was computed from
	Maps     map[string]Maps         // by name
	// Auxiliary is [B,K], the logits of the auxiliary classifier; none where the network has none.
	Auxiliary torch.Tensor
	// Moment decides the weights that vary and the images that are kept.
	Moment Moment
}

// Moment is a step of a training.
type Moment struct {
	Seed  uint64 // of the training
	Epoch int    // the epochs done
	Step  int    // the steps done in all
}

// Maps are the human (or other) maps of a batch.
type Maps struct {
	Values torch.Tensor // [B,h,w], uint8 in 0..255 or floating in any finite range; any finite value where an image has none
	Has    torch.Tensor // [B], bool
}

// Value is the outcome of one batch. The tensors are scalars that belong to the scope of Evaluate.
type Value struct {
	Total   torch.Tensor   // the sum of weight x term, to be differentiated
	Terms   []torch.Tensor // the unweighted value of each term, in the loss's order
	Weights []torch.Tensor // the weight of each term of Varying, in its order
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

// WeightColumns names the weights that vary, for a table: by their terms' columns.
func (l Loss) WeightColumns() []string {
	var columns []string
	for _, i := range l.Varying() {
		columns = append(columns, l.Columns()[i]+"_weight")
	}
	return columns
}

// Varying lists the terms, from 0, whose weights may be another in each step.
func (l Loss) Varying() []int {
	var places []int
	for i, term := range l {
		if term.Adaptive || term.Ramp != nil {
			places = append(places, i)
		}
	}
	return places
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

// Evaluate computes all terms and their weighted sum:
//
//	sum of weight x term + ln(1 + sum of weight x term over the terms with Log)
//
// The loss must have passed Check, and the batch must hold the taps and maps that it names.
func (l Loss) Evaluate(s *torch.Scope, b Batch) Value {
	var v Value
	for i, term := range l {
		term.place = i
		v.Terms = append(v.Terms, terms[find(term.Name)].value(s, term, b))
	}
	var plain, logged torch.Tensor
	for i, weighted := range l.weigh(s, &v, b.Moment) {
		if l[i].Log {
			logged = add(s, logged, weighted)
		} else {
			plain = add(s, plain, weighted)
		}
	}
	if logged.Defined() {
		plain = add(s, plain, s.Log1p(logged))
	}
	v.Total = plain
	return v
}

// add is the sum of two tensors of which the first may be none.
func add(s *torch.Scope, sum, value torch.Tensor) torch.Tensor {
	if !sum.Defined() {
		return value
	}
	return s.Add(sum, value)
}
