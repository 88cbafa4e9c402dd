package checkpoint

import (
	"encoding/json"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// TestReadEqualsPython reads what Python saved and compares names, types, shapes and bytes with what Python has.
func TestReadEqualsPython(t *testing.T) {
	const script = `
import json, os, sys, torch, torchvision
from safetensors.torch import save_file

def case(name, state, save):
    folder = os.path.join(sys.argv[1], name)
    os.mkdir(folder)
    save(folder + "/file")
    out = []
    for i, (key, t) in enumerate(state.items()):
        t = t.detach().contiguous()
        raw = t.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""
        open(f"{folder}/{i}", "wb").write(raw)
        out.append({"Name": key, "DType": str(t.dtype).removeprefix("torch."), "Shape": list(t.shape)})
    json.dump(out, open(folder + "/state.json", "w"))

def save(value, **options): return lambda path: torch.save(value, path, **options)
legacy = {"_use_new_zipfile_serialization": False}

torch.manual_seed(1)
net = torchvision.models.resnet18()
state = net.state_dict()
case("zip", state, save(state))
case("legacy", state, save(state, **legacy))
case("protocol_5", state, save(state, pickle_protocol=5))
case("safetensors", dict(sorted(state.items(), key=lambda x: (-x[1].element_size(), x[0]))), lambda path: save_file(state, path))
case("data_parallel", state, save({"epoch": 3, "model": torch.nn.DataParallel(net).state_dict()}))
case("parameters", dict(net.named_parameters()), save(dict(net.named_parameters())))
half = net.half().state_dict()
case("half", half, save({"state_dict": half}))
net.float().to(memory_format=torch.channels_last)
state = net.state_dict()
case("channels_last", state, save(state))
case("channels_last_legacy", state, save(state, **legacy))

base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
types = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128".split()
state = {d: torch.arange(6).reshape(2, 3).to(getattr(torch, d)) for d in types}
state |= {"whole": base, "part": base[1, 1:], "transposed": base.permute(2, 0, 1), "stepped": base[:, ::2, ::3],
    "half_transposed": base.half().mT, "double_transposed": base.double().mT, "byte_transposed": base.byte().mT,
    "complex_transposed": base.to(torch.complex128).mT, "scalar": torch.tensor(7), "none": torch.zeros(0, 3),
    "last": base.flatten()[-1]}
case("views", state, save(state))
case("views_legacy", state, save(state, **legacy))
state |= {d: torch.arange(6).reshape(2, 3).to(getattr(torch, d)) for d in "uint16 uint32 uint64 float8_e4m3fn float8_e5m2".split()}
case("new_types", state, save(state))
`
	root := t.TempDir()
	testenv.RunPython(t, script, root)
	for name, format := range map[string]string{
		"zip": "zip", "legacy": "legacy", "protocol_5": "zip", "safetensors": "safetensors", "data_parallel": "zip",
		"parameters": "zip", "half": "zip", "channels_last": "zip", "channels_last_legacy": "legacy", "views": "zip",
		"views_legacy": "legacy", "new_types": "zip",
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(root, name)
			f, err := Read(filepath.Join(folder, "file"))
			if err != nil {
				t.Fatal(err)
			}
			if f.Format != format {
				t.Errorf("format %q, want %q", f.Format, format)
			}
			equalToPython(t, f.Tensors, folder)
		})
	}
}

func equalToPython(t *testing.T, got []Tensor, folder string) {
	t.Helper()
	var want []struct {
		Name, DType string
		Shape       []int
	}
	text, err := os.ReadFile(filepath.Join(folder, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) != len(got) || len(got) == 0 {
		t.Fatalf("%d tensors, Python has %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Name != w.Name || string(g.DType) != w.DType || !cmp.Equal(g.Shape, w.Shape) {
			t.Fatalf("tensor %d: %s %s %v, Python has %v", i, g.Name, g.DType, g.Shape, w)
		}
		data, err := os.ReadFile(filepath.Join(folder, strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		if string(data) != string(g.Data) {
			t.Fatalf("tensor %s: other bytes than in Python", w.Name)
		}
	}
}

// TestReadPublished reads two files that stood in public repositories for years. What they hold is what PyTorch 2.11
// reads from them.
func TestReadPublished(t *testing.T) {
	for name, want := range map[string]struct {
		first             string
		sum               uint32 // CRC-32 of the first tensor's bytes
		tensors, elements int
		extra             map[string]any
	}{
		"resnet20-12fca82f.th": {"conv1.weight", 1134596014, 97, 271098, map[string]any{"best_prec1": 91.78000183105469}},
		"mnist_lenet.pth":      {"convnet.c1.weight", 50117785, 10, 61706, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Read(testenv.Shared(t, "data/checkpoints/"+name))
			if err != nil {
				t.Fatal(err)
			}
			elements := 0
			for _, x := range f.Tensors {
				elements += len(x.Data) / x.DType.Size()
			}
			if len(f.Tensors) != want.tensors || elements != want.elements || f.Format != "legacy" {
				t.Errorf("%s: %d tensors of %d elements", f.Format, len(f.Tensors), elements)
			}
			if first := f.Tensors[0]; first.Name != want.first || crc32.ChecksumIEEE(first.Data) != want.sum {
				t.Errorf("first tensor %s: other bytes than in PyTorch", first.Name)
			}
			if diff := cmp.Diff(f.Extra, want.extra); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReadTakesOneCopy bounds what reading allocates by the file's size.
func TestReadTakesOneCopy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.pth")
	const size = 64 << 20
	if err := Write(path, &File{Tensors: []Tensor{{Name: "w", DType: Float32, Shape: []int{size / 4}, Data: make([]byte, size)}}}); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > size+1<<20 {
		t.Errorf("reading %d bytes allocated %d", size, got)
	}
	runtime.KeepAlive(f)
}
