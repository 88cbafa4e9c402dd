package store

import (
	"encoding/hex"
	"strconv"
	"sync"

	"github.com/zeebo/blake3"
)

// Part is one named ingredient of a key. Parts are kept with the artifact, so that a plan can say which one changed.
type Part struct {
	Name  string `json:"name"` // params.train.lr, input.data, device
	Value string `json:"value"`
}

// Key identifies an artifact: BLAKE3 over the parts, in hexadecimal.
type Key string

// MakeKey hashes the parts, one list behind the other. Names and values are length-prefixed, so that no two lists of parts
// hash alike.
func MakeKey(lists ...[]Part) Key {
	return Key(hashed(func(text []byte) []byte {
		for _, parts := range lists {
			for _, p := range parts {
				text = prefixed(prefixed(text, p.Name), p.Value)
			}
		}
		return text
	}))
}

// hashed is the hash of the text that write appends, in hexadecimal. A plan asks for several of each node, so that the
// memory of one text serves for the next.
func hashed(write func(text []byte) []byte) string {
	text := texts.Get().(*[]byte)
	defer texts.Put(text)
	*text = write((*text)[:0])
	sum := blake3.Sum256(*text)
	return hex.EncodeToString(sum[:20])
}

var texts = sync.Pool{New: func() any { return new([]byte) }}

func prefixed(to []byte, text string) []byte {
	to = strconv.AppendInt(to, int64(len(text)), 10)
	return append(append(to, ':'), text...)
}
