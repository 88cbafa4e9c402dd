package study

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Trial is one trial of a participant's plan.
type Trial struct {
	Block     int    // number of the block, from 0 in the order shown
	Annotated bool   // the region must be drawn
	Images    []int  // one, or left and right
	Check     string // the answer that is asked for whatever is seen; empty: no check
}

// Plan is all trials of the participant with that number (from 0), in order. The same study and number always give the
// same plan.
//
// What is balanced is balanced by design and not by luck: participants in a row take stimuli in turn from one shuffled
// list, so that each is shown about equally often; as many participants in a row as there are blocks share their stimuli
// and see each of them in another block (a Latin square); and then the order of the blocks moves on. Real and synthetic
// images are dealt apart from each other, so that every block has its share of both. Chance decides the rest: the order
// within a block, and the sides of a pair.
func (s *Study) Plan(number int) []Trial {
	blocks := len(s.Blocks)
	turn, within := number/blocks, number%blocks
	square := s.chance("square", turn) // shared by the participants of one square
	dealt := make([][]int, blocks)
	next := 0
	for _, layer := range s.layers() {
		for i, stimulus := range layer.take(turn, s.chance("layer", layer.number), square) {
			at := (next + i + within) % blocks
			dealt[at] = append(dealt[at], stimulus)
		}
		next += layer.share
	}
	own := s.chance("participant", number)
	var trials []Trial
	for i := range blocks {
		which := i
		if !s.FixedOrder {
			which = (i + turn) % blocks
		}
		own.Shuffle(len(dealt[which]), func(a, b int) { dealt[which][a], dealt[which][b] = dealt[which][b], dealt[which][a] })
		for _, stimulus := range dealt[which] {
			t := Trial{Block: i, Annotated: s.Blocks[which] == Annotated, Images: slices.Clone(s.Stimuli[stimulus])}
			own.Shuffle(len(t.Images), func(a, b int) { t.Images[a], t.Images[b] = t.Images[b], t.Images[a] })
			trials = append(trials, t)
		}
	}
	return s.withChecks(trials, own)
}

// withChecks puts a check behind every CheckEvery trials.
func (s *Study) withChecks(trials []Trial, chance *rand.Rand) []Trial {
	if s.CheckEvery == 0 {
		return trials
	}
	asked := []string{Real, Synthetic}
	if s.Pairs {
		asked = []string{Left, Right}
	}
	var all []Trial
	for i, t := range trials {
		all = append(all, t)
		if (i+1)%s.CheckEvery == 0 {
			shown := trials[chance.IntN(len(trials))]
			all = append(all, Trial{Block: t.Block, Images: slices.Clone(shown.Images), Check: asked[chance.IntN(2)]})
		}
	}
	return all
}

// layer is the stimuli of one class, of which each participant gets a share.
type layer struct {
	number  int
	stimuli []int
	share   int
}

// layers sorts the stimuli by the label of their first image and shares out the trials of a participant among them in
// proportion, by largest remainders.
func (s *Study) layers() []layer {
	var labels []string
	var layers []layer
	for i, stimulus := range s.Stimuli {
		label := s.Images[stimulus[0]].Label
		at := slices.Index(labels, label)
		if at < 0 {
			at = len(labels)
			labels, layers = append(labels, label), append(layers, layer{number: at})
		}
		layers[at].stimuli = append(layers[at].stimuli, i)
	}
	wanted, given := s.perParticipant(), 0
	for i := range layers {
		layers[i].share = wanted * len(layers[i].stimuli) / len(s.Stimuli)
		given += layers[i].share
	}
	for ; given < wanted; given++ {
		most := 0
		for i, l := range layers {
			if l.owed(wanted, len(s.Stimuli)) > layers[most].owed(wanted, len(s.Stimuli)) {
				most = i
			}
		}
		layers[most].share++
	}
	return layers
}

// owed is what is lacking to the exact share, times the number of stimuli.
func (l layer) owed(wanted, stimuli int) int { return wanted*len(l.stimuli) - l.share*stimuli }

// take is the layer's stimuli of one square of participants: the next ones of the shuffled list, in an order of their own.
func (l layer) take(turn int, list, order *rand.Rand) []int {
	shuffled := list.Perm(len(l.stimuli))
	taken := make([]int, l.share)
	for i := range taken {
		taken[i] = l.stimuli[shuffled[(turn*l.share+i)%len(shuffled)]]
	}
	order.Shuffle(len(taken), func(a, b int) { taken[a], taken[b] = taken[b], taken[a] })
	return taken
}

// planned is the number of trials of every participant, checks among them.
func (s *Study) planned() int {
	n := s.perParticipant()
	if s.CheckEvery > 0 {
		n += n / s.CheckEvery
	}
	return n
}

func (s *Study) perParticipant() int {
	if s.Trials == 0 {
		return len(s.Stimuli)
	}
	return s.Trials
}

// chance is the stream of random numbers for one purpose.
func (s *Study) chance(purpose string, number int) *rand.Rand {
	sum := sha256.Sum256(fmt.Appendf(nil, "study: seed %d, %s %d", s.Seed, purpose, number))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))
}
