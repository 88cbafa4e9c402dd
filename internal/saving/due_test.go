package saving

import (
	"testing"
	"time"
)

// When a checkpoint is due: by steps whatever it costs, by time and at an epoch's end only where that is cheap.
func TestDue(t *testing.T) {
	for name, c := range map[string]struct {
		rule       Rule
		steps      int // since the last one
		since      time.Duration
		took       time.Duration
		step, ends bool // due between steps, at the end of an epoch
	}{
		"nothing_asked":        {since: time.Hour, ends: true},
		"too_few_steps":        {rule: Rule{Steps: 10}, steps: 9, since: time.Hour, ends: true},
		"steps":                {rule: Rule{Steps: 10}, steps: 10, took: time.Hour, step: true, ends: true},
		"too_early":            {rule: Rule{Every: time.Minute}, since: 50 * time.Second, ends: true},
		"time":                 {rule: Rule{Every: time.Minute}, since: 70 * time.Second, step: true, ends: true},
		"dear":                 {rule: Rule{Every: time.Minute}, since: 70 * time.Second, took: 2 * time.Second},
		"dear_and_long_ago":    {rule: Rule{Every: time.Minute}, since: 110 * time.Second, took: 2 * time.Second, step: true, ends: true},
		"whichever_is_first":   {rule: Rule{Every: time.Minute, Steps: 5}, steps: 6, step: true, ends: true},
		"an_epoch_of_a_moment": {rule: Rule{Every: time.Minute}, took: time.Second},
	} {
		k := &Keeper{rule: c.rule, at: Place{Step: 100}, when: time.Now().Add(-c.since), took: c.took}
		here := Place{Step: 100 + c.steps}
		if step, ends := k.Due(here, false), k.Due(here, true); step != c.step || ends != c.ends {
			t.Errorf("%s: %v between steps, %v at an epoch's end", name, step, ends)
		}
	}
}
