package checkpoint

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// TestReadEveryonesFiles: one state dict as people keep it, each file written by Python. The tensors are the same in all.
func TestReadEveryonesFiles(t *testing.T) {
	folder := t.TempDir()
	testenv.RunPython(t, `
import sys, torch
from collections import OrderedDict
from safetensors.torch import save_file
folder = sys.argv[1] + "/"
torch.manual_seed(1)
net = torch.nn.Sequential(OrderedDict(conv=torch.nn.Conv2d(3, 4, 3), bn=torch.nn.BatchNorm2d(4), fc=torch.nn.Linear(4, 2)))
state = net.state_dict()
save_file(state, folder + "plain", {"author": "someone", "epoch": "12"})

def save(name, value, **options): torch.save(value, folder + name, **options)
def under(prefix): return {prefix + k: v for k, v in state.items()}
legacy = {"_use_new_zipfile_serialization": False}
save("bare", state)
for key in "state_dict model net weights model_state_dict".split():
    save(key, {"epoch": 12, key: state, "arch": "small"})
save("two_deep", {"epoch": 12, "model": {"state_dict": state}})
save("a_model_that_is_not_tensors", {"model": {"layers": 3}, "net": state})
for name, prefix in dict(module="module.", model_="model.", both="module.model.", both_turned="model.module.", compiled="_orig_mod.").items():
    save(name, {"state_dict": under(prefix)})
save("one_without", {"state_dict": under("model.") | {"loss.weight": torch.ones(2)}})

# as torch.save writes tensors of a GPU, as far as the file goes
torch.serialization.register_package(0, lambda s: "cuda:1", lambda s, where: None)
save("cuda", state)
save("cuda_legacy", state, **legacy)
torch.serialization._package_registry.pop(0)

class Call: # an object that is written as a call of f
    def __init__(self, f, *args): self.call = f, args
    def __reduce__(self): return self.call
def old(t): # PyTorch 0.3
    return Call(torch._utils._rebuild_tensor, t._typed_storage(), t.storage_offset(), tuple(t.shape), t.stride())
save("rebuild_tensor", {k: old(v) for k, v in state.items()}, **legacy)
save("rebuild_parameter", OrderedDict((k, torch.nn.Parameter(v, v.is_floating_point())) for k, v in state.items()))
def with_attributes(t):
    t.note = "text"
    return t
save("rebuild_parameter_with_state", {k: with_attributes(torch.nn.Parameter(v.clone(), False)) for k, v in state.items()})
save("rebuild_from_type", {k: with_attributes(v.clone()) for k, v in state.items()})

flat = torch.cat([v.double().flatten() for v in state.values()])
views, at = {}, 0
for k, v in state.items():
    views[k] = flat[at:at + v.numel()].view(v.shape); at += v.numel()
save("one_storage", views)
save("steps", {k: torch.stack([v, v], -1)[..., 1] for k, v in state.items()})
opt = torch.optim.Adam(net.parameters())
schedule = torch.optim.lr_scheduler.MultiStepLR(opt, [3, 3, 7])
save("adam", {"state_dict": state, "optimizer": opt.state_dict(), "schedule": schedule.state_dict()})
`, folder)
	want, err := Read(filepath.Join(folder, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"author": "someone"}, want.Metadata); diff != "" || want.Epoch != 12 {
		t.Errorf("epoch %d, metadata -in Python +read:\n%s", want.Epoch, diff)
	}
	for name, c := range map[string]struct {
		nested, prefix string
		epoch          int
	}{
		"bare": {}, "state_dict": {"state_dict", "", 12}, "model": {"model", "", 12}, "net": {"net", "", 12},
		"weights": {"weights", "", 12}, "model_state_dict": {"model_state_dict", "", 12}, "two_deep": {"model.state_dict", "", 12},
		"a_model_that_is_not_tensors": {"net", "", 0},
		"module":                      {"state_dict", "module.", 0}, "model_": {"state_dict", "model.", 0}, "compiled": {"state_dict", "_orig_mod.", 0},
		"both": {"state_dict", "module.model.", 0}, "both_turned": {"state_dict", "model.module.", 0},
		"cuda": {}, "cuda_legacy": {}, "rebuild_tensor": {}, "rebuild_parameter": {}, "rebuild_parameter_with_state": {},
		"rebuild_from_type": {}, "one_storage": {}, "steps": {}, "adam": {"state_dict", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			if got.Nested != c.nested || got.Prefix != c.prefix || got.Epoch != c.epoch {
				t.Errorf("under %q, prefix %q, epoch %d; want %q, %q, %d", got.Nested, got.Prefix, got.Epoch, c.nested, c.prefix, c.epoch)
			}
			if name == "one_storage" { // all of it is float64 there
				if got, err = Convert(got, Float32); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tensorsByName(want.Tensors), tensorsByName(got.Tensors)); diff != "" && name != "one_storage" {
				t.Errorf("-safetensors +read:\n%s", diff)
			}
			for _, x := range got.Tensors {
				if w := tensorsByName(want.Tensors)[x.Name]; w.DType == Float32 && !cmp.Equal(w, x) {
					t.Errorf("tensor %s: other values than in Python", x.Name)
				}
			}
		})
	}
	t.Run("adam", func(t *testing.T) { // what is not read is named
		got, err := Read(filepath.Join(folder, "adam"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"optimizer", "schedule"}, got.Unread); diff != "" || got.Optimizer != nil {
			t.Errorf("unread -want +got:\n%s", diff)
		}
	})
	t.Run("one_without", func(t *testing.T) { // a prefix that is not before all names is part of them
		got, err := Read(filepath.Join(folder, "one_without"))
		if err != nil {
			t.Fatal(err)
		}
		if got.Prefix != "" || got.Tensors[0].Name != "model.conv.weight" {
			t.Errorf("prefix %q, first tensor %s", got.Prefix, got.Tensors[0].Name)
		}
	})
}

// TestReadCUDAStorages: PyTorch before 1.6 named storages of a GPU by classes of their own, in text of Python 2.
func TestReadCUDAStorages(t *testing.T) {
	program := strings.NewReplacer("ctorch\nFloatStorage\n", "ctorch.cuda\nFloatStorage\n", "X\x03\x00\x00\x00cpu", "U\x06cuda:0").Replace(plainTensor)
	for format, file := range map[string][]byte{
		"zip": entries("data.pkl", program, "data/0", four), "legacy": legacyFile(program, keyZero, fourElem+four),
	} {
		f, err := read(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Tensor{floats("w", 1, 2, 3, 4)}, f.Tensors); diff != "" || !strings.Contains(program, "cuda:0") {
			t.Errorf("%s: -want +read:\n%s", format, diff)
		}
	}
}

func tensorsByName(tensors []Tensor) map[string]Tensor {
	out := map[string]Tensor{}
	for _, t := range tensors {
		out[t.Name] = t
	}
	return out
}

// TestSafetensorsOpenInPython writes every type and odd sizes, which safetensors.torch.load_file finds again, and reads
// what it saves again.
func TestSafetensorsOpenInPython(t *testing.T) {
	folder := t.TempDir()
	testenv.RunPython(t, `
import sys, torch
types = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool uint16 uint32 uint64 complex64 float8_e4m3fn float8_e5m2".split()
state = {"odd." + d: torch.arange(3).to(getattr(torch, d)) for d in reversed(types)}
state |= {"scalar": torch.tensor(7.5), "none": torch.zeros(0, 3), "naïve <&\"": torch.ones(2, 3)}
torch.save({"epoch": 5, "state_dict": state, "arch": "left out"}, sys.argv[1] + "/theirs.pth")
`, folder)
	file := func(name string) string { return filepath.Join(folder, name) }
	theirs, err := Read(file("theirs.pth"))
	if err != nil {
		t.Fatal(err)
	}
	theirs.Metadata = map[string]string{"source": "a <test>"}
	if err := WriteSafetensors(file("ours.safetensors"), theirs); err != nil {
		t.Fatal(err)
	}
	testenv.RunPython(t, `
import sys, torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
theirs = torch.load(sys.argv[1] + "/theirs.pth", weights_only=True)["state_dict"]
ours = load_file(sys.argv[1] + "/ours.safetensors")
assert ours.keys() == theirs.keys(), ours.keys() ^ theirs.keys()
for k, v in theirs.items():
    assert ours[k].dtype == v.dtype and ours[k].shape == v.shape, k
    assert v.numel() == 0 or torch.equal(ours[k].flatten().view(torch.uint8), v.flatten().view(torch.uint8)), k
with safe_open(sys.argv[1] + "/ours.safetensors", "pt") as f:
    assert f.metadata() == {"format": "pt", "source": "a <test>", "epoch": "5"}, f.metadata()
    save_file(ours, sys.argv[1] + "/again.safetensors", f.metadata())
`, folder)
	ours, err := Read(file("ours.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read(file("again.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tensorsByName(theirs.Tensors), tensorsByName(ours.Tensors)); diff != "" {
		t.Errorf("-pth +safetensors:\n%s", diff)
	}
	again.Tensors, ours.Tensors = nil, nil // in an order of their own
	if diff := cmp.Diff(ours, again); diff != "" || ours.Epoch != 5 {
		t.Errorf("epoch %d, -ours +again:\n%s", ours.Epoch, diff)
	}
}

// TestWriteStateOpensInPython: the bare state dict is what load_state_dict takes.
func TestWriteStateOpensInPython(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bare.pth")
	if err := WriteState(path, []Tensor{floats("weight", 1, 2)}); err != nil {
		t.Fatal(err)
	}
	testenv.RunPython(t, `
import sys, torch
net = torch.nn.LayerNorm(2, bias=False)
net.load_state_dict(torch.load(sys.argv[1], weights_only=True))
assert net.weight.tolist() == [1, 2]`, path)
}

// TestConvertEqualsPython converts between all types of floating point as Tensor.to does, at every 16-bit value and at
// values whose rounding is hard.
func TestConvertEqualsPython(t *testing.T) {
	folder := t.TempDir()
	testenv.RunPython(t, `
import sys, torch
torch.manual_seed(1)
all16 = torch.arange(65536, dtype=torch.int32).to(torch.uint16)
def finite(t): return t[t.isfinite()]
wide = torch.cat([torch.randn(20000, dtype=torch.float64) * 10.0 ** torch.randint(-9, 4, (20000,)),
    (torch.arange(4096, dtype=torch.float64) + 0.5) * 2.0 ** -24, (torch.arange(4096) + 2048.5).double(), torch.tensor([65519.9, -0.0, 1e-45, 6e-8, 2.98e-8])])
state = {"float16": finite(all16.view(torch.float16)), "bfloat16": all16.view(torch.bfloat16), "float32": wide.float(), "float64": wide}
state["bfloat16"] = state["bfloat16"][state["bfloat16"].float().abs() <= 65504]
state["special.float32"] = torch.tensor([float("inf"), -float("inf")])
state["special.float16"] = torch.tensor([float("inf"), -float("inf")]).half()
for d in "float64 float32 float16 bfloat16".split():
    torch.save({k: v.to(getattr(torch, d)) for k, v in state.items()}, f"{sys.argv[1]}/{d}")
torch.save(state, sys.argv[1] + "/state")
`, folder)
	from, err := Read(filepath.Join(folder, "state"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []DType{Float64, Float32, Float16, BFloat16} {
		want, err := Read(filepath.Join(folder, string(d)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Convert(from, d)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want.Tensors {
			if g := got.Tensors[i]; !cmp.Equal(w, g) {
				t.Errorf("%s to %s: other bytes than in Python", w.Name, d)
			}
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	f := &File{Tensors: []Tensor{floats("fc.weight", 1, 70000)}}
	for to, want := range map[DType]string{
		Float16: "tensor fc.weight: its value 70000 is too large for float16",
		Int32:   `"int32" is no type of floating-point numbers: take float32, float16, bfloat16 or float64`,
	} {
		if _, err := Convert(f, to); err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}
