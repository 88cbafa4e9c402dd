package table

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cyborg-run/cyborg-run/pipeline/expression"
)

// keep drops the rows for which the expression is false. Every column is a variable of that name and of text, so that
// numbers are compared by int(age) > 30; a column whose name is no identifier is $env["my column"].
func (t *Table) keep(where string) error {
	if strings.TrimSpace(where) == "" {
		return nil
	}
	env := make(map[string]any, len(t.Columns))
	for _, name := range t.Columns {
		env[name] = ""
	}
	condition, err := expression.CompileCondition(where, env)
	if err != nil {
		return t.whereError(where, err)
	}
	kept := t.Rows[:0]
	for _, r := range t.Rows {
		for i, name := range t.Columns {
			env[name] = r.Fields[i]
		}
		yes, err := condition.Holds(env)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", t.File, r.Line, t.whereError(where, err))
		}
		if yes {
			kept = append(kept, r)
		}
	}
	t.Rows = kept
	return nil
}

func (t *Table) whereError(where string, err error) error {
	e := &WhereError{columns: "the columns of " + t.File + " are: " + words(t.Columns), where: where}
	if !errors.As(err, &e.Err) {
		panic(err)
	}
	return e
}

// WhereError is a condition that cannot be used on a list: its syntax, a column that is not there, a result that is
// neither true nor false.
type WhereError struct {
	Err            *expression.Error
	where, columns string
}

func (e *WhereError) Error() string {
	column := 1 + utf8.RuneCountInString(e.where[:e.Err.Offset])
	return fmt.Sprintf("where %s: column %d: %v; %s", e.where, column, e.Err, e.columns)
}
