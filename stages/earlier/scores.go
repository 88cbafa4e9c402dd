package earlier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// ScoresParams are what a spec says of earlier scores.
type ScoresParams struct {
	// File holds a row an image: path,score as the authors' test.py writes it; name,label,score (their match scores);
	// path,score,label,data set (Grains, MENTOR); or this program's scores.csv. {arch}, {loss}, {seed} and {set} stand for the
	// matrix values. With {set}, and labels: list, it is read for the set and for each one that the set is scored with (its
	// `with`): test.py writes a file for each of them. Where the scores lie otherwise, a list names all files that are read,
	// and {set} in it is the set alone.
	File spec.OneOrMany[string] `yaml:"file" json:"-" required:"true" min:"1"`
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
	Paths []string          `json:"paths"`
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
	job := ScoresJob{ScoresParams: *p, Paths: scoreFiles(b, c, p)}
	if p.Labels == "list" {
		job.Lists = b.Lists(c.Place("set"), p.Set)
	}
	if b.Files {
		n.Files = append(n.Files, job.Paths...)
		for _, list := range job.Lists {
			b.File(c.Place("set"), list.CSV, "the list of its images", "")
			n.Files = append(n.Files, list.CSV)
		}
	}
	n.Params = job
}

// scoreFiles are the files of a set: those of a list, or the one that is named; where {set} names it, also those of the sets
// that it is scored with.
func scoreFiles(b *experiment.Builder, c *experiment.Cell, p *ScoresParams) (paths []string) {
	values := p.values()
	add := func(at diag.Pos, pattern, set, mend string) {
		values["set"] = set
		path := expand(b, at, pattern, values)
		b.File(at, path, "scores.file", mend)
		paths = append(paths, path)
	}
	const mend = "; name a file of scores, such as output.csv of the authors' test.py"
	file := c.Value("file")
	if file.Kind == spec.List {
		for _, one := range file.List() {
			add(one.Pos, one.Resolve(), p.Set, mend)
		}
		return paths
	}
	at, pattern := c.Place("file"), file.Resolve()
	add(at, pattern, p.Set, mend)
	if p.Labels == "list" && strings.Contains(file.Text(), "{set}") {
		for _, other := range b.With(c.Place("set"), p.Set)[1:] {
			add(at, pattern, other, fmt.Sprintf(", and %q is scored with %q; if another file holds those scores, list what is to be read: file: [%q]", p.Set, other, file.Text()))
		}
	}
	return paths
}

// RunScores does the stage.
func RunScores(_ context.Context, t *task.Task) error {
	var job ScoresJob
	if err := t.Decode(&job); err != nil {
		return err
	}
	var rows []metrics.Score
	for _, path := range job.Paths {
		found, err := readScores(path, job)
		if err != nil {
			return fmt.Errorf("read scores %s: %w", path, err)
		}
		rows = append(rows, found...)
	}
	if job.Labels == "list" {
		var err error
		if rows, err = label(rows, job); err != nil {
			return fmt.Errorf("scores %s: %w", strings.Join(job.Paths, ", "), err)
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
	raw, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(t.Out("metrics.json"), append(raw, '\n'), 0o644)
}

// readScores reads one of the files, with the labels that are asked of it.
func readScores(path string, job ScoresJob) ([]metrics.Score, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := ParseScores(raw, job.Of)
	if err != nil {
		return nil, err
	}
	if job.Labels != "list" && slices.ContainsFunc(rows, func(r metrics.Score) bool { return r.Label == "" }) {
		return nil, errors.New("it has no column with labels: take labels: list")
	}
	return rows, nil
}
