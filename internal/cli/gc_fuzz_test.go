package cli

import "testing"

// Whatever a lock looks like, gc either gets a key for each of its nodes or an error: it never takes a damaged lock for
// one that needs nothing.
func FuzzLockedKeys(f *testing.F) {
	f.Add([]byte("version: 1\nnodes:\n  - {name: fit, key: abc}\n  - {name: score, key: def}\n"))
	f.Add([]byte("nodes: []"))
	f.Add([]byte("nodes: [{name: fit}]"))
	f.Add([]byte("nodes: 3"))
	f.Add([]byte("nodes: &a [*a]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		keys, err := lockedKeys(raw)
		if err == nil && len(keys) == 0 {
			t.Fatalf("%q needs nothing", raw)
		}
		for _, key := range keys {
			if key == "" {
				t.Fatalf("%q: a node without a key", raw)
			}
		}
	})
}
