package study

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"
)

// Record is one line of trials.jsonl.
type Record struct {
	Kind        string    `json:"kind"`        // Joined or Answered
	At          time.Time `json:"at"`          // of the server
	Participant string    `json:"participant"` // p0001

	Secret string `json:"secret,omitempty"` // joined: SHA-256 of the browser's cookie, in hex

	*Answer
}

// Kinds of records.
const (
	Joined   = "join"
	Answered = "answer"
)

// Answer is what a participant did in one trial.
type Answer struct {
	Trial     int        `json:"trial"`           // number in the participant's plan, from 0
	Block     int        `json:"block"`           // from 0
	Annotated bool       `json:"annotated"`       // the region had to be drawn
	Images    []string   `json:"images"`          // paths: one, or left and right
	Check     string     `json:"check,omitempty"` // the answer that was asked for
	Answer    string     `json:"answer"`          // Real or Synthetic; of a pair the side of the synthetic image
	Time      float64    `json:"time"`            // seconds from the image on the screen to the choice of this answer
	Total     float64    `json:"total"`           // ... to going on
	Drawings  [][]Stroke `json:"drawings"`        // one list for each image, empty where nothing was drawn
}

// Stroke is one movement of the brush, in the image's own measure: x is 0 at its left and 1 at its right edge, y 0 at its
// upper and 1 at its lower one.
type Stroke struct {
	Size   float64      `json:"size"`   // diameter of the brush, of the image's width
	Points [][2]float64 `json:"points"` // x and y
}

// Bounds of what one answer may hold; a page sends far less.
const (
	maxPoints  = 50_000
	maxSeconds = 7 * 24 * 3600
	maxReach   = 2 // of coordinates, which may lie outside of the image
)

// valid says what is wrong with an answer that somebody sent.
func (a *Answer) valid() error {
	points := 0
	for _, strokes := range a.Drawings {
		for _, s := range strokes {
			points += len(s.Points)
			if !(s.Size > 0 && s.Size <= 1) || len(s.Points) == 0 {
				return fmt.Errorf("a stroke of size %g with %d points", s.Size, len(s.Points))
			}
			for _, p := range s.Points {
				if !(math.Abs(p[0]) <= maxReach && math.Abs(p[1]) <= maxReach) {
					return fmt.Errorf("a stroke leads to %g, %g", p[0], p[1])
				}
			}
		}
	}
	switch {
	case points > maxPoints:
		return fmt.Errorf("a drawing of %d points; at most %d are kept", points, maxPoints)
	case len(a.Images) < 1 || len(a.Images) > 2 || len(a.Drawings) != len(a.Images):
		return fmt.Errorf("drawings for %d of %d images", len(a.Drawings), len(a.Images))
	case len(a.Images) == 1 && a.Answer != Real && a.Answer != Synthetic, len(a.Images) == 2 && a.Answer != Left && a.Answer != Right:
		return fmt.Errorf("there is no answer %q", a.Answer)
	case !(a.Time >= 0 && a.Time <= maxSeconds && a.Total >= 0 && a.Total <= maxSeconds):
		return fmt.Errorf("%g and %g seconds", a.Time, a.Total)
	}
	return nil
}

// ParseLog reads the records of trials.jsonl; file is what errors call it. A last line without its end was being written
// when the program was killed, and never acknowledged: it is left out, and whole is the number of bytes before it. Any
// other damage is an error that names the line.
func ParseLog(file string, data []byte) (records []Record, whole int, err error) {
	joined := map[string]int{} // participants with the number of their trials
	for line := 1; ; line++ {
		end := bytes.IndexByte(data[whole:], '\n')
		if end < 0 {
			return records, whole, nil
		}
		var r Record
		if err := json.Unmarshal(data[whole:whole+end], &r); err != nil {
			return nil, 0, fmt.Errorf("%s:%d: %w", file, line, err)
		}
		trials, known := joined[r.Participant]
		switch {
		case r.Kind == Joined && !known && r.Participant == participantName(len(joined)) && r.Answer == nil:
			joined[r.Participant] = 0
		case r.Kind == Answered && known && r.Answer != nil && r.Answer.Trial == trials:
			if err := r.valid(); err != nil {
				return nil, 0, fmt.Errorf("%s:%d: %w", file, line, err)
			}
			joined[r.Participant]++
		default:
			return nil, 0, fmt.Errorf("%s:%d: a record %q of %q that does not follow from those before it", file, line, r.Kind, r.Participant)
		}
		records = append(records, r)
		whole += end + 1
	}
}

// ReadLog reads the log of a study's folder; none is an empty one.
func ReadLog(dir string) ([]Record, error) {
	path := filepath.Join(dir, logFile)
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	records, _, err := ParseLog(path, data)
	return records, err
}

func participantName(number int) string { return fmt.Sprintf("p%04d", number+1) }

// journal is the open log. It belongs to one goroutine at a time.
type journal struct {
	file *os.File
	end  int64 // of the last record
	bad  error // why nothing can be written any more
}

// openJournal reads the log of a folder and opens it to be written on; what a kill left unfinished is cut off.
func openJournal(dir string) (*journal, []Record, error) {
	path := filepath.Join(dir, logFile)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	data, err := os.ReadFile(path)
	if err == nil {
		var records []Record
		var whole int
		if records, whole, err = ParseLog(path, data); err == nil {
			if err = file.Truncate(int64(whole)); err == nil {
				if err = syncFolder(dir); err == nil {
					return &journal{file: file, end: int64(whole)}, records, nil
				}
			}
		}
	}
	_ = file.Close()
	return nil, nil, err
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// write appends a record and returns when it is on the disk. After a failure the log is as before.
func (j *journal) write(r Record) error {
	if j.bad != nil {
		return j.bad
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if _, err = j.file.WriteAt(line, j.end); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		if undo := j.file.Truncate(j.end); undo != nil {
			j.bad = fmt.Errorf("the log is damaged (%w): end the program, look at the disk, and start it again", undo)
		}
		return fmt.Errorf("write the log: %w", err)
	}
	j.end += int64(len(line))
	return nil
}
