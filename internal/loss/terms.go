package loss

import (
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// A function computes a term's unweighted value, a scalar, from a batch.
type function func(s *torch.Scope, t Term, b Batch) torch.Tensor

const crossEntropyName = "cross_entropy"

// terms are all terms that a loss may have.
var terms = []struct {
	name   string
	value  function
	cam    bool // reads CAMs
	mapped bool // compares them with maps
}{
	{crossEntropyName, crossEntropy, false, false},
	{"auxiliary_cross_entropy", auxiliary, false, false},
	{"cyborg", cyborg, true, true},
	{"harmonization", harmonization, true, true},
	{"cam_entropy", camEntropy, true, false},
	{"cam_log_entropy", camLogEntropy, true, false},
	{"cam_entropy_match", camEntropyMatch, true, true},
	{"energy_variance", energyVariance, true, false},
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
