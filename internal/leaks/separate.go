package leaks

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// leastAUC is the AUC below which a fact is no finding, however sure it is.
const leastAUC = 0.55

// facts predicts the label of every set with both classes, itself and what it is scored with, by each fact alone.
func (r *Report) facts(sets []Set) {
	byName := map[string]*Set{}
	for i := range sets {
		byName[sets[i].Name] = &sets[i]
	}
	for _, s := range sets {
		name, images := s.Name, pointers(s.Images)
		for _, with := range s.With {
			if other := byName[with]; other != nil {
				name += " with " + with
				images = append(images, pointers(other.Images)...)
			}
		}
		r.predict(name, images)
	}
}

func pointers(images []Image) []*Image {
	all := make([]*Image, len(images))
	for i := range images {
		all[i] = &images[i]
	}
	return all
}

// found is whether a prediction is a finding: strong enough to matter, and too strong for chance. Of the smallest sets,
// where no AUC is that many deviations away, one that is nearly perfect is.
func (p Prediction) found() bool {
	const nearlyPerfect = 0.95
	return p.AUC >= leastAUC && p.AUC > min(0.5+surprise*p.SD, nearlyPerfect)
}

type separation struct {
	Prediction
	*column
}

func (r *Report) predict(name string, images []*Image) {
	v := newView(name, images)
	results := make([]separation, len(Facts))
	var workers sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range Facts {
		workers.Go(func() {
			room <- struct{}{}
			c := v.column(&Facts[i])
			if auc, ok := c.predict(); ok {
				results[i] = separation{Prediction{name, c.fact.Name, auc, chance(c.n), c.n[0], c.n[1]}, c}
			}
			<-room
		})
	}
	workers.Wait()
	var found []separation
	for _, s := range results {
		if s.column == nil {
			continue
		}
		r.Predictions = append(r.Predictions, s.Prediction)
		if s.found() {
			found = append(found, s)
		}
	}
	r.Findings = append(r.Findings, fold(found)...)
}

// fold makes findings of facts, the best predictors first, and puts those together of which one follows from the other.
func fold(found []separation) (findings []Finding) {
	const alike = 0.01 // AUCs that need no two findings
	slices.SortStableFunc(found, func(a, b separation) int { return cmp.Compare(math.Round(b.AUC/alike), math.Round(a.AUC/alike)) })
	var heads []separation
	for _, s := range found {
		at := slices.IndexFunc(heads, func(h separation) bool {
			return math.Abs(h.AUC-s.AUC) <= alike && (follows(h.column, s.column) || follows(s.column, h.column))
		})
		if at >= 0 {
			findings[at].Also = append(findings[at].Also, s.Fact)
			continue
		}
		heads = append(heads, s)
		findings = append(findings, s.finding())
	}
	for i := range findings {
		if also := findings[i].Also; len(also) > 0 {
			findings[i].Meaning += " The same images differ in " + strings.Join(also, ", ") + "."
		}
	}
	return findings
}

// follows is whether the first column decides the second.
func follows(a, b *column) bool {
	decided := map[int32]int32{}
	for i, k := range a.which {
		if k < 0 || b.which[i] < 0 {
			continue
		}
		if other, ok := decided[k]; ok && other != b.which[i] {
			return false
		}
		decided[k] = b.which[i]
	}
	return true
}

func (s separation) finding() Finding {
	f := Finding{Weight: s.AUC, Kind: FactKind, Sets: []string{s.Set}, Fact: s.Fact,
		Title:   fmt.Sprintf("%s: %s alone tells Synthetic from Real with an AUC of %.3f", s.Set, s.Fact, s.AUC),
		Meaning: fmt.Sprintf("A network may learn this in place of what is in the face: %s.", s.column.fact.Why),
		Advice:  advice(s.Fact),
	}
	for class, name := range []string{"Real", "Synthetic"} {
		f.Examples = append(f.Examples, [2]string{name, s.column.describe(class)})
	}
	return f
}

func advice(fact string) string {
	switch fact {
	case "mean red", "mean green", "mean blue":
		return "Look at the pictures (cyborg-run data show). If background, crop or colour balance differ, take other images or treat both classes alike; what the generator itself does may stay, and should be said."
	case "width", "height", "aspect":
		return "Crop and resize both classes by the same program to the same size, from sources that are at least as large."
	case "bytes a pixel":
		return "Where format and quality are the same, the pictures themselves are smoother, or noisier. Treat both classes alike in resizing and compressing; what is the generator's own may stay, and should be said."
	}
	return "Save both classes again by one program with the same settings, best from the originals: decode, crop, resize, write PNG. Where one class was JPEG before, compress the other alike first: traces of JPEG stay in the pixels."
}

// describe says what values a class has.
func (c *column) describe(class int) string {
	of := func(k int) (n int) {
		for _, fold := range c.counts[k] {
			n += int(fold[class])
		}
		return n
	}
	if c.fact.word == nil {
		var quantiles []string
		for _, q := range []float64{0.05, 0.5, 0.95} {
			seen, want := 0, q*float64(c.n[class])
			for k := range c.values {
				if seen += of(k); float64(seen) >= want {
					quantiles = append(quantiles, c.fact.show(float64(c.values[k])))
					break
				}
			}
		}
		if quantiles[0] == quantiles[2] {
			return quantiles[0]
		}
		return fmt.Sprintf("%s (5 %% below %s, 5 %% above %s)", quantiles[1], quantiles[0], quantiles[2])
	}
	counts := make([]Share, len(c.words))
	for k, word := range c.words {
		counts[k] = Share{shown(word), of(k)}
	}
	return strings.Join(largest(counts, c.n[class]), ", ")
}
