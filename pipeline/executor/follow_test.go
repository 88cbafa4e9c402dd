package executor

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// FuzzTake: whatever a worker's file holds, in whatever pieces it comes, the same events are handed on, and only such as a
// worker may send.
func FuzzTake(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "\n\n\n", "null\n", "{}\n", "[]\n", "42\n", `"log"` + "\n",
		`{"type":"log","message":"a"}` + "\n" + `{"type":"progress","done":3,"of":7,"unit":"steps","values":{"loss":0.5}}` + "\n",
		`{"type":"log","message":"a"}`,
		`{"type":"log","mess` + "\n" + `{"type":"warning","message":"b"}` + "\r\n",
		`{"type":"failed","message":"why"}` + "\n" + `{"type":"failed","message":"and again"}` + "\n",
		`{"type":"environment","facts":{"libtorch":"2.11.0"}}` + "\n",
		`{"type":"node done","node":"fit"}` + "\n" + `{"type":"run finished"}` + "\n",
		`{"type":"progress","done":-1,"of":1e99}` + "\n",
		"\x00\xff\xfe\n" + `{"time":"tomorrow","type":"log"}` + "\n",
		strings.Repeat("x", 5000),
	} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, raw []byte, piece uint8) {
		whole, rest, at := takeAll(raw, len(raw))
		pieces, restOfPieces, atOfPieces := takeAll(raw, int(piece)+1)
		if d := cmp.Diff(whole, pieces); d != "" {
			t.Fatalf("in pieces of %d bytes:\n%s", int(piece)+1, d)
		}
		if !bytes.Equal(rest, restOfPieces) || at.failed != atOfPieces.failed || !cmp.Equal(at.environment, atOfPieces.environment) {
			t.Fatalf("in pieces of %d bytes the end is another", int(piece)+1)
		}
		if bytes.ContainsRune(rest, '\n') || !bytes.HasSuffix(raw, rest) {
			t.Fatalf("%q is left of %q", rest, raw)
		}
		for _, e := range whole {
			switch e.Type {
			case task.Progress, task.Log, task.Warning, task.Environment:
			default:
				t.Fatalf("an event of type %q was handed on", e.Type)
			}
		}
	})
}

// takeAll hands the bytes over in pieces.
func takeAll(raw []byte, size int) (events []task.Event, rest []byte, f *follower) {
	f = &follower{}
	for len(raw) > 0 {
		n := min(size, len(raw))
		f.add(raw[:n], func(e task.Event) { events = append(events, e) })
		raw = raw[n:]
	}
	return events, f.rest, f
}

// Events that were written come out as they were, with anything between them.
func TestTakeKeepsEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var file []byte
		var want []string
		for range rapid.IntRange(0, 6).Draw(t, "lines") {
			if rapid.Bool().Draw(t, "damaged") {
				line := rapid.StringMatching(`[{"a:]{0,8}`).Draw(t, "line")
				file = append(file, line+"\n"...)
				continue
			}
			e := task.Event{Type: rapid.SampledFrom([]task.Type{task.Log, task.Warning, task.Progress}).Draw(t, "type"),
				Message: rapid.String().Draw(t, "message"), Done: rapid.Int().Draw(t, "done")}
			raw, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			file = append(append(file, raw...), '\n')
			want = append(want, string(raw))
		}
		events, _, _ := takeAll(file, rapid.IntRange(1, 50).Draw(t, "piece"))
		var got []string
		for _, e := range events {
			raw, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(raw))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

// The tail is the end of what was printed, from a line's beginning, however it came.
func TestTail(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "stderr.log")
		_ = os.Remove(path)
		keep := newTail(path)
		defer keep.close()
		var all []byte
		for range rapid.IntRange(0, 20).Draw(t, "writes") {
			p := []byte(strings.Repeat(rapid.StringMatching(`[a-z]{0,9}\n?`).Draw(t, "text"), rapid.IntRange(0, 400).Draw(t, "times")))
			if n, err := keep.Write(p); n != len(p) || err != nil {
				t.Fatalf("%d %v", n, err)
			}
			all = append(all, p...)
		}
		got := keep.String()
		if len(got) > tailBytes || !strings.HasSuffix(strings.TrimSpace(string(all)), got) {
			t.Fatalf("%q is not the end of %q", got, all)
		}
		if len(all) < tailBytes && got != strings.TrimSpace(string(all)) {
			t.Fatalf("%q, want all of %q", got, all)
		}
		file, err := os.ReadFile(path)
		if err != nil && len(all) > 0 || !bytes.Equal(file, all[:min(len(all), logBytes)]) {
			t.Fatalf("the file has %d bytes of %d (%v)", len(file), len(all), err)
		}
	})
}
