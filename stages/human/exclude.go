package human

import (
	"fmt"
	"slices"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/study"
)

// exclude takes out of d what the rules leave out. It returns one line for each rule that is on, and why each participant
// who is out is so.
func (e Exclude) exclude(d *data) (done []results.HumanExclusion, why map[string]string, err error) {
	why = map[string]string{}
	for _, name := range e.Participants {
		if !slices.Contains(d.people, name) {
			return nil, nil, fmt.Errorf("exclude.participants: there is no participant %q", name)
		}
	}
	people := func(rule string, out func(name string) bool) {
		gone := map[string]bool{}
		for _, name := range d.people {
			if why[name] == "" && out(name) {
				gone[name], why[name] = true, rule
			}
		}
		done = append(done, results.HumanExclusion{Rule: rule, Participants: len(gone), Trials: d.drop(func(t *trial) bool { return gone[t.Participant] })})
	}
	trials := func(rule string, out func(*trial) bool) {
		done = append(done, results.HumanExclusion{Rule: rule, Trials: d.drop(out)})
	}
	if len(e.Participants) > 0 {
		people("named in the spec", func(name string) bool { return slices.Contains(e.Participants, name) })
	}
	if e.FailedChecks > 0 {
		_, failed := d.checked()
		people(fmt.Sprintf("failed %d or more attention checks", e.FailedChecks), func(name string) bool { return failed[name] >= e.FailedChecks })
	}
	if e.FasterThan > 0 { // a time that is not known is NaN, and neither fast nor slow
		trials(fmt.Sprintf("answered in less than %g s", e.FasterThan), func(t *trial) bool { return t.Time < e.FasterThan })
	}
	if e.SlowerThan > 0 {
		trials(fmt.Sprintf("answered after more than %g s", e.SlowerThan), func(t *trial) bool { return t.Time > e.SlowerThan })
	}
	if e.MinTrials > 0 {
		left := map[string]int{}
		for _, t := range d.trials {
			left[t.Participant]++
		}
		people(fmt.Sprintf("fewer than %d trials left", e.MinTrials), func(name string) bool { return left[name] < e.MinTrials })
	}
	if len(d.trials) == 0 {
		return nil, nil, fmt.Errorf("the rules of exclude leave no trial")
	}
	return done, why, nil
}

func (d *data) drop(out func(*trial) bool) int {
	before := len(d.trials)
	d.trials = slices.DeleteFunc(d.trials, func(t trial) bool { return out(&t) })
	return before - len(d.trials)
}

// checked counts each participant's attention checks, and those that were failed.
func (d *data) checked() (all, failed map[string]int) {
	all, failed = map[string]int{}, map[string]int{}
	for _, r := range d.checks {
		all[r.Participant]++
		if r.Check == study.Failed {
			failed[r.Participant]++
		}
	}
	return all, failed
}

// renumber gives numbers to those people, images and groups alone that have trials left: nobody else is drawn.
func (d *data) renumber() {
	person, item, group := numbering{}, numbering{}, numbering{}
	for i := range d.trials {
		t := &d.trials[i]
		t.person, t.item, t.group = person.of(t.Participant), item.of(d.items[t.item]), group.of(t.Group)
	}
	d.people, d.items, d.groups = person.names(), item.names(), group.names()
}
