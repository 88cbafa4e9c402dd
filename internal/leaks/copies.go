package leaks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/table"
)

// content is one file's bytes, wherever they are listed.
type content struct {
	at     []place
	pixels *Pixels
}

// place is an image of a set.
type place struct{ set, image int }

type contents struct {
	sets []Set
	all  []content
}

// gather finds out which images are the same file: by their bytes where they were read, else by where they lie.
func gather(sets []Set) *contents {
	c := &contents{sets: sets}
	known, byFile := map[string]int32{}, map[string]int32{}
	for s := range sets {
		for i := range sets[s].Images {
			m := &sets[s].Images[i]
			key, in := m.Digest, known
			if key == "" {
				key, in = m.File, byFile
			}
			k, ok := in[key]
			if !ok {
				k = int32(len(c.all))
				in[key] = k
				c.all = append(c.all, content{pixels: m.Pixels})
			}
			c.all[k].at = append(c.all[k].at, place{s, i})
		}
	}
	return c
}

func (c *contents) image(p place) *Image { return &c.sets[p.set].Images[p.image] }

// name is an image as examples say it: its set and path.
func (c *contents) name(p place) string { return c.sets[p.set].Name + " " + c.image(p).Path }

// pair is two sets, in the order of their roles; the same one twice for what is within a set.
type pair struct{ a, b int }

func (c *contents) pair(a, b int) pair {
	if cmp.Or(cmp.Compare(order(c.sets[a].Role), order(c.sets[b].Role)), cmp.Compare(a, b)) > 0 {
		a, b = b, a
	}
	return pair{a, b}
}

// tally counts what two sets share, and keeps the first examples.
type tally struct {
	count    int
	examples [][2]place
}

const maxExamples = 3

// keep holds the first examples in the order of the lists, whatever order they come in.
func (t *tally) keep(a, b place) {
	if comparePlaces(a, b) > 0 {
		a, b = b, a
	}
	example := [2]place{a, b}
	at, there := slices.BinarySearchFunc(t.examples, example, func(x, y [2]place) int {
		return cmp.Or(comparePlaces(x[0], y[0]), comparePlaces(x[1], y[1]))
	})
	if there || at == maxExamples {
		return
	}
	t.examples = slices.Insert(t.examples, at, example)
	t.examples = t.examples[:min(len(t.examples), maxExamples)]
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.set, b.set), cmp.Compare(a.image, b.image))
}

func (c *contents) examples(t *tally) (named [][2]string) {
	for _, e := range t.examples {
		named = append(named, [2]string{c.name(e[0]), c.name(e[1])})
	}
	return named
}

// exact finds files that are listed more than once, under one name or several.
func (c *contents) exact() (findings []Finding) {
	shared, both := map[pair]*tally{}, &tally{}
	conflicts := map[int]bool{}
	for _, content := range c.all {
		if len(content.at) < 2 {
			continue
		}
		first := map[int]place{} // by set
		byClass := map[int]place{}
		for _, p := range content.at {
			if before, ok := first[p.set]; ok {
				add(shared, pair{p.set, p.set}, before, p)
			} else {
				for other, before := range first {
					add(shared, c.pair(other, p.set), before, p)
				}
				first[p.set] = p
			}
			if class := c.image(p).Class; class != table.Unlabelled {
				byClass[class] = p
			}
		}
		if len(byClass) == 2 {
			both.count++
			both.keep(byClass[table.Real], byClass[table.Synthetic])
			conflicts[byClass[table.Real].set], conflicts[byClass[table.Synthetic].set] = true, true
		}
	}
	if both.count > 0 {
		findings = append(findings, Finding{Weight: weighBoth, Kind: BothKind, Sets: c.names(conflicts), Count: both.count,
			Title:    fmt.Sprintf("%s once as Real and once as Synthetic", files(both.count, "is listed", "are listed")),
			Meaning:  "One of the labels is wrong; no network can be right on both.",
			Advice:   "Find out which label is right, and take the other row away.",
			Examples: c.examples(both)})
	}
	for _, p := range sortedPairs(shared) {
		findings = append(findings, c.exactFinding(p, shared[p]))
	}
	return findings
}

func add(shared map[pair]*tally, p pair, a, b place) {
	t := of(shared, p)
	t.count++
	t.keep(a, b)
}

func of(shared map[pair]*tally, p pair) *tally {
	if shared[p] == nil {
		shared[p] = &tally{}
	}
	return shared[p]
}

func (c *contents) names(which map[int]bool) (names []string) {
	for i, s := range c.sets {
		if which[i] {
			names = append(names, s.Name)
		}
	}
	return names
}

func sortedPairs(shared map[pair]*tally) (pairs []pair) {
	for p := range shared {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(x, y pair) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	return pairs
}

func (c *contents) exactFinding(p pair, t *tally) Finding {
	a, b := c.sets[p.a], c.sets[p.b]
	f := Finding{Kind: ExactKind, Sets: []string{a.Name, b.Name}, Count: t.count, Examples: c.examples(t)}
	if p.a == p.b {
		f.Sets, f.Weight = []string{a.Name}, weighAgain
		f.Title = fmt.Sprintf("%s: %s another of the same set, byte for byte", a.Name, files(t.count, "repeats", "repeat"))
		f.Meaning = "They count twice in training and in every metric, and make intervals narrower than they are."
		f.Advice = "Keep one row of each."
		return f
	}
	f.Weight = between(a.Role, b.Role, weighExact)
	f.Title = fmt.Sprintf("%s in %s (%s) and in %s (%s), byte for byte", files(t.count, "is", "are"), a.Name, a.Role, b.Name, b.Role)
	f.Meaning, f.Advice = sharedWords(a.Role, b.Role, f.Weight)
	return f
}

// sharedWords say what it means that two sets share images.
func sharedWords(a, b Role, weight float64) (meaning, advice string) {
	switch weight {
	case weighSaid:
		if a != b {
			return fmt.Sprintf("On images of the %s set networks are explained, and scored nowhere.", b), "None is needed."
		}
		return fmt.Sprintf("Both are %s sets, so nothing was learnt from the other; results on them are not independent.", a),
			"Say so where both results stand side by side."
	case weighChosen:
		return "The epoch was chosen on images that the result is then measured on.", "Take them out of one of the two."
	}
	return fmt.Sprintf("The network is measured (%s) on images that it was trained on: memory looks like skill.", b),
		"Take them out of " + string(a) + ", or out of " + string(b) + "; then train again."
}

func files(n int, one, more string) string {
	if n == 1 {
		return "1 file " + one
	}
	return thousands(n) + " files " + more
}

// thousands writes 12,345.
func thousands(n int) string {
	digits := fmt.Sprint(n)
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, groups...), ",")
}
