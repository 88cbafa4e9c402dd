package leaks

import (
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
)

// Fact is one thing that is known of images: a word, or a number.
type Fact struct {
	Name   string
	Why    string                         // how classes come to differ in it
	word   func(*Image) (string, bool)    // false: not known of this image
	number func(*Image) (float32, bool)   // one of the two is nil
	show   func(value float64) (s string) // of a number
}

// Facts are all that is looked at, the plainest first: of facts that say the same, the first is named.
var Facts = []Fact{
	headWord("format", "one class was saved by another program or route", func(h *Head) string { return h.Format }),
	headWord("codec", "one class was compressed in another way", func(h *Head) string { return h.Codec }),
	headWord("mode", "one class holds another kind of pixels, grey or with opacity", func(h *Head) string { return h.Mode }),
	headWord("quantisation", "one class was saved as JPEG with another quality, whose traces are in the pixels", func(h *Head) string { return h.Tables }),
	headWord("subsampling", "colours of one class are coarser", func(h *Head) string { return h.Subsampling }),
	headWord("EXIF", "one class comes from cameras, or lost its camera's notes", func(h *Head) string { return strconv.FormatBool(h.EXIF) }),
	headWord("colour profile", "one class carries an ICC profile, as edited photographs do", func(h *Head) string { return strconv.FormatBool(h.Profile) }),
	headWord("structure", "the files' parts stand in another order: another program wrote them", func(h *Head) string { return h.Structure }),
	headNumber("width", "one class is larger, and was resized more before training", func(h *Head) float64 { return float64(h.W) }),
	headNumber("height", "one class is larger, and was resized more before training", func(h *Head) float64 { return float64(h.H) }),
	headNumber("aspect", "one class is squeezed when images are made square", func(h *Head) float64 { return float64(h.W) / float64(h.H) }),
	headNumber("bytes a pixel", "one class was compressed more, or is smoother", func(h *Head) float64 { return float64(h.Bytes) / float64(h.W) / float64(h.H) }),
	mean("mean red", 0), mean("mean green", 1), mean("mean blue", 2),
	{Name: "extension", Why: "one class was saved by another program or route", word: func(m *Image) (string, bool) {
		return strings.ToLower(path.Ext(m.Path)), true
	}},
}

func headWord(name, why string, of func(*Head) string) Fact {
	return Fact{Name: name, Why: why, word: func(m *Image) (string, bool) {
		if m.Head == nil {
			return "", false
		}
		return of(m.Head), true
	}}
}

func headNumber(name, why string, of func(*Head) float64) Fact {
	return Fact{Name: name, Why: why, show: plainly, number: func(m *Image) (float32, bool) {
		if m.Head == nil {
			return 0, false
		}
		return float32(of(m.Head)), true
	}}
}

func mean(name string, channel int) Fact {
	return Fact{Name: name, Why: "one class is lighter or of another colour: another camera, crop or background, or the generator's own",
		show: func(v float64) string { return fmt.Sprintf("%.0f", v) },
		number: func(m *Image) (float32, bool) {
			if m.Pixels == nil {
				return 0, false
			}
			return m.Pixels.Mean[channel], true
		}}
}

func plainly(v float64) string {
	if v == math.Trunc(v) {
		return strconv.Itoa(int(v))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// shown is a word as people read it.
func shown(word string) string {
	if word == "" {
		return "none"
	}
	return word
}
