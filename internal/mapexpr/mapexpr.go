// Package mapexpr computes a saliency map from others, cell by cell: max(human, 0.5 * parts).
//
// The language is a small part of expr-lang's, whose parser reads it: names of maps, numbers, + - * /, comparisons, && || !,
// ?: and the functions min, max (of two or more), clip(x, low, high) and abs. A map whose name is no identifier is
// $env["all-parts"]. Maps have values of 0 to 1; what is true is 1, what is false 0, and a condition holds where it is not
// 0. A division by zero gives 0. The result is clipped to 0 to 1.
//
// An expression has at most MaxNodes parts, and each is computed once a cell: the work is known beforehand.
package mapexpr

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"

	"github.com/cyborg-run/cyborg-run/pipeline/expression"
)

// The limits of an expression.
const (
	MaxText  = 4 << 10 // bytes
	MaxNodes = 256     // operators, functions, names and numbers
)

// Program is an expression that was understood. It may be used by any number of goroutines.
type Program struct {
	names []string
	cell  eval
}

// eval computes a part of the expression for all cells at once: maps are in the order of the names.
type eval func(maps [][]float64, cells int) []float64

// Names are the maps that the expression reads, each once, in the order of their first use.
func (p *Program) Names() []string { return p.names }

// Compile reads an expression over maps of those names. The error says where it is wrong.
func Compile(text string, maps []string) (*Program, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("combine: %d bytes are too many for an expression; at most %d are read", len(text), MaxText)
	}
	config := conf.CreateNew()
	config.MaxNodes = MaxNodes
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		wrong := expression.Explain(text, err)
		if wrong.Reason == expression.TooMuch {
			return nil, fmt.Errorf("combine: %s: it has more than %d parts", text, MaxNodes)
		}
		return nil, fmt.Errorf("combine: %s: column %d: %w", text, 1+utf8.RuneCountInString(text[:wrong.Offset]), wrong)
	}
	c := compiler{text: text, maps: maps, program: &Program{}}
	cell, err := c.compile(tree.Node)
	if err != nil {
		return nil, err
	}
	c.program.cell = cell
	return c.program, nil
}

// Floats computes the expression for maps with as many cells each, in the order of Names, in [0, 1].
func (p *Program) Floats(maps [][]float64) []float64 {
	cells := 0
	if len(maps) > 0 {
		cells = len(maps[0])
	}
	out := slices.Clone(p.cell(maps, cells)) // which may be one of the maps
	for i, v := range out {
		out[i] = min(max(v, 0), 1)
	}
	return out
}

// Bytes is Floats for maps of 0 to 255, rounded to such.
func (p *Program) Bytes(maps [][]byte) []byte {
	floats := make([][]float64, len(maps))
	for k, m := range maps {
		floats[k] = make([]float64, len(m))
		for i, v := range m {
			floats[k][i] = float64(v) / 255
		}
	}
	values := p.Floats(floats)
	out := make([]byte, len(values))
	for i, v := range values {
		out[i] = byte(math.Round(255 * v))
	}
	return out
}
