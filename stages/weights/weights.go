// Package weights is the stage that brings a network that was trained elsewhere: in place of a training, for evaluations
// and CAMs to stand on.
//
// Outputs: final.pth, the file's weights under the names of this program, without optimiser.
package weights

import (
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Params are what a spec says of the weights.
type Params struct {
	// File is the checkpoint: .pth of any form, or .safetensors. All of the network's tensors must be in it.
	File string `yaml:"file" json:"-" required:"true"`
	// Except lists tensors of the file that the network does not have and that are left aside, with * for any text:
	// [AuxLogits.*] for inception_v3.
	Except []string `yaml:"except" json:"except,omitempty"`
	// Arch takes another network than model.arch.
	Arch string `yaml:"arch" json:"-"`
	// Precision of the arithmetic of those who use the weights.
	Precision string `yaml:"precision" json:"-" default:"float32" enum:"float32|bfloat16|float64"`
	// ChannelsLast keeps images in the memory order that is mostly faster, on CPUs and on tensor cores.
	ChannelsLast bool `yaml:"channels_last" json:"-" default:"true"`
}

// Job is the stage as the worker gets it; File is the path.
type Job struct {
	Params
	Path  string           `json:"path"`
	Model experiment.Model `json:"model"`
}

// Network implements experiment.WithNetwork.
func (j Job) Network() experiment.Trained {
	return experiment.Trained{Model: j.Model, Precision: j.Precision, ChannelsLast: j.ChannelsLast}
}

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     "weights",
	Revision: 1,
	Program:  pipeline.Torch,
	Outputs:  []string{"final.pth"},
	Publish:  []pipeline.Publication{{Output: "final.pth", To: "models/{node}/final.pth"}},
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
	b.File(c.Place("file"), p.File, n.Stage.Kind+".file", "; name a checkpoint, .pth or .safetensors")
	if b.Files {
		n.Files = append(n.Files, p.File)
	}
	n.Files = append(n.Files, b.FilesOf(model)...)
	n.Params = Job{Params: *p, Path: p.File, Model: model.Trained()}
	n.CPUs = 1
}
