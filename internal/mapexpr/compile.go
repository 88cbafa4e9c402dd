package mapexpr

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

type compiler struct {
	text    string
	maps    []string // that there are
	program *Program
}

func (c *compiler) wrong(n ast.Node, format string, args ...any) error {
	return fmt.Errorf("combine: %s: column %d: %s", c.text, n.Location().From+1, fmt.Sprintf(format, args...))
}

func (c *compiler) compile(n ast.Node) (eval, error) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return constant(float64(n.Value)), nil
	case *ast.FloatNode:
		return constant(n.Value), nil
	case *ast.BoolNode:
		return constant(truth(n.Value)), nil
	case *ast.IdentifierNode:
		return c.name(n, n.Value)
	case *ast.MemberNode:
		env, isEnv := n.Node.(*ast.IdentifierNode)
		name, isText := n.Property.(*ast.StringNode)
		if isEnv && isText && env.Value == "$env" {
			return c.name(n, name.Value)
		}
	case *ast.UnaryNode:
		if f, ok := unary[n.Operator]; ok {
			return c.apply(f, n.Node)
		}
		return nil, c.wrong(n, "%s is not known here", n.Operator)
	case *ast.BinaryNode:
		if f, ok := binary[n.Operator]; ok {
			return c.apply(f, n.Left, n.Right)
		}
		return nil, c.wrong(n, "%s is not known here; there are: + - * / < <= > >= == != && || ! ?:", n.Operator)
	case *ast.ConditionalNode:
		return c.apply(choose, n.Cond, n.Exp1, n.Exp2)
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(n, name.Value, n.Arguments)
		}
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	}
	return nil, c.wrong(n, "only names of maps, numbers, operators and functions can stand here")
}

// name reads a map.
func (c *compiler) name(n ast.Node, name string) (eval, error) {
	if !slices.Contains(c.maps, name) {
		have := "there are: " + strings.Join(c.maps, ", ")
		if len(c.maps) == 0 {
			have = "there is no other map that is read"
		}
		return nil, c.wrong(n, "no map is called %q; %s", name, have)
	}
	k := slices.Index(c.program.names, name)
	if k < 0 {
		k = len(c.program.names)
		c.program.names = append(c.program.names, name)
	}
	return func(maps [][]float64, _ int) []float64 { return maps[k] }, nil
}

func (c *compiler) call(n ast.Node, name string, arguments []ast.Node) (eval, error) {
	f, ok := functions[name]
	if !ok {
		return nil, c.wrong(n, "there is no function %s; there are: abs, clip, max, min", name)
	}
	if len(arguments) < f.least || f.most > 0 && len(arguments) > f.most {
		return nil, c.wrong(n, "%s is written %s", name, f.form)
	}
	return c.apply(f.of, arguments...)
}

// apply computes a function of one cell's values for all cells.
func (c *compiler) apply(f func(v []float64) float64, of ...ast.Node) (eval, error) {
	parts := make([]eval, len(of))
	for i, n := range of {
		part, err := c.compile(n)
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	return func(maps [][]float64, cells int) []float64 {
		values := make([][]float64, len(parts))
		for k, part := range parts {
			values[k] = part(maps, cells)
		}
		out, v := make([]float64, cells), make([]float64, len(parts))
		for i := range out {
			for k := range v {
				v[k] = values[k][i]
			}
			if y := f(v); !math.IsNaN(y) && !math.IsInf(y, 0) {
				out[i] = y
			}
		}
		return out
	}, nil
}

func constant(v float64) eval {
	return func(_ [][]float64, cells int) []float64 { return slices.Repeat([]float64{v}, cells) }
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func choose(v []float64) float64 {
	if v[0] != 0 {
		return v[1]
	}
	return v[2]
}

var unary = map[string]func(v []float64) float64{
	"+":   func(v []float64) float64 { return v[0] },
	"-":   func(v []float64) float64 { return -v[0] },
	"!":   func(v []float64) float64 { return truth(v[0] == 0) },
	"not": func(v []float64) float64 { return truth(v[0] == 0) },
}

var binary = map[string]func(v []float64) float64{
	"+":   func(v []float64) float64 { return v[0] + v[1] },
	"-":   func(v []float64) float64 { return v[0] - v[1] },
	"*":   func(v []float64) float64 { return v[0] * v[1] },
	"/":   func(v []float64) float64 { return v[0] / v[1] },
	"<":   func(v []float64) float64 { return truth(v[0] < v[1]) },
	"<=":  func(v []float64) float64 { return truth(v[0] <= v[1]) },
	">":   func(v []float64) float64 { return truth(v[0] > v[1]) },
	">=":  func(v []float64) float64 { return truth(v[0] >= v[1]) },
	"==":  func(v []float64) float64 { return truth(v[0] == v[1]) },
	"!=":  func(v []float64) float64 { return truth(v[0] != v[1]) },
	"&&":  func(v []float64) float64 { return truth(v[0] != 0 && v[1] != 0) },
	"and": func(v []float64) float64 { return truth(v[0] != 0 && v[1] != 0) },
	"||":  func(v []float64) float64 { return truth(v[0] != 0 || v[1] != 0) },
	"or":  func(v []float64) float64 { return truth(v[0] != 0 || v[1] != 0) },
}

// function takes at least and at most so many values; 0 is no bound.
type function struct {
	least, most int
	form        string
	of          func(v []float64) float64
}

var functions = map[string]function{
	"abs":  {1, 1, "abs(x)", func(v []float64) float64 { return math.Abs(v[0]) }},
	"clip": {3, 3, "clip(x, low, high)", func(v []float64) float64 { return min(max(v[0], v[1]), v[2]) }},
	"max":  {2, 0, "max(x, y, ...)", slices.Max[[]float64]},
	"min":  {2, 0, "min(x, y, ...)", slices.Min[[]float64]},
}
