package spec

import (
	"fmt"
	"strings"
)

// Suggest is `, did you mean "epochs"?` when one of the known words looks like the word, else "".
func Suggest(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf(", did you mean %q?", best)
	}
	return ""
}

// orList is Suggest, or else the list of what there is.
func orList(word string, known []string) string {
	if s := Suggest(word, known); s != "" {
		return s
	}
	switch {
	case len(known) == 0:
		return "; there are none"
	case len(known) > 20:
		return ""
	}
	return "; there are: " + strings.Join(known, ", ")
}

func nearest(word string, known []string) string {
	if word == "" || len(word) > 100 {
		return ""
	}
	best, least := "", 1+max(1, len(word)/3)
	for _, k := range known {
		if k == "" || len(k) > 100 || k == word {
			continue
		}
		d := distance(strings.ToLower(word), strings.ToLower(k))
		if d < least || d == least && best != "" && k[:1] == word[:1] && best[:1] != word[:1] {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete, exchange or swap with a neighbour (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(t)]
}
