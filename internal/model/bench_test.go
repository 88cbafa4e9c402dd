package model_test

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// BenchmarkTrainingStep is a step of the protocol, ResNet50 on 20 images of 224 px with both loss terms, from bytes to
// moved weights.
func BenchmarkTrainingStep(b *testing.B) {
	for _, c := range []struct {
		name      string
		precision torch.DType
		options   model.Options
	}{
		{"float32", torch.Float32, model.Options{}},
		{"float32/channels_last", torch.Float32, model.Options{ChannelsLast: true}},
		{"bfloat16/channels_last", torch.BFloat16, model.Options{ChannelsLast: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			const batch, side = 20, 224
			m := build(b, "resnet50", c.precision, c.options)
			gen := torch.NewGenerator(torch.CPU, 1)
			defer gen.Close()
			if err := m.Init(gen); err != nil {
				b.Fatal(err)
			}
			sgd, err := model.NewSGD(m, 0.005, 0.9, 1e-6)
			if err != nil {
				b.Fatal(err)
			}
			terms := loss.Loss{
				{Name: "cross_entropy", Weight: 0.5},
				{Name: "cyborg", Weight: 0.5, Map: "human", Tap: "authors"},
			}
			labels, maps, has := make([]int64, batch), make([]byte, batch*49), make([]bool, batch)
			for i := range batch {
				labels[i], has[i] = int64(i%2), true
			}
			for i := range maps {
				maps[i] = byte(i * 5)
			}
			step := func() {
				do(b, func(s *torch.Scope) {
					out := m.Forward(s, ramp(s, m, batch, side), model.Train, terms.Taps()...)
					v := terms.Evaluate(s, loss.Batch{
						Logits: out.Logits, Labels: torch.From(s, labels, batch), Weight: m.Head(), Features: out.Features,
						Maps: map[string]loss.Maps{"human": {Values: torch.From(s, maps, batch, 7, 7), Has: torch.From(s, has, batch)}},
					})
					sgd.Step(s, v.Total)
				})
			}
			step() // libtorch prepares its kernels in the first
			before := processorTime(b)
			for b.Loop() {
				step()
			}
			b.ReportMetric((processorTime(b)-before)/float64(b.N), "cpu-s/op") // steadier than wall time on a busy machine
		})
	}
}

// BenchmarkEvaluation scores images of 224 px with ResNet50, from bytes to logits, as it was loaded and folded.
func BenchmarkEvaluation(b *testing.B) {
	for _, precision := range []torch.DType{torch.Float32, torch.BFloat16} {
		for _, batch := range []int{1, 8, 16, 50} {
			for _, fold := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/batch=%d/fold=%v", precision, batch, fold), func(b *testing.B) {
					m := build(b, "resnet50", precision, model.Options{ChannelsLast: true})
					if fold {
						if err := m.Fold(); err != nil {
							b.Fatal(err)
						}
					}
					score := func() {
						do(b, func(s *torch.Scope) {
							s.InferenceMode(func() { m.Forward(s, ramp(s, m, batch, 224), model.Eval) })
						})
					}
					score() // libtorch prepares its kernels in the first
					for b.Loop() {
						score()
					}
					b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N*batch), "ms/image")
				})
			}
		}
	}
}

// processorTime is the seconds that all threads have computed.
func processorTime(b *testing.B) float64 {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}
