package human

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/cyborg-run/cyborg-run/internal/naming"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/stats"
	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// model is the scores of one setting: by repeat, of each image by its path.
type model struct {
	name    string
	repeats []map[string]float64
}

// readModels reads the scores of all nodes, and adds the labels in them to k.
func readModels(inputs []task.Input, compare, repeat string, k known) ([]model, error) {
	names := naming.New(compare, repeat, "", inputs)
	var models []model
	type place struct{ setting, repeat string }
	at := map[place]map[string]float64{}
	number := map[string]int{}
	for _, in := range inputs {
		p := place{names.Setting(in.Axes), in.Axes[repeat]}
		if at[p] == nil {
			if _, ok := number[p.setting]; !ok {
				number[p.setting] = len(models)
				models = append(models, model{name: p.setting})
			}
			at[p] = map[string]float64{}
			m := &models[number[p.setting]]
			m.repeats = append(m.repeats, at[p])
		}
		if err := readScores(filepath.Join(in.Path, "scores.csv"), at[p], k); err != nil {
			return nil, fmt.Errorf("scores of %s: %w", in.Node, err)
		}
	}
	return models, nil
}

// readScores adds path,label,score rows. An image that was scored before, by the same network in another set, has the same
// score; two images of one path are told apart by no one.
func readScores(path string, into map[string]float64, k known) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.ReuseRecord = true
	if header, err := r.Read(); err != nil || len(header) != 3 || header[0] != "path" || header[1] != "label" || header[2] != "score" {
		return fmt.Errorf("read %s: the header is not path,label,score", path)
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		score, err := strconv.ParseFloat(row[2], 64)
		if err != nil || math.IsNaN(score) {
			return fmt.Errorf("read %s: the score %q of %s is no number", path, row[2], row[0])
		}
		image := study.CleanPath(row[0])
		if before, twice := into[image]; twice && math.Abs(before-score) > 1e-4 {
			return fmt.Errorf("%s is scored as %g here and as %g in another set: name the one that people saw by `set`", image, score, before)
		}
		into[image] = score
		if row[1] == study.Real || row[1] == study.Synthetic {
			if err := k.add(image, row[1]); err != nil {
				return err
			}
		}
	}
}

// verdict is what a model says in a trial, averaged over its repeats: the share that is right, and the share that says what
// the participant said. scored is false where no repeat has the scores.
func (m *model) verdict(t *trial, threshold float64) (right, same float64, scored bool) {
	n := 0.0
	for _, scores := range m.repeats {
		said, ok := says(scores, t, threshold)
		if !ok {
			continue
		}
		n++
		right += agree(said, t.signal)
		same += agree(said, t.said)
	}
	return right / n, same / n, n > 0
}

// agree is the share of a verdict (1 says signal, 0 does not, 0.5 is undecided) that says what somebody said.
func agree(verdict float64, said bool) float64 {
	if said {
		return verdict
	}
	return 1 - verdict
}

// says is 1 where the scores take the image for synthetic, or the left one of a pair for more so than the right one; 0 where not; 0.5
// where both of a pair score the same.
func says(scores map[string]float64, t *trial, threshold float64) (verdict float64, ok bool) {
	score, ok := scores[t.Image]
	if !ok {
		return 0, false
	}
	if t.Pair != "" {
		if threshold, ok = scores[t.Pair]; !ok {
			return 0, false
		}
		if score == threshold {
			return 0.5, true
		}
	}
	if score >= threshold {
		return 1, true
	}
	return 0, true
}

// agreement compares people and a model image by image; pairs have no score of their own, and no correlation.
func (m *model) agreement(d *data, threshold float64) results.HumanAgreement {
	type image struct{ synthetic, of, model, score, n float64 }
	images := make([]image, len(d.items))
	for i := range d.trials {
		t := &d.trials[i]
		at := &images[t.item]
		first := true // a pair's sides differ from trial to trial: its own are those of its name
		if d.pairs {
			first = t.signal
		}
		at.of++
		at.synthetic += agree(1, t.said == first)
		if at.of > 1 {
			continue
		}
		for _, scores := range m.repeats {
			if said, ok := says(scores, t, threshold); ok {
				at.n++
				at.model += agree(said, first)
				at.score += scores[t.Image]
			}
		}
	}
	a := results.HumanAgreement{Model: m.name}
	var shares, scores []float64
	for _, at := range images {
		if at.n == 0 {
			continue
		}
		a.Images++
		majority := 0.5
		if share := at.synthetic / at.of; share != 0.5 {
			majority = math.Round(share)
		}
		model := at.model / at.n
		a.Majority += majority*model + (1-majority)*(1-model)
		shares, scores = append(shares, at.synthetic/at.of), append(scores, at.score/at.n)
	}
	if a.Images > 0 {
		a.Majority /= float64(a.Images)
	}
	if !d.pairs {
		a.Correlation = defined(pearson(shares, scores))
	}
	return a
}

func pearson(x, y []float64) float64 {
	mx, my := stats.Mean(x), stats.Mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}

// defined is v, or nil where it is NaN.
func defined(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
