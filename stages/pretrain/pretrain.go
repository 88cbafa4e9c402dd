// Package pretrain is the stage that trains a network's encoder to draw human maps, before a training goes on from it with
// model.init: {stage: NAME, except: [fc.*]} (MENTOR: Crum and Czajka, arXiv:2310.19545).
//
// The encoder and a decoder (nn.Decoder) are a saliency autoencoder: from an image it draws a map of the image's size, whose
// sigmoid is compared with the image's human map in unit range by the mean squared error. Images without a map are left out.
//
// Outputs: final.pth, the encoder's weights of the epoch with the lowest validation loss under the names of the classifier,
// without optimiser; history.csv (epoch,train_loss,validation_loss), a row an epoch; steps.csv (step,loss), a row a step;
// run.json, the network, the epochs done and the one selected. The same pretraining leaves the same bytes, also where it was
// stopped or killed and went on.
//
// Source of the defaults: the authors' notebook (CVRL/MENTOR) takes Adam at 1e-4, batches of 4 and about 10 epochs, and keeps
// the lowest validation loss. It has U-Net++ and U-Net decoders on 256 x 256 pixels; the decoder here is a U-Net of our own
// sizes, at the side of the model.
package pretrain

import (
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/weights"
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

// Params are what a spec says of a pretraining.
type Params struct {
	// Seed decides the initial weights, the order of the images and all other chance.
	Seed uint64 `yaml:"seed" json:"seed" default:"1"`
	// Data is the data set to train on.
	Data string `yaml:"data" json:"-" default:"train"`
	// Validation is the data set on which the loss is taken after each epoch; the epoch where it is lowest is kept.
	Validation string `yaml:"validation" json:"-" default:"validation"`
	// Map is the saliency of both that the autoencoder learns to draw.
	Map string `yaml:"map" json:"map" default:"human"`
	// Arch takes another network than model.arch.
	Arch string `yaml:"arch" json:"-"`
	// Init is where the encoder starts, as model.init says it for trainings, which a pretraining does not take; without it, from
	// random weights. The head need not be left out.
	Init experiment.Init `yaml:"init" json:"init"`
	// Skips gives the decoder the encoder's tensors at each scale beside the features, as a U-Net does. Without them all that
	// it draws has to pass the features.
	Skips bool `yaml:"skips" json:"skips" default:"true"`

	// Epochs is how often the whole training set is seen.
	Epochs int `yaml:"epochs" json:"epochs" default:"10" min:"1" max:"100000"`
	// Batch is the number of images of a step; the last batch of an epoch may be smaller.
	Batch int `yaml:"batch" json:"batch" default:"4" min:"1" max:"65536"`
	// LR is Adam's learning rate; its other settings are PyTorch's: betas .9 and .999, epsilon 1e-8.
	LR float64 `yaml:"lr" json:"lr" default:"1e-4" min:"0"`
	// Precision of the arithmetic. bfloat16 is mixed precision: weights, the map and the loss stay float32.
	Precision string `yaml:"precision" json:"precision" default:"float32" enum:"float32|bfloat16|float64"`
	// ChannelsLast keeps images in the memory order that is mostly faster, on CPUs and on tensor cores.
	ChannelsLast bool `yaml:"channels_last" json:"channels_last" default:"true"`
	// Threads is the number of cores; 0 means all. Sums depend on the number in their last digits, so it is part of the node's
	// key.
	Threads int `yaml:"threads" json:"-" default:"0" min:"0" max:"1024"`
	// Steps stops after so many steps; 0 does all epochs. For trials and comparisons.
	Steps int `yaml:"steps" json:"steps,omitempty" default:"0" min:"0"`
	// Order shuffles the images in every epoch, or takes them as the data set lists them.
	Order string `yaml:"order" json:"order" default:"shuffle" enum:"shuffle|file"`
	// Checkpoint says when it saves where it is, as train.checkpoint does. None of it changes a result or is part of the key.
	Checkpoint train.Checkpoint `yaml:"checkpoint" json:"-"`
}

// Job is a pretraining as the worker gets it.
type Job struct {
	Params
	Model experiment.Model `json:"model"`
}

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     experiment.Pretraining,
	Revision: 1, // raise it when the same parameters give other weights
	Program:  pipeline.Torch,
	Tensors:  true,
	Outputs:  []string{"final.pth", "history.csv", "steps.csv", "run.json"},
	Publish: []pipeline.Publication{
		{Output: "final.pth", To: "models/{node}/final.pth"},
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
	if network == nil {
		return
	}
	if _, err := network.Autoencoder(nn.Decoder{}); err != nil {
		b.Diags.Add(c.Place("arch"), spec.UnknownArch, "pretrain: %v", err)
		return
	}
	size, ok := b.Size(network, model.Side, c.Place("arch"))
	if !ok {
		return
	}
	if b.Saliency(c.Place("data"), p.Data, p.Map) == nil || b.Saliency(c.Place("validation"), p.Validation, p.Map) == nil {
		return
	}
	b.InitialFile(c.Place("init"), p.Init)
	if from := p.Init.From; from != "" && b.Files {
		n.Files = append(n.Files, from)
	}
	b.Edge(n, "data", c.Place("data"), p.Data, size)
	b.Edge(n, "validation", c.Place("validation"), p.Validation, size)
	b.First(c, n, p.Init, network)
	model.Init = experiment.Init{}
	n.Other = map[string]string{"model": "model"}
	n.Params, n.How = Job{Params: *p, Model: model}, train.How{Checkpoint: p.Checkpoint}
	n.CPUs, n.GPU = b.Threads(p.Threads), true
}

// Network implements experiment.WithNetwork.
func (j Job) Network() experiment.Trained {
	return experiment.Trained{Model: j.Model.Trained(), Precision: j.Precision, ChannelsLast: j.ChannelsLast}
}

// Source is where the first weights are fetched from, before the pretraining runs; ok is false where none are.
func (j Job) Source() (s weights.Source, ok bool) { return j.Init.Source() }
