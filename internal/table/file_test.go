package table

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Nothing but a file is read, however long a pipe or a device would go on, and no more of it than a list may have.
func TestReadOfNoList(t *testing.T) {
	dir := t.TempDir()
	pipe, large, sparse := filepath.Join(dir, "pipe"), filepath.Join(dir, "large.csv"), filepath.Join(dir, "sparse.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(large, []byte(strings.Repeat("x", 101)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sparse, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, maxBytes+1); err != nil {
		t.Skip(err)
	}
	for file, want := range map[string]string{
		pipe:        ": this is no regular file",
		"/dev/zero": ": this is no regular file",
		dir:         ": this is a folder",
		sparse:      ": more than 1024 MiB; a list of images is never that large",
	} {
		done := make(chan error, 1)
		go func() {
			_, err := Read(file, Options{})
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil || err.Error() != "read list "+file+want {
				t.Errorf("%s: %v, want %s", file, err, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s is read without end", file)
		}
	}
	if data, err := readFile(large, 101); err != nil || len(data) != 101 {
		t.Errorf("as large as it may be: %d bytes, %v", len(data), err)
	}
	if _, err := readFile(large, 100); err == nil {
		t.Error("a byte more is read")
	}
}
