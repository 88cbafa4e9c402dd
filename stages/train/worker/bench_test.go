package worker

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/saving"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// BenchmarkSave is what a checkpoint of ResNet-50 costs a training, with the selected weights before it: two files of its
// weights and momentum, written through to the disk.
func BenchmarkSave(b *testing.B) {
	job := small()
	job.Model.Arch.Name, job.Terms = "resnet50", job.Terms[:1]
	a := &attempt{t: b, dir: b.TempDir(), job: job, side: 32}
	t := a.begin()
	if err := torch.Do(func(s *torch.Scope) error {
		tr, err := prepare(s, t, job, torch.CPU)
		if err != nil {
			return err
		}
		defer tr.close()
		tr.keeper = saving.New(t, saving.Rule{})
		tr.begin()
		var took time.Duration
		for b.Loop() {
			began := time.Now()
			tr.at.Step++
			tr.at.Epoch++
			weights, err := tr.file()
			if err != nil {
				return err
			}
			tr.keeper.Select(tr.at.Epoch, 0, weights)
			if err := tr.save(tr.order.State()); err != nil {
				return err
			}
			took = time.Since(began)
		}
		if !tr.keeper.Saved(tr.at.place()) {
			b.Fatal(a.said())
		}
		info, err := os.Stat(filepath.Join(a.dir, "state", saving.CheckpointName(tr.at.Step)))
		if err != nil {
			return err
		}
		b.ReportMetric(float64(info.Size())/1e6, "MB/file")
		b.ReportMetric(took.Seconds()/(60*time.Second).Seconds()*100, "%of60s")
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}
