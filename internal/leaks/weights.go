package leaks

// What copies and equal names weigh, on the scale of AUCs from 0.5 to 1. The scale is ours: it puts findings in an order,
// and lets one threshold hold them all.
const (
	weighBoth      = 1.0  // one file is in both classes
	weighExact     = 0.95 // the same file in training and in what it is measured on
	weighNear      = 0.9  // nearly the same picture there
	weighNames     = 0.8  // the same names there, for files that nobody compared
	weighChosen    = 0.7  // the same or nearly the same in validation and test: the epoch was chosen on it
	weighNearBoth  = 0.65 // nearly the same picture in both classes
	weighAgain     = 0.6  // the same file twice in a set
	weighNearAgain = 0.55 // nearly the same twice in a set
	weighSaid      = 0.5  // no leak in itself, but to be known
)

// between is the weight of something shared by sets of two roles, given what it weighs where one of them is trained on.
func between(a, b Role, trained float64) float64 {
	if order(a) > order(b) {
		a, b = b, a
	}
	switch {
	case a == Training && (b == Validation || b == Test):
		return trained
	case a == Validation && b == Test:
		return weighChosen
	}
	return weighSaid
}

func order(r Role) int {
	switch r {
	case Training:
		return 0
	case Validation:
		return 1
	case Test:
		return 2
	}
	return 3
}
