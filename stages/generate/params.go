// Package generate is the stage that draws a data set of cartoon faces, with simulated human maps and masks.
//
// Everything in it is simulated: the faces, the fault that makes some of them synthetic, the shortcut that a classifier
// may fall for, and the maps of what people would mark. The stage has no inputs and one output, the folder data, which is
// the root of the data set:
//
//	data/data.csv          split,label,path,generator,shortcut; one row an image, paths relative to data/
//	data/images/*.png      g0_000123_synthetic.png: generator, number, label
//	data/maps/*.png        simulated human maps, grey, under the image's name
//	data/masks/parts/*.png eyes, brows, nose, mouth and ears: 0 or 255, under the image's name
//	data/masks/head/*.png  the whole head: 0 or 255, under the image's name
//
// In data.csv, generator is that of the set (real images belong to a set too), and shortcut is "none", "stamp", "clip"
// or "stamp+clip".
package generate

import (
	"github.com/cyborg-run/cyborg-run/internal/faces"
	"github.com/cyborg-run/cyborg-run/pipeline"
)

// Stage declares the kind. Package faces says what is in the pictures.
var Stage = &pipeline.Stage{
	Kind:     "generate",
	Revision: 1, // raise it when the same parameters give other bytes; testdata/revision.golden tells
	Program:  pipeline.Runner,
	Outputs:  []string{"data"},
}

// Params are what a spec asks of a generated data set: pictures that a program draws. All of it is simulated, the human
// maps too.
type Params struct {
	// Faces asks for cartoon faces, real and synthetic in turn.
	Faces Faces `yaml:"faces" json:"faces"`
}

// Faces says which pictures a generated set holds.
type Faces struct {
	// Generator draws the synthetic half. G0 is meant for training; U1, U2 and U3 leave other faults, for tests on generators
	// that were not seen in training.
	Generator string `yaml:"generator" json:"generator" enum:"G0|U1|U2|U3" default:"G0"`

	// Count is the number of images, half of them real; it must be even.
	Count int `yaml:"count" json:"count" default:"600" min:"2" max:"1000000"`

	// Seed decides everything that chance decides. Sets with another seed, generator or split share no image; a set with
	// a smaller count is the beginning of the one with a larger, but for who wears the shortcut.
	Seed uint64 `yaml:"seed" json:"seed" default:"1"`

	// Side is the width and height of the images in pixels. The same seed gives the same faces at any size.
	Side int `yaml:"side" json:"side" default:"96" min:"32" max:"1024"`

	// Shortcut plants a stamp in the background of a share of each class. Without it there is none.
	Shortcut Shortcut `yaml:"shortcut" json:"shortcut"`

	// Clip plants an ornament on the head of a share of each class, away from all that annotators mark: a shortcut that lies
	// within a mask of the head and outside of human maps. Without it there is none.
	Clip Shortcut `yaml:"clip" json:"clip,omitzero"` // omitzero: sets without it keep their keys

	// Split is written into the column split of the list. It takes part in the seed, so that a training and a validation set
	// with the same seed share no image.
	Split string `yaml:"split" json:"split" default:"train"`
}

// Shortcut holds the share of each class that wears a shortcut. The numbers are exact: 0.95 of 300 images are 285.
type Shortcut struct {
	// Synthetic is the share of the synthetic images.
	Synthetic float64 `yaml:"synthetic" json:"synthetic" default:"0" min:"0" max:"1"`

	// Real is the share of the real images.
	Real float64 `yaml:"real" json:"real" default:"0" min:"0" max:"1"`
}

// Set is the set of pictures that the parameters ask for; an error names the parameter that cannot be.
func (p Params) Set() (*faces.Set, error) {
	f := p.Faces
	return faces.New(faces.Options{
		Generator: f.Generator, Split: f.Split, Count: f.Count, Seed: f.Seed, Side: f.Side,
		Shortcut: faces.Shortcut{Synthetic: f.Shortcut.Synthetic, Real: f.Shortcut.Real},
		Clip:     faces.Shortcut{Synthetic: f.Clip.Synthetic, Real: f.Clip.Real},
	})
}
