package spec

import (
	"errors"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/expression"
)

// Bounds of an expression beside those of its own package.
const (
	maxText = 64 << 10 // bytes of a text that it takes or makes
	maxList = 10_000   // entries of a list that it takes or makes
)

// Bounds of all expressions of a spec together.
const (
	maxExpressions = 10_000
	maxAllWork     = 20 * expression.MaxWork
	maxMade        = maxValues // values that they make
	maxMadeText    = 16 << 20  // bytes of text that they make
)

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
	code, err := expression.Compile(p.text, env)
	if err != nil {
		s.explain(v, p, err, names)
		return bad
	}
	result, err := code.Run(env)
	s.worked += code.Worked()
	if err != nil {
		s.explain(v, p, err, names)
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

// explain reports why an expression does not work, at the place inside of it.
func (s *scope) explain(v *Value, p part, err error, names []string) {
	var e *expression.Error
	if !errors.As(err, &e) {
		panic(err)
	}
	message := e.Message
	switch e.Reason {
	case expression.Bad:
		message = "bad expression: " + message
	case expression.Unknown:
		message += " in the expression" + orList(e.Name, slices.Concat(names, expression.Functions))
	case expression.Fails:
		message = "the expression fails: " + message
	}
	s.diags.Add(v.Inside(p.offset+e.Offset, e.Width), Code(e), "%s", message)
}

// Code is the code of a mistake in an expression.
func Code(e *expression.Error) string {
	return [...]string{BadExpression, UnknownName, ExpressionLimit, ExpressionFails}[e.Reason]
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
