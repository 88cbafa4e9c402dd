package expression

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// Bounds of an expression. Work is counted, not timed, so that a spec loads on a busy machine as on an idle one. Its
// unit is the reading of one entry of a list, or of 16 bytes of text: 10 to 50 ns. Every value that an expression reads
// or makes is paid for when it is, which bounds whatever is linear in it; the few functions that do more pay more.
const (
	MaxWork    = 1_000_000 // units of one run
	maxCode    = 4 << 10   // bytes of an expression
	maxNodes   = 500       // nodes of its syntax tree
	perEntry   = 50        // units for each entry that filter, map, all, ... look at
	maxPattern = 256       // bytes of a pattern of `matches`
	maxStates  = 1_000     // states of its automaton
)

var errBudget = errors.New("the expression takes too long or makes too much")

// budget is what one run may still do.
type budget struct {
	work    int
	pattern string // the last one of `matches`
	states  int
	machine *regexp.Regexp
}

func (b *budget) spend(units int) error {
	if b.work -= units; b.work < 0 {
		return errBudget
	}
	return nil
}

// entry pays for an entry that a predicate looked at, of which it made args[0].
func (b *budget) entry(args ...any) (any, error) {
	return args[0], b.spend(perEntry + weight(reflect.ValueOf(args[0]), b.work))
}

// value pays for args[0], which the expression reads or has made.
func (b *budget) value(args ...any) (any, error) {
	return args[0], b.spend(weight(reflect.ValueOf(args[0]), b.work))
}

// pairs pays for a function that compares each entry with each.
func (b *budget) pairs(args ...any) (any, error) {
	v := reflect.ValueOf(args[0])
	n := 1
	if v.Kind() == reflect.Slice {
		n = min(v.Len(), MaxWork)
	}
	return args[0], b.spend(n * n)
}

// ordered pays for a function that sorts.
func (b *budget) ordered(args ...any) (any, error) {
	return args[0], b.spend(16 * weight(reflect.ValueOf(args[0]), b.work))
}

// matches is the operator of that name.
func (b *budget) matches(args ...any) (any, error) {
	text, isText := args[0].(string)
	pattern, isPattern := args[1].(string)
	if args[0] == nil || args[1] == nil {
		return false, nil
	}
	if !isText || !isPattern {
		return nil, fmt.Errorf("matches compares a text with a pattern, not a %T with a %T", args[0], args[1])
	}
	if b.machine == nil || b.pattern != pattern {
		states, err := automaton(pattern)
		if err != nil {
			return nil, err
		}
		if err := b.spend(100 * states); err != nil {
			return nil, err
		}
		b.pattern, b.states, b.machine = pattern, states, regexp.MustCompile(pattern)
	}
	if err := b.spend(1 + len(text)/8*b.states); err != nil {
		return nil, err
	}
	return b.machine.MatchString(text), nil
}

// automaton is the number of states of a pattern, which is small.
func automaton(pattern string) (states int, err error) {
	if len(pattern) > maxPattern {
		return 0, fmt.Errorf("a pattern of more than %d bytes", maxPattern)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, err
	}
	made, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, err
	}
	if len(made.Inst) > maxStates {
		return 0, errors.New("a pattern that repeats too much")
	}
	return len(made.Inst), nil
}

// weight is what a value costs to read, or a little more than most, where it is more.
func weight(v reflect.Value, most int) int {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		return weight(v.Elem(), most)
	case reflect.String:
		return 1 + v.Len()/16
	case reflect.Slice, reflect.Array:
		n := 1
		if k := v.Type().Elem().Kind(); k != reflect.Interface && k != reflect.String && k != reflect.Slice && k != reflect.Map {
			return n + v.Len()
		}
		for i := 0; i < v.Len() && n <= most; i++ {
			n += weight(v.Index(i), most-n)
		}
		return n
	case reflect.Map:
		n := 1
		for entries := v.MapRange(); n <= most && entries.Next(); {
			n += 1 + weight(entries.Value(), most-n)
		}
		return n
	}
	return 1
}

// The functions by which an expression pays. Their names are none that a spec could give to a parameter.
const (
	payEntry   = "entry__"
	payValue   = "value__"
	payPairs   = "pairs__"
	payOrdered = "ordered__"
	runMatches = "matches__"
)

// functions lends the budget to the language; each function has the type of what it is given.
func (b *budget) functions() expr.Option {
	pattern := func(args []reflect.Type) (reflect.Type, error) {
		for _, t := range args {
			if t != nil && t.Kind() != reflect.String && t.Kind() != reflect.Interface {
				return nil, fmt.Errorf("matches compares a text with a pattern, not with a value of type %s", t)
			}
		}
		return reflect.TypeFor[bool](), nil
	}
	return func(c *conf.Config) {
		for name, f := range map[string]func(...any) (any, error){payEntry: b.entry, payValue: b.value, payPairs: b.pairs, payOrdered: b.ordered} {
			c.Functions[name] = &builtin.Function{Name: name, Func: f, Validate: same}
		}
		c.Functions[runMatches] = &builtin.Function{Name: runMatches, Func: b.matches, Validate: pattern}
	}
}

// same is the type of a function that gives what it is given.
func same(args []reflect.Type) (reflect.Type, error) {
	if args[0] == nil {
		return reflect.TypeFor[any](), nil
	}
	return args[0], nil
}

// payer puts the functions of the budget into a syntax tree.
type payer struct {
	repeated func(name *ast.IdentifierNode) bool // says which names pay
}

// Visit is called with the children of a node before the node.
func (p payer) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		n.Node = call(payEntry, n.Node)
	case *ast.IdentifierNode:
		if n.Value != "$env" && !strings.HasSuffix(n.Value, "__") && p.repeated(n) {
			pay(node)
		}
	case *ast.MemberNode:
		if named(n) {
			pay(node)
		}
	case *ast.PointerNode:
		pay(node)
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok && name.Value == wholePlus { // of what may be text
			pay(node)
		}
	case *ast.BuiltinNode:
		dear, isDear := map[string]string{"uniq": payPairs, "sort": payOrdered, "median": payOrdered}[n.Name]
		for i := range n.Arguments {
			if isDear {
				n.Arguments[i] = call(dear, n.Arguments[i])
			}
		}
		pay(node)
	case *ast.BinaryNode:
		switch n.Operator {
		case "+":
			pay(node)
		case "matches":
			ast.Patch(node, call(runMatches, n.Left, n.Right))
		}
	}
}

// loops are the names that a tree reads inside of predicates, which run again and again.
type loops map[*ast.IdentifierNode]bool

// Visit is called with the children of a node before the node.
func (l loops) Visit(node *ast.Node) {
	if n, ok := (*node).(*ast.PredicateNode); ok {
		ast.Walk(&n.Node, readers(l))
	}
}

type readers loops

func (r readers) Visit(node *ast.Node) {
	if n, ok := (*node).(*ast.IdentifierNode); ok {
		r[n] = true
	}
}

func always(*ast.IdentifierNode) bool { return true }

// pay makes an expression pay for what a node gives. What is a number, a truth value or a function costs nothing.
func pay(node *ast.Node) {
	if t := (*node).Type(); t != nil {
		switch k := t.Kind(); {
		case k >= reflect.Bool && k <= reflect.Float64, k == reflect.Func:
			return
		}
	}
	ast.Patch(node, call(payValue, *node))
}

func call(name string, arguments ...ast.Node) ast.Node {
	c := &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: arguments}
	c.SetLocation(arguments[0].Location())
	return c
}

// refusal finds what a specification's expressions do without: `let` and `;`, by which results could double at each
// step; $env, which shows more than the names that they are given; and patterns that are too large, before the language
// compiles them.
type refusal struct {
	byName bool // $env["my name"] is not refused

	environments []ast.Node // each $env that is
	err          error
}

// look looks an expression over before anything else does. What is no expression at all is for the compiler to say.
func (r refusal) look(text string, env map[string]any) error {
	c := conf.New(env)
	c.MaxNodes = maxNodes
	tree, err := parser.ParseWithConfig(text, c)
	if err != nil {
		return nil
	}
	ast.Walk(&tree.Node, &r)
	for _, node := range r.environments {
		r.refuse(node, "unknown name $env")
	}
	return r.err
}

func (r *refusal) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.VariableDeclaratorNode, *ast.SequenceNode:
		r.refuse(n, "`let` and `;` are not for specs; declare a parameter")
	case *ast.IdentifierNode:
		if n.Value == "$env" {
			r.environments = append(r.environments, n)
		}
	case *ast.MemberNode:
		if r.byName && named(n) {
			r.environments = slices.DeleteFunc(r.environments, func(e ast.Node) bool { return e == n.Node })
		}
	case *ast.BinaryNode:
		if pattern, ok := n.Right.(*ast.StringNode); ok && n.Operator == "matches" {
			if _, err := automaton(pattern.Value); err != nil {
				r.refuse(pattern, err.Error())
			}
		}
	}
}

func (r *refusal) refuse(node ast.Node, message string) {
	if r.err == nil {
		r.err = &file.Error{Location: node.Location(), Message: message}
	}
}

// named says whether a node is $env["my name"].
func named(n *ast.MemberNode) bool {
	env, isName := n.Node.(*ast.IdentifierNode)
	_, isText := n.Property.(*ast.StringNode)
	return isName && isText && env.Value == "$env"
}

// Reserved cannot be names in an environment: the language's own words and functions.
var Reserved = slices.Concat(Functions, []string{"env", "string", "true", "false", "nil", "in", "not", "and", "or", "let", "if", "else", "matches", "contains",
	"startsWith", "endsWith", payEntry, payValue, payPairs, payOrdered, runMatches, wholePlus, wholeMinus, wholeTimes, wholeModulo, wholeRange, wholeSum, wholeNegatable, wholeFits})
