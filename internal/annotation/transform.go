package annotation

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// matrix maps (x, y) to (a x + c y + e, b x + d y + f): SVG's matrix(a b c d e f).
type matrix [6]float64

func (m matrix) times(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[2]*n[1], m[1]*n[0] + m[3]*n[1],
		m[0]*n[2] + m[2]*n[3], m[1]*n[2] + m[3]*n[3],
		m[0]*n[4] + m[2]*n[5] + m[4], m[1]*n[4] + m[3]*n[5] + m[5],
	}
}

func (m matrix) apply(v Vec) Vec {
	return Vec{m[0]*v.X + m[2]*v.Y + m[4], m[1]*v.X + m[3]*v.Y + m[5]}
}

func (m matrix) all(points []Vec) []Vec {
	out := make([]Vec, len(points))
	for i, p := range points {
		out[i] = m.apply(p)
	}
	return out
}

// scale is the largest factor by which it stretches either axis.
func (m matrix) scale() float64 { return max(math.Hypot(m[0], m[1]), math.Hypot(m[2], m[3])) }

// parseTransform reads SVG's list of transforms: translate(10 20) rotate(45).
func parseTransform(text string) (matrix, error) {
	m := matrix{1, 0, 0, 1, 0, 0}
	for rest := strings.TrimSpace(text); rest != "" && rest != "none"; rest = strings.TrimLeft(rest, ", \t\r\n") {
		name, after, ok := strings.Cut(rest, "(")
		inside, after, closed := strings.Cut(after, ")")
		values, err := numbers(inside)
		if !ok || !closed || err != nil {
			return m, fmt.Errorf("transform %q cannot be read", text)
		}
		one, ok := transform(strings.TrimSpace(name), values)
		if !ok {
			return m, fmt.Errorf("transform %q: there are matrix, translate, scale, rotate, skewX and skewY, with numbers in brackets", text)
		}
		m, rest = m.times(one), after
	}
	return m, nil
}

func transform(name string, v []float64) (m matrix, ok bool) {
	switch {
	case name == "matrix" && len(v) == 6:
		return matrix(v), true
	case name == "translate" && (len(v) == 1 || len(v) == 2):
		return matrix{1, 0, 0, 1, v[0], append(v, 0)[1]}, true
	case name == "scale" && (len(v) == 1 || len(v) == 2):
		return matrix{v[0], 0, 0, append(v, v[0])[1], 0, 0}, true
	case name == "rotate" && (len(v) == 1 || len(v) == 3):
		sin, cos := math.Sincos(v[0] * math.Pi / 180)
		m = matrix{cos, sin, -sin, cos, 0, 0}
		if len(v) == 3 {
			m = matrix{1, 0, 0, 1, v[1], v[2]}.times(m).times(matrix{1, 0, 0, 1, -v[1], -v[2]})
		}
		return m, true
	case name == "skewX" && len(v) == 1:
		return matrix{1, 0, math.Tan(v[0] * math.Pi / 180), 1, 0, 0}, true
	case name == "skewY" && len(v) == 1:
		return matrix{1, math.Tan(v[0] * math.Pi / 180), 0, 1, 0, 0}, true
	}
	return m, false
}

// numbers reads numbers with blanks or commas between, as SVG writes them: also "1-2" and "1.5.5".
func numbers(text string) (values []float64, err error) {
	s := scanner{text: text}
	for s.more() {
		v, ok := s.number()
		if !ok {
			return nil, fmt.Errorf("%q: numbers are needed", text)
		}
		values = append(values, v)
	}
	return values, nil
}

// scanner reads numbers and letters off a text.
type scanner struct {
	text string
	at   int
}

// more skips blanks and commas and tells whether anything is left.
func (s *scanner) more() bool {
	for s.at < len(s.text) && strings.IndexByte(", \t\r\n\f", s.text[s.at]) >= 0 {
		s.at++
	}
	return s.at < len(s.text)
}

// number reads one that a picture can have.
func (s *scanner) number() (float64, bool) {
	if !s.more() {
		return 0, false
	}
	end, point, digits := s.at, false, false
	if c := s.text[end]; c == '+' || c == '-' {
		end++
	}
	for ; end < len(s.text); end++ {
		c := s.text[end]
		if c == '.' && !point {
			point = true
		} else if c >= '0' && c <= '9' {
			digits = true
		} else {
			break
		}
	}
	if e := end; digits && e < len(s.text) && (s.text[e] == 'e' || s.text[e] == 'E') {
		if e++; e < len(s.text) && (s.text[e] == '+' || s.text[e] == '-') {
			e++
		}
		for ; e < len(s.text) && s.text[e] >= '0' && s.text[e] <= '9'; e++ {
			end = e + 1
		}
	}
	v, err := strconv.ParseFloat(s.text[s.at:end], 64)
	if err != nil || finite(v) != nil {
		return 0, false
	}
	s.at = end
	return v, true
}

// flag reads the 0 or 1 of an arc, which may stand without blanks: "a1 1 0 01 5 5".
func (s *scanner) flag() (bool, bool) {
	if !s.more() || s.text[s.at] != '0' && s.text[s.at] != '1' {
		return false, false
	}
	s.at++
	return s.text[s.at-1] == '1', true
}
