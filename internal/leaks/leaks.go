// Package leaks looks for what gives a label away, or a test set to a training, without anybody having looked at a face.
//
// Terms: a set is one data set of a spec, with its role (training, validation or test). A fact is one thing that a file
// says about how it was made: its format, quantisation tables, size, mean colour and others (Facts). A fact leaks where a
// decision tree of depth 2 that sees nothing else tells Synthetic from Real, in images that it was not grown on. Copies
// are exact where all bytes are the same, near where two perceptual hashes are. A finding is one leak with its weight: what
// a fact's AUC is, or on the same scale, by the table in weights.go, how bad copies and names are.
//
// Heads of files are read here in pure Go (ReadHead); pixels are decoded elsewhere, and Look measures them.
package leaks

import (
	"cmp"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/table"
)

// Role is what a set is for.
type Role string

// The roles, in the order in which they see data.
const (
	Training   Role = "training"
	Validation Role = "validation"
	Test       Role = "test"
	Shown      Role = "shown" // networks are explained on it, and scored on it nowhere
)

// Before tells whether a role counts more than another: a set that networks are trained on is a training set, whatever else
// is done with it.
func (r Role) Before(other Role) bool { return order(r) < order(other) }

// Set is one data set.
type Set struct {
	Name   string
	Role   Role
	With   []string // sets whose images it is scored with
	Images []Image
	Absent string // why its list could not be read; it then has no images
}

// Image is one row of a set's list with what is known of its file.
type Image struct {
	Path   string  // as in the list
	File   string  // the same for the same file alone: root and path
	Class  int     // table.Real, table.Synthetic or table.Unlabelled
	Digest string  // of its bytes; "" where nobody read them
	Head   *Head   // nil where nobody read it, or it is bad
	Pixels *Pixels // nil where nobody decoded it, or it is bad
	Bad    string  // why it cannot be read
}

// Report is all that was found.
type Report struct {
	Sets        []SetReport  `json:"sets"`
	Findings    []Finding    `json:"findings"`    // worst first
	Predictions []Prediction `json:"predictions"` // every fact of every set with both classes
	Read        string       `json:"read"`        // what was looked at: Names, Heads or Everything
}

// What Report.Read can be.
const (
	Names      = "names"
	Heads      = "heads"
	Everything = "pixels"
)

// Finding is one leak.
type Finding struct {
	Weight   float64     `json:"weight"` // 0.5 (means nothing) to 1 (no secret left)
	Level    Level       `json:"level"`
	Kind     Kind        `json:"kind"`
	Sets     []string    `json:"sets"`
	Fact     string      `json:"fact,omitempty"`
	Also     []string    `json:"also,omitempty"` // facts that tell the same images apart
	Count    int         `json:"count,omitempty"`
	Title    string      `json:"title"`
	Meaning  string      `json:"meaning"`
	Advice   string      `json:"advice"`
	Examples [][2]string `json:"examples,omitempty"` // pairs of paths, or of a class and its values
}

// Kind is what a finding is about.
type Kind string

// The kinds of finding.
const (
	FactKind  Kind = "fact"       // a fact predicts the label
	BothKind  Kind = "both"       // one file with both labels
	ExactKind Kind = "exact copy" // the same bytes, or the same file listed twice
	NearKind  Kind = "near copy"  // nearly the same picture
	NameKind  Kind = "name"       // the same name for different files
)

// Level puts a weight in a word.
type Level string

// The levels and where they begin.
const (
	Leak     Level = "leak"    // weight 0.75
	Warning  Level = "warning" // 0.6
	Note     Level = "note"
	leakFrom       = 0.75
	warnFrom       = 0.6
)

func level(weight float64) Level {
	switch {
	case weight >= leakFrom:
		return Leak
	case weight >= warnFrom:
		return Warning
	}
	return Note
}

// SetReport describes one set.
type SetReport struct {
	Name     string        `json:"name"`
	Role     Role          `json:"role"`
	Images   int           `json:"images"`
	Absent   string        `json:"absent,omitempty"`
	Classes  []ClassReport `json:"classes"`
	BadCount int           `json:"bad_count,omitempty"`
	Bad      []BadImage    `json:"bad,omitempty"` // the first of them
}

// BadImage is a file that could not be read.
type BadImage struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

const maxBad = 20

// Examine looks for every kind of leak in what the sets hold.
func Examine(sets []Set, read string) *Report {
	r := &Report{Read: read, Findings: []Finding{}, Predictions: []Prediction{}}
	for _, s := range sets {
		r.Sets = append(r.Sets, describe(s))
	}
	r.facts(sets)
	c := gather(sets)
	r.Findings = append(r.Findings, c.exact()...)
	r.Findings = append(r.Findings, c.near()...)
	r.Findings = append(r.Findings, sameNames(sets)...)
	for i := range r.Findings {
		r.Findings[i].Level = level(r.Findings[i].Weight)
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(b.Weight, a.Weight) })
	return r
}

// Over is the findings whose weight is above a threshold.
func (r *Report) Over(weight float64) (over []Finding) {
	for _, f := range r.Findings {
		if f.Weight > weight {
			over = append(over, f)
		}
	}
	return over
}

func describe(s Set) SetReport {
	d := SetReport{Name: s.Name, Role: s.Role, Images: len(s.Images), Absent: s.Absent, Classes: []ClassReport{}}
	byClass := map[int][]*Image{}
	for i := range s.Images {
		m := &s.Images[i]
		byClass[m.Class] = append(byClass[m.Class], m)
		if m.Bad != "" {
			if d.BadCount++; d.BadCount <= maxBad {
				d.Bad = append(d.Bad, BadImage{m.Path, m.Bad})
			}
		}
	}
	for _, class := range []int{table.Real, table.Synthetic, table.Unlabelled} {
		if images := byClass[class]; len(images) > 0 {
			d.Classes = append(d.Classes, describeClass(className(class), images))
		}
	}
	return d
}

func className(class int) string {
	if class == table.Unlabelled {
		return "without label"
	}
	return table.ClassNames[class]
}
