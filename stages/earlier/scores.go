package earlier

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// ScoresParams are what a spec says of earlier scores.
type ScoresParams struct {
	// File holds a row an image: path,score as the authors' test.py writes it; name,label,score (their match scores);
	// path,score,label,data set (Grains, MENTOR); or this program's scores.csv. {arch}, {loss}, {seed} and {set} stand for the
	// matrix values.
	File string `yaml:"file" json:"-" required:"true"`
	// Set is the data set that was scored: the name that tables show and, with labels: list, that of the spec's data set.
	Set string `yaml:"set" json:"set" required:"true"`
	// Labels come from the list of the data set, by the paths of its images, or from the file's own column.
	Labels string `yaml:"labels" json:"labels" default:"list" enum:"list|file"`
	// Of keeps the rows whose last column of four is this.
	Of string `yaml:"of" json:"of,omitempty"`
	// Missing says what becomes of images of the list without a score: fail stops the run and names one; skip measures the
	// others.
	Missing string `yaml:"missing" json:"missing" default:"fail" enum:"fail|skip"`
	Under
}

// ScoresJob is the stage as its worker gets it.
type ScoresJob struct {
	ScoresParams
	Path  string            `json:"path"`
	Lists []experiment.List `json:"lists,omitempty"`
}

// ScoresStage declares the kind scores.
var ScoresStage = &pipeline.Stage{
	Kind:     "scores",
	Revision: 1,
	Program:  pipeline.Runner,
	Outputs:  []string{"scores.csv", "metrics.json"},
	Publish:  []pipeline.Publication{{Output: "scores.csv", To: "scores/{node}.csv"}},
}

// ScoresKind is how specs use it.
var ScoresKind = experiment.Kind{Stage: ScoresStage, Params: func() any { return &ScoresParams{} }, Bind: bindScores}

func bindScores(b *experiment.Builder, c *experiment.Cell, n *graph.Node) {
	p := c.Params.(*ScoresParams)
	values := p.values()
	maps.Copy(values, map[string]string{"set": p.Set})
	job := ScoresJob{ScoresParams: *p, Path: expand(b, c.Place("file"), c.Path("file"), values)}
	b.File(c.Place("file"), job.Path, "scores.file", "; name a file of scores, such as output.csv of the authors' test.py")
	if p.Labels == "list" {
		job.Lists = b.Lists(c.Place("set"), p.Set)
	}
	if b.Files {
		n.Files = append(n.Files, job.Path)
		for _, list := range job.Lists {
			b.File(c.Place("set"), list.CSV, "the list of its images", "")
			n.Files = append(n.Files, list.CSV)
		}
	}
	n.Params = job
}

// RunScores does the stage.
func RunScores(_ context.Context, t *task.Task) error {
	var job ScoresJob
	if err := t.Decode(&job); err != nil {
		return err
	}
	raw, err := os.ReadFile(job.Path)
	if err != nil {
		return fmt.Errorf("read scores: %w", err)
	}
	rows, err := ParseScores(raw, job.Of)
	if err != nil {
		return fmt.Errorf("read scores %s: %w", job.Path, err)
	}
	if job.Labels == "list" {
		if rows, err = label(rows, job); err != nil {
			return fmt.Errorf("scores %s: %w", job.Path, err)
		}
	}
	for _, r := range rows {
		if r.Label == "" {
			return fmt.Errorf("read scores %s: it has no column with labels: take labels: list", job.Path)
		}
	}
	out, err := os.Create(t.Out("scores.csv"))
	if err != nil {
		return err
	}
	err = metrics.WriteScores(out, rows)
	if closing := out.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("write scores.csv: %w", err)
	}
	report := metrics.Evaluate(metrics.Split(rows))
	report.Set = job.Set
	if raw, err = json.MarshalIndent(report, "", " "); err != nil {
		return err
	}
	return os.WriteFile(t.Out("metrics.json"), append(raw, '\n'), 0o644)
}
