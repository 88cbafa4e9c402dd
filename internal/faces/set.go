package faces

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Options say which pictures a set holds.
type Options struct {
	Generator string   // of the synthetic half: one of Generators
	Split     string   // any word; sets with different splits have no picture in common
	Count     int      // pictures; even, since half are real
	Seed      uint64   // sets with different seeds have no picture in common
	Side      int      // pixels, MinSide to MaxSide; 0: 96
	Shortcut  Shortcut // who wears the stamp
	Clip      Shortcut // who wears the clip
}

// Shortcut is the share of each class that wears a shortcut, 0 to 1. The numbers are exact: of 300 synthetic faces and
// the share 0.95, 285 wear it.
type Shortcut struct{ Synthetic, Real float64 }

// Sides of pictures, in pixels. Below MinSide a blot is no longer more than a few pixels.
const (
	MinSide     = 32
	MaxSide     = 1024
	DefaultSide = 96
)

// Set is a fixed list of pictures, real and synthetic in turn, that are drawn when they are asked for.
type Set struct {
	o                Options
	style            style
	stamped, clipped []bool
}

// New is the set that the options describe; the error names the option that is wrong and what it may be.
func New(o Options) (*Set, error) {
	if o.Side == 0 {
		o.Side = DefaultSide
	}
	which := slices.IndexFunc(generators[:], func(s style) bool { return s.name == o.Generator })
	switch {
	case which < 0:
		return nil, fmt.Errorf("faces: generator %q: there are %s", o.Generator, strings.Join(Generators(), ", "))
	case o.Count < 2 || o.Count%2 != 0:
		return nil, fmt.Errorf("faces: count %d: must be even and above zero, since half of the faces are real", o.Count)
	case o.Side < MinSide || o.Side > MaxSide:
		return nil, fmt.Errorf("faces: side %d: must be %d to %d pixels", o.Side, MinSide, MaxSide)
	case !share(o.Shortcut.Synthetic) || !share(o.Shortcut.Real):
		return nil, fmt.Errorf("faces: shortcut %v of the synthetic and %v of the real faces: shares must be 0 to 1",
			o.Shortcut.Synthetic, o.Shortcut.Real)
	case !share(o.Clip.Synthetic) || !share(o.Clip.Real):
		return nil, fmt.Errorf("faces: clip %v of the synthetic and %v of the real faces: shares must be 0 to 1",
			o.Clip.Synthetic, o.Clip.Real)
	}
	s := &Set{o: o, style: generators[which]}
	s.stamped, s.clipped = s.wearers("stamps of class", o.Shortcut), s.wearers("clips of class", o.Clip)
	return s, nil
}

func share(v float64) bool { return v >= 0 && v <= 1 }

// wearers gives a shortcut to exact shares of both classes, chosen by lot.
func (s *Set) wearers(lots string, shares Shortcut) []bool {
	wears, n := make([]bool, s.o.Count), s.o.Count/2
	for class, share := range [...]float64{shares.Real, shares.Synthetic} { // real first, as in Synthetic
		for _, i := range s.throw(lots, class).Perm(n)[:int(math.Round(share*float64(n)))] {
			wears[2*i+class] = true
		}
	}
	return wears
}

// throw starts the stream of chance for one of the set's purposes.
func (s *Set) throw(purpose string, number int) dice {
	return throw("faces: seed %d, generator %s, split %q, %s %d", s.o.Seed, s.o.Generator, s.o.Split, purpose, number)
}

// Len is the number of pictures.
func (s *Set) Len() int { return s.o.Count }

// Side is the pictures' width and height in pixels.
func (s *Set) Side() int { return s.o.Side }

// Synthetic reports whether picture i is a generator's.
func (s *Set) Synthetic(i int) bool { return i%2 == 1 }

// Stamped reports whether picture i wears the shortcut in the background.
func (s *Set) Stamped(i int) bool { return s.stamped[i] }

// Clipped reports whether picture i wears the shortcut on the head.
func (s *Set) Clipped(i int) bool { return s.clipped[i] }

// Picture is one face with all that is known about it.
type Picture struct {
	Pixels []byte // side x side x 3, row by row, red green blue
	Human  []byte // side x side: the simulated human map, its largest value is 255
	Parts  []byte // side x side: 255 on eyes, brows, nose, mouth and ears, else 0
	Head   []byte // side x side: 255 on the whole head, else 0

	canvas *canvas
	atlas  *atlas
}

// NewPicture is memory to draw in, for sets with that side.
func NewPicture(side int) *Picture {
	n := side * side
	return &Picture{
		Pixels: make([]byte, 3*n), Human: make([]byte, n), Parts: make([]byte, n), Head: make([]byte, n),
		canvas: newCanvas(side), atlas: newAtlas(side),
	}
}

// Draw replaces what is in p by picture i of the set. It panics where i is not below Len or p has another side.
func (s *Set) Draw(i int, p *Picture) {
	if p.canvas.side != s.o.Side {
		panic(fmt.Sprintf("faces: a picture of %d pixels for a set of %d", p.canvas.side, s.o.Side))
	}
	style := reality
	if s.Synthetic(i) {
		style = s.style
	}
	chance := s.throw("picture", i)
	sc := compose(chance, style)
	pick(chance, style.backdrops)(chance, p.canvas)
	sc.draw(p.canvas, s.stamped[i])
	if s.clipped[i] {
		newClip(s.throw("clip", i), sc.head, features(sc.eyes, sc.mouth), sc.blots).draw(p.canvas, sc.face)
	}
	sc.camera.develop(chance, p.canvas, p.Pixels)
	sc.mask(p.Parts, p.Head, s.o.Side)
	p.atlas.draw(sc.people, p.Human)
}
