package model

import (
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"
	"unsafe"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// LoadOptions say how a state dict may differ from the network.
type LoadOptions struct {
	// Except are patterns of names, as path.Match takes them: "fc.*" for a head of another size. Tensors that match are
	// not read, and keep their values.
	Except []string
}

// Report is what was read of a state dict, and how it differs from the network, excepted tensors included.
type Report struct {
	Taken      int        // tensors that were read
	Missing    []string   // in the network, not in the file
	Unused     []string   // in the file, not in the network
	Mismatched []Mismatch // of another shape
	Excepted   []string   // in the network, and kept because a pattern matches
}

// Mismatch is a tensor whose shapes differ.
type Mismatch struct {
	Name          string
	File, Network nn.Shape
}

// String is "tensor fc.weight: 1000x512 in the file, 2x512 in the network".
func (m Mismatch) String() string {
	return fmt.Sprintf("tensor %s: %s in the file, %s in the network", m.Name, m.File, m.Network)
}

// Load copies a state dict into the network, converted to the weights' type. Every tensor must be there in its shape, and
// none too many, but for those that match Except and for num_batches_tracked, which old files lack. Where one does not
// fit, nothing is changed and the error names the first few.
func (m *Model) Load(state []checkpoint.Tensor, options LoadOptions) (Report, error) {
	plan, report, err := m.match(m.translate(state), options)
	if err != nil {
		return report, err
	}
	return report, torch.Do(func(s *torch.Scope) error {
		s.NoGrad(func() {
			for i, p := range m.params {
				source, ok := plan[p.Name]
				switch {
				case !ok:
				case p.Kind == nn.Counter:
					m.counts[i] = s.Int(s.ToDType(view(s, source), torch.Int64))
				default:
					s.Copy_(m.tensors[i], view(s, source), false)
				}
			}
		})
		return nil
	})
}

// translate gives tensors the names and shapes of today that old or foreign files know under others. Reading a file takes
// away what wrappers leave before all names; a network in TorchScript may be such a wrapper itself, and gets it back.
func (m *Model) translate(state []checkpoint.Tensor) []checkpoint.Tensor {
	own := make([]string, len(m.params))
	for i, p := range m.params {
		own[i] = p.Name
	}
	prefix := checkpoint.Prefix(own)
	state = slices.Clone(state)
	for i := range state {
		t := &state[i]
		if !strings.HasPrefix(t.Name, prefix) {
			t.Name = prefix + t.Name
		}
		if m.Network.Rename != nil {
			t.Name = m.Network.Rename(t.Name)
		}
		if strings.HasSuffix(t.Name, ".pointwise.weight") && len(t.Shape) == 2 { // 1x1 kernels as matrices, as they once were
			t.Shape = append(slices.Clone(t.Shape), 1, 1)
		}
	}
	return state
}

// sound says what makes a tensor of a file unusable.
func sound(t checkpoint.Tensor) error {
	dtype, err := torch.ParseDType(string(t.DType))
	if err != nil {
		return err
	}
	if want := nn.Shape(t.Shape).Numel() * dtype.Size(); len(t.Data) != want {
		return fmt.Errorf("%d bytes of data, %d are needed for %s of %s", len(t.Data), want, nn.Shape(t.Shape), dtype)
	}
	return nil
}

// view is a sound tensor of a file, on the CPU and without a copy where its bytes are aligned.
func view(s *torch.Scope, t checkpoint.Tensor) torch.Tensor {
	dtype, err := torch.ParseDType(string(t.DType))
	if err != nil {
		panic(err)
	}
	data := t.Data
	if len(data) > 0 && uintptr(unsafe.Pointer(&data[0]))%uintptr(dtype.Size()) != 0 {
		data = slices.Clone(data)
	}
	return s.FromBytes(data, dtype, t.Shape...)
}

// match finds the source of each parameter and all that does not fit.
func (m *Model) match(state []checkpoint.Tensor, options LoadOptions) (map[string]checkpoint.Tensor, Report, error) {
	var report Report
	var problems []string
	excepted := func(name string) bool {
		return slices.ContainsFunc(options.Except, func(pattern string) bool {
			ok, err := path.Match(pattern, name)
			return ok && err == nil
		})
	}
	for _, pattern := range options.Except {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, report, fmt.Errorf("pattern %q of names to except: %w", pattern, err)
		}
	}

	given := map[string]checkpoint.Tensor{}
	for _, t := range state {
		given[t.Name] = t
	}
	plan := map[string]checkpoint.Tensor{}
	for _, p := range m.params {
		source, ok := given[p.Name]
		delete(given, p.Name)
		problem := ""
		switch {
		case !ok && p.Kind == nn.Counter:
		case !ok:
			report.Missing = append(report.Missing, p.Name)
			problem = fmt.Sprintf("tensor %s: not in the file, %s in the network", p.Name, p.Shape)
		case !p.Shape.Equal(source.Shape):
			mismatch := Mismatch{p.Name, source.Shape, p.Shape}
			report.Mismatched = append(report.Mismatched, mismatch)
			problem = mismatch.String()
		default:
			if err := sound(source); err != nil {
				problem = fmt.Sprintf("tensor %s: %v", p.Name, err)
			}
		}
		switch {
		case excepted(p.Name):
			report.Excepted = append(report.Excepted, p.Name)
		case problem != "":
			problems = append(problems, problem)
		case ok:
			plan[p.Name] = source
		}
	}
	for _, t := range state {
		if _, unused := given[t.Name]; unused {
			report.Unused = append(report.Unused, t.Name)
			if !excepted(t.Name) {
				problems = append(problems, fmt.Sprintf("tensor %s: %s in the file, not in the network", t.Name, nn.Shape(t.Shape)))
			}
		}
	}
	if problems == nil {
		report.Taken = len(plan)
		return plan, report, nil
	}
	return nil, report, fmt.Errorf("%s\nthe network is %s with %d classes; name the tensors to leave out (%s.* for the head), or take weights of this network",
		several(problems), m.Network.Name, m.Network.Classes, m.Network.Head.Name)
}

// several joins problems by line, the first few of many.
func several(problems []string) string {
	const show = 5
	if more := len(problems) - show; more > 0 {
		problems = append(slices.Clone(problems[:show]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(problems, "\n")
}

// State is a copy of all weights, buffers and counters, in the names, order and memory order of torchvision's
// state_dict.
func (m *Model) State() ([]checkpoint.Tensor, error) {
	state := make([]checkpoint.Tensor, len(m.params))
	err := torch.Do(func(s *torch.Scope) error {
		for i, p := range m.params {
			if p.Kind == nn.Counter {
				data := binary.LittleEndian.AppendUint64(nil, uint64(m.counts[i]))
				state[i] = checkpoint.Tensor{Name: p.Name, DType: checkpoint.Int64, Shape: p.Shape, Data: data}
			} else {
				state[i] = save(p.Name, m.tensors[i])
			}
		}
		return nil
	})
	return state, err
}

// save copies a tensor out, in row-major order.
func save(name string, t torch.Tensor) checkpoint.Tensor {
	return checkpoint.Tensor{
		Name: name, DType: checkpoint.DType(t.DType().String()), Shape: t.Shape(), Data: t.Bytes(),
	}
}
