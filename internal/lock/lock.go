// Package lock says what a run was made of and what came out, keeps it as a file, and judges another run against it.
//
// Terms: a lock is one run as a value: settings, data, environment, nodes with the digests of their outputs, metrics. The
// lock file (<stem>.lock.yaml) is that value as YAML. Two locks are compared in three ways, each stricter where it can
// be: by bytes (Judge, for nodes that were made under the same conditions), by metrics within tolerances, and over seeds
// by a test of their distribution.
//
// Of what a lock holds, some counts and some does not. What changes results counts: settings of the spec's sections and
// stages, bytes of the user's files. Where files are, how many threads there are, titles and limits do not; they are
// shown where they differ.
//
// The stage kind `check`, which holds assertions of a spec, is another thing.
//
// All functions are pure but for ReadFile, WriteFile and Digests. A Lock is only read once it is made.
package lock

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zeebo/blake3"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Version is the format of the lock file that this program writes and reads.
const Version = 1

// Lock is a run: what it was made of, and what came out. What is not known is empty.
type Lock struct {
	Version     int               `yaml:"version" required:"true"`
	Name        string            `yaml:"name" required:"true"` // the run's: NAME or NAME@PROFILE
	Spec        Spec              `yaml:"spec" required:"true"`
	Environment map[string]string `yaml:"environment"` // what the nodes have in common
	Data        []Data            `yaml:"data"`
	Axes        []Axis            `yaml:"axes"`
	Reproduce   Reproduce         `yaml:"reproduce"`
	Metrics     []Evaluation      `yaml:"metrics"`
	Nodes       []Node            `yaml:"nodes" required:"true"`
	Settings    Settings          `yaml:"settings"`
}

// Spec is what was run.
type Spec struct {
	Digest  string   `yaml:"digest" required:"true"` // of the settings that count: Settings.Digest
	Profile string   `yaml:"profile"`
	Set     []string `yaml:"set"` // --set, in order
	Sources []File   `yaml:"sources"`
}

// File is a file by its path relative to the folder of the lock, with slashes, and its digest.
type File struct {
	File   string `yaml:"file" required:"true"`
	Digest string `yaml:"digest" required:"true"`
}

// Data is what a node, or all nodes of a stage, read of the user's files.
type Data struct {
	Name   string `yaml:"name" required:"true"` // data.train; fit, for weights to start from
	Files  int    `yaml:"files" required:"true"`
	Digest string `yaml:"digest" required:"true"` // of all of them in their order
}

// Axis is a matrix axis with the values that occur in the run.
type Axis struct {
	Name   string   `yaml:"name" required:"true"`
	Values []string `yaml:"values" required:"true"`
}

// Node is one node of the run.
type Node struct {
	Name        string            `yaml:"name" required:"true"`
	Stage       string            `yaml:"stage" required:"true"` // its kind and revision: "train 3"
	Key         string            `yaml:"key" required:"true"`   // of its artifact in the cache
	Seconds     float64           `yaml:"seconds"`
	Threads     int               `yaml:"threads"`     // where results depend on them, else 0
	Environment map[string]string `yaml:"environment"` // where it differs from the lock's
	Outputs     map[string]string `yaml:"outputs"`     // file or folder: its digest

	Needs   []string `yaml:"-"` // names of the nodes whose outputs it takes; empty in a lock that was read
	Tensors bool     `yaml:"-"` // done by cyborg-torch with tensors; false in a lock that was read
}

// Evaluation is the metrics of one model on one set, as metrics.csv has them.
type Evaluation struct {
	Node   string             `yaml:"node" required:"true"`
	Set    string             `yaml:"set" required:"true"`
	Axes   map[string]string  `yaml:"axes"`
	Values map[string]float64 `yaml:"values" required:"true"` // by metric
}

// Settings are the leaves of a resolved spec in its order.
type Settings []Setting

// Setting is one leaf: a scalar, or a list of scalars.
type Setting struct {
	Path  string   // train.epochs, as --set writes it
	Value string   // as JSON: 40, "resnet_small", ["u1", "u2"]
	Pos   diag.Pos // where it was written
}

// Get is the value of a path; ok is false where there is none.
func (s Settings) Get(path string) (Setting, bool) {
	for _, have := range s {
		if have.Path == path {
			return have, true
		}
	}
	return Setting{}, false
}

// Digest is over the settings that count, whatever their order.
func (s Settings) Digest() string {
	sorted := slices.SortedFunc(slices.Values(s), func(a, b Setting) int { return cmp.Compare(a.Path, b.Path) })
	h := blake3.New()
	for _, one := range sorted {
		if role(one.Path) == counts {
			fmt.Fprintf(h, "%d:%s%d:%s", len(one.Path), one.Path, len(one.Value), one.Value)
		}
	}
	return sum(h)
}

func sum(h *blake3.Hasher) string { return "blake3:" + hex.EncodeToString(h.Sum(nil)[:20]) }

// CombineData is the digest of a data set out of those of its files, in their order. Names are not part of it: the same
// data may lie elsewhere.
func CombineData(digests []string) string {
	h := blake3.New()
	for _, d := range digests {
		fmt.Fprintf(h, "%d:%s", len(d), d)
	}
	return sum(h)
}

// Node is the node of that name.
func (l *Lock) Node(name string) (*Node, bool) {
	for i := range l.Nodes {
		if l.Nodes[i].Name == name {
			return &l.Nodes[i], true
		}
	}
	return nil, false
}

// environment is all that a node was made under.
func (l *Lock) environment(n *Node) map[string]string {
	all := maps.Clone(l.Environment)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, n.Environment)
	return all
}

// Share moves what most nodes have in common from their environments to the lock's.
func (l *Lock) Share() {
	counts := map[string]map[string]int{}
	for _, n := range l.Nodes {
		for key, value := range n.Environment {
			if counts[key] == nil {
				counts[key] = map[string]int{}
			}
			counts[key][value]++
		}
	}
	if l.Environment == nil {
		l.Environment = map[string]string{}
	}
	for key, values := range counts {
		if _, fixed := l.Environment[key]; fixed {
			continue
		}
		names := slices.Sorted(maps.Keys(values))
		l.Environment[key] = slices.MaxFunc(names, func(a, b string) int { return cmp.Compare(values[a], values[b]) })
	}
	for i := range l.Nodes {
		maps.DeleteFunc(l.Nodes[i].Environment, func(key, value string) bool { return l.Environment[key] == value })
	}
}

// stage is the part of a node's name before its matrix values.
func stage(node string) string {
	name, _, _ := strings.Cut(node, "[")
	return name
}
