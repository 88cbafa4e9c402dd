// Package train is the stage that trains a network: cross-entropy, CYBORG or any sum of terms.
//
// Outputs: final.pth, the selected epoch's weights with optimiser; last.pth, the last epoch's; history.csv, a row an
// epoch; steps.csv, a row a step with each term of the loss; run.json, what the training was and took.
package train

import (
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Params are what a spec says of a training; the defaults are the authors' (CVRL/CYBORG, train_cam.py).
type Params struct {
	// Loss is the name of one of the spec's losses.
	Loss string `yaml:"loss" json:"-" required:"true"`
	// Seed decides the initial weights, the order of the images and all other chance.
	Seed uint64 `yaml:"seed" json:"seed" default:"1"`
	// Data is the data set to train on.
	Data string `yaml:"data" json:"-" default:"train"`
	// Arch takes another network than the section model names.
	Arch string `yaml:"arch" json:"-"`

	// Epochs is how often the whole training set is seen.
	Epochs int `yaml:"epochs" json:"epochs" default:"50" min:"1" max:"100000"`
	// Batch is the number of images of a step; the last batch of an epoch may be smaller.
	Batch int `yaml:"batch" json:"batch" default:"20" min:"1" max:"65536"`
	// Optimizer makes a step of the gradient.
	Optimizer Optimizer `yaml:"optimizer" json:"optimizer"`
	// Schedule lowers the learning rate over the epochs.
	Schedule Schedule `yaml:"schedule" json:"schedule"`
	// Select says which epoch's weights become final.pth.
	Select Select `yaml:"select" json:"select"`
	// Precision of the arithmetic. bfloat16 is mixed precision: weights, losses and CAMs stay float32.
	Precision string `yaml:"precision" json:"precision" default:"float32" enum:"float32|bfloat16|float64"`
	// ChannelsLast keeps images in the memory order that is faster on CPUs and on tensor cores.
	ChannelsLast bool `yaml:"channels_last" json:"channels_last" default:"true"`
	// Threads is the number of cores of one training; 0 means all. Sums depend on it in their last digits.
	Threads int `yaml:"threads" json:"-" default:"0" min:"0" max:"1024"`
	// Steps stops the training after so many steps; 0 does all epochs. For trials and comparisons.
	Steps int `yaml:"steps" json:"steps,omitempty" default:"0" min:"0"`
	// Order shuffles the images in every epoch, or takes them as the data set lists them.
	Order string `yaml:"order" json:"order" default:"shuffle" enum:"shuffle|file"`
}

// Optimizer names one optimiser.
type Optimizer struct {
	SGD SGD `yaml:"sgd" json:"sgd"`
}

// SGD is stochastic gradient descent with momentum, in PyTorch's form: g += WeightDecay*p, v = Momentum*v + g, p -= LR*v.
type SGD struct {
	LR          float64 `yaml:"lr" json:"lr" default:"0.005" min:"0"`
	Momentum    float64 `yaml:"momentum" json:"momentum" default:"0.9" min:"0" max:"1"`
	WeightDecay float64 `yaml:"weight_decay" json:"weight_decay" default:"1e-6" min:"0"`
}

// Schedule names one schedule of the learning rate.
type Schedule struct {
	Step Step `yaml:"step" json:"step"`
}

// Step multiplies the learning rate by Gamma after every so many epochs; Every 0 keeps it constant.
type Step struct {
	Every int     `yaml:"every" json:"every" default:"12" min:"0"`
	Gamma float64 `yaml:"gamma" json:"gamma" default:"0.1" min:"0"`
}

// Select is the rule by which an epoch is chosen.
type Select struct {
	// Best is the figure to be best in: accuracy (highest), loss (lowest, cross-entropy alone), or last for no choice.
	Best string `yaml:"best" json:"best" default:"accuracy" enum:"accuracy|loss|last"`
	// On is the data set that it is taken on after each epoch.
	On string `yaml:"on" json:"-" default:"validation"`
	// Ties go to the latest epoch, as in the authors' code, or to the earliest.
	Ties string `yaml:"ties" json:"ties" default:"latest" enum:"latest|earliest"`
}

// Job is a training as the worker gets it.
type Job struct {
	Params
	Model experiment.Model  `json:"model"`
	Terms []experiment.Term `json:"terms"`
}

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     "train",
	Revision: 1,
	Program:  pipeline.Torch,
	Tensors:  true,
	Outputs:  []string{"final.pth", "last.pth", "history.csv", "steps.csv", "run.json"},
	Publish: []pipeline.Publication{
		{Output: "final.pth", To: "models/{node}/final.pth"},
		{Output: "last.pth", To: "models/{node}/last.pth"},
		{Output: "history.csv", To: "models/{node}/history.csv"},
		{Output: "steps.csv", To: "models/{node}/steps.csv"},
	},
}

// Kind is how specs use it.
var Kind = experiment.Kind{
	Stage:  Stage,
	Params: func() any { return &Params{} },
	Bind:   bind,
}

func bind(b *experiment.Builder, c *experiment.Cell, n *graph.Node) {
	p := c.Params.(*Params)
	model, network := b.Model(c.Place("arch"), p.Arch)
	terms := b.Loss(c.Place("loss"), p.Loss)
	if network == nil || terms == nil {
		return
	}
	size, ok := b.Size(network, model.Side, terms, c.Place("loss"))
	if !ok {
		return
	}
	for _, t := range terms {
		if t.Saliency() {
			b.Saliency(c.Place("loss"), p.Data, t.Map)
		}
	}
	if from := model.Init.From; from != "" {
		b.File(b.InitPlace(), from, "model.init", "; take `init` away to start from random weights, or bring the file there")
		n.Files = append(n.Files, from)
	}
	b.Edge(n, "data", c.Place("data"), p.Data, size)
	b.Edge(n, "validation", c.Place("select"), p.Select.On, size)
	n.Params = Job{Params: *p, Model: model, Terms: terms}
	n.CPUs, n.GPU = b.Threads(p.Threads), true
}

// JobOf is the training that made a node.
func JobOf(n *graph.Node) Job { return n.Params.(Job) }
