package loss

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// counted tells the images on which a term counts: those that have a map, if has is given, and are kept; none where these
// are all.
//
//	has [B], bool, or none    result [B], bool, or none
func (t Term) counted(s *torch.Scope, b Batch, has torch.Tensor) torch.Tensor {
	if t.Keep == nil {
		return has
	}
	kept := s.Upload(torch.From(s, keep(*t.Keep, b.Moment, t.place, b.Labels.Shape()[0]), b.Labels.Shape()[0]), b.Labels.Device())
	if !has.Defined() {
		return kept
	}
	return s.LogicalAnd(has, kept)
}

// keep draws for each of n images of a step whether a term counts on it. The draw follows from the training's seed, the
// step and the term's place alone, by a generator of its own (ChaCha8): a resumed training draws the same, on every device,
// and the order of the images and dropout are those of a training without it.
func keep(share float64, m Moment, place, n int) []bool {
	var seed [32]byte
	copy(seed[:8], "keep")
	for i, word := range []uint64{m.Seed, uint64(m.Step), uint64(place)} {
		binary.LittleEndian.PutUint64(seed[8*(i+1):], word)
	}
	random, kept := rand.New(rand.NewChaCha8(seed)), make([]bool, n)
	for i := range kept {
		kept[i] = random.Float64() < share
	}
	return kept
}

// mean is the mean of values [B] where counted [B] holds, and zero where it holds nowhere; without counted, of all.
func mean(s *torch.Scope, values, counted torch.Tensor) torch.Tensor {
	if !counted.Defined() {
		return s.Mean(values)
	}
	count := s.Clamp(s.Sum(s.ToDType(counted, values.DType())), 1, nil)
	return s.Div(s.Sum(s.Where(counted, values, s.ZerosLike(values))), count)
}
