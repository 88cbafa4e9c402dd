// Package inputs shows what a network really sees: a packed data set as a contact sheet, its images as they are after
// decoding and resizing, with maps and masks laid over them, and what the tensors of each channel hold.
//
// Everything is computed from the pack that training reads, so that a mistake before it (a wrong crop, maps of other
// images, a normalisation of another network) can be seen here.
package inputs

import (
	"math"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/pack"
)

// Channel says what one channel of all images is after normalisation, (pixel/255 - mean) / std.
type Channel struct {
	Name               string // red, green, blue
	Mean, SD           float64
	Min, Max           float64
	PixelMean          float64 // of the bytes, 0 to 255
	PixelMin, PixelMax int
}

// Measure looks at every pixel of a set as the network's input has it.
func Measure(set *pack.Set, in nn.Input) [3]Channel {
	var counts [3][256]int
	pixels := set.Pixels()
	for i := 0; i+2 < len(pixels); i += 3 {
		counts[0][pixels[i]]++
		counts[1][pixels[i+1]]++
		counts[2][pixels[i+2]]++
	}
	var channels [3]Channel
	for c, name := range [3]string{"red", "green", "blue"} {
		channels[c] = measure(name, counts[c][:], in.Mean[c], in.Std[c])
	}
	return channels
}

func measure(name string, counts []int, mean, std float64) Channel {
	c := Channel{Name: name, PixelMin: -1}
	total, sum := 0, 0.0
	for v, n := range counts {
		if n == 0 {
			continue
		}
		if c.PixelMin < 0 {
			c.PixelMin = v
		}
		c.PixelMax = v
		total += n
		sum += float64(v) * float64(n)
	}
	c.PixelMean = sum / float64(total)
	squares := 0.0
	for v, n := range counts {
		d := float64(v) - c.PixelMean
		squares += d * d * float64(n)
	}
	tensor := func(pixel float64) float64 { return (pixel/255 - mean) / std }
	c.Mean, c.Min, c.Max = tensor(c.PixelMean), tensor(float64(c.PixelMin)), tensor(float64(c.PixelMax))
	c.SD = math.Sqrt(squares/float64(total)) / 255 / std
	return c
}

// Choose takes n rows of a set, spread evenly over each of its labels in the order in which they first come.
func Choose(set *pack.Set, n int) []int {
	byLabel, labels := map[string][]int{}, []string{}
	for i, row := range set.Rows() {
		if byLabel[row.Label] == nil {
			labels = append(labels, row.Label)
		}
		byLabel[row.Label] = append(byLabel[row.Label], i)
	}
	var chosen []int
	for k, label := range labels {
		places := byLabel[label]
		want := min((n+len(labels)-1-k)/len(labels), len(places))
		for i := range want {
			chosen = append(chosen, places[i*len(places)/want])
		}
	}
	return chosen
}
