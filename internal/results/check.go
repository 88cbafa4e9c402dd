package results

// Check is check.json: the assertions of a spec and what came of them.
type Check struct {
	Held       bool        `json:"held"` // all of them
	Assertions []Assertion `json:"assertions"`
}

// Assertion is one expression over the runs' metrics.
type Assertion struct {
	Text    string  `json:"assert"` // as in the spec
	Held    bool    `json:"held"`
	Message string  `json:"message"` // both sides with their values: "mean(auc, loss == 'a') = 0.91 > 0.9 holds"
	Values  []Value `json:"values"`  // of every function in it, in their order
}

// Value is what a function of an assertion came to.
type Value struct {
	Text  string  `json:"text"` // mean(auc, loss == 'cyborg')
	Value float64 `json:"value"`
	Rows  int     `json:"rows"` // how many rows of metrics.csv matched
}
