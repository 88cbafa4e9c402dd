package spec

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Condition is a compiled expression that holds or does not, such as a `where` or an `assert`. It is not safe for
// concurrent use.
type Condition struct{ program *program }

// CompileBool compiles the condition in v, a text without ${...}. env has a value of the right type for every name that
// the condition may use, functions included; they take the place of built-in functions of the same name. Problems are
// reported at their place inside of v, and nil is returned.
func CompileBool(v *Value, env map[string]any, diags *diag.List) *Condition {
	if v.Absent() || v.Kind == Invalid {
		return nil
	}
	if v.Kind != String {
		wrong(v, "an expression", diags)
		return nil
	}
	p, err := compile(v.text, env, expr.AsBool())
	if err != nil {
		offset, width, code, message := explainError(v.text, BadExpression, err, slices.Sorted(maps.Keys(env)))
		diags.Add(v.inside(offset, width), code, "%s: %s", pathOr(v), message)
		return nil
	}
	return &Condition{p}
}

// ParseBool compiles a condition that is not part of a spec.
func ParseBool(text string, env map[string]any) (*Condition, error) {
	p, err := compile(text, env, expr.AsBool())
	if err != nil {
		_, _, _, message := explainError(text, BadExpression, err, slices.Sorted(maps.Keys(env)))
		return nil, fmt.Errorf("expression %q: %s", text, message)
	}
	return &Condition{p}, nil
}

// Holds evaluates the condition with the values of env, which has the names and types that it was compiled with.
func (c *Condition) Holds(env map[string]any) (bool, error) {
	out, err := c.program.run(env)
	if err != nil {
		_, _, _, message := explainError("", ExpressionFails, err, nil)
		return false, fmt.Errorf("%s", message)
	}
	holds, ok := out.(bool)
	if !ok {
		return false, fmt.Errorf("the expression is neither true nor false but %v", out)
	}
	return holds, nil
}
