// Package experiment turns a resolved spec into the graph of its nodes.
//
// A spec's own sections are declared here: datasets, model and losses. A Kind is what a stage kind adds to its
// pipeline.Stage: the type of its parameters and Bind, which makes the node of one cell of a stage's matrix. Data sets
// become nodes too: `data.train` packs what its CSV names at the side and grid that the network asks for, and
// `generate.train` makes the images of a generated one.
package experiment

import (
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/generate"
)

// Dataset is one entry of the section `datasets`: a list of images with labels and, if wished, saliency maps.
type Dataset struct {
	// CSV is the list of the images: split,label,path without a header, as the CYBORG authors write it, or with a header
	// and any further columns. A generated data set has its own.
	CSV string `yaml:"csv"`
	// Root is the folder that the paths of the list are below, also those that begin with "/"; without it, the folder of
	// the list.
	Root string `yaml:"root"`
	// Header says whether the first line of the list names its columns; auto takes one with the fields label and path for a
	// header.
	Header string `yaml:"header" default:"auto" enum:"auto|yes|no"`
	// Where keeps the rows for which this expression over the columns, all of them text, is true: split == "train".
	Where string `yaml:"where"`
	// Labels says what other words of the list mean than Real and Synthetic: {Live: Real, Spoof: Synthetic}.
	Labels map[string]string `yaml:"labels"`
	// Counts is how many images of each class the list must have, as far as they are given: {Real: 919, Synthetic: 902}. With
	// another number the spec is not run.
	Counts map[string]int `yaml:"counts"`
	// Saliency names maps of the images: what losses compare CAMs with.
	Saliency spec.Named[Saliency] `yaml:"saliency"`
	// Generate draws the images instead of reading them.
	Generate *generate.Params `yaml:"generate"`
	// With adds the images of other data sets when this one is scored, such as the real ones that belong to a generator.
	With []string `yaml:"with"`
	// MaxPixels is the largest width times height of an image or map that is read; the default is Pillow's.
	MaxPixels int `yaml:"max_pixels" default:"178956970" min:"1"`
	// OnBadImage says what becomes of an image that is missing, truncated, too large or of an unknown kind, or whose map is:
	// fail stops the run and names it; skip goes on without it, and the run and its report list it with the reason.
	OnBadImage string `yaml:"on_bad_image" default:"fail" enum:"fail|skip"`
}

// Saliency is one named source of maps, at most one for each image. Exactly one of maps, masks, stage, combine and from is
// given.
type Saliency struct {
	// Maps is the file of each image's map, a grey picture, below the root of the data set unless it is absolute. In it,
	// {stem} stands for the image's file name without extension, {name} for the file name, {dir} for its folder, {path} for
	// the path in the list, and {split}, {label} or any other column for its value. An image whose file is not there has no
	// map, and is left out of the terms that need one.
	Maps string `yaml:"maps"`
	// Masks is the same for segmentation masks: what is not zero counts as 1.
	Masks string `yaml:"masks"`
	// Parts chooses what of the masks counts: where the pattern has {part}, each part is a file; else each is a value of the
	// mask, and all other values count as 0. Parts are united.
	Parts []string `yaml:"parts"`
	// Layout says that masks names the folder of masks of a published set, with parts by its names: celebamask-hq for
	// CelebAMask-HQ-mask-anno, of images that are called by their numbers. Its masks have another size and mode than the images:
	// both are allowed then.
	Layout string `yaml:"layout" enum:"|celebamask-hq"`
	// Stage names a stage of this spec that makes the maps: one that uses saliency (from annotations) or annotate (by a
	// trained network), and has no matrix. Its set may be another data set over the same list.
	Stage string `yaml:"stage"`
	// Combine computes the map from others of this data set, cell by cell: max(human, 0.5 * parts). It knows + - * / < <= > >=
	// == != && || ! ?: and the functions min, max, clip(x, low, high) and abs; what is true is 1. The result is clipped to 0 to
	// 1. An image has the map where it has all that are named.
	Combine string `yaml:"combine"`
	// Simulated says that no person drew these maps, and the report says so too. Those of generated data always are.
	Simulated bool `yaml:"simulated"`
	// Required makes an image without a map an error.
	Required bool `yaml:"required"`
	// Size says whether a map must be exactly as large as its image, or may have any size; the aspect ratio is then ignored.
	Size string `yaml:"size" default:"exact" enum:"exact|any"`
	// Mode says whether a map must be grey with at most 8 bits a pixel (a mask: one channel), or is made grey as Pillow does
	// it (a mask: what is not black is 1).
	Mode string `yaml:"mode" default:"grey" enum:"grey|convert"`
	// Filter brings maps to the grid of the CAM: bilinear with antialiasing, as the authors do, or box, the mean of each cell.
	Filter string `yaml:"filter" default:"bilinear" enum:"bilinear|box"`
	// From makes a control of the maps of that name: they go to other images, as Shuffle says.
	From string `yaml:"from"`
	// Shuffle gives each map to another image of its class, or to any other image.
	Shuffle string `yaml:"shuffle" enum:"|class|all"`
	// Seed decides which.
	Seed uint64 `yaml:"seed" default:"1"`
}

// Model is the network that is trained.
type Model struct {
	// Arch is the network: its name alone, or a map, for a network from Python: {torchscript: net.pt}.
	Arch Arch `yaml:"arch" json:"arch" required:"true"`
	// Side is the width and height in pixels that images are resized to; 0 takes the network's own.
	Side int `yaml:"side" json:"side" default:"0" min:"0" max:"2048"`
	// Init is a checkpoint to start from (.pth or .safetensors): its path or its published name alone, or a map. Without one
	// the weights are random, from the seed of the training.
	Init Init `yaml:"init" json:"init"`
	// Dropout is the probability of every dropout and stochastic depth in training, instead of the network's own, such as 0.5
	// of inception_v3.
	Dropout *float64 `yaml:"dropout" json:"dropout,omitempty" min:"0" max:"0.99"`
	// BatchNorm moves the running statistics once a step, or, in trainings with a saliency term, twice: the authors' code
	// sends each batch through DenseNet a second time for its CAMs.
	BatchNorm string `yaml:"batch_norm" json:"batch_norm,omitempty" default:"once" enum:"once|twice"`
	// ByArch says what is different for a network, by its name, wherever that one is taken: for a stage with an axis arch.
	ByArch spec.Named[Variant] `yaml:"by_arch" json:"-"`
}

// Variant is what one network has in place of the model's own.
type Variant struct {
	// Init is its first weights.
	Init Init `yaml:"init"`
	// Side is its images' width and height in pixels.
	Side int `yaml:"side" min:"1" max:"2048"`
	// Dropout is the probability of its every dropout.
	Dropout *float64 `yaml:"dropout" min:"0" max:"0.99"`
	// BatchNorm moves its running statistics once or twice a step.
	BatchNorm string `yaml:"batch_norm" enum:"|once|twice"`
}

// Trained is the model as those see it that read its trained weights: where they began does not matter, nor what
// training alone does.
func (m Model) Trained() Model { return Model{Arch: m.Arch, Side: m.Side} }
