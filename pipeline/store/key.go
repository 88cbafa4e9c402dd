package store

import (
	"encoding/hex"
	"strconv"

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
	var text []byte
	for _, parts := range lists {
		for _, p := range parts {
			text = prefixed(prefixed(text, p.Name), p.Value)
		}
	}
	sum := blake3.Sum256(text)
	return Key(hex.EncodeToString(sum[:20]))
}

func prefixed(to []byte, text string) []byte {
	to = strconv.AppendInt(to, int64(len(text)), 10)
	return append(append(to, ':'), text...)
}
