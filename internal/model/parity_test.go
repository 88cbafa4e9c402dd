package model_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// reference is the Python side; see its own words.
//
//go:embed testdata/parity.py
var reference string

// TestMain asks Intel's MKL, on our side and on PyTorch's, for sums in an order that does not depend on the processor or on
// where a tensor lies in memory. Without that two runs of one deep network part at the sixteenth digit, and three steps of
// training make the seventh of it.
func TestMain(m *testing.M) {
	if err := os.Setenv("MKL_CBWR", "COMPATIBLE"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// byName reads a file of tensors.
func byName(t *testing.T, path string) map[string]checkpoint.Tensor {
	t.Helper()
	named := map[string]checkpoint.Tensor{}
	for _, tensor := range read(t, path) {
		named[tensor.Name] = tensor
	}
	return named
}

func read(t *testing.T, path string) []checkpoint.Tensor {
	t.Helper()
	f, err := checkpoint.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return f.Tensors
}

func network(t testing.TB, name string, classes int) *nn.Network {
	t.Helper()
	build, ok := nn.Lookup(name)
	if !ok {
		t.Fatalf("no network %s", name)
	}
	return build(classes)
}

func build(t testing.TB, name string, precision torch.DType, options model.Options) *model.Model {
	t.Helper()
	return buildOn(t, torch.CPU, name, precision, options)
}

func buildOn(t testing.TB, device torch.Device, name string, precision torch.DType, options model.Options) *model.Model {
	t.Helper()
	m, err := model.New(network(t, name, 2), device, precision, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// A measure is the size of a tensor.
type measure func(*torch.Scope, torch.Tensor) torch.Tensor

func largest(s *torch.Scope, x torch.Tensor) torch.Tensor { return s.Max(s.Abs(x)) }
func norm(s *torch.Scope, x torch.Tensor) torch.Tensor    { return s.Sqrt(s.Sum(s.Square(x))) }

// apart is the largest difference of two tensors, relative to the largest value of the second.
func apart(t *testing.T, got, want checkpoint.Tensor) float64 {
	return distance(t, got, want, largest, 0)
}

// distance is the size of the difference of two tensors, relative to the size of the second where that is above a floor,
// else to the floor.
func distance(t *testing.T, got, want checkpoint.Tensor, size measure, floor float64) float64 {
	t.Helper()
	if got.DType != want.DType || fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) {
		t.Fatalf("%s: %s %v, want %s %v", want.Name, got.DType, got.Shape, want.DType, want.Shape)
	}
	var difference float64
	do(t, func(s *torch.Scope) { difference = s.Float(size(s, s.Sub(number(t, s, got), number(t, s, want)))) })
	if whole := max(sizeOf(t, want, size), floor); whole > 0 {
		return difference / whole
	}
	return difference
}

func sizeOf(t *testing.T, c checkpoint.Tensor, size measure) (whole float64) {
	t.Helper()
	do(t, func(s *torch.Scope) { whole = s.Float(size(s, number(t, s, c))) })
	return whole
}

func number(t *testing.T, s *torch.Scope, c checkpoint.Tensor) torch.Tensor {
	t.Helper()
	dtype, err := torch.ParseDType(string(c.DType))
	if err != nil {
		t.Fatal(err)
	}
	return s.ToDType(s.FromBytes(c.Data, dtype, c.Shape...), torch.Float64)
}

func values(x torch.Tensor) checkpoint.Tensor {
	return checkpoint.Tensor{DType: checkpoint.DType(x.DType().String()), Shape: x.Shape(), Data: x.Bytes()}
}

// setting is what three steps are compared in.
type setting struct {
	Network      string     `json:"network"`
	Side         int        `json:"side"`
	Batch        int        `json:"batch"`
	Class        loss.Class `json:"class"`
	ChannelsLast bool       `json:"channels_last"`
	Twice        bool       `json:"twice"` // the batch norms, as in the authors' DenseNet
}

func (c setting) String() string {
	return fmt.Sprintf("%s/%s/channels_last=%v/twice=%v", c.Network, c.Class, c.ChannelsLast, c.Twice)
}

// In float64 the network, both taps, all gradients and three steps of training agree with PyTorch; in float32 the logits
// and, as far as rounding lets them, the gradients.
func TestParityWithPyTorch(t *testing.T) {
	parity(t, torch.CPU, []setting{
		{Network: "resnet18", Side: 64, Batch: 2, Class: loss.Predicted},
		{Network: "resnet18", Side: 64, Batch: 2, Class: loss.True, ChannelsLast: true},
		{Network: "resnet50", Side: 64, Batch: 2, Class: loss.Predicted},
		{Network: "resnet_small", Side: 96, Batch: 2, Class: loss.Predicted},
		{Network: "resnet_small", Side: 96, Batch: 2, Class: loss.True, ChannelsLast: true},
	})
}

// The bounds of all comparisons, relative to the largest value of a tensor, and for float32's gradients to their norm. In
// float32 a ReLU whose input is nearly zero changes side with the rounding, and the gradient with it.
const (
	float64Apart         = 1e-7
	float32LogitsApart   = 1e-5
	float32GradientApart = 1e-2
)

// A bias in front of a batch norm has no gradient: what is computed there is what rounding leaves of sums that cancel, and
// is not to be compared with itself. Gradients below this part of the network's largest are compared with that part.
const vanishing = 1e-5

// parity takes three steps on a device, and compares all that they leave with PyTorch's on the CPU.
func parity(t *testing.T, device torch.Device, settings []setting) {
	for _, c := range settings {
		t.Run(c.String(), func(t *testing.T) {
			p := newParity(t, device, c)
			if device == torch.CPU {
				p.float32()
			}
			p.float64()
			for name := range p.found {
				if device == torch.CPU || !strings.HasPrefix(name, "float32.") {
					t.Errorf("not compared: %s", name)
				}
			}
			for _, kind := range slices.Sorted(maps.Keys(p.worst)) {
				t.Logf("%s: %.2g apart at most", kind, p.worst[kind])
			}
		})
	}
}

// comparison is one network on both sides.
type comparison struct {
	*testing.T
	setting
	device torch.Device
	start  []checkpoint.Tensor
	given  map[string]checkpoint.Tensor
	found  map[string]checkpoint.Tensor // what PyTorch has, less what was compared
	losses [][]float64                  // by step: the terms, then the total
	worst  map[string]float64           // by the first word of the name
}

func newParity(t *testing.T, device torch.Device, c setting) *comparison {
	dir := t.TempDir()
	net := network(t, c.Network, 2)
	config, err := json.Marshal(struct {
		setting
		Pooled  string `json:"pooled"`
		Authors string `json:"authors"`
		Head    string `json:"head"`
	}{c, net.Taps.Pooled, net.Taps.Authors, net.Head.Name})
	if err != nil {
		t.Fatal(err)
	}
	p := &comparison{T: t, setting: c, device: device, worst: map[string]float64{}}
	printed := testenv.RunPython(t, testenv.Networks+reference, string(config), dir)
	if err := json.Unmarshal(printed, &p.losses); err != nil {
		t.Fatal(err)
	}
	p.start = read(t, filepath.Join(dir, "start.safetensors"))
	p.given, p.found = byName(t, filepath.Join(dir, "given.safetensors")), byName(t, filepath.Join(dir, "found.safetensors"))
	return p
}

// compare holds a tensor against PyTorch's of that name.
func (p *comparison) compare(name string, got checkpoint.Tensor, tolerance float64, distance func(*testing.T, checkpoint.Tensor, checkpoint.Tensor) float64) {
	p.Helper()
	want, ok := p.found[name]
	if !ok {
		p.Fatalf("PyTorch has no %s", name)
	}
	delete(p.found, name)
	d := distance(p.T, got, want)
	if !(d <= tolerance) {
		p.Errorf("%s is %.3g apart from PyTorch's", name, d)
	}
	kind, rest, _ := strings.Cut(name, ".")
	if kind == "float32" {
		next, _, _ := strings.Cut(rest, ".")
		kind += " " + next
	}
	p.worst[kind] = max(p.worst[kind], d)
}

// model is ours with PyTorch's first weights.
func (p *comparison) model(precision torch.DType) *model.Model {
	none := 0.0
	m := buildOn(p.T, p.device, p.Network, precision, model.Options{ChannelsLast: p.ChannelsLast, BatchNormTwice: p.Twice, Dropout: &none})
	if _, err := m.Load(p.start, model.LoadOptions{}); err != nil {
		p.Fatal(err)
	}
	return m
}

// terms is the loss on both sides.
func (p *comparison) terms(m *model.Model) loss.Loss {
	l := loss.Loss{
		{Name: "cross_entropy", Weight: 0.5},
		{Name: "cyborg", Weight: 0.5, Map: "human", Class: p.Class, Tap: "authors"},
	}
	if m.Network.Graph().Auxiliary != nn.Image {
		l = append(l, loss.Term{Name: "auxiliary_cross_entropy", Weight: 0.4})
	}
	return l
}

// inputs are the images and the maps in the model's type.
func (p *comparison) inputs(s *torch.Scope, m *model.Model) (images, human torch.Tensor) {
	take := func(name string) torch.Tensor {
		g := p.given[name]
		return s.ToDType(s.Upload(s.FromBytes(g.Data, torch.Float64, g.Shape...), p.device), m.DType())
	}
	images, human = take("images"), take("human")
	if p.ChannelsLast {
		images = s.Contiguous(images, torch.ChannelsLast)
	}
	return images, human
}

// step is one forward pass in training and its losses.
func (p *comparison) step(s *torch.Scope, m *model.Model, images, human torch.Tensor) (model.Output, loss.Value) {
	out := m.Forward(s, images, model.Train, "authors", "pooled")
	labels, has := make([]int64, p.Batch), make([]bool, p.Batch)
	for i := range labels {
		labels[i], has[i] = int64(i%2), true
	}
	return out, p.terms(m).Evaluate(s, loss.Batch{
		Logits: out.Logits, Auxiliary: out.Auxiliary, Labels: s.Upload(torch.From(s, labels, p.Batch), p.device), Weight: m.Head(),
		Features: out.Features, Maps: map[string]loss.Maps{"human": {Values: human, Has: s.Upload(torch.From(s, has, p.Batch), p.device)}},
	})
}

// evaluated compares logits, taps and CAMs in evaluation.
func (p *comparison) evaluated(s *torch.Scope, m *model.Model, images torch.Tensor, prefix string, tolerance float64) {
	s.NoGrad(func() {
		out := m.Forward(s, images, model.Eval, "pooled", "authors")
		p.compare(prefix+"eval.logits", values(out.Logits), tolerance, apart)
		chosen := s.Argmax(out.Logits, torch.Some(1), false)
		for _, tap := range []string{"pooled", "authors"} {
			p.compare(prefix+"eval."+tap, values(out.Features[tap]), tolerance, apart)
			p.compare(prefix+"eval.cam."+tap, values(loss.CAM(s, out.Features[tap], m.Head(), chosen)), tolerance, apart)
		}
	})
}

func (p *comparison) float32() {
	m := p.model(torch.Float32)
	defer m.Close()
	do(p.T, func(s *torch.Scope) {
		images, human := p.inputs(s, m)
		p.evaluated(s, m, images, "float32.", float32LogitsApart)
		out, v := p.step(s, m, images, human)
		p.compare("float32.train.logits", values(out.Logits), float32LogitsApart, apart)
		s.Backward(v.Total)
		p.gradients("float32.gradient.", s.Grads(m.Parameters()), m.ParameterNames(), float32GradientApart, norm)
	})
}

// gradients compares all gradients, with the floor for those that vanish.
func (p *comparison) gradients(prefix string, got []torch.Tensor, names []string, tolerance float64, size measure) {
	p.Helper()
	floor := 0.0
	for _, name := range names {
		floor = max(floor, vanishing*sizeOf(p.T, p.found[prefix+name], size))
	}
	for i, g := range got {
		p.compare(prefix+names[i], values(g), tolerance, func(t *testing.T, got, want checkpoint.Tensor) float64 {
			return distance(t, got, want, size, floor)
		})
	}
}

func (p *comparison) float64() {
	m := p.model(torch.Float64)
	sgd, err := model.NewSGD(m, 0.005, 0.9, 1e-6)
	if err != nil {
		p.Fatal(err)
	}
	compare := func(name string, got checkpoint.Tensor) { p.compare(name, got, float64Apart, apart) }
	do(p.T, func(s *torch.Scope) {
		images, human := p.inputs(s, m)
		p.evaluated(s, m, images, "", float64Apart)
		for step := range 3 {
			out, v := p.step(s, m, images, human)
			sgd.Step(s, v.Total)
			for i, value := range append(v.Terms, v.Total) {
				if got, want := s.Float(value), p.losses[step][i]; !(math.Abs(got-want) <= float64Apart*math.Abs(want)) {
					p.Errorf("step %d, term %d: %v, PyTorch's %v", step, i, got, want)
				}
			}
			if step > 0 {
				continue
			}
			compare("train.logits", values(out.Logits))
			compare("train.pooled", values(out.Features["pooled"]))
			compare("train.authors", values(out.Features["authors"]))
			p.gradients("gradient.", s.Grads(m.Parameters()), m.ParameterNames(), float64Apart, largest)
		}
	})
	for _, tensor := range state(p.T, m) {
		compare("after."+tensor.Name, tensor)
	}
	buffers, err := sgd.Buffers()
	if err != nil {
		p.Fatal(err)
	}
	for i, b := range buffers {
		compare("momentum."+m.ParameterNames()[i], b)
	}
}
