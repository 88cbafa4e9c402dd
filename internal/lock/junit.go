package lock

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The JUnit XML that CI systems read: <testsuites><testsuite><testcase><failure/></testcase>... A failure is of what was
// judged, an error of what could not be.
type (
	suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Suites   []suite  `xml:"testsuite"`
	}
	suite struct {
		Name       string      `xml:"name,attr"`
		Tests      int         `xml:"tests,attr"`
		Failures   int         `xml:"failures,attr"`
		Errors     int         `xml:"errors,attr"`
		Skipped    int         `xml:"skipped,attr"`
		Properties *properties `xml:"properties"`
		Cases      []testcase  `xml:"testcase"`
	}
	properties struct {
		All []property `xml:"property"`
	}
	property struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	testcase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Failure *failure `xml:"failure,omitempty"`
		Error   *failure `xml:"error,omitempty"`
		Skipped *skipped `xml:"skipped,omitempty"`
	}
	failure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	skipped struct {
		Message string `xml:"message,attr"`
	}
)

// JUnit writes the report as JUnit XML: a suite for the spec and its data, one for outputs, metrics, tests over seeds and
// assertions each, a case for everything that was judged. What is not judged is a skipped case.
func (r *Report) JUnit(w io.Writer) error {
	all := suites{Name: "cyborg-run check " + r.Run}
	add := func(name string, cases []testcase) { all.add(r.Run+" "+name, cases, r.Changes.Environment) }
	add("spec and data", r.junitChanges())
	add("outputs", r.junitOutputs())
	add("metrics", r.junitMetrics())
	add("seeds", r.junitSeeds())
	if r.Unstated != "" {
		add("tolerances", []testcase{{Class: r.Run, Name: "tolerances are stated", Error: fail("tolerance", r.Unstated, r)}})
	}
	var assertions []testcase
	for _, a := range r.Assertions {
		assertions = append(assertions, testcase{Class: r.Run, Name: a, Failure: fail("assertion", a, r)})
	}
	add("assertions", assertions)
	return all.write(w)
}

// NotDone is what kept a run from being judged.
type NotDone struct{ Name, Reason string }

// WriteErrors writes, in place of a report, why there is none: a case with an error for each.
func WriteErrors(w io.Writer, run string, causes []NotDone) error {
	all := suites{Name: "cyborg-run check " + run}
	var cases []testcase
	for _, c := range causes {
		first, _, _ := strings.Cut(c.Reason, "\n")
		cases = append(cases, testcase{Class: run, Name: c.Name, Error: &failure{Message: first, Type: "not done", Text: c.Reason}})
	}
	all.add(run+" run", cases, nil)
	return all.write(w)
}

// add adds a suite, and counts what is in it; the environment's changes are its properties.
func (all *suites) add(name string, cases []testcase, environment []Change) {
	if len(cases) == 0 {
		return
	}
	s := suite{Name: clean(name), Tests: len(cases), Cases: cases}
	for i, c := range cases {
		cases[i].Class, cases[i].Name = clean(c.Class), clean(c.Name)
		if c.Failure != nil {
			s.Failures++
			c.Failure.clean()
		}
		if c.Error != nil {
			s.Errors++
			c.Error.clean()
		}
		if c.Skipped != nil {
			s.Skipped++
			c.Skipped.Message = clean(c.Skipped.Message)
		}
	}
	for _, c := range environment {
		if s.Properties == nil {
			s.Properties = &properties{}
		}
		s.Properties.All = append(s.Properties.All, property{clean(c.Name), clean(or(c.Was) + " -> " + or(c.Now))})
	}
	all.Tests, all.Failures, all.Errors, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors, all.Skipped+s.Skipped
	all.Suites = append(all.Suites, s)
}

func (all *suites) write(w io.Writer) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// fail is a failure with what differs in the environment behind it.
func fail(kind, message string, r *Report) *failure {
	lines := []string{message}
	for _, c := range r.Changes.Environment {
		lines = append(lines, fmt.Sprintf("environment: %s %s -> %s", c.Name, or(c.Was), or(c.Now)))
	}
	return &failure{Message: message, Type: kind, Text: strings.Join(lines, "\n")}
}

func (r *Report) junitChanges() (cases []testcase) {
	for _, part := range []struct {
		name    string
		changes []Change
	}{{"spec", r.Changes.Settings}, {"data", r.Changes.Data}} {
		c := testcase{Class: r.Run, Name: part.name + " is that of the lock"}
		var lines []string
		for _, change := range part.changes {
			if change.Results {
				lines = append(lines, fmt.Sprintf("%s %s -> %s", change.Name, or(change.Was), or(change.Now)))
			}
		}
		if len(lines) > 0 {
			c.Failure = fail("changed", part.name+" changed: "+lines[0], r)
			c.Failure.Text = strings.Join(lines, "\n")
		}
		cases = append(cases, c)
	}
	for _, name := range r.Missing {
		cases = append(cases, testcase{Class: r.Run, Name: name, Failure: fail("missing", "the run has no node "+name+", which is in the lock", r)})
	}
	return cases
}

func (r *Report) junitOutputs() (cases []testcase) {
	for _, o := range r.Outputs {
		c := testcase{Class: o.Node, Name: o.File + ": the same bytes"}
		switch {
		case o.Same:
		case !o.Demanded:
			c.Skipped = &skipped{"made under other conditions: equal bytes are not asked for"}
		default:
			message := fmt.Sprintf("%s of %s: %s in the lock, %s now", o.File, o.Node, or(o.Was), or(o.Now))
			if o.Behind != "" {
				message += "; it takes in " + o.Behind + ", which differs"
			}
			c.Failure = fail("bytes", message, r)
		}
		cases = append(cases, c)
	}
	return cases
}

func (r *Report) junitMetrics() (cases []testcase) {
	for _, m := range r.Metrics {
		c := testcase{Class: m.Node, Name: m.Metric}
		switch {
		case m.Allowed == nil:
			c.Skipped = &skipped{fmt.Sprintf("no tolerance is stated: %s -> %s", value(m.Was), value(m.Now))}
		case !m.Held:
			c.Failure = fail("metric", m.words("; "), r)
		}
		cases = append(cases, c)
	}
	return cases
}

func (r *Report) junitSeeds() (cases []testcase) {
	for _, t := range r.Seeds {
		c := testcase{Class: t.name(), Name: t.Metric + " over seeds: " + t.Test}
		if !t.Held {
			c.Failure = fail(t.Test, t.words("; "), r)
		}
		cases = append(cases, c)
	}
	return cases
}

func (f *failure) clean() { f.Message, f.Text = clean(f.Message), clean(f.Text) }

// clean leaves out what XML 1.0 cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r >= ' ' && r != utf8.RuneError && r != '\ufffe' && r != '\uffff' {
			return r
		}
		return '?'
	}, s)
}
