package main

import (
	"bytes"
	"fmt"
	"go/token"
	"strconv"
	"strings"
)

// kinds tells for every type of argument its Go type and the method of call that writes it down.
var kinds = map[string]struct{ goType, put string }{
	"Tensor":        {"Tensor", "tensor"},
	"Tensor?":       {"Tensor", "optTensor"},
	"Tensor[]":      {"[]Tensor", "tensors"},
	"Tensor?[]":     {"[]Tensor", "optTensors"},
	"int":           {"int", "int"},
	"int?":          {"Option[int]", "optInt"},
	"int[]":         {"[]int", "ints"},
	"int[]?":        {"[]int", "optInts"},
	"float":         {"float64", "float"},
	"float?":        {"Option[float64]", "optFloat"},
	"float[]":       {"[]float64", "floats"},
	"float[]?":      {"[]float64", "optFloats"},
	"bool":          {"bool", "bool"},
	"bool?":         {"Option[bool]", "optBool"},
	"bool[]":        {"[]bool", "bools"},
	"str":           {"string", "string"},
	"str?":          {"string", "optString"},
	"Scalar":        {"Scalar", "scalar"},
	"Scalar?":       {"Scalar", "optScalar"},
	"ScalarType":    {"DType", "dtype"},
	"ScalarType?":   {"DType", "optDType"},
	"Device":        {"Device", "device"},
	"Device?":       {"Device", "optDevice"},
	"MemoryFormat":  {"MemoryFormat", "memoryFormat"},
	"MemoryFormat?": {"MemoryFormat", "optMemoryFormat"},
	"Generator?":    {"*Generator", "optGenerator"},
}

// results tells for every type of result its Go type and the method of call that reads it.
var results = map[string]struct{ goType, take string }{
	"Tensor":   {"Tensor", "outTensor"},
	"Tensor[]": {"[]Tensor", "outTensors"},
	"int":      {"int", "outInt"},
	"bool":     {"bool", "outBool"},
	"float":    {"float64", "outFloat"},
	"Scalar":   {"Scalar", "outScalar"},
}

// write writes the operator's record and its method.
func (s *schema) write(b *bytes.Buffer, l line) error {
	record := "op" + l.name
	fmt.Fprintf(b, "\nvar %s = operator{name: %q, schema: %q, args: %d}\n\n", record, s.name, s.text, len(s.args))

	var params, puts []string
	for _, a := range s.args {
		if value, ok := l.fixed[a.name]; ok {
			put, err := fixed(value)
			if err != nil {
				return fmt.Errorf("argument %s: %w", a.name, err)
			}
			puts = append(puts, put)
			delete(l.fixed, a.name)
			continue
		}
		kind, ok := kinds[a.kind]
		if !ok {
			return fmt.Errorf("argument %s has the type %s, which Go code cannot give: fix it (%s=...)", a.name, a.kind, a.name)
		}
		name, value, goType := goName(a.name), goName(a.name), kind.goType
		if a.name == "reduction" && a.kind == "int" {
			goType, value = "Reduction", "int(reduction)"
		}
		if n := len(params); n > 0 && strings.HasSuffix(params[n-1], " "+goType) {
			params[n-1] = strings.TrimSuffix(params[n-1], " "+goType) // a, b Tensor
		}
		params = append(params, name+" "+goType)
		puts = append(puts, fmt.Sprintf("%s(%s)", kind.put, value))
	}
	for name := range l.fixed {
		return fmt.Errorf("it has no argument %s", name)
	}

	var types, takes []string
	for _, r := range s.returns {
		kind, ok := results[r.kind]
		if !ok {
			return fmt.Errorf("a result has the type %s, which Go code cannot take", r.kind)
		}
		named := kind.goType
		if r.name != "" && len(s.returns) > 1 {
			named = goName(r.name) + " " + named
		}
		types = append(types, named)
		takes = append(takes, "c."+kind.take+"()")
	}

	fmt.Fprintf(b, "// %s is %s\n", l.name, s.text)
	fmt.Fprintf(b, "func (s *Scope) %s(%s)", l.name, strings.Join(params, ", "))
	written := fmt.Sprintf("s.begin(&%s).%s", record, strings.Join(puts, "."))
	call := written + ".run()"
	switch {
	case len(types) == 0:
		fmt.Fprintf(b, " {\n\t%s.runInPlace()\n}\n", written)
	case s.inPlace():
		fmt.Fprintf(b, " Tensor {\n\t%s.runInPlace()\n\treturn %s\n}\n", written, goName(s.args[0].name))
	case len(types) == 1:
		fmt.Fprintf(b, " %s {\n\treturn %s%s\n}\n", types[0], call, strings.TrimPrefix(takes[0], "c"))
	default:
		fmt.Fprintf(b, " (%s) {\n\tc := %s\n\treturn %s\n}\n", strings.Join(types, ", "), call, strings.Join(takes, ", "))
	}
	return nil
}

// inPlace: the one result is the first argument, written to. Go gets back the Tensor that it gave.
func (s *schema) inPlace() bool {
	return len(s.returns) == 1 && len(s.args) > 0 && s.returns[0].kind == "Tensor" && s.args[0].kind == "Tensor" &&
		strings.HasSuffix(s.returns[0].alias, "!") && s.returns[0].alias == s.args[0].alias
}

// fixed is the call that writes down an argument of which ops.txt gives the value.
func fixed(value string) (string, error) {
	if value == "none" {
		return "none()", nil
	}
	if value == "true" || value == "false" {
		return "bool(" + value + ")", nil
	}
	if value == "[]" {
		return "ints(nil)", nil
	}
	if _, err := strconv.Atoi(value); err == nil {
		return "int(" + value + ")", nil
	}
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return "float(" + value + ")", nil
	}
	if token.IsIdentifier(value) {
		return fmt.Sprintf("string(%q)", value), nil
	}
	return "", fmt.Errorf("cannot read the value %q", value)
}

// goName is a schema's name in Go's manner: running_mean becomes runningMean.
func goName(name string) string {
	words := strings.Split(strings.Trim(name, "_"), "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	name = strings.Join(words, "")
	if token.IsKeyword(name) || name == "s" || name == "c" {
		return name + "_"
	}
	return name
}
