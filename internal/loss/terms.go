package loss

import (
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// A function computes a term's unweighted value, a scalar, from a batch.
type function func(s *torch.Scope, t Term, b Batch) torch.Tensor

// terms are all terms that a loss may have.
var terms = []struct {
	name   string
	value  function
	mapped bool // compares CAMs with maps
}{
	{"cross_entropy", crossEntropy, false},
	{"auxiliary_cross_entropy", auxiliary, false},
	{"cyborg", cyborg, true},
}

// find is the index of a term by its name; -1 where there is none.
func find(name string) int { return slices.Index(Names(), name) }

// Names are the names of all terms.
func Names() []string {
	names := make([]string, len(terms))
	for i, t := range terms {
		names[i] = t.name
	}
	return names
}
