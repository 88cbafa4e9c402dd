package study

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image/png"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Exported counts what Export wrote.
type Exported struct{ Participants, Trials, Drawings int }

// Export writes what the stages saliency and human read into the folder to, from the study in dir, which may be going on:
//
//	trials.csv                          all trials, as ParseTrials reads them
//	answers.csv                         annotator,image,answer: both images of a pair have a row; checks have none
//	drawings/PARTICIPANT/IMAGE.png      255 where the participant drew, else 0, in the size of the image; not of checks
//
// Files that are there are written again; the same log gives the same bytes.
func Export(dir, to string) (Exported, error) {
	var done Exported
	s, err := Load(dir)
	if err != nil {
		return done, err
	}
	records, err := ReadLog(dir)
	if err != nil {
		return done, err
	}
	images := make(map[string]*Image, len(s.Images))
	for i := range s.Images {
		images[s.Images[i].Path] = &s.Images[i]
	}
	var rows []Row
	answers := [][]string{{"annotator", "image", "answer"}}
	for _, r := range records {
		if r.Kind == Joined {
			done.Participants++
			continue
		}
		for _, path := range r.Images {
			if images[path] == nil {
				return done, fmt.Errorf("%s: %s judged %s, which is no image of the study", filepath.Join(dir, logFile), r.Participant, path)
			}
		}
		row := r.row(images)
		rows = append(rows, row)
		if r.Check != "" {
			continue
		}
		answers = append(answers, []string{r.Participant, row.Image, row.Answer})
		if row.Pair != "" {
			answers = append(answers, []string{r.Participant, row.Pair, other(row.Answer)})
		}
		for i, strokes := range r.Drawings {
			if len(strokes) == 0 {
				continue
			}
			image := images[r.Images[i]]
			path := filepath.Join(to, "drawings", r.Participant, filepath.FromSlash(image.Path)+".png")
			if err := savePNG(path, strokes, image); err != nil {
				return done, err
			}
			done.Drawings++
		}
	}
	done.Trials = len(rows)
	if err := os.MkdirAll(to, 0o755); err != nil {
		return done, err
	}
	var trials, list bytes.Buffer
	if err := WriteTrials(&trials, rows); err != nil {
		return done, err
	}
	if err := csv.NewWriter(&list).WriteAll(answers); err != nil {
		return done, err
	}
	if err := renameio.WriteFile(filepath.Join(to, "trials.csv"), trials.Bytes(), 0o644); err != nil {
		return done, err
	}
	return done, renameio.WriteFile(filepath.Join(to, "answers.csv"), list.Bytes(), 0o644)
}

// row is an answer as trials.csv has it. An answer about a pair becomes one about the left image.
func (r *Record) row(images map[string]*Image) Row {
	left := images[r.Images[0]]
	row := Row{Participant: r.Participant, Trial: r.Trial + 1, Block: r.Block + 1, Image: left.Path, Label: left.Label, Group: left.Group,
		Answer: r.Answer.Answer, Annotated: r.Annotated, Time: r.Time, Total: r.Total}
	if len(r.Images) == 2 {
		right := images[r.Images[1]]
		row.Pair = right.Path
		if right.Label == Synthetic {
			row.Group = right.Group
		}
		row.Answer = Real
		if r.Answer.Answer == Left {
			row.Answer = Synthetic
		}
	}
	if r.Check != "" {
		row.Check = Failed
		if r.Check == r.Answer.Answer {
			row.Check = Passed
		}
	}
	return row
}

func other(label string) string {
	if label == Real {
		return Synthetic
	}
	return Real
}

func savePNG(path string, strokes []Stroke, image *Image) error {
	var file bytes.Buffer
	if err := png.Encode(&file, Draw(strokes, image.Width, image.Height)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(path, file.Bytes(), 0o644)
}
