package metrics

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"os"
	"strconv"
)

// Columns is a scores.csv column by column, its rows without a label left out: what measuring needs of hundreds of thousands
// of rows.
type Columns struct {
	Paths   []uint64 // a hash of each path, of this process alone
	Classes []uint8  // Real or Synthetic
	Scores  []float64
}

// ReadColumns reads a scores.csv. Its errors name the file and the line.
func ReadColumns(path string) (Columns, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Columns{}, fmt.Errorf("read scores: %w", err)
	}
	rows := bytes.Count(text, []byte{'\n'})
	c := Columns{Paths: make([]uint64, 0, rows), Classes: make([]uint8, 0, rows), Scores: make([]float64, 0, rows)}
	err = eachScore(text, func(path, _ []byte, class int, score float64) {
		if class == Unlabelled {
			return
		}
		c.Paths = append(c.Paths, maphash.Bytes(hashSeed, path))
		c.Classes = append(c.Classes, uint8(class))
		c.Scores = append(c.Scores, score)
	})
	if err != nil {
		return Columns{}, fmt.Errorf("read scores %s: %w", path, err)
	}
	return c, nil
}

var hashSeed = maphash.MakeSeed()

// List tells lists of images apart: it is equal where paths and classes are, one after another. Of this process alone.
func (c Columns) List() uint64 {
	var h maphash.Hash
	h.SetSeed(hashSeed)
	var word [8]byte
	for i, path := range c.Paths {
		for k := range word {
			word[k] = byte(path >> (8 * k))
		}
		_, _ = h.Write(word[:]) // never fails
		_ = h.WriteByte(c.Classes[i])
	}
	return h.Sum64()
}

// sameImage is how far the scores of one image by one network may lie apart where it is in two sets: another batch rounds
// in another way.
const sameImage = 1e-3

// Pool puts sets of one network's scores together. Images of one class that an earlier set had too count once: those whose
// paths are the same, one after another, and whose scores are, within 1e-3. So the real images that belong to several
// generators are not counted once for each.
func Pool(sets []Columns) (all Columns) {
	var blocks [2][]Columns // of the class, one for each set
	for _, set := range sets {
		for class := range blocks {
			block := set.only(uint8(class))
			known := false
			for _, earlier := range blocks[class] {
				known = known || earlier.sameImages(block)
			}
			if known {
				continue
			}
			blocks[class] = append(blocks[class], block)
			all.Paths = append(all.Paths, block.Paths...)
			all.Classes = append(all.Classes, block.Classes...)
			all.Scores = append(all.Scores, block.Scores...)
		}
	}
	return all
}

func (c Columns) only(class uint8) (out Columns) {
	for i, of := range c.Classes {
		if of == class {
			out.Paths, out.Classes, out.Scores = append(out.Paths, c.Paths[i]), append(out.Classes, of), append(out.Scores, c.Scores[i])
		}
	}
	return out
}

func (c Columns) sameImages(other Columns) bool {
	if len(c.Paths) != len(other.Paths) {
		return false
	}
	for i, path := range c.Paths {
		if path != other.Paths[i] || !(math.Abs(c.Scores[i]-other.Scores[i]) <= sameImage) {
			return false
		}
	}
	return true
}

// eachScore calls row for each row of a scores.csv. Errors name the line.
func eachScore(text []byte, row func(path, label []byte, class int, score float64)) error {
	line, header := 0, true
	var known [2]struct {
		label []byte
		class int
	} // the labels seen last: there are two in a list, as a rule
	fields := func(at int, path, label, number []byte) error {
		line = at
		if header {
			header = false
			if got := string(path) + "," + string(label) + "," + string(number); got != "path,label,score" {
				return fmt.Errorf("line %d: header %q, want path,label,score", line, got)
			}
			return nil
		}
		switch {
		case known[0].label != nil && bytes.Equal(label, known[0].label):
		case known[1].label != nil && bytes.Equal(label, known[1].label):
			known[0], known[1] = known[1], known[0]
		default:
			class, ok := Class(string(label))
			if !ok {
				return fmt.Errorf("line %d: unknown label %q, known are Real and Synthetic", line, label)
			}
			known[1] = known[0]
			known[0].label, known[0].class = append([]byte{}, label...), class
		}
		score, err := strconv.ParseFloat(string(number), 64)
		if err != nil || math.IsNaN(score) || math.IsInf(score, 0) {
			return fmt.Errorf("line %d: score %q is no finite number", line, number)
		}
		row(path, label, known[0].class, score)
		return nil
	}
	split := plainFields
	if bytes.IndexByte(text, '"') >= 0 {
		split = quotedFields
	}
	if err := split(text, fields); err != nil {
		return err
	}
	if header {
		return fmt.Errorf("header: %w", io.EOF)
	}
	return nil
}

// plainFields splits CSV without quotes, some ten times as fast as encoding/csv and to the same fields.
func plainFields(text []byte, fields func(line int, a, b, c []byte) error) error {
	for line := 1; len(text) > 0; line++ {
		row, rest, _ := bytes.Cut(text, []byte{'\n'})
		text = rest
		row = bytes.TrimSuffix(row, []byte{'\r'})
		if len(row) == 0 {
			continue
		}
		second := bytes.LastIndexByte(row, ',')
		first := bytes.IndexByte(row, ',')
		if first == second || bytes.IndexByte(row[first+1:second], ',') >= 0 {
			return fmt.Errorf("record on line %d: %w", line, csv.ErrFieldCount)
		}
		if err := fields(line, row[:first], row[first+1:second], row[second+1:]); err != nil {
			return err
		}
	}
	return nil
}

// quotedFields splits any CSV.
func quotedFields(text []byte, fields func(line int, a, b, c []byte) error) error {
	in := csv.NewReader(bytes.NewReader(text))
	in.FieldsPerRecord, in.ReuseRecord = 3, true
	for {
		record, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := in.FieldPos(0)
		if err := fields(line, []byte(record[0]), []byte(record[1]), []byte(record[2])); err != nil {
			return err
		}
	}
}
