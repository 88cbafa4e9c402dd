// Package check holds a spec to what it claims: assertions over the metrics of its runs.
//
// An assertion is an expression that is true or false. Its functions take a metric and one or two conditions over the rows
// of metrics.csv; a row has the spec's matrix axes, set and node, all of them text (a number compared with an axis is taken
// as such: seed == 3, seed < 5), and mean_sets lists the sets of the mean.
//
//	mean, sd, min, max, count (metric, condition)   over the matching rows; sd with n-1, 0 for one row
//	difference (metric, condition a, condition b)   mean over repeats of a - b, in pairs
//	paired_p   (metric, condition a, condition b)   two-sided paired t-test of the repeats
//	welch_p    (metric, condition a, condition b)   two-sided Welch test of the repeats
//	wins       (metric, condition a, condition b)   repeats at which a is above b
//
// The last four first average each repeat (seed) over its matching rows; those in pairs take only sets that both have at
// that repeat. The condition may be left out of the first five: all rows then count.
//
// Port: "summary", the output folder of a summary. Output: check.json (results.Check).
package check

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Kind is the stage's name in a spec.
const Kind = "check"

// Summary is the port.
const Summary = "summary"

// Params of the stage "check".
type Params struct {
	// Assert lists the assertions, such as mean(auc, loss == 'cyborg') > mean(auc, loss == 'cross_entropy').
	Assert []string `yaml:"assert" json:"assert"`
}

// NotHeld is the error of a check that ran, and whose assertions do not all hold.
type NotHeld struct{ Check results.Check }

func (e NotHeld) Error() string {
	var lines []string
	for _, a := range e.Check.Assertions {
		if !a.Held {
			lines = append(lines, a.Message)
		}
	}
	return strings.Join(lines, "\n")
}

// Run does the stage. It writes check.json whether the assertions hold or not, and fails with NotHeld where one does not.
func Run(ctx context.Context, t *task.Task) error {
	var p Params
	if err := t.Decode(&p); err != nil {
		return err
	}
	in, err := t.One(Summary)
	if err != nil {
		return err
	}
	rows, err := readRows(in.Path)
	if err != nil {
		return fmt.Errorf("check of %s: %w", in.Node, err)
	}
	outcome := results.Check{Held: true, Assertions: []results.Assertion{}}
	for _, text := range p.Assert {
		if err := ctx.Err(); err != nil {
			return err
		}
		a := rows.hold(text)
		outcome.Held = outcome.Held && a.Held
		outcome.Assertions = append(outcome.Assertions, a)
	}
	raw, err := json.MarshalIndent(outcome, "", " ")
	if err != nil {
		return fmt.Errorf("check.json: %w", err)
	}
	if err := os.WriteFile(t.Out("check.json"), append(raw, '\n'), 0o644); err != nil {
		return err
	}
	if !outcome.Held {
		return NotHeld{outcome}
	}
	return nil
}

// Validate checks an assertion without running anything: its syntax, its type, and that it speaks of these axes and
// metrics. Without metrics, any name of a metric will do. The error is an *expression.Error, whose place is in the text.
func Validate(assert string, axes, metrics []string) error {
	_, err := parse(assert, axes, metrics)
	return err
}
