package pack

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Bits is a list of booleans; in JSON {"n": 3, "bits": base64}. Bit i is bit i%8 of byte i/8.
type Bits struct {
	n     int
	bytes []byte
}

// BitsOf packs a list of booleans.
func BitsOf(list []bool) Bits {
	b := Bits{len(list), make([]byte, (len(list)+7)/8)}
	for i, v := range list {
		if v {
			b.bytes[i/8] |= 1 << (i % 8)
		}
	}
	return b
}

// Len is the number of booleans.
func (b Bits) Len() int { return b.n }

// Get is the boolean i.
func (b Bits) Get(i int) bool { return b.bytes[i/8]>>(i%8)&1 == 1 }

// List unpacks all booleans.
func (b Bits) List() []bool {
	list := make([]bool, b.n)
	for i := range list {
		list[i] = b.Get(i)
	}
	return list
}

// Count is how many are true.
func (b Bits) Count() int {
	n := 0
	for i := range b.n {
		if b.Get(i) {
			n++
		}
	}
	return n
}

type bitsJSON struct {
	N    int    `json:"n"`
	Bits string `json:"bits"`
}

// MarshalJSON is part of json.Marshaler.
func (b Bits) MarshalJSON() ([]byte, error) {
	return json.Marshal(bitsJSON{b.n, base64.StdEncoding.EncodeToString(b.bytes)})
}

// UnmarshalJSON is part of json.Unmarshaler.
func (b *Bits) UnmarshalJSON(raw []byte) error {
	var j bitsJSON
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	bytes, err := base64.StdEncoding.DecodeString(j.Bits)
	if err != nil {
		return err
	}
	if j.N < 0 || len(bytes) != (j.N+7)/8 {
		return fmt.Errorf("%d bits in %d bytes", j.N, len(bytes))
	}
	*b = Bits{j.N, bytes}
	return nil
}
