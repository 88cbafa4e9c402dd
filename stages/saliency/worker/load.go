package worker

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/stages/saliency"
)

// load reads the annotations and hands them to the images.
func (s *session) load() error {
	index := s.index()
	if s.job.Drawings != "" {
		drawings, err := saliency.FindDrawings(s.plan, s.job.Drawings)
		if err != nil {
			return err
		}
		for i := range drawings {
			s.rows[i].drawings = drawings[i]
		}
	} else {
		set, err := s.read()
		if err != nil {
			return err
		}
		if err := s.hand(set, index); err != nil {
			return err
		}
		if len(set.Answers) > 0 {
			if err := s.answer(set.Answers, index, "annotations"); err != nil {
				return err
			}
		}
	}
	if s.job.Answers == "" {
		return nil
	}
	set, err := open(s.job.Answers, func(r io.Reader) (*annotation.Set, error) { return annotation.ReadCSV(r, annotation.Answers) })
	if err != nil {
		return err
	}
	return s.answer(set.Answers, index, s.job.Answers)
}

// open reads a file; an error names it.
func open(name string, read func(r io.Reader) (*annotation.Set, error)) (*annotation.Set, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	set, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return set, nil
}

// file is the file of annotations; none of drawings.
func (s *session) file() string {
	p := s.job.Params
	return p.Boxes + p.Polygons + p.Clicks + p.Fixations // one is given
}

// read reads the file of annotations: by its name as JSON, else as CSV.
func (s *session) read() (*annotation.Set, error) {
	p, name := s.job.Params, s.file()
	isJSON := strings.EqualFold(filepath.Ext(name), ".json")
	return open(name, func(r io.Reader) (*annotation.Set, error) {
		switch {
		case isJSON && p.Fixations != "":
			return annotation.ReadFixations(r)
		case isJSON && p.Clicks == "":
			return annotation.ReadCOCO(r, p.Polygons != "", p.Categories)
		case p.Boxes != "":
			return annotation.ReadCSV(r, annotation.Boxes)
		case p.Polygons != "":
			return annotation.ReadCSV(r, annotation.Polygons)
		case p.Clicks != "":
			return annotation.ReadCSV(r, annotation.Clicks)
		}
		return annotation.ReadCSV(r, annotation.Fixations)
	})
}

// several is the place of a name that more than one image of the list has.
const several = -1

// key is what images are found by, from a path of the list or a name in a file.
func (s *session) key(image string) string {
	image = path.Clean("/" + filepath.ToSlash(image))[1:]
	if s.job.Match == "name" {
		return path.Base(image)
	}
	return image
}

// index is the row of each image.
func (s *session) index() map[string]int {
	index := make(map[string]int, len(s.rows))
	for i, row := range s.plan.List.Rows {
		key := s.key(row.Path)
		if _, twice := index[key]; twice {
			i = several
		}
		index[key] = i
	}
	return index
}

// find is the row of an image as a file names it; ok is false where the list does not have it.
func (s *session) find(index map[string]int, image string) (row int, ok bool, err error) {
	row, ok = index[s.key(image)]
	if ok && row == several {
		return row, ok, fmt.Errorf("several images of the list are called %s; name them by their paths (match: path)", s.key(image))
	}
	return row, ok, nil
}

// hand gives each image its records, in the order of the annotators' names.
func (s *session) hand(set *annotation.Set, index map[string]int) error {
	from := map[int]string{}
	for _, image := range slices.Sorted(maps.Keys(set.Images)) {
		i, ok, err := s.find(index, image)
		if err != nil {
			return err
		}
		if !ok {
			s.unknown = append(s.unknown, image)
			continue
		}
		if other, twice := from[i]; twice {
			return fmt.Errorf("the annotations name %s and %s, which are one image of the list", other, image)
		}
		from[i] = image
		records := set.Images[image]
		slices.SortStableFunc(records, func(a, b annotation.Record) int { return cmp.Compare(a.Annotator, b.Annotator) })
		s.rows[i].records = records
	}
	return nil
}

// answerKey is an annotator of an image.
type answerKey struct {
	row       int
	annotator string
}

// answer takes in answers; the words are the labels of the list.
func (s *session) answer(list []annotation.Answer, index map[string]int, file string) error {
	if s.answers == nil {
		s.answers = map[answerKey]int{}
	}
	words := map[string]int{}
	for class, name := range table.ClassNames {
		words[strings.ToLower(name)] = class
	}
	for word, name := range s.job.List.Labels {
		words[strings.ToLower(word)] = slices.Index(table.ClassNames, name)
	}
	for _, a := range list {
		i, ok, err := s.find(index, a.Image)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if !ok {
			continue // of another list
		}
		class, known := words[strings.ToLower(a.Answer)]
		if !known {
			return fmt.Errorf("%s: annotator %q answered %q on %s; the answers that are known: %s; say what others mean by labels of the data set",
				file, a.Annotator, a.Answer, a.Image, strings.Join(slices.Sorted(maps.Keys(words)), ", "))
		}
		key := answerKey{i, a.Annotator}
		if before, twice := s.answers[key]; twice && before != class {
			return fmt.Errorf("%s: annotator %q has two answers on %s", file, a.Annotator, a.Image)
		}
		s.answers[key] = class
	}
	return nil
}

// filter leaves the annotators of an image whose answer counts.
func (s *session) filter(i int) {
	r := &s.rows[i]
	if s.answers == nil || s.job.Only == "all" {
		return
	}
	counts := func(annotator string) bool {
		class, ok := s.answers[answerKey{i, annotator}]
		right := class == s.plan.List.Rows[i].Class
		switch {
		case !ok:
			r.unanswered++
		case right != (s.job.Only == "right"):
			r.wrong++
		default:
			return true
		}
		return false
	}
	r.drawings = slices.DeleteFunc(r.drawings, func(d saliency.Drawing) bool { return !counts(d.Annotator) })
	r.records = slices.DeleteFunc(r.records, func(a annotation.Record) bool { return !counts(a.Annotator) })
}
