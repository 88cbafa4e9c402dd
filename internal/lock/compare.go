package lock

import (
	"maps"
	"slices"
	"strconv"
)

// Change is one thing that is not the same in two locks. Was or Now is empty where only the other has it.
type Change struct {
	Name    string `json:"name"` // train.epochs, data.train, libtorch
	Was     string `json:"was"`
	Now     string `json:"now"`
	WasAt   string `json:"was_at,omitempty"` // file:line:column
	NowAt   string `json:"now_at,omitempty"`
	Results bool   `json:"results"` // other results are to be expected from it
}

// Comparison is what differs between two locks in what they were made of.
type Comparison struct {
	Settings    []Change `json:"settings"`
	Data        []Change `json:"data"`
	Environment []Change `json:"environment"`
}

// Compare looks at what both locks know: a part that one of them lacks altogether is not compared.
func Compare(was, now *Lock) Comparison {
	c := Comparison{Settings: []Change{}, Data: []Change{}, Environment: []Change{}}
	if len(was.Settings) > 0 && len(now.Settings) > 0 {
		c.Settings = compareSettings(was.Settings, now.Settings)
	}
	if was.Data != nil && now.Data != nil {
		c.Data = compareData(was.Data, now.Data)
	}
	if len(was.Environment) > 0 && len(now.Environment) > 0 {
		for _, key := range sorted(was.Environment, now.Environment) {
			if a, b := was.Environment[key], now.Environment[key]; a != b {
				c.Environment = append(c.Environment, Change{Name: key, Was: a, Now: b})
			}
		}
	}
	return c
}

// Changed tells whether other results are to be expected: another spec, or other data.
func (c Comparison) Changed() bool {
	return slices.ContainsFunc(slices.Concat(c.Settings, c.Data), func(one Change) bool { return one.Results })
}

func compareSettings(was, now Settings) []Change {
	changes := []Change{}
	old := map[string]Setting{}
	for _, s := range was {
		old[s.Path] = s
	}
	for _, s := range now {
		before, had := old[s.Path]
		delete(old, s.Path)
		if before.Value != s.Value {
			c := Change{Name: s.Path, Was: before.Value, Now: s.Value, NowAt: s.Pos.String(), Results: role(s.Path) == counts}
			if had {
				c.WasAt = before.Pos.String()
			}
			changes = append(changes, c)
		}
	}
	for _, s := range was {
		if _, gone := old[s.Path]; gone {
			changes = append(changes, Change{Name: s.Path, Was: s.Value, WasAt: s.Pos.String(), Results: role(s.Path) == counts})
		}
	}
	return changes
}

func compareData(was, now []Data) []Change {
	changes := []Change{}
	byName := func(all []Data) map[string]Data {
		m := map[string]Data{}
		for _, d := range all {
			m[d.Name] = d
		}
		return m
	}
	a, b := byName(was), byName(now)
	for _, name := range sorted(a, b) {
		if a[name].Digest != b[name].Digest {
			changes = append(changes, Change{Name: name, Was: a[name].words(), Now: b[name].words(), Results: true})
		}
	}
	return changes
}

func (d Data) words() string {
	if d.Digest == "" {
		return ""
	}
	files := strconv.Itoa(d.Files) + " files"
	if d.Files == 1 {
		files = "1 file"
	}
	return files + ", " + d.Digest
}

// sorted are the keys of maps, each once, in order.
func sorted[T any](all ...map[string]T) []string {
	keys := map[string]bool{}
	for _, m := range all {
		for key := range m {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
