package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

const lastTitle = "cyborg last 1"

// Last returns the key parts of the nodes of a run when each last finished.
func (s *Store) Last(run string) map[string][]Part {
	raw, err := os.ReadFile(s.lastPath(run))
	if err != nil {
		return map[string][]Part{}
	}
	last, err := readLast(raw)
	if err != nil {
		return map[string][]Part{}
	}
	return last
}

// SetLast writes down the key parts of a run's nodes.
func (s *Store) SetLast(run string, parts map[string][]Part) error {
	return renameio.WriteFile(s.lastPath(run), writeLast(parts), 0o644)
}

func readLast(raw []byte) (map[string][]Part, error) {
	r, err := newReader(lastTitle, raw)
	if err != nil {
		return nil, err
	}
	n := r.count()
	last := make(map[string][]Part, n)
	for range n {
		node, parts := r.text(), make([]Part, r.count())
		for i := range parts {
			parts[i] = Part{r.text(), r.text()}
		}
		last[node] = parts
	}
	if r.bad {
		return nil, errDamaged
	}
	return last, nil
}

func writeLast(last map[string][]Part) []byte {
	w := newWriter()
	w.number(uint64(len(last)))
	for node, parts := range last {
		w.text(node)
		w.number(uint64(len(parts)))
		for _, p := range parts {
			w.text(p.Name)
			w.text(p.Value)
		}
	}
	return w.bytes(lastTitle)
}

func fileName(run string) string { return strings.ReplaceAll(run, string(filepath.Separator), "_") }

func (s *Store) lastPath(run string) string { return filepath.Join(s.dir, "last", fileName(run)) }

// Record is what a run needed, by node.
type Record struct {
	Run   string         `json:"run"`
	Ended time.Time      `json:"ended"`
	Nodes map[string]Key `json:"nodes"`

	path string
}

// Record writes down the keys of a run's finished nodes; a run that needed what the one before it did takes its place.
func (s *Store) Record(r Record) error {
	before := s.latest(r.Run)
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	name := r.Ended.UTC().Format("20060102T150405.000000000Z") + "-" + fileName(r.Run) + ".json"
	path := filepath.Join(s.dir, "runs", name)
	if err := renameio.WriteFile(path, raw, 0o644); err != nil {
		return err
	}
	if before.path != path && maps.Equal(before.Nodes, r.Nodes) {
		_ = os.Remove(before.path) // one too many costs no more than room
	}
	return nil
}

// latest is the last record of a run, empty where there is none.
func (s *Store) latest(run string) Record {
	found, _ := filepath.Glob(filepath.Join(s.dir, "runs", "*Z-*.json"))
	slices.Sort(found)
	for _, path := range slices.Backward(found) {
		if _, name, _ := strings.Cut(filepath.Base(path), "Z-"); name != fileName(run)+".json" {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return Record{}
		}
		r, err := readRecord(raw)
		if err != nil {
			return Record{}
		}
		r.path = path
		return r
	}
	return Record{}
}

// Records are the runs that were written down, the latest first. One that cannot be read is an error: what it needed is
// not known.
func (s *Store) Records() ([]Record, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "runs"))
	if err != nil {
		return nil, fmt.Errorf("read the records of runs: %w", err)
	}
	var all []Record
	for _, e := range entries {
		path := filepath.Join(s.dir, "runs", e.Name())
		if filepath.Ext(path) != ".json" {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the record of a run: %w", err)
		}
		r, err := readRecord(raw)
		if err != nil {
			return nil, fmt.Errorf("%s is damaged: %w; delete it if that run need not be kept", path, err)
		}
		r.path = path
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Record) int { return b.Ended.Compare(a.Ended) })
	return all, nil
}

// Latest splits records, the latest first, into the last n of each run and the older ones.
func Latest(all []Record, n int) (last, older []Record) {
	seen := map[string]int{}
	for _, r := range all {
		if seen[r.Run]++; seen[r.Run] <= n {
			last = append(last, r)
		} else {
			older = append(older, r)
		}
	}
	return last, older
}

func readRecord(raw []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(raw, &r); err != nil {
		return Record{}, err
	}
	if r.Run == "" || r.Nodes == nil {
		return Record{}, errors.New("it names no run or no nodes")
	}
	return r, nil
}
