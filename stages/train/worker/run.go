// Package worker does the stage train.
package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/device"
	"github.com/cyborg-run/cyborg-run/internal/loader"
	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

// Run does one training. Stopped in the middle, it saves where it is; the next attempt goes on from there.
func Run(ctx context.Context, t *task.Task) error {
	var job train.Job
	if err := t.Decode(&job); err != nil {
		return err
	}
	how := train.How{Checkpoint: train.Checkpoint{Every: time.Minute}}
	if err := t.DecodeHow(&how); err != nil {
		return err
	}
	on, err := device.Open(t)
	if err != nil {
		return err
	}
	return torch.Do(func(s *torch.Scope) error {
		tr, err := prepare(s, t, job, on)
		if err != nil {
			return err
		}
		defer tr.close()
		tr.how = how
		return tr.run(ctx)
	})
}

// prepare opens the data and makes the network, its optimiser and its sources of chance. What it makes belongs to s.
func prepare(s *torch.Scope, t *task.Task, job train.Job, on torch.Device) (*trainer, error) {
	terms := losses(job.Terms)
	if err := terms.Check(); err != nil {
		return nil, err
	}
	data, err := open(s, t, "data", on, terms.Maps())
	if err != nil {
		return nil, err
	}
	validation, err := open(s, t, "validation", on, nil)
	if err != nil {
		return nil, err
	}
	precision, err := torch.ParseDType(job.Precision)
	if err != nil {
		return nil, err
	}
	network, err := experiment.Network(job.Model)
	if err != nil {
		return nil, err
	}
	tr := &trainer{task: t, job: job, scope: s, terms: terms, data: data, validation: validation,
		order: torch.NewGenerator(torch.CPU, job.Seed), chance: torch.NewGenerator(on, job.Seed)}
	tr.net, err = model.New(network, on, precision, model.Options{
		ChannelsLast: job.ChannelsLast, Random: tr.chance, Dropout: job.Model.Dropout,
		BatchNormTwice: job.Model.BatchNorm == "twice" && len(terms.Taps()) > 0,
	})
	if err != nil {
		return nil, err
	}
	if err := tr.initialise(); err != nil {
		return nil, err
	}
	sgd := job.Optimizer.SGD
	tr.sgd, err = model.NewSGD(tr.net, sgd.LR, sgd.Momentum, sgd.WeightDecay)
	return tr, err
}

// initialise gives the network its first weights.
func (tr *trainer) initialise() (err error) {
	tr.initial, err = trained.Begin(tr.net, tr.task, tr.job.Seed, tr.job.Model.Init)
	return err
}

func open(s *torch.Scope, t *task.Task, port string, on torch.Device, maps []string) (*loader.Loader, error) {
	in, err := t.One(port)
	if err != nil {
		return nil, err
	}
	set, err := pack.Open(in.Path)
	if err != nil {
		return nil, err
	}
	if set.Len() == 0 {
		return nil, fmt.Errorf("%s: the data set has no images", in.Node)
	}
	for _, row := range set.Rows() {
		if row.Class == metrics.Unlabelled {
			return nil, fmt.Errorf("%s: %s has no label: training and validation need one for each image", in.Node, row.Path)
		}
	}
	l, err := loader.New(s, on, set, maps)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Node, err)
	}
	return l, nil
}

func losses(terms []experiment.Term) loss.Loss {
	var l loss.Loss
	for _, t := range terms {
		term := loss.Term{Name: t.Term, Weight: t.Weight.Value, Adaptive: t.Weight.Adaptive, Log: t.Log, Map: t.Map, Class: loss.Class(t.Class),
			Tap: t.Tap, Distance: loss.Distance(t.Distance), Method: loss.Method(t.Method), Keep: t.Keep}
		if w := t.Weight; w.Changes() {
			term.Ramp = &loss.Ramp{From: w.From, To: w.To, Epochs: w.Epochs, Steps: w.Steps, Shape: loss.Shape(w.Shape)}
		}
		l = append(l, term)
	}
	return l
}
