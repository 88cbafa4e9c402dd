package model_test

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// reference trains the network in PyTorch and saves, in safetensors: the initial state, the images and human maps, and
// all that the Go side must find again. Weights are torchvision's initialisation, running statistics and batch norms
// moved off their start so that they matter.
const reference = `
import sys, json, torch, torchvision
from torch import nn
import torch.nn.functional as F
from safetensors.torch import save_file

name, side, classes, out, pooled, authors, classes_of, layout = sys.argv[1], int(sys.argv[2]), 2, *sys.argv[3:]
torch.manual_seed(11)
torch.set_num_threads(2)

def small():
    from torchvision.models.resnet import BasicBlock
    class Narrow(nn.Module):
        def __init__(q, i, o):
            super().__init__()
            q.conv1 = nn.Conv2d(i, o, 3, 1, 1, bias=False); q.bn1 = nn.BatchNorm2d(o)
            q.conv2 = nn.Conv2d(o, o, 1, bias=False); q.bn2 = nn.BatchNorm2d(o)
            q.downsample = nn.Sequential(nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o))
        def forward(q, x):
            return F.relu(q.bn2(q.conv2(F.relu(q.bn1(q.conv1(x))))) + q.downsample(x))
    class Small(nn.Module):
        def __init__(q):
            super().__init__()
            q.conv1 = nn.Conv2d(3, 16, 5, 2, 2, bias=False); q.bn1 = nn.BatchNorm2d(16)
            down = nn.Sequential(nn.Conv2d(16, 32, 1, 2, bias=False), nn.BatchNorm2d(32))
            q.layer1 = nn.Sequential(BasicBlock(16, 16)); q.layer2 = nn.Sequential(BasicBlock(16, 32, 2, down))
            q.layer3 = nn.Sequential(Narrow(32, 64)); q.fc = nn.Linear(64, classes)
        def forward(q, x):
            x = F.max_pool2d(F.relu(q.bn1(q.conv1(x))), 3, 2, 1)
            return q.fc(q.layer3(q.layer2(q.layer1(x))).mean((2, 3)))
    return Small()

net = small() if name == "resnet_small" else getattr(torchvision.models, name)(num_classes=classes)
layout = getattr(torch, layout)
net = net.double().to(memory_format=layout)
with torch.no_grad():
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.weight.uniform_(0.5, 1.5); m.bias.normal_(0, 0.2); m.running_mean.normal_(0, 0.2); m.running_var.uniform_(0.5, 1.5)
start = {k: v.clone() for k, v in net.state_dict().items()}
x = torch.randn(2, 3, side, side, dtype=torch.float64).contiguous(memory_format=layout)
y = torch.tensor([0, 1])
kept = {}
def keep(tap):
    return lambda _m, _i, o: kept.__setitem__(tap, o.clone())
net.get_submodule(pooled).register_forward_hook(keep("pooled"))
net.get_submodule(authors).register_forward_hook(keep("authors"))
given, found = {"images": x}, {}
net.eval()
with torch.no_grad():
    found["eval.logits"] = net(x)
    found["eval.pooled"], found["eval.authors"] = kept["pooled"], kept["authors"]
human = torch.rand(2, *kept["authors"].shape[2:], dtype=torch.float64)
given["human"] = human
unit = lambda m: (m - m.amin((1, 2), keepdim=True)) / (m.amax((1, 2), keepdim=True) - m.amin((1, 2), keepdim=True))
net.train()
solver = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9, weight_decay=1e-6)
losses = []
for step in range(3):
    logits = net(x)
    chosen = logits.argmax(1) if classes_of == "predicted" else y
    cam = torch.einsum("bchw,bc->bhw", kept["authors"], net.fc.weight[chosen])
    ce, sal = F.cross_entropy(logits, y), ((unit(cam) - unit(human)) ** 2).mean()
    total = 0.5 * ce + 0.5 * sal
    solver.zero_grad()
    total.backward()
    if step == 0:
        found["train.logits"], found["train.pooled"], found["train.authors"] = logits, kept["pooled"], kept["authors"]
        for k, p in net.named_parameters():
            found["gradient." + k] = p.grad
    solver.step()
    losses.append([ce.item(), sal.item(), total.item()])
for k, v in net.state_dict().items():
    found["after." + k] = v
for k, p in net.named_parameters():
    found["momentum." + k] = solver.state[p]["momentum_buffer"]
for part, tensors in (("start", start), ("given", given), ("found", found)):
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, f"{out}/{part}.safetensors")
print(json.dumps(losses))
`

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

// apart is the largest difference of two tensors, relative to the largest value of the second.
func apart(t *testing.T, got, want checkpoint.Tensor) float64 {
	t.Helper()
	var difference, size float64
	err := torch.Do(func(s *torch.Scope) error {
		if got.DType != want.DType || fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) {
			return fmt.Errorf("%s: %s %v, want %s %v", want.Name, got.DType, got.Shape, want.DType, want.Shape)
		}
		number := func(c checkpoint.Tensor) torch.Tensor {
			dtype, err := torch.ParseDType(string(c.DType))
			if err != nil {
				t.Fatal(err)
			}
			return s.ToDType(s.FromBytes(c.Data, dtype, c.Shape...), torch.Float64)
		}
		g, w := number(got), number(want)
		difference, size = s.Float(s.Max(s.Abs(s.Sub(g, w)))), s.Float(s.Max(s.Abs(w)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if size == 0 {
		return difference
	}
	return difference / size
}

func values(x torch.Tensor) checkpoint.Tensor {
	return checkpoint.Tensor{DType: checkpoint.DType(x.DType().String()), Shape: x.Shape(), Data: x.Bytes()}
}

// In float64 the network, both taps, all gradients and three steps of training agree with PyTorch.
// setting is what three steps are compared in.
type setting struct {
	network string
	side    int
	class   loss.Class
	options model.Options
}

func TestParityWithPyTorch(t *testing.T) {
	parity(t, torch.CPU, []setting{
		{"resnet18", 64, loss.Predicted, model.Options{}},
		{"resnet18", 64, loss.True, model.Options{ChannelsLast: true}},
		{"resnet50", 64, loss.Predicted, model.Options{}},
		{"resnet_small", 96, loss.Predicted, model.Options{}},
		{"resnet_small", 96, loss.True, model.Options{ChannelsLast: true}},
	})
}

// parity takes three steps on a device, and compares all that they leave with PyTorch's on the CPU.
func parity(t *testing.T, device torch.Device, settings []setting) {
	const tolerance = 1e-7
	for _, c := range settings {
		t.Run(fmt.Sprintf("%s/%s/channels_last=%v", c.network, c.class, c.options.ChannelsLast), func(t *testing.T) {
			m := buildOn(t, device, c.network, torch.Float64, c.options)
			dir := t.TempDir()
			var wantLosses [][]float64
			taps := m.Network.Taps
			printed := testenv.RunPython(t, reference, c.network, fmt.Sprint(c.side), dir, taps.Pooled, taps.Authors,
				string(c.class), map[bool]string{false: "contiguous_format", true: "channels_last"}[c.options.ChannelsLast])
			if err := json.Unmarshal(printed, &wantLosses); err != nil {
				t.Fatal(err)
			}
			given, found := byName(t, filepath.Join(dir, "given.safetensors")), byName(t, filepath.Join(dir, "found.safetensors"))
			if _, err := m.Load(read(t, filepath.Join(dir, "start.safetensors")), model.LoadOptions{}); err != nil {
				t.Fatal(err)
			}

			worst, worstName, compared := 0.0, "", 0
			compare := func(name string, got checkpoint.Tensor) {
				want, ok := found[name]
				if !ok {
					t.Fatalf("PyTorch has no %s", name)
				}
				delete(found, name)
				compared++
				d := apart(t, got, want)
				if !(d <= tolerance) {
					t.Errorf("%s is %.3g apart from PyTorch's", name, d)
				}
				if d > worst {
					worst, worstName = d, name
				}
			}
			output := func(mode string, out model.Output) {
				compare(mode+".logits", values(out.Logits))
				compare(mode+".pooled", values(out.Features["pooled"]))
				compare(mode+".authors", values(out.Features["authors"]))
			}

			sgd, err := model.NewSGD(m, 0.005, 0.9, 1e-6)
			if err != nil {
				t.Fatal(err)
			}
			terms := loss.Loss{
				{Name: "cross_entropy", Weight: 0.5},
				{Name: "cyborg", Weight: 0.5, Map: "human", Class: c.class, Tap: "authors"},
			}
			err = torch.Do(func(s *torch.Scope) error {
				images, human := given["images"], given["human"]
				x := s.Upload(s.FromBytes(images.Data, torch.Float64, images.Shape...), device)
				if c.options.ChannelsLast {
					x = s.Contiguous(x, torch.ChannelsLast)
				}
				s.NoGrad(func() { output("eval", m.Forward(s, x, model.Eval, "pooled", "authors")) })
				for step := range 3 {
					out := m.Forward(s, x, model.Train, "authors", "pooled")
					v := terms.Evaluate(s, loss.Batch{
						Logits: out.Logits, Labels: s.Upload(torch.From(s, []int64{0, 1}, 2), device), Weight: m.Head(), Features: out.Features,
						Maps: map[string]loss.Maps{"human": {
							Values: s.Upload(s.FromBytes(human.Data, torch.Float64, human.Shape...), device),
							Has:    s.Upload(torch.From(s, []bool{true, true}, 2), device),
						}},
					})
					sgd.Step(s, v.Total)
					got := []float64{s.Float(v.Terms[0]), s.Float(v.Terms[1]), s.Float(v.Total)}
					for i, want := range wantLosses[step] {
						if !(math.Abs(got[i]-want) <= tolerance*math.Abs(want)) {
							t.Errorf("step %d: losses %v, PyTorch's %v", step, got, wantLosses[step])
						}
					}
					if step == 0 {
						output("train", out)
						for i, g := range s.Grads(m.Parameters()) {
							compare("gradient."+m.ParameterNames()[i], values(g))
						}
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			state, err := m.State()
			if err != nil {
				t.Fatal(err)
			}
			for _, tensor := range state {
				compare("after."+tensor.Name, tensor)
			}
			buffers, err := sgd.Buffers()
			if err != nil {
				t.Fatal(err)
			}
			for i, b := range buffers {
				compare("momentum."+m.ParameterNames()[i], b)
			}
			for name := range found {
				t.Errorf("not compared: %s", name)
			}
			t.Logf("%d tensors compared, the worst, %s, is %.2g apart", compared, worstName, worst)
		})
	}
}
