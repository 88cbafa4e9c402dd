// Package annotate is the stage in which a trained network, the teacher, makes the maps of a data set's images, for a student
// that is trained with them: datasets.X.saliency.teacher: {stage: NAME} (Boyd et al., arXiv:2306.05527).
//
// Outputs: maps/, one 8-bit grey PNG for each image that got a map, in unit range, named as prepare.MadeFile says;
// annotation.json, how many got one and why others did not. A CAM's map has one pixel a cell, RISE's as many as the images
// that the network sees. A map without range says nothing and is not written.
package annotate

import (
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Params are what a spec says of annotations by a network.
type Params struct {
	// Set is the data set whose images get maps. A student that trains on these maps needs another entry of datasets over the
	// same list.
	Set string `yaml:"set" json:"-" default:"train"`
	// Method is how maps are made: cam, grad_cam and hirescam are one and the same at the tap pooled of a network with a linear
	// head, but for grad_cam's ReLU; rise hides random parts of the image and sees what that does to the score, and needs no
	// tap.
	Method string `yaml:"method" json:"method" default:"cam" enum:"cam|grad_cam|hirescam|rise"`
	// Class says whose map it is: that of the class that the network predicts, or of the true one.
	Class string `yaml:"class" json:"class" default:"predicted" enum:"predicted|true"`
	// Tap is the layer that the CAM reads, as in a term of a loss.
	Tap string `yaml:"tap" json:"tap" default:"pooled"`
	// CorrectOnly leaves out the images that the network classifies wrongly.
	CorrectOnly bool `yaml:"correct_only" json:"correct_only" default:"false"`
	// RISE is for the method rise.
	RISE RISE `yaml:"rise" json:"rise"`
	// Batch is the number of images, or for rise of masked copies of an image, at a time.
	Batch int `yaml:"batch" json:"batch" default:"50" min:"1" max:"65536"`
	// Threads is the number of cores; 0 means all.
	Threads int `yaml:"threads" json:"-" default:"0" min:"0" max:"1024"`
}

// RISE is the random masks of the method rise (Petsiuk et al., BMVC 2018, arXiv:1806.07421).
type RISE struct {
	// Masks is their number: 4000 in the paper for VGG16, 8000 for ResNet50.
	Masks int `yaml:"masks" json:"masks" default:"4000" min:"1" max:"1000000"`
	// Cells is the height and width of the coarse grid that a mask is drawn on.
	Cells int `yaml:"cells" json:"cells" default:"7" min:"1" max:"256"`
	// Keep is the probability that a cell is left as it is.
	Keep float64 `yaml:"keep" json:"keep" default:"0.5" min:"0.001" max:"1"`
	// Seed decides the masks, which are the same for all images.
	Seed uint64 `yaml:"seed" json:"seed" default:"1"`
}

// Job is the stage as the worker gets it.
type Job struct {
	Params
	experiment.Trained
}

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     "annotate",
	Revision: 1, // raise it when the same parameters give other maps
	Program:  pipeline.Torch,
	Tensors:  true,
	Outputs:  []string{experiment.MapsFolder, "annotation.json"},
	Publish: []pipeline.Publication{
		{Output: experiment.MapsFolder, To: "maps/{node}"},
		{Output: "annotation.json", To: "maps/{node}.json"},
	},
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
	var size experiment.Size
	if p.Method == "rise" {
		p.Tap = ""
		size, ok = b.DataSize(c.Needs[0])
	} else {
		p.RISE = RISE{}
		network, known := b.Network(trained.Model)
		if !known {
			return
		}
		if network.Script != nil && p.Method != "cam" {
			b.Diags.Add(c.Place("method"), spec.NotAllowed, "annotate: %s needs the layers of the network, and those of one in TorchScript are not known; take method: cam or rise", p.Method)
			return
		}
		size, ok = b.Size(network, trained.Model.Side, c.Place("tap"), p.Tap)
	}
	if !ok {
		return
	}
	b.Edge(n, "data", c.Place("set"), p.Set, size)
	n.Params = Job{Params: *p, Trained: trained}
	n.CPUs, n.GPU = b.Threads(p.Threads), true
}
