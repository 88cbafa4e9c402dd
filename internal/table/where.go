package table

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
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
	program, err := expr.Compile(where, expr.Env(env), expr.AsBool())
	if err != nil {
		return t.whereError(where, err)
	}
	var machine vm.VM
	kept := t.Rows[:0]
	for _, r := range t.Rows {
		for i, name := range t.Columns {
			env[name] = r.Fields[i]
		}
		yes, err := machine.Run(program, env)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", t.File, r.Line, t.whereError(where, err))
		}
		if yes.(bool) {
			kept = append(kept, r)
		}
	}
	t.Rows = kept
	return nil
}

func (t *Table) whereError(where string, err error) error {
	message, place := err.Error(), ""
	var at *file.Error
	if errors.As(err, &at) {
		message, place = at.Message, fmt.Sprintf("column %d: ", at.Column+1)
	}
	message, _, _ = strings.Cut(message, "\n")
	return &WhereError{fmt.Sprintf("where %s: %s%s; the columns of %s are: %s", where, place, message, t.File, words(t.Columns))}
}

// WhereError is a condition that cannot be used on a list: its syntax, a column that is not there, a result that is
// neither true nor false.
type WhereError struct{ text string }

func (e *WhereError) Error() string { return e.text }
