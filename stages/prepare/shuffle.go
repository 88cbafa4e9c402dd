package prepare

import (
	"math/rand/v2"

	"github.com/cyborg-run/cyborg-run/internal/table"
)

// deal says which row gets each row's map. A control gives every map to another image: the images with a map, of one
// class or all, are joined to one random ring (Sattolo, 1986), in which each passes its map on. So no image keeps its
// own, and which images have a map stays as it was. The only map of a class stays where it is.
func (p *Plan) deal(m *Map) []int {
	gets := make([]int, len(p.Images))
	rings := make(map[int][]int)
	for i := range gets {
		gets[i] = -1
		if !p.has(&p.Maps[m.Base], i) {
			continue
		}
		gets[i] = i
		ring := 0
		if m.Shuffle == "class" {
			ring = p.List.Rows[i].Class
		}
		rings[ring] = append(rings[ring], i)
	}
	if m.Shuffle == "" {
		return gets
	}
	random := rand.New(rand.NewPCG(m.ShuffleSeed, 0))
	for class := table.Unlabelled; class <= table.Synthetic; class++ {
		ring := rings[class]
		for i := len(ring) - 1; i > 0; i-- {
			j := random.IntN(i)
			a, b := ring[i], ring[j]
			gets[a], gets[b] = gets[b], gets[a]
		}
	}
	return gets
}
