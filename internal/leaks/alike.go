package leaks

import (
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/table"
)

// look is all files with the same hashes and mean colours.
type look struct {
	hashes
	contents []int32 // places in contents.all
	sets     members // in which one of them is listed
	beside   members // in which a near look is
	classes  uint8   // bits of the classes
	across   uint8   // ... of near looks
}

// members is a set of sets.
type members []uint64

func (m members) add(i int)      { m[i/64] |= 1 << (i % 64) }
func (m members) has(i int) bool { return m[i/64]>>(i%64)&1 != 0 }
func (m members) unite(o members) {
	for i, word := range o {
		m[i] |= word
	}
}

// near finds pictures that look the same and are other files. Flat ones have no hash to speak of.
func (c *contents) near() (findings []Finding) {
	looks := c.looks()
	all := make([]hashes, len(looks))
	for i := range looks {
		all[i] = looks[i].hashes
	}
	shared, both := map[pair]*tally{}, &tally{}
	nearPairs(all, func(i, j int) {
		a, b := &looks[i], &looks[j]
		a.beside.unite(b.sets)
		b.beside.unite(a.sets)
		a.across |= b.classes
		b.across |= a.classes
		for _, k := range a.contents[:min(len(a.contents), maxExamples)] {
			for _, l := range b.contents[:min(len(b.contents), maxExamples)] {
				c.keepExamples(shared, both, c.all[k].at, c.all[l].at)
			}
		}
	})
	conflicts := map[int]bool{}
	for i := range looks {
		c.count(&looks[i], shared, both, conflicts)
	}
	if both.count > 0 {
		findings = append(findings, Finding{Weight: weighNearBoth, Kind: NearKind, Sets: c.names(conflicts), Count: both.count,
			Title:    fmt.Sprintf("%s nearly like a file of the other class", files(both.count, "looks", "look")),
			Meaning:  "Either a label is wrong, or synthetic images were made from the very real ones: then all that differs is the generator's trace.",
			Advice:   "Look at the pairs. Keep both of a pair in the same set, so that none is learnt from and tested on.",
			Examples: c.examples(both)})
	}
	for _, p := range sortedPairs(shared) {
		if shared[p].count > 0 {
			findings = append(findings, c.nearFinding(p, shared[p]))
		}
	}
	return findings
}

func (c *contents) looks() []look {
	known := map[hashes]int{}
	var looks []look
	words := (len(c.sets) + 63) / 64
	for k := range c.all {
		content := &c.all[k]
		if content.pixels == nil || content.pixels.Flat {
			continue
		}
		h := hashes{content.pixels.PHash, content.pixels.DHash, content.pixels.Mean}
		i, ok := known[h]
		if !ok {
			i = len(looks)
			known[h] = i
			room := make(members, 2*words)
			looks = append(looks, look{hashes: h, sets: room[:words], beside: room[words:]})
		}
		looks[i].contents = append(looks[i].contents, int32(k))
		for _, p := range content.at {
			looks[i].sets.add(p.set)
			if class := c.image(p).Class; class != table.Unlabelled {
				looks[i].classes |= 1 << class
			}
		}
	}
	return looks
}

// keepExamples keeps a pair of files for each two sets, and for the two classes, that they bring together.
func (c *contents) keepExamples(shared map[pair]*tally, both *tally, a, b []place) {
	for _, p := range a {
		for _, q := range b {
			key := c.pair(p.set, q.set)
			of(shared, key).keep(p, q)
			if x, y := c.image(p).Class, c.image(q).Class; x != y && x != table.Unlabelled && y != table.Unlabelled {
				both.keep(p, q)
			}
		}
	}
}

// count counts each file of a look once for every two sets: those in the later set that are near one in the earlier.
func (c *contents) count(l *look, shared map[pair]*tally, both *tally, conflicts map[int]bool) {
	listed := make([]int, len(c.sets)) // files of this look by set
	var classes [2]int
	for _, k := range l.contents {
		for set := range c.setsOf(k) {
			listed[set]++
		}
		for class, n := range c.classesOf(k) {
			classes[class] += n
		}
	}
	for n, k := range l.contents {
		own, ownClasses := c.setsOf(k), c.classesOf(k)
		if n > 0 {
			c.keepExamples(shared, both, c.all[l.contents[n-1]].at, c.all[k].at)
		}
		for set := range own {
			for other := range c.sets {
				others := listed[other]
				if own[other] {
					others--
				}
				if key := c.pair(other, set); key.b == set && (others > 0 || l.beside.has(other)) {
					of(shared, key).count++
				}
			}
		}
		for class := range ownClasses {
			if ownClasses[class] > 0 && ownClasses[1-class] == 0 && (classes[1-class] > 0 || l.across>>(1-class)&1 != 0) {
				both.count++
				for set := range own {
					conflicts[set] = true
				}
			}
		}
	}
}

func (c *contents) setsOf(k int32) map[int]bool {
	sets := map[int]bool{}
	for _, p := range c.all[k].at {
		sets[p.set] = true
	}
	return sets
}

// classesOf is 1 for each class that a file is listed with.
func (c *contents) classesOf(k int32) (classes [2]int) {
	for _, p := range c.all[k].at {
		if class := c.image(p).Class; class != table.Unlabelled {
			classes[class] = 1
		}
	}
	return classes
}

func (c *contents) nearFinding(p pair, t *tally) Finding {
	a, b := c.sets[p.a], c.sets[p.b]
	f := Finding{Kind: NearKind, Sets: []string{a.Name, b.Name}, Count: t.count, Examples: c.examples(t)}
	if p.a == p.b {
		f.Sets, f.Weight = []string{a.Name}, weighNearAgain
		f.Title = fmt.Sprintf("%s: %s nearly like another of the same set", a.Name, files(t.count, "looks", "look"))
		f.Meaning = "The same picture in other sizes or compressions, frames of one film, or one person in one pose: it counts several times."
		f.Advice = "Look at the examples; keep one of each where they are the same picture."
		return f
	}
	f.Weight = between(a.Role, b.Role, weighNear)
	f.Title = fmt.Sprintf("%s (%s): %s nearly like one of %s (%s)", b.Name, b.Role, files(t.count, "looks", "look"), a.Name, a.Role)
	f.Meaning, f.Advice = sharedWords(a.Role, b.Role, f.Weight)
	f.Advice = "Look at the examples: is it the same picture, resized or compressed again? " + f.Advice
	return f
}
