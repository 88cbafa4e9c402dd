// Package worker does the stage pretrain.
package worker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/device"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/saving"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/pretrain"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

// Run does one pretraining. Stopped in the middle, it saves where it is; the next attempt goes on from there.
func Run(ctx context.Context, t *task.Task) error {
	var job pretrain.Job
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
		tr := &trainer{task: t, job: job, scope: s, keeper: saving.New(t, saving.Rule(how.Checkpoint))}
		defer tr.close()
		if err := tr.prepare(on); err != nil {
			return err
		}
		return tr.run(ctx)
	})
}

// prepare opens the data and makes the autoencoder, its optimiser and its sources of chance.
func (tr *trainer) prepare(on torch.Device) (err error) {
	if tr.data, err = open(tr.scope, tr.task, "data", tr.job.Map, on); err != nil {
		return err
	}
	if tr.validation, err = open(tr.scope, tr.task, "validation", tr.job.Map, on); err != nil {
		return err
	}
	precision, err := torch.ParseDType(tr.job.Precision)
	if err != nil {
		return err
	}
	classifier, err := experiment.Network(tr.job.Model)
	if err != nil {
		return err
	}
	network, err := classifier.Autoencoder(nn.Decoder{Skips: tr.job.Skips})
	if err != nil {
		return err
	}
	tr.aside = aside(classifier)
	tr.order = torch.NewGenerator(torch.CPU, tr.job.Seed)
	tr.chance = torch.NewGenerator(on, tr.job.Seed)
	tr.net, err = model.New(network, on, precision, model.Options{
		ChannelsLast: tr.job.ChannelsLast, Random: tr.chance, Dropout: tr.job.Model.Dropout})
	if err != nil {
		return err
	}
	if err := tr.initialise(); err != nil {
		return err
	}
	tr.adam, err = model.NewAdam(tr.net, tr.job.LR)
	return err
}

// aside are the tensors that a classifier's file has and its autoencoder lacks, and the other way round.
func aside(classifier *nn.Network) []string {
	names := []string{nn.DecoderTensors}
	encoder := classifier.Encoder()
	for _, p := range classifier.Parameters() {
		if !slices.ContainsFunc(encoder, func(e nn.Param) bool { return e.Name == p.Name }) {
			names = append(names, p.Name)
		}
	}
	return names
}

// initialise gives the autoencoder its first weights.
func (tr *trainer) initialise() (err error) {
	tr.first, err = trained.Begin(tr.net, tr.task, tr.job.Seed, tr.job.Init, tr.aside...)
	return err
}

func (tr *trainer) close() {
	if tr.net != nil {
		tr.net.Close()
	}
	for _, g := range []*torch.Generator{tr.order, tr.chance} {
		if g != nil {
			g.Close()
		}
	}
	for _, e := range []*examples{tr.data, tr.validation} {
		if e != nil {
			_ = e.set.Close()
		}
	}
}

// ended wraps what a batch found wrong in where it was.
func (tr *trainer) ended(format string, args ...any) error {
	kept := "no checkpoint was made yet"
	if path := tr.keeper.Kept(); path != "" {
		kept = "the last good checkpoint is kept: " + path
	}
	return fmt.Errorf(format+". The pretraining stops here; %s. A lower pretrain.lr (now %g) is the usual cure", append(args, kept, tr.job.LR)...)
}
