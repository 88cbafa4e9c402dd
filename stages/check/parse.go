package check

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"

	"github.com/cyborg-run/cyborg-run/pipeline/expression"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// conditions is how many conditions a function takes, at least and at most.
var conditions = map[string][2]int{
	"mean": {0, 1}, "sd": {0, 1}, "min": {0, 1}, "max": {0, 1}, "count": {0, 1},
	"difference": {2, 2}, "paired_p": {2, 2}, "welch_p": {2, 2}, "wins": {2, 2},
}

// assertion is a parsed one: an expression over the values of its calls.
type assertion struct {
	calls       []call
	whole       *expression.Condition // over the calls' values
	comparisons []comparison
}

// call is one function with its arguments.
type call struct {
	function, metric string
	text             string // as a reader writes it
	where            []*expression.Condition
}

// comparison is a part such as a > b, whose sides a message tells.
type comparison struct {
	operator    string
	left, right side
	holds       *expression.Condition
}

type side struct {
	text    string
	literal bool
	value   *expression.Program
}

// parse reads an assertion. The error is an *expression.Error, whose place is in the text.
func parse(text string, axes, metrics []string) (*assertion, error) {
	config := conf.CreateNew()
	for name := range conditions { // some are names of expr's own functions: ours come first
		expr.Function(name, func(...any) (any, error) { return 0.0, nil })(config)
	}
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		wrong := expression.Explain(text, err)
		wrong.Message = text + ": " + wrong.Message
		return nil, wrong
	}
	found := compared(tree.Node, nil)
	var comparisons []comparison
	for _, node := range found {
		comparisons = append(comparisons, comparison{
			operator: node.Operator, left: side{text: show(node.Left)}, right: side{text: show(node.Right)},
		})
	}
	axes = slices.DeleteFunc(slices.Clone(axes), func(axis string) bool { return axis == "set" || axis == "node" })
	p := &patch{axes: axes, metrics: metrics}
	ast.Walk(&tree.Node, p)
	if p.err != nil {
		return nil, p.unknownIn(wrong(text, p.at, p.err.Error()))
	}
	if len(p.calls) == 0 {
		return nil, wrong(text, nil, "no function of a metric, such as mean(auc, loss == 'cyborg')")
	}
	a := &assertion{calls: p.calls, comparisons: comparisons}
	if a.whole, err = expression.CompileCondition(tree.Node.String(), a.environment(nil)); err != nil {
		message := p.restore(err.Error())
		if p.names(err, tree.Node) {
			if slices.Contains(metrics, p.unknown) {
				message += fmt.Sprintf(", which is a metric: write mean(%s), or another function of it", p.unknown)
			} else {
				message += "; beside functions of metrics there are numbers only"
			}
		}
		return nil, p.unknownIn(wrong(text, p.at, message))
	}
	for i, node := range found {
		c := &a.comparisons[i]
		c.holds, err = expression.CompileCondition(node.String(), a.environment(nil))
		for _, part := range []struct {
			node    ast.Node
			program **expression.Program
		}{{node.Left, &c.left.value}, {node.Right, &c.right.value}} {
			if err == nil {
				*part.program, err = expression.Compile(part.node.String(), a.environment(nil))
			}
		}
		if err != nil {
			return nil, wrong(text, nil, p.restore(err.Error()))
		}
		c.left.literal, c.right.literal = isNumber(node.Left), isNumber(node.Right)
	}
	return a, nil
}

// wrong is a mistake in an assertion: at a function's name, or in all of it.
func wrong(text string, at ast.Node, message string) *expression.Error {
	e := &expression.Error{Width: len(text), Message: text + ": " + message}
	if at != nil {
		runes := []rune(text)
		e.Offset = len(string(runes[:min(at.Location().From, len(runes))]))
		e.Width = len(at.String())
	}
	return e
}

// unknownIn makes a mistake one about a name, where it is.
func (p *patch) unknownIn(e *expression.Error) *expression.Error {
	if p.unknown != "" {
		e.Reason, e.Name = expression.Unknown, p.unknown
	}
	return e
}

// names tells whether an error is about an unknown name, and takes down where that stands in what was compiled.
func (p *patch) names(err error, compiled ast.Node) bool {
	var why *expression.Error
	p.at = nil
	if !errors.As(err, &why) || why.Reason != expression.Unknown || strings.HasPrefix(why.Name, placeholder(0)[:14]) {
		return false
	}
	p.unknown = why.Name
	ast.Walk(&compiled, place{why.Name, &p.at})
	return true
}

// place finds where a name is read.
type place struct {
	name string
	at   *ast.Node
}

func (f place) Visit(node *ast.Node) {
	if n, ok := (*node).(*ast.IdentifierNode); ok && n.Value == f.name && *f.at == nil {
		*f.at = n
	}
}

func functions() []string { return slices.Sorted(maps.Keys(conditions)) }

// environment holds the calls' values by the names that the patched expression has for them.
func (a *assertion) environment(values []float64) map[string]any {
	env := map[string]any{}
	for i := range a.calls {
		env[placeholder(i)] = 0.0
		if values != nil {
			env[placeholder(i)] = values[i]
		}
	}
	return env
}

func placeholder(i int) string { return "value_of_call_" + strconv.Itoa(i) }

// compared lists the comparisons that an expression is made of by and, or, not.
func compared(node ast.Node, found []*ast.BinaryNode) []*ast.BinaryNode {
	switch n := node.(type) {
	case *ast.UnaryNode:
		return compared(n.Node, found)
	case *ast.BinaryNode:
		if slices.Contains([]string{"<", "<=", ">", ">=", "==", "!="}, n.Operator) {
			return append(found, n)
		}
		return compared(n.Right, compared(n.Left, found))
	}
	return found
}

// patch takes the calls out of an expression, each for a name that stands for its value.
type patch struct {
	axes, metrics []string
	calls         []call
	err           error
	at            ast.Node // the name where err is; nil: all of it
	unknown       string   // a name that is not there, where that is the mistake
}

// Visit is called for inner nodes first.
func (p *patch) Visit(node *ast.Node) {
	n, isCall := (*node).(*ast.CallNode)
	if !isCall || p.err != nil {
		return
	}
	p.at = n.Callee
	name := n.Callee.String()
	if _, known := conditions[name]; !known {
		p.unknown = name
		p.err = fmt.Errorf("unknown function %s%s; there are: %s", name, spec.Suggest(name, functions()), strings.Join(functions(), ", "))
		return
	}
	var c call
	if c, p.err = p.call(name, n); p.err == nil {
		*node = &ast.IdentifierNode{Value: placeholder(len(p.calls))}
		p.calls = append(p.calls, c)
	}
}

func (p *patch) call(name string, n *ast.CallNode) (call, error) {
	c := call{function: name, text: show(n)}
	least, most := conditions[name][0], conditions[name][1]
	if got := len(n.Arguments) - 1; got < least || got > most {
		return c, fmt.Errorf("%s: %s takes a metric and %s", c.text, name, []string{"", "one condition", "two conditions"}[most])
	}
	switch metric := n.Arguments[0].(type) {
	case *ast.IdentifierNode:
		c.metric = metric.Value
	case *ast.StringNode:
		c.metric = metric.Value
	}
	if c.metric == "" || strings.HasPrefix(c.metric, placeholder(0)[:14]) {
		return c, fmt.Errorf("%s: the first argument of %s is the name of a metric", p.restore(c.text), name)
	}
	if len(p.metrics) > 0 && !slices.Contains(p.metrics, c.metric) {
		p.at, p.unknown = n.Arguments[0], c.metric
		return c, fmt.Errorf("%s: unknown metric %s%s; there are: %s", c.text, c.metric, spec.Suggest(c.metric, p.metrics), strings.Join(p.metrics, ", "))
	}
	for _, argument := range n.Arguments[1:] {
		program, err := p.condition(argument)
		if err != nil {
			return c, fmt.Errorf("%s: %w", p.restore(show(argument)), err)
		}
		c.where = append(c.where, program)
	}
	return c, nil
}

func (p *patch) condition(node ast.Node) (*expression.Condition, error) {
	env := map[string]any{"set": "", "node": "", "mean_sets": []string{}}
	for _, axis := range p.axes {
		env[axis] = ""
	}
	ast.Walk(&node, numbers(env))
	condition, err := expression.CompileCondition(node.String(), env)
	if err != nil {
		if at := p.at; !p.names(err, node) {
			p.at = at
		} else {
			columns := slices.Concat(p.axes, []string{"set", "node"})
			return nil, fmt.Errorf("%s%s; a row has %s, and mean_sets", p.restore(err.Error()), spec.Suggest(p.unknown, append(slices.Clone(columns), "mean_sets")), strings.Join(columns, ", "))
		}
		return nil, errors.New(p.restore(err.Error()))
	}
	return condition, nil
}

// restore puts the calls back where a text has their names.
func (p *patch) restore(text string) string {
	for i := len(p.calls) - 1; i >= 0; i-- {
		text = strings.ReplaceAll(text, placeholder(i), p.calls[i].text)
	}
	return text
}

// numbers lets a condition compare a column, which is text, with a number.
type numbers map[string]any

// Visit rewrites seed == 3 to seed == "3", seed in [1, 2] to seed in ["1", "2"] and seed < 3 to float(seed) < 3.
func (env numbers) Visit(node *ast.Node) {
	n, binary := (*node).(*ast.BinaryNode)
	if !binary {
		return
	}
	for _, sides := range [][2]*ast.Node{{&n.Left, &n.Right}, {&n.Right, &n.Left}} {
		column, other := sides[0], sides[1]
		if name, ok := (*column).(*ast.IdentifierNode); !ok || env[name.Value] != "" {
			continue
		}
		switch n.Operator {
		case "==", "!=":
			asText(other)
		case "in":
			if list, ok := (*other).(*ast.ArrayNode); ok {
				for i := range list.Nodes {
					asText(&list.Nodes[i])
				}
			}
		case "<", "<=", ">", ">=":
			if isNumber(*other) {
				*column = &ast.BuiltinNode{Name: "float", Arguments: []ast.Node{*column}}
			}
		}
	}
}

func asText(node *ast.Node) {
	if isNumber(*node) {
		*node = &ast.StringNode{Value: (*node).String()}
	}
}

func isNumber(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return true
	case *ast.UnaryNode:
		return n.Operator == "-" && isNumber(n.Node)
	}
	return false
}

// show writes a node as specs do, with single quotes.
func show(node ast.Node) string {
	text := node.String()
	if !strings.ContainsAny(text, `'\`) {
		text = strings.ReplaceAll(text, `"`, `'`)
	}
	return text
}
