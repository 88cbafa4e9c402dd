package store

import (
	"encoding/json"
	"math"
	"os"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

const indexTitle = "cyborg index 1"

// index is what the manifests say, but for their parts, by key. An entry is trusted while the manifest has the status
// that it had when it was read.
type index struct {
	once    sync.Once
	mu      sync.RWMutex
	path    string
	reader  *reader
	places  map[Key]string // records of the file that was loaded
	entries map[Key]indexed
	gone    map[Key]bool
	checked map[Key]bool
}

type indexed struct {
	at stamp
	Manifest
}

func (x *index) load() {
	x.once.Do(func() {
		x.entries, x.gone, x.checked = map[Key]indexed{}, map[Key]bool{}, map[Key]bool{}
		raw, err := os.ReadFile(x.path)
		if err == nil {
			x.reader, x.places, err = readIndex(raw)
		}
		if err != nil { // damaged: only costs reading the manifests again
			x.reader, x.places = nil, nil
		}
	})
}

// readIndex finds the records; each is read when it is asked for.
func readIndex(raw []byte) (*reader, map[Key]string, error) {
	r, err := newReader(indexTitle, raw)
	if err != nil {
		return nil, nil, err
	}
	n := r.count()
	places := make(map[Key]string, n)
	for range n {
		key := r.take(r.number())
		places[Key(key)] = r.take(r.number())
	}
	if r.bad {
		return nil, nil, errDamaged
	}
	return r, places, nil
}

func (x *index) find(key Key, now stamp) (*Artifact, bool) {
	x.load()
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e, ok := x.entries[key]; ok && e.at == now {
		return &Artifact{Manifest: e.Manifest}, true
	}
	record, ok := x.places[key]
	if !ok || x.gone[key] {
		return nil, false
	}
	e, ok := x.reader.record(record)
	if !ok || e.at != now {
		return nil, false
	}
	e.Key = key
	return &Artifact{Manifest: e.Manifest}, true
}

func (x *index) add(key Key, at stamp, a *Artifact) {
	x.load()
	if time.Since(time.Unix(0, max(at.MTime, at.CTime))) <= settled {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	e := indexed{at, a.Manifest}
	e.Parts = nil
	x.entries[key] = e
}

func (x *index) forget(key Key) {
	x.load()
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.entries, key)
	delete(x.checked, key)
	if _, ok := x.places[key]; ok {
		x.gone[key] = true
	}
}

// verify tells whether the outputs of a key are still to be read in full.
func (x *index) verify(key Key) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return !x.checked[key]
}

func (x *index) verified(key Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.checked[key] = true
}

func (w *writer) record(e indexed) []byte {
	inner := &writer{places: w.places, texts: w.texts}
	inner.stamp(e.at)
	inner.text(e.Node)
	inner.text(e.Kind)
	environment, _ := json.Marshal(e.Environment) // sorted: the same for many
	inner.text(string(environment))
	inner.signed(e.Started.UnixNano())
	inner.number(math.Float64bits(e.Seconds))
	inner.number(uint64(len(e.Outputs)))
	for _, o := range e.Outputs {
		inner.text(o.Name)
		inner.text(string(o.Digest))
		inner.stamp(o.stamp)
	}
	w.texts = inner.texts
	return inner.body
}

func (r *reader) record(raw string) (indexed, bool) {
	in := reader{texts: r.texts, rest: raw}
	e := indexed{at: in.stamp()}
	e.Node, e.Kind = in.text(), in.text()
	if environment := in.text(); environment != "null" && json.Unmarshal([]byte(environment), &e.Environment) != nil {
		return indexed{}, false
	}
	e.Started = time.Unix(0, in.signed()).UTC()
	e.Seconds = math.Float64frombits(in.number())
	if n := in.count(); n > 0 {
		e.Outputs = make([]Output, n)
	}
	for i := range e.Outputs {
		e.Outputs[i] = Output{Name: in.text(), Digest: Digest(in.text()), stamp: in.stamp()}
	}
	return e, !in.bad && in.rest == ""
}

// save writes the index anew where anything was learnt; who saves last wins, which costs the others reading again.
func (x *index) save() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.entries) == 0 && len(x.gone) == 0 {
		return nil
	}
	w := newWriter()
	type kept struct {
		key Key
		e   indexed
	}
	var all []kept
	for key, record := range x.places {
		if _, newer := x.entries[key]; newer || x.gone[key] {
			continue
		}
		if e, ok := x.reader.record(record); ok {
			all = append(all, kept{key, e})
		}
	}
	for key, e := range x.entries {
		all = append(all, kept{key, e})
	}
	w.number(uint64(len(all)))
	for _, k := range all {
		record := w.record(k.e)
		w.number(uint64(len(k.key)))
		w.body = append(w.body, k.key...)
		w.number(uint64(len(record)))
		w.body = append(w.body, record...)
	}
	x.entries, x.gone = map[Key]indexed{}, map[Key]bool{}
	x.once = sync.Once{} // read anew if it is used again
	x.places, x.reader = nil, nil
	return renameio.WriteFile(x.path, w.bytes(indexTitle), 0o644)
}
