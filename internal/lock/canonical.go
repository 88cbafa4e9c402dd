package lock

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/zeebo/blake3"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// clocks are the columns of outputs that only the clock decides, by kind of stage and file; trainings had one up to revision
// 2. All else that stages leave is the same bytes for the same inputs under the same conditions.
var clocks = map[string]string{"train/history.csv": "seconds"}

// Digests are the canonical digests of an artifact's outputs by name: of a file its bytes', of a folder one for all files in
// it. A table with a column that only the clock decides is hashed without that column, as if it had never been there.
func Digests(a *store.Artifact) (map[string]string, error) {
	digests := map[string]string{}
	for _, o := range a.Outputs {
		name, _, folder := strings.Cut(o.Name, "/")
		if _, have := digests[name]; have {
			continue
		}
		if column, timed := clocks[a.Kind+"/"+name]; timed && !folder {
			d, err := without(a.Path(name), column)
			if err != nil {
				return nil, fmt.Errorf("output %s of %s: %w", name, a.Node, err)
			}
			digests[name] = d
			continue
		}
		digests[name] = string(a.Digest(name))
	}
	return digests, nil
}

// without is the digest of a CSV file without one of its columns; one that lacks the column is hashed as it is.
func without(path, column string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		return "", err
	}
	h := blake3.New()
	if len(rows) == 0 || !slices.Contains(rows[0], column) {
		_, _ = h.Write(raw) // a hash takes everything
		return sum(h), nil
	}
	at := slices.Index(rows[0], column)
	w := csv.NewWriter(h)
	for _, row := range rows {
		if err := w.Write(slices.Delete(slices.Clone(row), at, at+1)); err != nil {
			return "", err
		}
	}
	w.Flush()
	return sum(h), w.Error()
}
