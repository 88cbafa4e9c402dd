// Package cam is the stage that shows where a trained network looks, and how well that agrees with people: the class
// activation maps of all images of a data set.
//
// Outputs, all below cams/: of each image that is shown the CAM as computed (.npy, float32, h x w cells) and pictures of
// the image, of its CAM and of its human map over it; mean.png with the average CAM of all images beside the average human
// map, mean.npy and human_mean.npy with the same as numbers; index.json, which also has whose CAMs they are, the layer that
// they read, and the mean correlation of CAMs and human maps.
//
// Of every image there is a row in agreement.csv: path, label, score (softmax probability of Synthetic), predicted class,
// then metrics.MapNames of its CAM in unit range against its human map, then human_entropy, the entropy of that map in unit
// range. What is not defined is empty: all for a constant CAM, all but the entropy where an image has no map or a constant
// one. grids.npy has the CAMs as computed of all images [N,h,w], in the same order.
package cam

import (
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Params are what a spec says of CAMs.
type Params struct {
	// Set is the data set whose images are explained.
	Set string `yaml:"set" json:"-" default:"validation"`
	// Images is how many of them are shown, half of each class, spread evenly over the set. The mean is over all.
	Images int `yaml:"images" json:"images" default:"12" min:"0" max:"10000"`
	// Class says whose CAM it is: the class that the network predicts, the true one, or always the same.
	Class string `yaml:"class" json:"class" default:"predicted" enum:"predicted|true|real|synthetic"`
	// Tap is the layer that the CAM reads, as in a term of a loss.
	Tap string `yaml:"tap" json:"tap" default:"pooled"`
	// Map is the saliency that CAMs are shown beside and compared with, where the set has it.
	Map string `yaml:"map" json:"map" default:"human"`
	// Points is the share of a map's range from which on a cell counts as marked by people, for the measures that ask for
	// points (NSS, AUC-Judd, pointing game): maps give densities. The definition is ours.
	Points float64 `yaml:"points" json:"points" default:"0.5" min:"0.001" max:"1"`
	// Grids keeps the CAM of every image where the set has at most so many of them: what the stability over seeds is
	// measured on.
	Grids int `yaml:"grids" json:"grids" default:"20000" min:"0"`
	// Batch is the number of images at a time.
	Batch int `yaml:"batch" json:"batch" default:"50" min:"1" max:"65536"`
	// Threads is the number of cores; 0 means all.
	Threads int `yaml:"threads" json:"-" default:"0" min:"0" max:"1024"`
}

// Job is the stage as the worker gets it.
type Job struct {
	Params
	experiment.Trained
}

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     "cam",
	Revision: 4,
	Program:  pipeline.Torch,
	Tensors:  true,
	Outputs:  []string{"cams/index.json", "cams/mean.png", "cams/mean.npy", "cams/agreement.csv"},
	Publish:  []pipeline.Publication{{Output: "cams", To: "cams/{node}"}},
}

// Kind is how specs use it.
var Kind = experiment.Kind{
	Stage:  Stage,
	Params: func() any { return &Params{} },
	Each:   true,
	Needs:  []string{"train", "weights"},
	Bind:   bind,
}

func bind(b *experiment.Builder, c *experiment.Cell, n *graph.Node) {
	p := c.Params.(*Params)
	trained, ok := b.Trained(c, n)
	if !ok {
		return
	}
	network, ok := b.Network(trained.Model)
	if !ok {
		return
	}
	size, ok := b.Size(network, trained.Model.Side, c.Place("tap"), p.Tap) // maps of as many cells as the CAMs
	if !ok {
		return
	}
	b.Edge(n, "data", c.Place("set"), p.Set, size)
	n.Params = Job{Params: *p, Trained: trained}
	n.CPUs, n.GPU = b.Threads(p.Threads), true
}
