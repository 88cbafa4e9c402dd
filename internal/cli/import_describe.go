package cli

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
)

// described is what `import --json` prints of a checkpoint.
type described struct {
	File      string             `json:"file"`
	Format    string             `json:"format"` // zip, legacy, safetensors
	Bytes     int64              `json:"bytes"`
	Nested    string             `json:"nested"` // the entry that the state dict stands under
	Prefix    string             `json:"prefix"` // what was taken away before all names
	Epoch     int                `json:"epoch"`
	Optimizer *describedSGD      `json:"optimizer"`
	Tensors   int                `json:"tensors"`
	Values    int                `json:"values"`
	DTypes    map[string]counted `json:"dtypes"`
	Extra     []string           `json:"extra"`  // names of the other entries
	Unread    []string           `json:"unread"` // names of entries that have no place here
	Metadata  map[string]string  `json:"metadata"`
	Names     []describedTensor  `json:"names"` // the first few, or all
	Written   *written           `json:"written,omitempty"`
}

type describedSGD struct {
	LR          float64 `json:"lr"`
	Momentum    float64 `json:"momentum"`
	WeightDecay float64 `json:"weight_decay"`
	Nesterov    bool    `json:"nesterov"`
	Parameters  int     `json:"parameters"`
	Buffers     int     `json:"buffers"` // parameters that have a momentum buffer
}

type counted struct {
	Tensors int `json:"tensors"`
	Values  int `json:"values"`
}

type describedTensor struct {
	Name  string           `json:"name"`
	DType checkpoint.DType `json:"dtype"`
	Shape []int            `json:"shape"`
}

// written is the file that was written.
type written struct {
	File    string   `json:"file"`
	Bytes   int64    `json:"bytes"`
	LeftOut []string `json:"left_out"`
}

// namesShown is how many tensors are listed when not all are asked for.
const namesShown = 8

func describe(path string, f *checkpoint.File, allNames bool) (*described, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	d := &described{File: path, Format: f.Format, Bytes: info.Size(), Nested: f.Nested, Prefix: f.Prefix, Epoch: f.Epoch,
		Tensors: len(f.Tensors), DTypes: map[string]counted{}, Extra: beside(f, false), Metadata: f.Metadata,
		Unread: append([]string{}, f.Unread...)}
	for i, t := range f.Tensors {
		n := len(t.Data) / t.DType.Size()
		d.Values += n
		of := d.DTypes[string(t.DType)]
		d.DTypes[string(t.DType)] = counted{of.Tensors + 1, of.Values + n}
		if allNames || i < namesShown {
			d.Names = append(d.Names, describedTensor{t.Name, t.DType, append([]int{}, t.Shape...)})
		}
	}
	if o := f.Optimizer; o != nil {
		d.Optimizer = &describedSGD{LR: o.LR, Momentum: o.Momentum, WeightDecay: o.WeightDecay, Nesterov: o.Nesterov, Parameters: len(o.Buffers)}
		for _, b := range o.Buffers {
			if b.DType != "" {
				d.Optimizer.Buffers++
			}
		}
	}
	return d, nil
}

// beside names what stands beside the state dict, epoch and metadata apart.
func beside(f *checkpoint.File, optimizer bool) []string {
	names := []string{}
	if optimizer {
		names = append(names, "optimizer")
	}
	for _, name := range slices.Sorted(maps.Keys(f.Extra)) {
		names = append(names, printable(name))
	}
	return names
}

func (d *described) print(w io.Writer) {
	formats := map[string]string{"zip": ".pth", "legacy": ".pth of before PyTorch 1.6", "safetensors": "safetensors"}
	fmt.Fprintf(w, "%s: %s, %s\n", d.File, formats[d.Format], size(d.Bytes))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(table, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	if d.Nested != "" {
		row("state dict", "under %q", d.Nested)
	}
	if d.Prefix != "" {
		row("prefix", "%q was before all names, and is taken away", d.Prefix)
	}
	row("tensors", "%d of %s values: %s", d.Tensors, grouped(d.Values), d.dtypes())
	if d.Epoch != 0 {
		row("epoch", "%d", d.Epoch)
	}
	if o := d.Optimizer; o != nil {
		nesterov := ""
		if o.Nesterov {
			nesterov = ", Nesterov"
		}
		row("optimizer", "SGD, lr %g, momentum %g, weight decay %g%s; momentum buffers of %d of %d parameters",
			o.LR, o.Momentum, o.WeightDecay, nesterov, o.Buffers, o.Parameters)
	}
	if len(d.Extra) > 0 {
		row("beside", "%s", strings.Join(d.Extra, ", "))
	}
	if len(d.Unread) > 0 {
		names := slices.Clone(d.Unread)
		for i, name := range names {
			names[i] = printable(name)
		}
		row("not read", "%s: an optimizer other than SGD, or values other than texts, numbers, tensors, lists and maps of these", strings.Join(names, ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(d.Metadata)) {
		row("metadata", "%s: %.200q", printable(key), d.Metadata[key])
	}
	table.Flush() //nolint:errcheck // to the user's terminal

	fmt.Fprintln(w)
	for _, t := range d.Names {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", printable(t.Name), t.DType, shape(t.Shape))
	}
	table.Flush() //nolint:errcheck
	if more := d.Tensors - len(d.Names); more > 0 {
		fmt.Fprintf(w, "  and %d more (--names lists all)\n", more)
	}
	if out := d.Written; out != nil {
		fmt.Fprintf(w, "\nwritten: %s, %s", out.File, size(out.Bytes))
		if len(out.LeftOut) > 0 {
			fmt.Fprintf(w, "; left out: %s", strings.Join(out.LeftOut, ", "))
		}
		fmt.Fprintln(w)
	}
}

// dtypes lists the element types, the one with the most values first.
func (d *described) dtypes() string {
	names := slices.SortedFunc(maps.Keys(d.DTypes), func(a, b string) int {
		if n := d.DTypes[b].Values - d.DTypes[a].Values; n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s in %d", name, d.DTypes[name].Tensors)
	}
	return strings.Join(names, ", ")
}

// printable is a name of a file that may hold anything: what moves a terminal's cursor is quoted.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// shape writes a shape as 64x3x7x7.
func shape(sizes []int) string {
	if len(sizes) == 0 {
		return "scalar"
	}
	parts := make([]string, len(sizes))
	for i, n := range sizes {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, "x")
}

// size is a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes >= 10e6:
		return fmt.Sprintf("%.0f MB", float64(bytes)/1e6)
	case bytes >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	case bytes >= 10e3:
		return fmt.Sprintf("%.0f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// grouped writes 25557032 as 25,557,032.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
