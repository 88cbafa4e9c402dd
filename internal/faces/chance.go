package faces

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// dice is a stream of chance for one purpose.
type dice struct{ *rand.Rand }

// throw starts the stream that belongs to a name. Equal names give equal streams; the hash keeps the streams of
// neighbouring names apart.
func throw(name string, args ...any) dice {
	seed := sha256.Sum256(fmt.Appendf(nil, name, args...))
	return dice{rand.New(rand.NewPCG(binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:16])))}
}

// span is a range of values, all of them equally likely.
type span struct{ lo, hi float32 }

func (d dice) in(s span) float32               { return d.between(s.lo, s.hi) }
func (d dice) between(lo, hi float32) float32  { return lo + (hi-lo)*d.Float32() }
func (d dice) around(mean, sd float32) float32 { return mean + sd*float32(d.NormFloat64()) }
func (d dice) chance(probability float32) bool { return d.Float32() < probability }
func (d dice) angle() float32                  { return d.between(0, 2*math.Pi) }
func (d dice) count(from, to int) int          { return from + d.IntN(to-from+1) } // both ends included
func pick[T any](d dice, from []T) T           { return from[d.IntN(len(from))] }
