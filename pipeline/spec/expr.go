package spec

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// builtins is what an expression may use of the language's own functions. All are pure; those whose result can be far
// larger than what they are given (repeat, join, replace, reduce, toJSON, ...), and those that read the clock, are not
// among them.
var builtins = []string{
	"all", "any", "none", "one", "filter", "map", "find", "findIndex", "count", "sum", "len", "abs", "ceil", "floor", "round",
	"int", "float", "trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "indexOf", "lastIndexOf", "hasPrefix",
	"hasSuffix", "max", "min", "mean", "median", "first", "last", "get", "take", "keys", "values", "reverse", "uniq", "concat", "sort",
}

// program is a compiled expression with the budget of its runs.
type program struct {
	code   *vm.Program
	budget *budget
}

func compile(code string, env map[string]any, options ...expr.Option) (*program, error) {
	if len(code) > maxCode {
		return nil, errBudget
	}
	if err := refused(code, env); err != nil {
		return nil, err
	}
	p := &program{budget: &budget{}}
	all := []expr.Option{expr.Env(env), expr.Optimize(false), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins()}
	for _, name := range builtins {
		if _, taken := env[name]; !taken {
			all = append(all, expr.EnableBuiltin(name))
		}
	}
	all = append(all,
		p.budget.functions(),
		expr.Function("string", toText, new(func(any) string)),
		expr.Patch(payer{}))
	var err error
	p.code, err = expr.Compile(code, append(all, options...)...)
	return p, err
}

// run evaluates the program; how large a value it may make is for the caller to bound.
func (p *program) run(env map[string]any) (out any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	p.budget.work = maxWork
	return expr.Run(p.code, env)
}

func toText(args ...any) (any, error) {
	switch x := args[0].(type) {
	case string:
		return x, nil
	case float64:
		return strings.TrimSuffix(floatText(x), ".0"), nil
	case int, bool:
		return fmt.Sprint(x), nil
	case nil:
		return "", nil
	}
	return nil, errors.New("string() takes a number, a text or a truth value")
}

var plainName = regexp.MustCompile(`^\s*[A-Za-z_][A-Za-z0-9_]*\s*$`)

// run evaluates one expression of a scalar.
func (s *scope) run(v *Value, p part) *Value {
	bad := &Value{Kind: Invalid, Pos: v.Pos, origin: v.origin}
	if name := strings.TrimSpace(p.text); plainName.MatchString(p.text) {
		if have := s.params.get(name); have != nil { // no need of the language
			value := s.param(have)
			if value.Kind == Invalid {
				return bad
			}
			if !s.makes(v, p, value.count(), 0) {
				return bad
			}
			return value.lent(name, v)
		}
	}
	if strings.TrimSpace(p.text) == "" {
		s.diags.Add(p.pos(v), BadExpression, "an empty expression")
		return bad
	}
	env, from, used, ok := s.environment(v, p)
	if !ok {
		return bad
	}
	names := append(s.params.names(), "env")
	env["env"] = func(name string) string {
		from = &origin{dir: s.Dir, source: v.origin.source}
		used = append(used, use{name: "env(" + name + ")"})
		return s.variable(name)
	}
	if !s.may(v, p) {
		return bad
	}
	code, err := compile(p.text, env)
	if err != nil {
		s.explain(v, p, BadExpression, err, names)
		return bad
	}
	result, err := code.run(env)
	s.worked += maxWork - max(0, code.budget.work)
	if err != nil {
		s.explain(v, p, ExpressionFails, err, names)
		return bad
	}
	left := maxList
	out := plain(result, v.Pos, from, &left)
	if left < 0 {
		s.diags.Add(p.pos(v), ExpressionLimit, "the expression makes a list of more than %d entries, or a text of more than %d KiB", maxList, maxText>>10)
		return bad
	}
	if out != nil && !s.makes(v, p, maxList-left, 0) {
		return bad
	}
	if out == nil {
		s.diags.Add(p.pos(v), ExpressionFails, "the expression makes a %T, which is no value for a spec", result)
		return bad
	}
	out.makeBy(&made{by: v.origin, of: used})
	return out
}

// environment is the parameters that an expression may mean. from is where a path that it makes is relative to: where
// the first of them got its value, or else the file.
func (s *scope) environment(v *Value, p part) (env map[string]any, from *origin, used []use, ok bool) {
	env, from, ok = map[string]any{}, v.origin, true
	first := len(p.text)
	for _, have := range s.params.list {
		at := mentions(p.text, have.name)
		if at < 0 {
			continue
		}
		value := s.param(have)
		left := maxList
		if value.Kind == Invalid || tooLarge(value, &left) {
			if value.Kind != Invalid {
				s.diags.Add(p.pos(v), ExpressionLimit, "the parameter %s is too large for an expression", have.name)
			}
			ok = false
			continue
		}
		s.worked += 4 * (maxList - left)
		env[have.name] = value.Any()
		used = append(used, use{"params." + have.name, value})
		if at < first {
			first, from = at, value.origin
		}
	}
	return env, from, used, ok
}

// mentions is where a name stands in code as a word of its own, or -1. Text in quotes counts too: that does no harm.
func mentions(code, name string) int {
	for from := 0; ; {
		i := strings.Index(code[from:], name)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(name)
		if (i == 0 || !wordByte(code[i-1])) && (end == len(code) || !wordByte(code[end])) {
			return i
		}
		from = i + 1
	}
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func tooLarge(v *Value, left *int) bool {
	if *left--; *left < 0 || len(v.text) > maxText {
		return true
	}
	return slices.ContainsFunc(v.items, func(item *Value) bool { return tooLarge(item, left) })
}

// plain makes a Value of what an expression gave; nil for what a spec cannot hold. left counts what may still come.
func plain(x any, pos diag.Pos, from *origin, left *int) *Value {
	if *left--; *left < 0 {
		return &Value{Kind: Invalid}
	}
	switch x := x.(type) {
	case nil:
		return &Value{Kind: Null, Pos: pos, origin: from}
	case bool:
		return &Value{Kind: Bool, truth: x, Pos: pos, origin: from}
	case int:
		return integer(x, pos, from)
	case float64:
		return float(x, pos, from)
	case string:
		if len(x) > maxText {
			*left = -1
		}
		return text(unmask(strings.ToValidUTF8(x, "\ufffd")), pos, from)
	case map[string]any:
		out := &Value{Kind: Map, Pos: pos, origin: from}
		for _, name := range slices.Sorted(maps.Keys(x)) {
			item := plain(x[name], pos, from, left)
			if item == nil || !keyName(name) {
				return nil
			}
			out.Keys, out.items = append(out.Keys, Key{Name: name, Pos: pos}), append(out.items, item)
		}
		return out
	}
	list := reflect.ValueOf(x)
	if list.Kind() != reflect.Slice {
		return nil
	}
	out := &Value{Kind: List, Pos: pos, origin: from}
	for i := range list.Len() {
		item := plain(list.Index(i).Interface(), pos, from, left)
		if item == nil || *left < 0 {
			return item
		}
		out.items = append(out.items, item)
	}
	return out
}

var (
	unknownName = regexp.MustCompile(`^unknown name (\S+)`)
	unexpected  = regexp.MustCompile(`^unexpected token \w+\((".*")\)`)
)

// explain reports why an expression does not work, at the place inside of it.
func (s *scope) explain(v *Value, p part, kind string, err error, names []string) {
	at, width, code, message := explainError(p.text, kind, err, names)
	s.diags.Add(v.inside(p.offset+at, width), code, "%s", message)
}

// explainError is the offset (in bytes) and width of what is wrong in an expression, its code, and words for it. kind
// is BadExpression for an error of compile, ExpressionFails for one of run.
func explainError(code, kind string, err error, names []string) (offset, width int, _, message string) {
	var e *file.Error
	located := errors.As(err, &e)
	if located {
		offset = byteOffset(code, e.From)
		width, message = max(1, byteOffset(code, e.To)-offset), e.Message
	} else {
		width, message = len(code), err.Error()
	}
	switch name := unknownName.FindStringSubmatch(message); {
	case errors.Is(err, errBudget), strings.Contains(message, "memory budget"), strings.Contains(message, "exceeds maximum allowed nodes"):
		return 0, len(code), ExpressionLimit, errBudget.Error()
	case name != nil:
		return offset, len(name[1]), UnknownName, fmt.Sprintf("unknown name %q in the expression%s", name[1], orList(name[1], slices.Concat(names, builtins)))
	case strings.HasPrefix(message, "unexpected token EOF"):
		message = "it ends too early"
	}
	message = unexpected.ReplaceAllString(message, "unexpected $1")
	if kind == ExpressionFails {
		return offset, width, kind, "the expression fails: " + message
	}
	return offset, width, kind, "bad expression: " + message
}

func byteOffset(s string, runes int) int {
	for i := range s {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(s)
}

// variable is the way to the environment.
func (l *loader) variable(name string) string {
	if l.env == nil {
		l.env = map[string]bool{}
	}
	l.env[name] = true
	value, _ := l.Env(name)
	if !utf8.ValidString(value) || len(value) > maxText {
		return ""
	}
	return value
}

func (l *loader) asked() []string { return slices.Sorted(maps.Keys(l.env)) }
