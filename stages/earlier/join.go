package earlier

import (
	"fmt"
	"path"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/table"
)

// label gives scores the paths and labels of the lists, in the lists' order. Labels that the scores have must be those.
func label(scores []metrics.Score, job ScoresJob) ([]metrics.Score, error) {
	var rows []table.Row
	for _, list := range job.Lists {
		t, err := list.Read()
		if err != nil {
			return nil, err
		}
		rows = append(rows, t.Rows...)
	}
	find := index(rows)
	of := make([]int, len(rows)) // 1 + the place among the scores
	for i, s := range scores {
		row, err := find(s.Path)
		if err != nil {
			return nil, err
		}
		if of[row] > 0 {
			return nil, fmt.Errorf("%s and %s are both scores of %s", scores[of[row]-1].Path, s.Path, rows[row].Path)
		}
		of[row] = i + 1
	}
	var out []metrics.Score
	missing, example := 0, ""
	contrary, contradiction := 0, ""
	for i, row := range rows {
		if of[i] == 0 {
			if missing++; missing == 1 {
				example = row.Path
			}
			continue
		}
		if row.Class == table.Unlabelled {
			return nil, fmt.Errorf("%s has no label in its list", row.Path)
		}
		if s := scores[of[i]-1]; s.Label != "" && s.Class != row.Class {
			if contrary++; contrary == 1 {
				contradiction = fmt.Sprintf("%s, %s in the file and %s in the list", row.Path, s.Label, metrics.Label(row.Class))
			}
		}
		out = append(out, metrics.Score{Path: row.Path, Label: metrics.Label(row.Class), Class: row.Class, Score: scores[of[i]-1].Score})
	}
	if missing > 0 && job.Missing != "skip" {
		return nil, fmt.Errorf("%d of %d images of %s have no score, such as %s; missing: skip measures the others", missing, len(rows), job.Set, example)
	}
	if contrary > 0 {
		return nil, fmt.Errorf("%d of %d labels of the scores are not those of the list, such as %s; labels: file takes the file's", contrary, len(out), contradiction)
	}
	return out, nil
}

// index finds the row of a path that another machine wrote: the list's path is the end of it, or it is the end of just one
// of the list's.
func index(rows []table.Row) func(string) (int, error) {
	whole, byName := map[string]int{}, map[string][]int{}
	for i, row := range rows {
		clean := path.Clean("/" + row.Path)
		if _, twice := whole[clean]; !twice {
			whole[clean] = i
		}
		byName[path.Base(clean)] = append(byName[path.Base(clean)], i)
	}
	return func(scored string) (int, error) {
		clean := path.Clean("/" + strings.ReplaceAll(scored, `\`, "/"))
		for rest := clean; rest != ""; {
			if i, ok := whole[rest]; ok {
				return i, nil
			}
			next := strings.IndexByte(rest[1:], '/')
			if next < 0 {
				break
			}
			rest = rest[1+next:]
		}
		found := -1
		for _, i := range byName[path.Base(clean)] {
			if strings.HasSuffix(path.Clean("/"+rows[i].Path), clean) {
				if found >= 0 {
					return 0, fmt.Errorf("%s may be %s or %s", scored, rows[found].Path, rows[i].Path)
				}
				found = i
			}
		}
		if found < 0 {
			return 0, fmt.Errorf("%s is in no list of the data set", scored)
		}
		return found, nil
	}
}
