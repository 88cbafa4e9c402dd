package expression

import (
	"fmt"
	"math"
	"reflect"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/vm/runtime"
)

// The language lets whole numbers run over, from the largest to the smallest. The functions below take the place of its
// operators where a whole number may come out, and fail instead.
const (
	wholePlus      = "plus__"
	wholeMinus     = "minus__"
	wholeTimes     = "times__"
	wholeModulo    = "modulo__"
	wholeRange     = "range__"
	wholeSum       = "sum__"
	wholeNegatable = "negatable__" // what it gives can be negated
	wholeFits      = "fits__"      // what it gives can be made whole
)

var wholeOperators = map[string]string{"+": wholePlus, "-": wholeMinus, "*": wholeTimes, "%": wholeModulo, "..": wholeRange}

// whole puts the functions in.
type whole struct{}

// Visit is called with the children of a node before the node.
func (whole) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		if f, ok := wholeOperators[n.Operator]; ok && mayBeWhole(n.Left) && mayBeWhole(n.Right) {
			replace(node, f, n.Left, n.Right)
		}
	case *ast.UnaryNode:
		if n.Operator == "-" && mayBeWhole(n.Node) {
			replace(&n.Node, wholeNegatable, n.Node)
		}
	case *ast.BuiltinNode:
		switch {
		case len(n.Arguments) == 0:
		case n.Name == "int":
			replace(&n.Arguments[0], wholeFits, n.Arguments[0])
		case n.Name == "abs" && mayBeWhole(n.Arguments[0]):
			replace(&n.Arguments[0], wholeNegatable, n.Arguments[0])
		case n.Name == "sum" && mayBeWhole(n):
			list := n.Arguments[0]
			if len(n.Arguments) == 2 {
				list = &ast.BuiltinNode{Name: "map", Arguments: n.Arguments}
				list.SetLocation(n.Location())
			}
			replace(node, wholeSum, list)
		}
	}
}

// replace puts a call in the place of a node.
func replace(node *ast.Node, function string, arguments ...ast.Node) {
	c := call(function, arguments...)
	ast.Patch(node, c)
}

// mayBeWhole tells whether a node gives a whole number, or something that only a run shows.
func mayBeWhole(node ast.Node) bool {
	t := node.Type()
	return t == nil || t.Kind() == reflect.Int || t.Kind() == reflect.Interface
}

func (b *budget) wholeFunctions() expr.Option {
	entry := func(args []reflect.Type) (reflect.Type, error) {
		if args[0] != nil && args[0].Kind() == reflect.Slice && args[0].Elem().Kind() == reflect.Int {
			return args[0].Elem(), nil
		}
		return reflect.TypeFor[any](), nil
	}
	return func(c *conf.Config) {
		for name, f := range map[string]builtin.Function{
			wholePlus:      {Func: plus, Validate: promoted},
			wholeMinus:     {Func: minus, Validate: promoted},
			wholeTimes:     {Func: times, Validate: promoted},
			wholeModulo:    {Func: modulo, Validate: gives[int]},
			wholeRange:     {Func: b.span, Validate: gives[[]int]},
			wholeSum:       {Func: b.sum, Validate: entry},
			wholeNegatable: {Func: negatable, Validate: same},
			wholeFits:      {Func: fits, Validate: same},
		} {
			f.Name = name
			c.Functions[name] = &f
		}
	}
}

func promoted(args []reflect.Type) (reflect.Type, error) {
	for _, t := range args {
		if t == nil || t.Kind() != reflect.Int {
			return reflect.TypeFor[any](), nil
		}
	}
	return reflect.TypeFor[int](), nil
}

func gives[T any]([]reflect.Type) (reflect.Type, error) { return reflect.TypeFor[T](), nil }

// ints are two whole numbers; ok is false where one is something else.
func ints(args []any) (a, b int, ok bool) {
	a, ok = args[0].(int)
	b, also := args[1].(int)
	return a, b, ok && also
}

// checked is an operator that fails where two whole numbers give none, for which whole is false; of all else other makes
// what the language makes of it.
func checked(operator string, whole func(a, b int) (c int, ok bool), other func(a, b any) any) func(...any) (any, error) {
	return func(args ...any) (any, error) {
		a, b, ok := ints(args)
		if !ok {
			return other(args[0], args[1]), nil
		}
		c, ok := whole(a, b)
		if !ok {
			return nil, fmt.Errorf("%d %s %d is no whole number of 64 bits; numbers with a fraction go further, such as %d.0", a, operator, b, a)
		}
		return c, nil
	}
}

var (
	plus = checked("+", func(a, b int) (int, bool) {
		c := a + b
		return c, (c > a) == (b > 0)
	}, runtime.Add)
	minus = checked("-", func(a, b int) (int, bool) {
		c := a - b
		return c, (c < a) == (b > 0)
	}, runtime.Subtract)
	times = checked("*", func(a, b int) (int, bool) {
		c := a * b
		return c, b == 0 || c/b == a && !(a == -1 && b == math.MinInt) && !(b == -1 && a == math.MinInt)
	}, runtime.Multiply)
)

func modulo(args ...any) (any, error) {
	a, b, ok := ints(args)
	if ok && b == 0 {
		return nil, fmt.Errorf("%d %% 0: a division by 0 leaves no remainder", a)
	}
	return runtime.Modulo(args[0], args[1]), nil
}

// span is the list a..b.
func (b *budget) span(args ...any) (any, error) {
	from, to := runtime.ToInt(args[0]), runtime.ToInt(args[1])
	if to < from {
		return []int{}, nil
	}
	if n := uint(to) - uint(from); n >= MaxWork {
		return nil, errBudget
	}
	if err := b.spend(to - from + 1); err != nil {
		return nil, err
	}
	return runtime.MakeRange(from, to), nil
}

func (b *budget) sum(args ...any) (total any, err error) {
	total = 0
	list := reflect.ValueOf(args[0])
	if list.Kind() != reflect.Slice && list.Kind() != reflect.Array {
		return nil, fmt.Errorf("sum takes a list, not a %T", args[0])
	}
	if err := b.spend(list.Len()); err != nil {
		return nil, err
	}
	for i := range list.Len() {
		if total, err = plus(total, list.Index(i).Interface()); err != nil {
			return nil, err
		}
	}
	return total, nil
}

func negatable(args ...any) (any, error) {
	if args[0] == math.MinInt {
		return nil, fmt.Errorf("-(%d) is no whole number of 64 bits", math.MinInt)
	}
	return args[0], nil
}

func fits(args ...any) (any, error) {
	if f, ok := args[0].(float64); ok && !(f >= -1<<63 && f < 1<<63) {
		return nil, fmt.Errorf("int(%v): there is no such whole number of 64 bits", f)
	}
	return args[0], nil
}
