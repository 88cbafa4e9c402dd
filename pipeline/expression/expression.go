// Package expression compiles and runs the expressions of specs: what stands in ${...}, in `where` and in `assert`. The
// language is expr-lang's without its functions that are not pure or whose result can be far larger than what they are
// given.
//
// Specs come from other people, so an expression is bounded: in length, in the nodes of its tree, and in the work of a run,
// which is counted and not timed. What runs once runs always.
//
// An environment has a value for each name that an expression may use, functions included; they take the place of the
// language's functions of the same name. A compiled expression runs with the values of any environment of the same names and
// types. It is not safe for concurrent use; its runs do not touch each other.
package expression

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Functions are those of the language that an expression may use.
var Functions = []string{
	"all", "any", "none", "one", "filter", "map", "find", "findIndex", "count", "sum", "len", "abs", "ceil", "floor", "round",
	"int", "float", "trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "indexOf", "lastIndexOf", "hasPrefix",
	"hasSuffix", "max", "min", "mean", "median", "first", "last", "get", "take", "keys", "values", "reverse", "uniq", "concat", "sort",
}

// Program is a compiled expression.
type Program struct {
	text    string
	code    *vm.Program
	machine vm.VM
	budget  *budget
}

// Compile compiles an expression of any type. The error is an *Error.
func Compile(text string, env map[string]any) (*Program, error) {
	return compile(text, env, refusal{}, expr.Patch(whole{}), expr.Patch(payer{always}))
}

func compile(text string, env map[string]any, not refusal, options ...expr.Option) (*Program, error) {
	if len(text) > maxCode {
		return nil, Explain(text, errBudget)
	}
	if err := not.look(text, env); err != nil {
		return nil, Explain(text, err)
	}
	p := &Program{text: text, budget: &budget{}}
	all := []expr.Option{expr.Env(env), expr.Optimize(false), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins()}
	for _, name := range Functions {
		if _, taken := env[name]; !taken {
			all = append(all, expr.EnableBuiltin(name))
		}
	}
	all = append(all,
		p.budget.functions(),
		p.budget.wholeFunctions(),
		expr.Function("string", toText, new(func(any) string)))
	var err error
	if p.code, err = expr.Compile(text, append(all, options...)...); err != nil {
		return nil, Explain(text, err)
	}
	return p, nil
}

// Run evaluates the expression with the values of env. The error is an *Error whose Reason is Fails or TooMuch. How large a
// value may be is for the caller to bound.
func (p *Program) Run(env map[string]any) (out any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
		if err != nil {
			failed := Explain(p.text, err)
			if failed.Reason != TooMuch {
				failed.Reason = Fails
			}
			err = failed
		}
	}()
	p.budget.work = MaxWork
	return p.machine.Run(p.code, env)
}

// Worked is what the last run took of MaxWork.
func (p *Program) Worked() int { return MaxWork - max(0, p.budget.work) }

func toText(args ...any) (any, error) {
	switch x := args[0].(type) {
	case string:
		return x, nil
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64), nil
	case int, bool:
		return fmt.Sprint(x), nil
	case nil:
		return "", nil
	}
	return nil, errors.New("string() takes a number, a text or a truth value")
}
