// Package evaluate is the stage that scores a data set with a trained network.
//
// Outputs: scores.csv (path,label,score), a row an image in the order of the data set, where score is the softmax
// probability of Synthetic; metrics.json, with auc, accuracy, eer, apcer, bpcer and acer as far as they are defined.
package evaluate

import (
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// Params are what a spec says of an evaluation.
type Params struct {
	// Set is the data set to score, together with those that its key with names.
	Set string `yaml:"set" json:"-" required:"true"`
	// Batch is the number of images that are scored at a time.
	Batch int `yaml:"batch" json:"batch" default:"50" min:"1" max:"65536"`
	// Precision of the arithmetic; without it, that of the training.
	Precision string `yaml:"precision" json:"-" enum:"|float32|bfloat16|float64"`
	// FoldBatchNorm takes each batch norm that follows a convolution into that convolution's weights: the same function in
	// less time, whose float32 scores differ by some 1e-6. false computes layer by layer, as PyTorch does.
	FoldBatchNorm bool `yaml:"fold_batch_norm" json:"fold_batch_norm" default:"true"`
	// Threads is the number of cores; 0 means all.
	Threads int `yaml:"threads" json:"-" default:"0" min:"0" max:"1024"`
}

// Job is an evaluation as the worker gets it.
type Job struct {
	Params
	experiment.Trained
	Set string `json:"set"`
}

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     "evaluate",
	Revision: 3, // raise it when the same parameters give other scores
	Program:  pipeline.Torch,
	Tensors:  true,
	Outputs:  []string{"scores.csv", "metrics.json"},
	Publish:  []pipeline.Publication{{Output: "scores.csv", To: "scores/{node}.csv"}},
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
	size, ok := b.DataSize(c.Needs[0])
	if !ok {
		return
	}
	if p.Precision != "" {
		trained.Precision = p.Precision
	}
	for _, name := range b.With(c.Place("set"), p.Set) {
		b.Edge(n, "data", c.Place("set"), name, size)
	}
	n.Params = Job{Params: *p, Trained: trained, Set: p.Set}
	n.CPUs, n.GPU = b.Threads(p.Threads), true
}
