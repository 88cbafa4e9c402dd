package human

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// trial is one trial whose truth is known.
type trial struct {
	study.Row
	person, item, group int  // numbers in data
	signal              bool // the image is synthetic; of a pair the left one is
	said                bool // ... is what was answered
}

func (t *trial) right() bool { return t.signal == t.said }

// data is the trials of a study, with the names of what they are numbered by.
type data struct {
	people, items, groups []string
	trials                []trial // without attention checks
	checks                []study.Row
	pairs                 bool
}

// known is what lists and scores say of images, by their path.
type known struct{ label, group map[string]string }

// fromLists reads labels and groups from lists.
func fromLists(lists []experiment.List, group string) (known, error) {
	k := known{map[string]string{}, map[string]string{}}
	for _, l := range lists {
		rows, err := l.Read()
		if err != nil {
			return k, err
		}
		for _, r := range rows.Rows {
			path := study.CleanPath(r.Path)
			if r.Class >= 0 {
				k.label[path] = []string{study.Real, study.Synthetic}[r.Class]
			}
			if v, ok := rows.Value(r, group); ok {
				k.group[path] = v
			}
		}
	}
	return k, nil
}

// add takes a label in, and says if another is known.
func (k known) add(path, label string) error {
	if have := k.label[path]; have != "" && have != label {
		return fmt.Errorf("%s is %s here and %s elsewhere", path, label, have)
	}
	k.label[path] = label
	return nil
}

// gather makes the rows of a trials file into data.
func gather(file string, rows []study.Row, k known) (*data, error) {
	d := &data{}
	person, item, group := numbering{}, numbering{}, numbering{}
	seen := map[string]int{}
	for _, r := range rows {
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("%s:%d: %s", file, r.Line, fmt.Sprintf(format, args...))
		}
		if r.Check != "" {
			person.of(r.Participant)
			d.checks = append(d.checks, r)
			continue
		}
		if d.pairs = r.Pair != ""; len(d.trials) > 0 && d.pairs != (d.trials[0].Pair != "") {
			return nil, wrong("single images and pairs in one file; take one of the two")
		}
		if r.Label != "" {
			if err := k.add(r.Image, r.Label); err != nil {
				return nil, wrong("%v", err)
			}
		}
		label := k.label[r.Image]
		if d.pairs && label == "" && k.label[r.Pair] != "" {
			label = opposite(k.label[r.Pair])
		}
		if label == "" {
			return nil, wrong("whether %s is real is not known: the file has no label, and neither has the data set of `set` nor a score", r.Image)
		}
		if d.pairs && k.label[r.Pair] == label {
			return nil, wrong("%s and %s are both %s, a pair is one of each", r.Image, r.Pair, label)
		}
		t := trial{Row: r, signal: label == study.Synthetic, said: r.Answer == study.Synthetic}
		t.Label = label
		name := r.Image
		if d.pairs {
			name = strings.Join([]string{t.real(), t.synthetic()}, " and ")
		}
		once := fmt.Sprintf("%s\x00%s\x00%t", r.Participant, name, r.Annotated)
		if line := seen[once]; line > 0 {
			return nil, wrong("%s answered for %s in line %d already, in the same condition", r.Participant, name, line)
		}
		seen[once] = r.Line
		if t.Group == "" {
			t.Group = k.group[t.about()]
		}
		t.person, t.item, t.group = person.of(r.Participant), item.of(name), group.of(t.Group)
		d.trials = append(d.trials, t)
	}
	if len(d.trials) == 0 {
		return nil, fmt.Errorf("%s: no trials beside attention checks", file)
	}
	d.people, d.items, d.groups = person.names(), item.names(), group.names()
	return d, nil
}

func opposite(label string) string {
	if label == study.Real {
		return study.Synthetic
	}
	return study.Real
}

// synthetic is the synthetic image of a pair, and real the other one.
func (t *trial) synthetic() string {
	if t.signal {
		return t.Image
	}
	return t.Pair
}

func (t *trial) real() string {
	if t.signal {
		return t.Pair
	}
	return t.Image
}

// about is the image whose group is the trial's: of a pair the synthetic one.
func (t *trial) about() string {
	if t.Pair == "" {
		return t.Image
	}
	return t.synthetic()
}

// numbering numbers names in the order in which they come.
type numbering map[string]int

func (n numbering) of(name string) int {
	at, ok := n[name]
	if !ok {
		at = len(n)
		n[name] = at
	}
	return at
}

func (n numbering) names() []string {
	names := make([]string, len(n))
	for name, at := range n {
		names[at] = name
	}
	return names
}

// conditions of the trials, free first.
func (d *data) conditions() (names []string) {
	for _, c := range []string{study.Free, study.Annotated} {
		if slices.ContainsFunc(d.trials, func(t trial) bool { return condition(t.Annotated) == c }) {
			names = append(names, c)
		}
	}
	return names
}

func condition(annotated bool) string {
	if annotated {
		return study.Annotated
	}
	return study.Free
}
