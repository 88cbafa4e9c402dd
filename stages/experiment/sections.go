// Package experiment turns a resolved spec into the graph of its nodes.
//
// A spec's own sections are declared here: datasets, model and losses. A Kind is what a stage kind adds to its
// pipeline.Stage: the type of its parameters and Bind, which makes the node of one cell of a stage's matrix. Data sets
// become nodes too: `data.train` packs what its CSV names at the side and grid that the network asks for, and
// `generate.train` makes the images of a generated one.
package experiment

import (
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/generate"
)

// Dataset is one entry of the section `datasets`: a list of images with labels and, if wished, saliency maps.
type Dataset struct {
	// CSV lists the images: split,label,path without a header, as the CYBORG authors write it, or with a header and any
	// further columns. A generated data set has its own.
	CSV string `yaml:"csv"`
	// Root is the folder that the paths of the CSV are under; the folder of the CSV where it is left out.
	Root string `yaml:"root"`
	// Header says whether the CSV's first line names the columns; auto looks.
	Header string `yaml:"header" default:"auto" enum:"auto|yes|no"`
	// Where keeps the rows for which this expression over the columns is true: split == "train".
	Where string `yaml:"where"`
	// Labels maps the CSV's labels to Real or Synthetic, where they are called otherwise: {Live: Real, Spoof: Synthetic}.
	Labels map[string]string `yaml:"labels"`
	// Saliency names maps of the images: what the term cyborg compares CAMs with.
	Saliency spec.Named[Saliency] `yaml:"saliency"`
	// Generate makes the images instead of reading them.
	Generate *generate.Params `yaml:"generate"`
	// With adds the rows of other data sets when this one is scored, such as the real images that belong to a generator.
	With []string `yaml:"with"`
	// MaxPixels is the largest image that is read, in pixels.
	MaxPixels int `yaml:"max_pixels" default:"178956970" min:"1"`
}

// Saliency is one named map of the images of a data set.
type Saliency struct {
	// Maps is the map of each image, a grey picture: a path with {stem}, {name}, {path}, {label}, {split} or a column,
	// below the data set's root. An image whose map is not there has none, and is left out of the terms that need one.
	Maps string `yaml:"maps"`
	// Masks is the same for segmentation masks: what is not zero counts as one.
	Masks string `yaml:"masks"`
	// Parts joins several masks of an image: each name in turn stands for {part} in Masks.
	Parts []string `yaml:"parts"`
	// Simulated says that no person drew these maps; reports then say so too.
	Simulated bool `yaml:"simulated"`
	// Required makes a missing map an error.
	Required bool `yaml:"required"`
	// Size any allows maps of another size than their image; the aspect ratio is then ignored.
	Size string `yaml:"size" default:"exact" enum:"exact|any"`
	// Mode convert takes the luminance of maps in colour.
	Mode string `yaml:"mode" default:"grey" enum:"grey|convert"`
	// Filter brings a map to the CAM's grid: bilinear with antialiasing, as the authors do, or box, the mean of each cell.
	Filter string `yaml:"filter" default:"bilinear" enum:"bilinear|box"`
	// From makes a control: the maps of that name, given to other images as Shuffle says.
	From string `yaml:"from"`
	// Shuffle permutes the maps among the images of the same class, or among all.
	Shuffle string `yaml:"shuffle" enum:"|class|all"`
	// Seed of the permutation.
	Seed uint64 `yaml:"seed" default:"1"`
}

// Model is the section `model`.
type Model struct {
	// Arch is the name of the network.
	Arch string `yaml:"arch" json:"arch" required:"true"`
	// Side is the width and height of its input in pixels; 0 takes the network's own.
	Side int `yaml:"side" json:"side" default:"0" min:"0" max:"2048"`
	// Init is a checkpoint to start from (.pth or .safetensors); without one the weights are random, from the seed.
	Init Init `yaml:"init" json:"init"`
}

// Init is where a network's first weights come from.
type Init struct {
	// From is the checkpoint's path.
	From string `yaml:"from" json:"from,omitempty"`
	// Except lists parameters that are not taken from it, with * for any text: [fc.*] for a head of another size.
	Except []string `yaml:"except" json:"except,omitempty"`
}

// DecodeSpec implements spec.Decoder: a path alone, or a map.
func (i *Init) DecodeSpec(v *spec.Value, diags *diag.List) {
	if v.Kind == spec.String {
		i.From = v.Resolve()
		return
	}
	type plain Init
	spec.Decode(v, (*plain)(i), diags)
	i.From = v.Get("from").Resolve()
}

// Term is one part of a loss.
type Term struct {
	// Term is its name: cross_entropy or cyborg.
	Term string `yaml:"term" json:"term" required:"true" enum:"cross_entropy|cyborg"`
	// Weight multiplies it in the sum.
	Weight float64 `yaml:"weight" json:"weight" default:"1"`
	// Map is the saliency of the training set that CAMs are compared with.
	Map string `yaml:"map" json:"map,omitempty" default:"human"`
	// Class says whose CAM is compared: the predicted class's, as in the authors' code, or the true one's.
	Class string `yaml:"class" json:"class,omitempty" default:"predicted" enum:"predicted|true"`
	// Tap is the layer that the CAM reads: the authors' choice, the tensor that is pooled, or a module by its name.
	Tap string `yaml:"tap" json:"tap,omitempty" default:"authors"`
}

// Saliency tells whether the term reads CAMs and maps.
func (t Term) Saliency() bool { return t.Term != "cross_entropy" }
