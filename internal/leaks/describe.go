package leaks

import (
	"cmp"
	"fmt"
	"slices"
)

// ClassReport is what the images of one class of a set are like.
type ClassReport struct {
	Class  string      `json:"class"`
	Images int         `json:"images"`
	Facts  []FactShare `json:"facts"`
}

// FactShare is how a fact is distributed: its commonest words, or three quantiles of its numbers.
type FactShare struct {
	Fact      string      `json:"fact"`
	Known     int         `json:"known"`            // images of which it is known
	Values    int         `json:"values,omitempty"` // different words
	Common    []Share     `json:"common,omitempty"`
	Quantiles *[3]float64 `json:"quantiles,omitempty"` // 5 %, 50 %, 95 %
	Text      string      `json:"-"`
}

// Share is a word and how many images have it.
type Share struct {
	Word  string `json:"word"`
	Count int    `json:"count"`
}

func describeClass(name string, images []*Image) ClassReport {
	c := ClassReport{Class: name, Images: len(images), Facts: []FactShare{}}
	for i := range Facts {
		if share, ok := distribution(&Facts[i], images); ok {
			c.Facts = append(c.Facts, share)
		}
	}
	return c
}

// mostCommon is how many words of a fact are kept.
const mostCommon = 5

func distribution(f *Fact, images []*Image) (FactShare, bool) {
	s := FactShare{Fact: f.Name}
	if f.word == nil {
		var values []float32
		for _, m := range images {
			if v, ok := f.number(m); ok {
				values = append(values, v)
			}
		}
		if s.Known = len(values); s.Known == 0 {
			return s, false
		}
		slices.Sort(values)
		at := func(q float64) float64 { return float64(values[int(q*float64(len(values)-1))]) }
		s.Quantiles = &[3]float64{at(0.05), at(0.5), at(0.95)}
		s.Text = f.show(s.Quantiles[1])
		if s.Quantiles[0] != s.Quantiles[2] {
			s.Text += fmt.Sprintf(" (%s to %s)", f.show(s.Quantiles[0]), f.show(s.Quantiles[2]))
		}
		return s, true
	}
	counts := map[string]int{}
	for _, m := range images {
		if word, ok := f.word(m); ok {
			counts[word]++
			s.Known++
		}
	}
	for word, n := range counts {
		s.Common = append(s.Common, Share{shown(word), n})
	}
	s.Values = len(s.Common)
	text := largest(s.Common, s.Known)
	for i, part := range text {
		if i > 0 {
			s.Text += ", "
		}
		s.Text += part
	}
	s.Common = s.Common[:min(len(s.Common), mostCommon)]
	return s, s.Known > 0
}

// largest sorts shares, the largest first, and says the first three in percent.
func largest(shares []Share, of int) (text []string) {
	slices.SortFunc(shares, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Word, b.Word))
	})
	const most = 3
	rest := of
	for i, s := range shares {
		if i == most || s.Count == 0 {
			break
		}
		text = append(text, s.Word+" "+percent(s.Count, of))
		rest -= s.Count
	}
	if rest > 0 {
		text = append(text, "others "+percent(rest, of))
	}
	return text
}

func percent(n, of int) string {
	return fmt.Sprintf("%.4g %%", 100*float64(n)/float64(of))
}
