package store

import "testing"

// Forge lets a store remember a digest of a file as it is now.
func Forge(t *testing.T, s *Store, path string, d Digest) {
	t.Helper()
	at, err := stampOf(path)
	if err != nil {
		t.Fatal(err)
	}
	s.memory.load()
	s.memory.files[path] = remembered{at, d}
}
