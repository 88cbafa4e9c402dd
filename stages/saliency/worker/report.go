package worker

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
	"github.com/cyborg-run/cyborg-run/stages/saliency"
)

// report writes the tables and says what became of the annotations. That no image got a map is an error.
func (s *session) report() error {
	if err := s.writeImages(); err != nil {
		return err
	}
	if err := s.writeAgreement(); err != nil {
		return err
	}
	var total row
	mapped, few := 0, 0
	for i := range s.rows {
		r := &s.rows[i]
		total.wrong, total.unanswered, total.empty, total.outside = total.wrong+r.wrong, total.unanswered+r.unanswered, total.empty+r.empty, total.outside+r.outside
		if r.mapped {
			mapped++
		} else if r.annotators > 0 {
			few++
		}
	}
	var remarks []string
	remark := func(count int, format string, args ...any) {
		if count > 0 {
			remarks = append(remarks, fmt.Sprintf("%d ", count)+fmt.Sprintf(format, args...))
		}
	}
	remark(len(s.unknown), "images of the annotations are not in the list of the data set, the first is %s", append(s.unknown, "")[0])
	if s.job.Points() {
		remark(total.outside, "points lie outside of their images and were left out")
	} else {
		remark(total.outside, "regions reach beyond their images, and what lies outside was left out")
	}
	remark(total.wrong, "annotations are left out for their answer (only: %s)", s.job.Only)
	remark(total.unanswered, "annotations are left out because their annotator gave no answer on the image")
	remark(total.empty, "annotations mark nothing and do not count")
	remark(few, "images have fewer than %d annotators and get no map", s.job.MinAnnotators)
	if mapped == 0 {
		if len(remarks) == 0 { // nothing was there to remark upon
			remarks = []string{s.nothing()}
		}
		return fmt.Errorf("none of the %d images of %s gets a map\n%s", len(s.rows), s.plan.List.File, strings.Join(remarks, "\n"))
	}
	s.task.Emit(task.Event{Type: task.Log, Message: fmt.Sprintf("maps for %d of %d images", mapped, len(s.rows))})
	if len(remarks) > 0 {
		s.task.Warn(strings.Join(remarks, "\n"))
	}
	return nil
}

// nothing says why there are no annotations at all.
func (s *session) nothing() string {
	if s.job.Drawings != "" {
		return saliency.NotThere(s.plan, s.job.Drawings)
	}
	return s.file() + " holds no annotations"
}

func (s *session) writeImages() error {
	lines := [][]string{{"path", "map", "annotators", "wrong", "unanswered", "empty", "outside"}}
	for i, r := range s.rows {
		path, file := s.plan.List.Rows[i].Path, ""
		if r.mapped {
			file = experiment.MapsFolder + "/" + prepare.MadeFile(path)
		}
		line := []string{path, file}
		for _, n := range []int{r.annotators, r.wrong, r.unanswered, r.empty, r.outside} {
			line = append(line, strconv.Itoa(n))
		}
		lines = append(lines, line)
	}
	return writeCSV(s.task.Out(saliency.Images), lines)
}

// writeAgreement writes what the annotators of each image agree in, and the means.
func (s *session) writeAgreement() error {
	lines := [][]string{{"path", "annotators", "pairs", "cc", "iou"}}
	var all []annotation.Pair
	for i, r := range s.rows {
		if r.pairs == 0 {
			continue
		}
		all = append(all, r.agreement)
		lines = append(lines, []string{s.plan.List.Rows[i].Path, strconv.Itoa(r.annotators), strconv.Itoa(r.pairs), number(r.agreement.CC), number(r.agreement.IoU)})
	}
	if err := writeCSV(s.task.Out(saliency.AgreementCSV), lines); err != nil {
		return err
	}
	counts := make([][]int, len(s.rows))
	for key, class := range s.answers {
		if counts[key.row] == nil {
			counts[key.row] = make([]int, len(table.ClassNames))
		}
		counts[key.row][class]++
	}
	mean := annotation.MeanPair(all)
	kappa, rated := annotation.Kappa(counts)
	out := results.Annotators{
		Images: len(all), CC: defined(mean.CC), IoU: defined(mean.IoU), Answers: len(s.answers), Rated: rated, Kappa: defined(kappa), Listed: len(s.rows),
	}
	names := map[string]bool{}
	for _, r := range s.rows {
		out.Wrong, out.Unanswered = out.Wrong+r.wrong, out.Unanswered+r.unanswered
		if !r.mapped {
			continue
		}
		out.Maps++
		for _, name := range r.names {
			if name != "" {
				names[name] = true
			}
		}
	}
	out.Names = len(names)
	raw, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(s.task.Out(saliency.AgreementJSON), append(raw, '\n'), 0o644)
}

// defined is v as number writes it; nil for NaN.
func defined(v float64) *json.Number {
	if math.IsNaN(v) {
		return nil
	}
	n := json.Number(number(v))
	return &n
}

// number is v to nine digits, the last of sums being those of a processor; nothing for NaN.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 9, 64)
}

func writeCSV(name string, lines [][]string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := csv.NewWriter(file).WriteAll(lines); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}
