package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// loadAll is load, with the mistakes of the profiles that are not taken among those of the one that is; where --profile
// names one, that one is looked at alone. The files of the others are not looked for, which may be on another machine.
func (f *specFlags) loadAll(path string) (*spec.Document, *graph.Graph, error) {
	doc, g, err := f.load(path)
	var taken diag.Error
	if f.profile != "" || err != nil && !errors.As(err, &taken) {
		return doc, g, err
	}
	profile, names := f.profiles(path)
	others := perProfile{}
	for _, name := range names {
		if name == profile {
			continue
		}
		alone := specFlags{set: f.set, profile: name, noFiles: true}
		_, _, err := alone.load(path)
		var mistakes diag.Error
		if err != nil && !errors.As(err, &mistakes) {
			return nil, nil, err
		}
		for _, d := range mistakes.Diagnostics {
			if !strings.HasPrefix(d.Pos.File, setFlag) { // which was given for the profile that is taken
				others.add(d, name)
			}
		}
	}
	if len(others.all) == 0 {
		return doc, g, err
	}
	var list diag.List
	for _, d := range taken.Diagnostics {
		list.Add(d.Pos, d.Code, "%s", d.Message)
	}
	for _, d := range others.all {
		if !slices.Contains(taken.Diagnostics, d) {
			list.Add(d.Pos, d.Code, "%s", d.Message+others.note(d))
		}
	}
	if err := list.Err(); err != nil {
		return nil, nil, wrong(err)
	}
	return doc, g, err
}

// setFlag begins the places in an argument of --set.
const setFlag = "--set "

// profiles are those that a spec declares, and the one that is taken.
func (f *specFlags) profiles(path string) (taken string, names []string) {
	doc, _ := f.read(path)
	if doc == nil {
		return "", nil
	}
	return doc.Profile, doc.ProfileNames
}

// perProfile are mistakes, each once, with the profiles that have it.
type perProfile struct {
	all []diag.Diagnostic
	of  map[diag.Diagnostic][]string
}

func (f *perProfile) add(d diag.Diagnostic, profile string) {
	if f.of == nil {
		f.of = map[diag.Diagnostic][]string{}
	}
	if f.of[d] == nil {
		f.all = append(f.all, d)
	}
	f.of[d] = append(f.of[d], profile)
}

// note says which profiles have a mistake.
func (f *perProfile) note(d diag.Diagnostic) string {
	names := f.of[d]
	switch n := len(names); {
	case n == 1:
		return fmt.Sprintf(" (in the profile %q)", names[0])
	case n > 5:
		names = append(slices.Clone(names[:4]), fmt.Sprintf("and %d more", n-4))
	}
	return fmt.Sprintf(" (in the profiles %s)", strings.Join(names, ", "))
}
