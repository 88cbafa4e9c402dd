// Package worker does the stage evaluate.
package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/cyborg-run/cyborg-run/internal/loader"
	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/evaluate"
)

// Run scores one data set, with those that belong to it, by one network.
func Run(ctx context.Context, t *task.Task) error {
	var job evaluate.Job
	if err := t.Decode(&job); err != nil {
		return err
	}
	var rows []metrics.Score
	err := torch.Do(func(s *torch.Scope) error {
		net, err := trained.ForTask(t, job.Trained)
		if err != nil {
			return err
		}
		defer net.Close()
		if job.FoldBatchNorm {
			if err := net.Fold(); err != nil {
				return err
			}
		}
		total, err := count(t.Inputs["data"])
		if err != nil {
			return err
		}
		for _, in := range t.Inputs["data"] {
			if rows, err = score(ctx, s, t, net, in, job.Batch, rows, total); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return write(t, job.Set, rows)
}

func count(inputs []task.Input) (images int, err error) {
	for _, in := range inputs {
		set, err := pack.Open(in.Path)
		if err != nil {
			return 0, err
		}
		images += set.Len()
		if err := set.Close(); err != nil {
			return 0, err
		}
	}
	if images == 0 {
		return 0, fmt.Errorf("the data set has no images to score")
	}
	return images, nil
}

// score appends the scores of one packed data set, in its order.
func score(ctx context.Context, outer *torch.Scope, t *task.Task, net *model.Model, in task.Input, batch int, rows []metrics.Score, total int) ([]metrics.Score, error) {
	set, err := pack.Open(in.Path)
	if err != nil {
		return nil, err
	}
	defer set.Close()
	err = outer.Do(func(data *torch.Scope) error {
		images, err := loader.New(data, net.Device(), set, nil)
		if err != nil {
			return err
		}
		for from := 0; from < images.Len(); from += batch {
			if err := ctx.Err(); err != nil {
				return err
			}
			places := loader.Range(from, min(from+batch, images.Len()))
			scores, err := synthetic(data, net, images, places)
			if err != nil {
				return err
			}
			for i, place := range places {
				row := set.Rows()[place]
				rows = append(rows, metrics.Score{Path: row.Path, Label: metrics.Label(row.Class), Class: row.Class, Score: scores[i]})
			}
			t.Progress(len(rows), total, "images", nil)
		}
		return nil
	})
	return rows, err
}

// synthetic is the softmax probability of Synthetic of some images.
func synthetic(outer *torch.Scope, net *model.Model, images *loader.Loader, places []int64) (scores []float64, err error) {
	err = outer.Do(func(s *torch.Scope) error {
		s.InferenceMode(func() {
			b := images.Batch(s, places)
			out := net.Forward(s, net.Normalise(s, b.Pixels), model.Eval)
			p := s.Select(s.Softmax(out.Logits, 1, torch.DType(0)), 1, metrics.Synthetic)
			scores = torch.Slice[float64](s.ToDType(p, torch.Float64))
		})
		return nil
	})
	return scores, err
}

func write(t *task.Task, set string, rows []metrics.Score) error {
	file, err := os.Create(t.Out("scores.csv"))
	if err != nil {
		return err
	}
	err = metrics.WriteScores(file, rows)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("write scores.csv: %w", err)
	}
	report := metrics.Evaluate(metrics.Split(rows))
	report.Set = set
	raw, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(t.Out("metrics.json"), append(raw, '\n'), 0o644)
}
