package worker

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/image"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// skipped is an image that was left out.
type skipped struct {
	line   int // of the list
	path   string
	reason string
}

// unreadable is why an image cannot be read, or one of its maps; false for all that another setting of the data set would
// mend, such as a map of another size.
func unreadable(err error) (reason string, ok bool) {
	var bad *image.Error
	if !errors.As(err, &bad) {
		return "", false
	}
	reason = bad.Err.Error()
	var m *mapError
	if errors.As(err, &m) {
		reason = "map " + m.name + ": " + reason
	}
	return reason, true
}

// skip takes the rows that cannot be read out of the plan, and puts them on the list.
func (s *session) skip(rows []badRow) {
	gone := make(map[int]bool)
	for _, b := range rows {
		gone[b.row] = true
		row := s.plan.List.Rows[b.row]
		reason, _ := unreadable(b.err)
		s.skipped = append(s.skipped, skipped{row.Line, row.Path, reason})
	}
	slices.SortFunc(s.skipped, func(a, b skipped) int { return cmp.Compare(a.line, b.line) })
	s.plan = s.plan.Without(gone)
}

// nothingLeft is the error of a data set without any image that can be read.
func (s *session) nothingLeft() error {
	lines := []string{fmt.Sprintf("%s: none of its %d images can be read", s.plan.List.File, len(s.skipped))}
	for _, bad := range s.skipped[:min(len(s.skipped), maxBad)] {
		lines = append(lines, fmt.Sprintf("%s:%d: %s: %s", s.plan.List.File, bad.line, bad.path, bad.reason))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// writeSkipped writes the list of what was left out.
func (s *session) writeSkipped(t *task.Task) error {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	rows := [][]string{{"path", "reason"}}
	for _, bad := range s.skipped {
		rows = append(rows, []string{bad.path, bad.reason})
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(t.Out(prepare.Skipped), text.Bytes(), 0o644)
}

// warnSkipped names the first of them.
func (s *session) warnSkipped(t *task.Task) {
	if len(s.skipped) == 0 {
		return
	}
	all := len(s.skipped) + len(s.plan.Images)
	lines := []string{fmt.Sprintf("%d of %d images cannot be read and are skipped:", len(s.skipped), all)}
	for _, bad := range s.skipped[:min(len(s.skipped), maxBad)] {
		lines = append(lines, fmt.Sprintf("%s (line %d): %s", bad.path, bad.line, bad.reason))
	}
	if more := len(s.skipped) - maxBad; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	t.Warn(strings.Join(lines, "\n"))
}
