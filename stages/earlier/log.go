package earlier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// LogParams are what a spec says of an earlier training.
type LogParams struct {
	// Folder is where the authors' code left that training: Logs/model_log.json lies in it, and Logs/params.json if it was
	// kept. {arch}, {loss} and {seed} stand for the matrix values: results/{loss}/cams_0.5{seed}.
	Folder string `yaml:"folder" json:"-" required:"true"`
	Under
}

// LogJob is the stage as its worker gets it: the paths of both files, the second empty where there is none.
type LogJob struct {
	Under
	Log       string `json:"log"`
	Arguments string `json:"arguments,omitempty"`
}

// LogStage declares the kind train_log.
var LogStage = &pipeline.Stage{
	Kind:     "train_log",
	Revision: 1,
	Program:  pipeline.Runner,
	Outputs:  []string{"history.csv", "run.json"},
	Publish: []pipeline.Publication{
		{Output: "history.csv", To: "models/{node}/history.csv"},
		{Output: "run.json", To: "models/{node}/run.json"},
	},
}

// LogKind is how specs use it.
var LogKind = experiment.Kind{Stage: LogStage, Params: func() any { return &LogParams{} }, Bind: bindLog}

func bindLog(b *experiment.Builder, c *experiment.Cell, n *graph.Node) {
	p := c.Params.(*LogParams)
	folder := expand(b, c.Place("folder"), c.Path("folder"), p.values())
	job := LogJob{Under: p.Under, Log: filepath.Join(folder, "Logs", "model_log.json")}
	b.File(c.Place("folder"), job.Log, "train_log.folder", "; name the folder in which the training's Logs/ lies")
	if b.Files {
		n.Files = append(n.Files, job.Log)
		arguments := filepath.Join(folder, "Logs", "params.json")
		if _, err := os.Stat(arguments); err == nil {
			job.Arguments = arguments
			n.Files = append(n.Files, arguments)
		}
	}
	n.Params = job
}

// RunLog does the stage.
func RunLog(_ context.Context, t *task.Task) error {
	var job LogJob
	if err := t.Decode(&job); err != nil {
		return err
	}
	raw, err := os.ReadFile(job.Log)
	if err != nil {
		return fmt.Errorf("read the log of a training: %w", err)
	}
	log, err := ParseLog(raw)
	if err != nil {
		return fmt.Errorf("read %s: %w", job.Log, err)
	}
	if err := os.WriteFile(t.Out("history.csv"), []byte(log.History()), 0o644); err != nil {
		return err
	}
	run := struct {
		Earlier   bool           `json:"earlier"` // not made by this program
		Epochs    int            `json:"epochs"`
		Steps     int            `json:"steps,omitempty"`
		Arguments map[string]any `json:"arguments,omitempty"`
	}{Earlier: true, Epochs: len(log.Epoch), Steps: len(log.Iterations)}
	if job.Arguments != "" {
		if run.Arguments, err = readArguments(job.Arguments); err != nil {
			return err
		}
	}
	raw, err = json.MarshalIndent(run, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(t.Out("run.json"), append(raw, '\n'), 0o644)
}

func readArguments(path string) (map[string]any, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var arguments map[string]any
	if err := json.Unmarshal(withoutNaN(raw), &arguments); err != nil {
		return nil, fmt.Errorf("read %s: it is no map of arguments: %w", path, err)
	}
	return arguments, nil
}

// Log is a model_log.json: the loss of each step, and of each epoch the mean training loss, the validation loss and both
// accuracies. The authors' validation loss is cross-entropy alone. A value that was not finite is nil.
type Log struct {
	Iterations []*float64 `json:"iterations"`
	Epoch      []*float64 `json:"epoch"`
	Validation []*float64 `json:"validation"`
	TrainAcc   []*float64 `json:"train_acc"`
	ValAcc     []*float64 `json:"val_acc"`
}

// ParseLog reads the text of a model_log.json. Epochs must be there, and every list that is there must be as long; the
// script that is still running may have written one list before the others.
func ParseLog(raw []byte) (*Log, error) {
	var log Log
	if err := json.Unmarshal(withoutNaN(raw), &log); err != nil {
		return nil, fmt.Errorf("it is no log of the authors' training code: %w", err)
	}
	if len(log.Epoch) == 0 {
		return nil, errors.New(`it has no finished epoch: the list "epoch" is missing or empty`)
	}
	for _, list := range []struct {
		name   string
		values []*float64
	}{{"validation", log.Validation}, {"train_acc", log.TrainAcc}, {"val_acc", log.ValAcc}} {
		if n := len(list.values); n != 0 && n != len(log.Epoch) {
			return nil, fmt.Errorf(`the list %q has %d values, "epoch" has %d: the training was cut off while it wrote`, list.name, n, len(log.Epoch))
		}
	}
	return &log, nil
}

// History is the log as a history.csv; what it does not know is left empty.
func (l *Log) History() string {
	var text strings.Builder
	text.WriteString("epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,lr\n")
	for i := range l.Epoch {
		text.WriteString(strconv.Itoa(i + 1))
		for _, list := range [][]*float64{l.Epoch, l.TrainAcc, l.Validation, l.ValAcc, nil} {
			text.WriteByte(',')
			if i < len(list) && list[i] != nil {
				text.WriteString(strconv.FormatFloat(*list[i], 'g', -1, 64))
			}
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// withoutNaN is JSON as Python writes it, with null in place of NaN and the infinities, which JSON does not have.
func withoutNaN(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	inText := false
	for i := 0; i < len(raw); i++ {
		if c := raw[i]; inText {
			out = append(out, c)
			if c == '\\' && i+1 < len(raw) {
				i++
				out = append(out, raw[i])
			}
			inText = c != '"'
			continue
		}
		word := ""
		for _, w := range []string{"NaN", "-Infinity", "Infinity"} {
			if strings.HasPrefix(string(raw[i:min(i+len(w), len(raw))]), w) {
				word = w
			}
		}
		if word != "" {
			out = append(out, "null"...)
			i += len(word) - 1
			continue
		}
		inText = raw[i] == '"'
		out = append(out, raw[i])
	}
	return out
}
