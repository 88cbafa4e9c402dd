package spec

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Handling is how the nodes of a stage are run, which any stage may say. None of it changes a result, and none of it is
// part of a key.
type Handling struct {
	// Resources are what each node of the stage holds while it works. Nodes run at once as far as cores, GPUs and memory
	// reach.
	Resources Resources `yaml:"resources"`

	// Retry tries a node that failed again. The next try goes on from the last checkpoint of the one before. What was
	// interrupted is not tried again before the next run.
	Retry Retry `yaml:"retry"`

	// Limits end a worker that takes too long. That counts as a failure, and may be tried again.
	Limits Limits `yaml:"limits"`
}

// Resources are what a node holds while it works. 0 is the kind's own measure.
type Resources struct {
	// CPUs is how many cores a node counts as; 0: as many as its threads. It does not change the number of threads. A node
	// that asks for more than there are runs alone.
	CPUs int `yaml:"cpus" min:"0" max:"4096"`

	// GPUs is how many CUDA devices a node keeps to itself; it works on the first of them. 0: one if the kind uses a GPU and
	// the run has one. A node that asks for more than the run has is blocked.
	GPUs int `yaml:"gpus" min:"0" max:"256"`

	// Memory is how much main memory a node counts as, such as 8GiB or 500MB; none: it is not counted. It is no limit to
	// the worker. A node that asks for more than the machine has is blocked.
	Memory Bytes `yaml:"memory"`
}

// Retry is how often, and after which wait, a failed node is tried again.
type Retry struct {
	// Times is how often a node that failed is tried again.
	Times int `yaml:"times" min:"0" max:"100"`

	// Wait is the time before the second try. It doubles with every further one, up to an hour.
	Wait time.Duration `yaml:"wait" default:"10s"`
}

// Limits are the longest times that one try of a node may take; 0: no limit.
type Limits struct {
	// Time is the longest that a worker may work, such as 2h or 90s. It is then asked to stop, and killed if it does not.
	Time time.Duration `yaml:"time"`

	// Silence is the longest that a worker may report nothing.
	Silence time.Duration `yaml:"silence"`
}

// Bytes is an amount of memory.
type Bytes int64

var byteUnits = []struct {
	name string
	size float64
}{ // the longest first, and of those that fit the largest first
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1},
}

// ParseBytes reads an amount such as 8GiB, 1.5 GB or 500MB.
func ParseBytes(text string) (Bytes, bool) {
	for _, unit := range byteUnits {
		digits, ok := strings.CutSuffix(text, unit.name)
		if !ok {
			continue
		}
		digits = strings.TrimSuffix(digits, " ")
		if strings.Trim(digits, "0123456789.") != "" {
			return 0, false
		}
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil || n*unit.size > math.MaxInt64/2 {
			return 0, false
		}
		return Bytes(n * unit.size), true
	}
	return 0, false
}

// String is the amount to three digits, in binary units: 7.5GiB.
func (b Bytes) String() string {
	for _, unit := range byteUnits[:4] {
		if float64(b) >= unit.size {
			return strconv.FormatFloat(float64(b)/unit.size, 'g', 4, 64) + unit.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}

// DecodeSpec implements Decoder.
func (b *Bytes) DecodeSpec(v *Value, diags *diag.List) {
	n, ok := ParseBytes(v.Text())
	if v.Kind != String || !ok {
		wrong(v, `an amount of memory such as "8GiB" or "500MB"`, diags)
		return
	}
	*b = n
}
