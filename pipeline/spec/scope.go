package spec

import (
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// scope evaluates the expressions of one document. Parameters are evaluated when they are first asked for.
type scope struct {
	*loader
	params *params
	done   map[string]*Value
	open   []string // parameters being evaluated, for circles

	ran, worked, made, madeText int // by all expressions of the document
	exhausted                   bool
}

// reset forgets what was evaluated: parameters may have been given other values since.
func (s *scope) reset() { s.done = nil }

// param is the value of a parameter.
func (s *scope) param(p *param) *Value {
	if v, ok := s.done[p.name]; ok {
		return v
	}
	bad := &Value{Kind: Invalid, Pos: p.pos}
	if at := slices.Index(s.open, p.name); at >= 0 {
		s.diags.Add(p.pos, ParamCycle, "parameters in a circle: %s", strings.Join(append(slices.Clone(s.open[at:]), p.name), " -> "))
		return bad
	}
	s.open = append(s.open, p.name)
	v := s.paramValue(p)
	s.open = s.open[:len(s.open)-1]
	if s.done == nil {
		s.done = map[string]*Value{}
	}
	s.done[p.name] = v
	return v
}

func (s *scope) paramValue(p *param) *Value {
	switch {
	case p.raw == nil && p.given == nil:
		s.diags.Add(p.pos, Missing, "the parameter %s has no default: give it a value with --set %s=...", p.name, p.name)
		return &Value{Kind: Invalid, Pos: p.pos}
	case p.given == nil:
		return s.evaluate(p.raw)
	case p.raw == nil:
		return s.evaluate(p.given)
	}
	return p.fits(s.evaluate(p.given), s.evaluate(p.raw), s.diags)
}

// evaluate is v with every expression in it replaced by its value.
func (s *scope) evaluate(v *Value) *Value {
	switch v.Kind {
	case String:
		return s.value(v)
	case List, Map:
		out := *v
		out.Keys = slices.Clone(v.Keys)
		out.items = make([]*Value, len(v.items))
		for i, item := range v.items {
			out.items[i] = s.evaluate(item)
		}
		return &out
	}
	return v
}

// value is a scalar with its expressions evaluated. One that is a single ${...} gets the type of its result; text
// around makes it text.
func (s *scope) value(v *Value) *Value {
	if v.Kind != String || !strings.Contains(v.text, "${") {
		return v
	}
	bad := &Value{Kind: Invalid, Pos: v.Pos, origin: v.origin}
	if s.diags.Len() > maxProblems {
		return bad
	}
	parts, ok := s.split(v)
	if !ok {
		return bad
	}
	if len(parts) == 1 && parts[0].code {
		return s.run(v, parts[0])
	}
	var out strings.Builder
	from, by := v.origin, &made{by: v.origin}
	for i, part := range parts {
		if !part.code {
			out.WriteString(part.text)
			continue
		}
		result := s.run(v, part)
		if !s.makes(v, part, 0, len(result.text)) {
			return bad
		}
		switch result.Kind {
		case Invalid:
			ok = false
		case List, Map:
			s.diags.Add(part.pos(v), ExpressionFails, "%s cannot stand inside of text", describe(result))
			ok = false
		}
		out.WriteString(result.Text())
		if result.made != nil {
			by.of = append(by.of, result.made.of...)
		}
		if i == 0 {
			from = result.origin
		}
		if out.Len() > maxText {
			s.diags.Add(v.Pos, ExpressionLimit, "an expression makes text of more than %d KiB", maxText>>10)
			return bad
		}
	}
	if !ok {
		return bad
	}
	c := *v
	c.text, c.origin = out.String(), from
	if len(by.of) > 0 {
		c.made = by
	}
	return &c
}

// may tells whether another expression may be run.
func (s *scope) may(v *Value, p part) bool {
	s.ran++
	return s.within(v, p, s.ran <= maxExpressions, "%d expressions", maxExpressions) &&
		s.within(v, p, s.worked <= maxAllWork, "%d steps", maxAllWork)
}

// makes tells whether an expression may put so many values, or bytes of text, into the document.
func (s *scope) makes(v *Value, p part, values, bytes int) bool {
	s.made += values
	s.madeText += bytes
	return s.within(v, p, s.made <= maxMade, "%d values", maxMade) &&
		s.within(v, p, s.madeText <= maxMadeText, "%d MiB of text", maxMadeText>>20)
}

// within reports, once, that the expressions of the document go over a bound together.
func (s *scope) within(v *Value, p part, good bool, format string, bound int) bool {
	if !good && !s.exhausted {
		s.exhausted = true
		s.diags.Add(p.pos(v), ExpressionLimit, "the expressions of the spec take, together with this one, more than "+format, bound)
	}
	return good
}

// part is a piece of a scalar: text, or the code of an expression, which begins at offset (in bytes of the scalar).
type part struct {
	text   string
	code   bool
	offset int
}

// pos is the place of the whole expression, with its braces.
func (p part) pos(v *Value) diag.Pos { return v.Inside(p.offset-2, len(p.text)+3) }

// split takes a scalar apart at its expressions; $${ is a ${ that is none.
func (s *scope) split(v *Value) ([]part, bool) {
	var parts []part
	var plain strings.Builder
	for i := 0; i < len(v.text); {
		rest := v.text[i:]
		switch {
		case strings.HasPrefix(rest, "$${"):
			plain.WriteString("${")
			i += 3
		case strings.HasPrefix(rest, "${"):
			end := expressionEnd(v.text, i+2)
			if end < 0 {
				s.diags.Add(v.Inside(i, 2), BadExpression, "the brace of ${ is not closed; write $${ for a ${ that is text")
				return nil, false
			}
			if plain.Len() > 0 {
				parts = append(parts, part{text: plain.String()})
				plain.Reset()
			}
			parts = append(parts, part{text: v.text[i+2 : end], code: true, offset: i + 2})
			i = end + 1
		default:
			plain.WriteByte(v.text[i])
			i++
		}
	}
	if plain.Len() > 0 {
		parts = append(parts, part{text: plain.String()})
	}
	return parts, true
}

// expressionEnd is the index of the brace that closes an expression, or -1.
func expressionEnd(s string, i int) int {
	depth := 1
	var quote byte
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
