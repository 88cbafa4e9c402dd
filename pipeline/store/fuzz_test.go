package store

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	someStamp = stamp{Size: 12, MTime: 1_700_000_000_000_000_001, CTime: 1_700_000_000_000_000_002, Inode: 99}
	someParts = map[string][]Part{"fit[seed=1]": {{"stage", "train revision 1"}, {"params.lr", "0.005"}}, "data": {{"params.lr", "0.005"}}, "none": {}}
)

// What was written is read as it was; anything else is an error, never a panic, and never more memory than the file's size
// explains.
func FuzzLast(f *testing.F) {
	f.Add(writeLast(someParts))
	f.Add(writeLast(nil))
	f.Add([]byte(lastTitle + "\n1234rest"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, raw := range [][]byte{raw, sealed(lastTitle, raw)} {
			last, err := readLast(raw)
			if err != nil {
				continue
			}
			again, err := readLast(writeLast(last))
			if err != nil || !cmp.Equal(last, again) {
				t.Fatalf("%v\n%s", err, cmp.Diff(last, again))
			}
		}
	})
}

func FuzzMemory(f *testing.F) {
	f.Add(writeMemory(map[string]remembered{"/a/b.png": {someStamp, "blake3:aa"}, "/c": {stamp{}, ""}}))
	f.Add(writeMemory(nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, raw := range [][]byte{raw, sealed(memoryTitle, raw)} {
			files, err := readMemory(raw)
			if err != nil {
				continue
			}
			again, err := readMemory(writeMemory(files))
			if err != nil || !cmp.Equal(files, again, cmp.AllowUnexported(remembered{})) {
				t.Fatalf("%v: %v and %v", err, files, again)
			}
		}
	})
}

func FuzzIndex(f *testing.F) {
	w := newWriter()
	w.number(1)
	record := w.record(indexed{someStamp, Manifest{Node: "fit", Kind: "train", Seconds: 1.5, Started: time.Unix(5, 0).UTC(),
		Environment: map[string]string{"libtorch": "2.11.0"}, Outputs: []Output{{"a/b", "blake3:aa", someStamp}}}})
	w.number(2)
	w.body = append(w.body, "k1"...)
	w.number(uint64(len(record)))
	w.body = append(w.body, record...)
	f.Add(w.bytes(indexTitle))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, raw := range [][]byte{raw, sealed(indexTitle, raw)} {
			r, places, err := readIndex(raw)
			if err != nil {
				continue
			}
			for _, place := range places {
				e, ok := r.record(place)
				if !ok {
					continue
				}
				w := newWriter()
				again, ok := (&reader{texts: textsOf(w, e)}).record(string(w.body))
				if !ok || again.at != e.at || again.Node != e.Node || len(again.Outputs) != len(e.Outputs) {
					t.Fatalf("%+v was read as %+v", e, again)
				}
			}
		}
	})
}

// textsOf writes a record into w and returns the texts that it names.
func textsOf(w *writer, e indexed) []string {
	w.body = w.record(e)
	texts := make([]string, len(w.places))
	for text, at := range w.places {
		texts[at] = text
	}
	return texts
}

func FuzzManifest(f *testing.F) {
	raw, err := json.Marshal(Manifest{Key: "k1", Node: "fit", Kind: "train", Parts: []Part{{"stage", "x"}},
		Outputs: []Output{{"final.pth", "blake3:aa", someStamp}}, Environment: map[string]string{"a": "b"}, Seconds: 2})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"key":"k1","outputs":[{"name":"../../x"}]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := readManifest("k1", raw)
		if err != nil {
			return
		}
		for _, o := range m.Outputs {
			if bytes.HasPrefix([]byte(o.Name), []byte("/")) || o.Name == ".." || bytes.HasPrefix([]byte(o.Name), []byte("../")) {
				t.Fatalf("an output outside of its folder: %q", o.Name)
			}
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readManifest("k1", again); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"run":"mine","ended":"2024-05-01T10:00:00Z","nodes":{"fit":"k1"}}`))
	f.Add([]byte(`{"run":"mine"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := readRecord(raw)
		if err == nil && (r.Run == "" || r.Nodes == nil) {
			t.Fatalf("%s: a record of nothing", raw)
		}
	})
}
