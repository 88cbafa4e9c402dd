package metrics

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Score is one row of scores.csv.
type Score struct {
	Path  string
	Label string  // as in the data set
	Class int     // Real, Synthetic or Unlabelled
	Score float64 // softmax probability of Synthetic
}

// labels are the words for both classes that this program's data sets and those of its relatives use.
var labels = map[string]int{
	"real": Real, "live": Real, "bonafide": Real, "bona fide": Real, "normal": Real, "0": Real,
	"synthetic": Synthetic, "spoof": Synthetic, "fake": Synthetic, "attack": Synthetic, "abnormal": Synthetic, "1": Synthetic,
}

// Unlabelled is the class of an image that nobody labelled; its label is empty.
const Unlabelled = -1

// Class is the class that a label means; upper and lower case are the same.
func Class(label string) (class int, ok bool) {
	if label == "" {
		return Unlabelled, true
	}
	class, ok = labels[strings.ToLower(strings.TrimSpace(label))]
	return class, ok
}

// Label is the name of a class: Real, Synthetic or nothing.
func Label(class int) string {
	switch class {
	case Synthetic:
		return "Synthetic"
	case Real:
		return "Real"
	}
	return ""
}

// Split gives the classes and scores of the rows with a label, as the measuring functions take them.
func Split(rows []Score) (classes []int, scores []float64) {
	for _, r := range rows {
		if r.Class != Unlabelled {
			classes, scores = append(classes, r.Class), append(scores, r.Score)
		}
	}
	return classes, scores
}

// WriteScores writes scores.csv: the header path,label,score and a row for each image. A score is written with as many
// digits as are needed to read the same number again.
func WriteScores(w io.Writer, rows []Score) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"path", "label", "score"}) // Flush keeps the first error
	for _, r := range rows {
		_ = out.Write([]string{r.Path, r.Label, strconv.FormatFloat(r.Score, 'g', -1, 64)})
	}
	out.Flush()
	return out.Error()
}

// ReadScores reads scores.csv. Its errors name the file and the line.
func ReadScores(path string) ([]Score, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read scores: %w", err)
	}
	rows, err := ParseScores(text)
	if err != nil {
		return nil, fmt.Errorf("read scores %s: %w", path, err)
	}
	return rows, nil
}

// ParseScores reads the text of a scores.csv.
func ParseScores(text []byte) (rows []Score, err error) {
	err = eachScore(text, func(path, label []byte, class int, score float64) {
		rows = append(rows, Score{Path: string(path), Label: string(label), Class: class, Score: score})
	})
	return rows, err
}
