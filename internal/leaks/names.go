package leaks

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// sameNames finds different files of one name. Files that are known to be the same are no matter of names.
func sameNames(sets []Set) (findings []Finding) {
	c := &contents{sets: sets}
	byName := map[string][]place{}
	for s := range sets {
		for i := range sets[s].Images {
			name := path.Base(sets[s].Images[i].Path)
			byName[name] = append(byName[name], place{s, i})
		}
	}
	shared := map[pair]*names{}
	for name, at := range byName {
		if len(at) < 2 {
			continue
		}
		done := map[pair]bool{} // a name counts once for each two sets
		for i, p := range at {
			for _, q := range at[:i] {
				key := c.pair(p.set, q.set)
				if done[key] || same(c.image(p), c.image(q)) {
					continue
				}
				done[key] = true
				if shared[key] == nil {
					shared[key] = &names{patterns: map[string]int{}}
				}
				shared[key].add(name, p, q, c.image(p).Digest != "" && c.image(q).Digest != "")
			}
		}
	}
	var pairs []pair
	for p := range shared {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(x, y pair) int { return (x.a-y.a)*len(sets) + x.b - y.b })
	for _, p := range pairs {
		findings = append(findings, shared[p].finding(c, p))
	}
	return findings
}

func same(a, b *Image) bool {
	return a.File == b.File || a.Digest != "" && a.Digest == b.Digest
}

// names are the names that two sets share.
type names struct {
	tally
	different int            // files that were read, and differ
	numbers   int            // names of digits alone
	patterns  map[string]int // names with # for each number
}

var digits = regexp.MustCompile(`[0-9]+`)

func (n *names) add(name string, a, b place, read bool) {
	n.count++
	n.keep(a, b)
	if read {
		n.different++
	}
	if !strings.ContainsFunc(strings.TrimSuffix(name, path.Ext(name)), unicode.IsLetter) {
		n.numbers++
	}
	n.patterns[digits.ReplaceAllString(name, "#")]++
}

// commonest says what most of the names look like.
func (n *names) commonest() string {
	var shares []Share
	for pattern, count := range n.patterns {
		shares = append(shares, Share{pattern, count})
	}
	return strings.Join(largest(shares, n.count), ", ")
}

func (n *names) finding(c *contents, p pair) Finding {
	a, b := c.sets[p.a], c.sets[p.b]
	f := Finding{Kind: NameKind, Sets: []string{a.Name, b.Name}, Count: n.count, Examples: c.examples(&n.tally)}
	if p.a == p.b {
		f.Sets, f.Weight = []string{a.Name}, weighSaid
		f.Title = fmt.Sprintf("%s: %s in several folders (%s)", a.Name, nameWords(n.count), n.commonest())
		f.Meaning = "Whatever is looked up by the file's name alone, as maps by {name} or {stem} are, is given to all of them."
		f.Advice = "Write {path} or {dir} in the patterns of maps and masks, or give the files names of their own."
		return f
	}
	f.Title = fmt.Sprintf("%s in %s (%s) and in %s (%s): %s", nameWords(n.count), a.Name, a.Role, b.Name, b.Role, n.commonest())
	switch {
	case n.different == n.count:
		f.Weight = weighSaid
		f.Meaning = "The files are different, byte for byte; they may still be versions of one picture, which would be said above as near copies where pixels were compared."
		f.Advice = "None is needed, unless maps are looked up by name."
	case n.numbers == n.count:
		f.Weight = weighSaid
		f.Meaning = "The names are numbers, which collections share by chance."
		f.Advice = "Run this with the files at hand, which compares their bytes."
	default:
		f.Weight = between(a.Role, b.Role, weighNames)
		f.Meaning = "A name like these is given once, so they may be the same images"
		if f.Weight == weighNames {
			f.Meaning += ", and the network would be measured on images that it was trained on"
		}
		f.Meaning += ". Nobody compared the files: the same name is no proof."
		f.Advice = "Run this with the files at hand, which compares bytes and pictures; or leave these rows out of " + string(a.Role) + "."
		if f.Weight == weighSaid {
			f.Meaning, f.Advice = sharedWords(a.Role, b.Role, f.Weight)
		}
	}
	return f
}

func nameWords(n int) string {
	if n == 1 {
		return "1 file name is"
	}
	return thousands(n) + " file names are"
}
