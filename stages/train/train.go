// Package train is the stage that trains a network: cross-entropy, CYBORG or any sum of terms.
//
// Outputs: final.pth, weights and optimiser of the selected epoch; last.pth, of the last one; history.csv, a row an epoch;
// steps.csv, a row a step with each term of the loss; run.json, the network, the epochs done and the one selected. Weights
// of terms that vary have columns too, in history.csv with their means over the epoch. None holds a time: the same training
// leaves the same bytes, also where it was stopped or killed and went on. How long each epoch took is in the run's events.
// The defaults are the authors' (CVRL/CYBORG, train_cam.py).
package train

import (
	"slices"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/weights"
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Params are what a spec says of a training.
type Params struct {
	// Loss is the name of one of the spec's losses.
	Loss string `yaml:"loss" json:"-" required:"true"`
	// Seed decides the initial weights, the order of the images and all other chance.
	Seed uint64 `yaml:"seed" json:"seed" default:"1"`
	// Data is the data set to train on.
	Data string `yaml:"data" json:"-" default:"train"`
	// Arch takes another network than model.arch.
	Arch string `yaml:"arch" json:"-"`
	// Side takes images of another width and height than model.side, in pixels; 0 takes that. A cell of the network sees as
	// many pixels at any size, and so another share of the image.
	Side int `yaml:"side" json:"-" default:"0" min:"0" max:"2048"`
	// Init is where this training starts, in place of model.init; '' starts from random weights.
	Init *experiment.Init `yaml:"init" json:"-"`

	// Epochs is how often the whole training set is seen.
	Epochs int `yaml:"epochs" json:"epochs" default:"50" min:"1" max:"100000"`
	// Batch is the number of images of a step; the last batch of an epoch may be smaller.
	Batch int `yaml:"batch" json:"batch" default:"20" min:"1" max:"65536"`
	// Optimizer says how the weights move; there is sgd.
	Optimizer Optimizer `yaml:"optimizer" json:"optimizer"`
	// Schedule lowers the learning rate over the epochs; there is step.
	Schedule Schedule `yaml:"schedule" json:"schedule"`
	// Select says which epoch's weights become final.pth, the model that is scored.
	Select Select `yaml:"select" json:"select"`
	// Precision of the arithmetic. bfloat16 is mixed precision: weights, the head, losses and CAMs stay float32.
	Precision string `yaml:"precision" json:"precision" default:"float32" enum:"float32|bfloat16|float64"`
	// ChannelsLast keeps images in the memory order that is mostly faster, on CPUs and on tensor cores.
	ChannelsLast bool `yaml:"channels_last" json:"channels_last" default:"true"`
	// Threads is the number of cores of one training; 0 means all. Several trainings run side by side where they fit. Sums
	// depend on the number in their last digits, so it is part of the node's key.
	Threads int `yaml:"threads" json:"-" default:"0" min:"0" max:"1024"`
	// Steps stops the training after so many steps; 0 does all epochs. For trials and comparisons.
	Steps int `yaml:"steps" json:"steps,omitempty" default:"0" min:"0"`
	// Order shuffles the images in every epoch, or takes them as the data set lists them.
	Order string `yaml:"order" json:"order" default:"shuffle" enum:"shuffle|file"`
	// Checkpoint says when a training saves where it is: at whichever of its keys comes first, at the end of an epoch, and
	// when it is stopped. A kill costs what was done since; it ends in the same bytes all the same. But for steps that are
	// asked for, saving takes no more than 2 % of the time. None of it changes a result or is part of the key.
	Checkpoint Checkpoint `yaml:"checkpoint" json:"-"`
}

// Checkpoint says when a training saves its state. Each of the two is counted from the last checkpoint.
type Checkpoint struct {
	// Steps is the number of steps from one checkpoint to the next; 0 counts none.
	Steps int `yaml:"steps" json:"steps" default:"0" min:"0"`
	// Every is the time from one checkpoint to the next; 0s sets none.
	Every time.Duration `yaml:"every" json:"every" default:"60s"`
}

// How is what the worker gets beside the Job: nothing in it changes a result. Times are in nanoseconds.
type How struct {
	Checkpoint Checkpoint `json:"checkpoint"`
}

// Optimizer names one optimiser.
type Optimizer struct {
	// SGD is stochastic gradient descent with momentum, as PyTorch computes it.
	SGD SGD `yaml:"sgd" json:"sgd"`
}

// SGD is stochastic gradient descent with momentum, in PyTorch's form: g += WeightDecay*p, v = Momentum*v + g, p -= LR*v.
type SGD struct {
	// LR is the learning rate of the first epoch.
	LR float64 `yaml:"lr" json:"lr" default:"0.005" min:"0"`
	// Momentum is the share of the last step that the next one keeps.
	Momentum float64 `yaml:"momentum" json:"momentum" default:"0.9" min:"0" max:"1"`
	// WeightDecay is the share of each parameter that is added to its gradient.
	WeightDecay float64 `yaml:"weight_decay" json:"weight_decay" default:"1e-6" min:"0"`
}

// Schedule names one schedule of the learning rate.
type Schedule struct {
	// Step multiplies the learning rate by a factor after every so many epochs.
	Step Step `yaml:"step" json:"step"`
}

// Step multiplies the learning rate by Gamma after Every epochs, again and again.
type Step struct {
	// Every is the number of epochs at one rate; 0 keeps it constant.
	Every int `yaml:"every" json:"every" default:"12" min:"0"`
	// Gamma is the factor.
	Gamma float64 `yaml:"gamma" json:"gamma" default:"0.1" min:"0"`
}

// Select is the rule by which an epoch is chosen.
type Select struct {
	// Best is the figure to be best in: accuracy (highest), loss (lowest; of cross-entropy alone), or last for no choice.
	Best string `yaml:"best" json:"best" default:"accuracy" enum:"accuracy|loss|last"`
	// On is the data set that both figures are taken on after each epoch, also where there is no choice.
	On string `yaml:"on" json:"-" default:"validation"`
	// Ties go to the latest of equal epochs, as in the authors' code, or to the earliest.
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
	Revision: 2,
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
	if p.Side > 0 {
		model.Side = p.Side
	}
	if p.Init != nil {
		model.Init = *p.Init
		b.InitialFile(c.Place("init"), model.Init)
	}
	var taps []string
	for _, t := range terms {
		if t.Term == "auxiliary_cross_entropy" && !network.HasAuxiliary() {
			b.Diags.Add(c.Place("loss"), spec.UnknownArch, "loss %q: auxiliary_cross_entropy needs a network with an auxiliary classifier, such as inception_v3_aux; %s has none",
				p.Loss, network.Name)
		}
		if t.Mapped() {
			b.Saliency(c.Place("loss"), p.Data, t.Map)
		}
		if t.Saliency() {
			taps = append(taps, t.Tap)
		}
		if t.Method != "" && network.Script != nil {
			b.Diags.Add(c.Place("loss"), spec.UnknownArch, "loss %q: %s reads gradients within the network, and those of a network from Python are not at hand; "+
				"take method: cam, which is the same at its tap", p.Loss, t.Method)
		}
	}
	size, ok := b.Size(network, model.Side, c.Place("loss"), taps...)
	if !ok {
		return
	}
	n.Files = append(n.Files, b.FilesOf(model)...)
	if from := model.Init.From; from != "" && b.Files {
		n.Files = append(n.Files, from)
	}
	b.Edge(n, "data", c.Place("data"), p.Data, size)
	for _, t := range terms {
		if t.Mapped() {
			b.Reads(b.Data(c.Place("data"), p.Data, size), p.Data, t.Map, p.Loss)
		}
	}
	b.Edge(n, "validation", c.Place("select"), p.Select.On, size)
	b.First(c, n, model.Init, network)
	n.Other = map[string]string{"model": "model", "terms": "losses." + p.Loss}
	n.Params, n.How = Job{Params: *p, Model: model, Terms: terms}, How{p.Checkpoint}
	n.CPUs, n.GPU = b.Threads(p.Threads), true
}

// MapsRead implements experiment.ReadsMaps.
func (j Job) MapsRead() (names []string) {
	for _, t := range j.Terms {
		if t.Mapped() && !slices.Contains(names, t.Map) {
			names = append(names, t.Map)
		}
	}
	return names
}

// Network implements experiment.WithNetwork.
func (j Job) Network() experiment.Trained {
	return experiment.Trained{Model: j.Model.Trained(), Precision: j.Precision, ChannelsLast: j.ChannelsLast}
}

// Source is where the first weights are fetched from, before the training runs; ok is false where none are.
func (j Job) Source() (s weights.Source, ok bool) { return j.Model.Init.Source() }
