package main

import (
	"fmt"
	"regexp"
	"strings"
)

// schema is an operator as native_functions.yaml declares it, with its namespace:
//
//	aten::add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)
type schema struct {
	text    string
	name    string // "add_", without the overload
	args    []argument
	returns []argument // a name may be empty
}

// argument has a type free of annotations ("Tensor", "int[]?") and the alias set that it belongs to ("a!" for one that is
// written to).
type argument struct{ kind, name, alias string }

func parseSchema(text string) (*schema, error) {
	text = strings.ReplaceAll(text, "(a -> *)", "(a)") // the results are views of it
	open := strings.IndexByte(text, '(')
	arrow := strings.LastIndex(text, " -> ")
	if open < 0 || arrow < open {
		return nil, fmt.Errorf("cannot read the schema %q", text)
	}
	s := &schema{text: text}
	s.name, _, _ = strings.Cut(text[:open], ".")
	_, s.name, _ = strings.Cut(s.name, "::")
	for _, a := range split(text[open+1 : arrow-1]) {
		if a == "*" {
			continue
		}
		kind, name, ok := strings.Cut(a, " ")
		if !ok {
			return nil, fmt.Errorf("cannot read the argument %q of %q", a, text)
		}
		name, _, _ = strings.Cut(name, "=")
		s.args = append(s.args, newArgument(kind, name))
	}
	results := text[arrow+len(" -> "):]
	if strings.HasPrefix(results, "(") {
		results = results[1 : len(results)-1]
	}
	for _, r := range split(results) {
		kind, name, _ := strings.Cut(r, " ")
		s.returns = append(s.returns, newArgument(kind, name))
	}
	return s, nil
}

var (
	aliases = regexp.MustCompile(`\(([a-z|]+!?[^)]*)\)`) // Tensor(a!)
	lengths = regexp.MustCompile(`\[\d+\]`)              // int[2]: such a list also takes one value for all
)

func newArgument(kind, name string) argument {
	a := argument{name: name}
	if m := aliases.FindStringSubmatch(kind); m != nil {
		a.alias = m[1]
	}
	kind = aliases.ReplaceAllString(kind, "")
	kind = lengths.ReplaceAllString(kind, "[]")
	a.kind = strings.ReplaceAll(kind, "SymInt", "int")
	return a
}

// split cuts at the commas that stand outside of brackets and quotes.
func split(list string) []string {
	var parts []string
	depth, from, quoted := 0, 0, false
	for i, c := range list {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(list[from:i]))
			from = i + 1
		}
	}
	if last := strings.TrimSpace(list[from:]); last != "" {
		parts = append(parts, last)
	}
	return parts
}
