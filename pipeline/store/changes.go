package store

// Change is one part of a key that differs between two keys. Before is empty for a part that is new, After for one that
// is gone.
type Change struct {
	Name          string
	Before, After string
	New, Gone     bool
}

// Changes compares the parts of two keys, in the order of those of the second; what is gone comes last.
func Changes(before, now []Part) []Change {
	old := make(map[string]string, len(before))
	for _, p := range before {
		old[p.Name] = p.Value
	}
	var out []Change
	for _, p := range now {
		was, had := old[p.Name]
		delete(old, p.Name)
		if !had || was != p.Value {
			out = append(out, Change{Name: p.Name, Before: was, After: p.Value, New: !had})
		}
	}
	for _, p := range before {
		if value, gone := old[p.Name]; gone {
			delete(old, p.Name)
			out = append(out, Change{Name: p.Name, Before: value, Gone: true})
		}
	}
	return out
}
