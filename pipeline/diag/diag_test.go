package diag_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Each mistake is shown with its line and a caret under what is wrong, in the order of the file.
func TestWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte("version: 1\ntrain:\n\tepoch: 20\nname: ä ö ü x"), 0o644); err != nil {
		t.Fatal(err)
	}
	var l diag.List
	at := func(line, column, width int) diag.Pos {
		return diag.Pos{File: file, Line: line, Column: column, Width: width}
	}
	l.Add(at(4, 13, 0), "E113", "bad name")
	l.Add(at(3, 2, 5), "E103", "unknown key %q in train, did you mean %q?", "epoch", "epochs")
	l.Add(at(3, 2, 5), "E103", "unknown key %q in train, did you mean %q?", "epoch", "epochs") // said once
	l.Add(at(2, 0, 0), "E107", "the whole line")
	l.Add(at(99, 1, 1), "E101", "behind the end")
	l.Add(diag.Pos{File: file}, "E102", "the whole file")
	l.Add(diag.Pos{}, "E112", "--set x: no file at all")

	var got bytes.Buffer
	diag.Write(&got, l.All())
	want := `-: --set x: no file at all [E112]
FILE: the whole file [E102]
FILE:2: the whole line [E107]
    2 | train:
FILE:3:2: unknown key "epoch" in train, did you mean "epochs"? [E103]
    3 | 	epoch: 20
      | 	^^^^^
FILE:4:13: bad name [E113]
    4 | name: ä ö ü x
      |             ^
FILE:99:1: behind the end [E101]
`
	if d := cmp.Diff(want, strings.ReplaceAll(got.String(), file, "FILE")); d != "" {
		t.Error(d)
	}
}

func TestListIsAnError(t *testing.T) {
	var l diag.List
	if err := l.Err(); err != nil || l.Len() != 0 {
		t.Fatalf("an empty list: %v", err)
	}
	l.Add(diag.Pos{File: "b.yaml", Line: 1, Column: 1}, "E103", "two")
	l.Add(diag.Pos{File: "a.yaml", Line: 9, Column: 1}, "E103", "one")
	var all diag.Error
	if err := l.Err(); !errors.As(err, &all) || len(all.Diagnostics) != 2 {
		t.Fatalf("%v", err)
	}
	if want := "a.yaml:9:1: one [E103]\nb.yaml:1:1: two [E103]"; all.Error() != want {
		t.Errorf("%s, want %s", all, want)
	}
}
