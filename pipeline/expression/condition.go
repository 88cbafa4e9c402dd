package expression

import (
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
)

// Condition is a compiled expression that holds or does not, such as a `where`.
type Condition struct{ program *Program }

// CompileCondition compiles an expression that is true or false, to be asked of each row of a table: env is a row, whose
// values cost nothing where they are read once. Names that are no identifiers are read as $env["my name"]. The error is an
// *Error.
func CompileCondition(text string, env map[string]any) (*Condition, error) {
	repeated := loops{}
	p, err := compile(text, env, refusal{byName: true}, expr.AsBool(), expr.Patch(whole{}), expr.Patch(repeated),
		expr.Patch(payer{func(n *ast.IdentifierNode) bool { return repeated[n] }}))
	if err != nil {
		return nil, err
	}
	return &Condition{p}, nil
}

// Holds evaluates the condition with the values of env. The error is an *Error.
func (c *Condition) Holds(env map[string]any) (bool, error) {
	out, err := c.program.Run(env)
	if err != nil {
		return false, err
	}
	holds, ok := out.(bool)
	if !ok {
		return false, Explain(c.program.text, fmt.Errorf("the expression is neither true nor false but %v", out))
	}
	return holds, nil
}
