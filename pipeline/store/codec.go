package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sync"
)

// The store's own lists (index, digests, last) are files of one form: a line that names it, a checksum of the rest, a
// table of texts, and records of numbers in which a text is its place in the table. They only save time or explain; a
// damaged one is taken for an empty one.

var errDamaged = errors.New("damaged")

// castagnoli is made when it is first asked for: every worker starts this program, and few of them do.
var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

// writer builds such a file.
type writer struct {
	places map[string]uint64
	texts  []byte
	body   []byte
}

func newWriter() *writer { return &writer{places: map[string]uint64{}} }

func (w *writer) number(n uint64) { w.body = binary.AppendUvarint(w.body, n) }
func (w *writer) signed(n int64)  { w.body = binary.AppendVarint(w.body, n) }

func (w *writer) text(s string) {
	at, ok := w.places[s]
	if !ok {
		at = uint64(len(w.places))
		w.places[s] = at
		w.texts = append(binary.AppendUvarint(w.texts, uint64(len(s))), s...)
	}
	w.number(at)
}

func (w *writer) stamp(s stamp) {
	w.signed(s.Size)
	w.signed(s.MTime)
	w.signed(s.CTime - s.MTime)
	w.number(s.Inode)
}

func (w *writer) bytes(title string) []byte {
	var rest []byte
	rest = binary.AppendUvarint(rest, uint64(len(w.places)))
	rest = append(append(rest, w.texts...), w.body...)
	return sealed(title, rest)
}

func sealed(title string, rest []byte) []byte {
	out := append([]byte(title), '\n')
	out = binary.LittleEndian.AppendUint32(out, crc32.Checksum(rest, castagnoli()))
	return append(out, rest...)
}

// reader reads one. After a mistake everything it returns is zero and bad is true.
type reader struct {
	texts []string
	rest  string
	bad   bool
}

func newReader(title string, raw []byte) (*reader, error) {
	head := len(title) + 1
	if len(raw) < head+4 || string(raw[:head]) != title+"\n" ||
		binary.LittleEndian.Uint32(raw[head:]) != crc32.Checksum(raw[head+4:], castagnoli()) {
		return nil, errDamaged
	}
	r := &reader{rest: string(raw[head+4:])}
	count := r.number()
	if count > uint64(len(r.rest)) { // a text takes at least a byte
		return nil, errDamaged
	}
	r.texts = make([]string, count)
	for i := range r.texts {
		r.texts[i] = r.take(r.number())
	}
	if r.bad {
		return nil, errDamaged
	}
	return r, nil
}

func (r *reader) fail() { r.bad, r.rest = true, "" }

func (r *reader) number() uint64 {
	var n uint64
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		b := r.rest[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.fail()
	return 0
}

func (r *reader) signed() int64 {
	n := r.number()
	return int64(n>>1) ^ -int64(n&1)
}

// count is the length of a list each of whose entries takes at least a byte.
func (r *reader) count() int {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) take(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.fail()
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) text() string {
	at := r.number()
	if at >= uint64(len(r.texts)) {
		r.fail()
		return ""
	}
	return r.texts[at]
}

func (r *reader) stamp() stamp {
	s := stamp{Size: r.signed(), MTime: r.signed()}
	s.CTime = s.MTime + r.signed()
	s.Inode = r.number()
	return s
}
