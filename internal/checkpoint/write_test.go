package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

func floats(name string, values ...float32) Tensor {
	data, _ := binary.Append(nil, binary.LittleEndian, values)
	return Tensor{Name: name, DType: Float32, Shape: []int{len(values)}, Data: data}
}

func sample() *File {
	return &File{
		Epoch:   7,
		Tensors: []Tensor{floats("fc.weight", 1, 2, 3), {Name: "fc.steps", DType: Int64, Shape: []int{}, Data: make([]byte, 8)}},
		Optimizer: &Optimizer{LR: 0.005, InitialLR: 0.01, Momentum: 0.9, WeightDecay: 1e-6, Nesterov: true,
			Buffers: []Tensor{floats("", 4, 5, 6), {}}},
		Format: "zip", Nested: "state_dict", Metadata: map[string]string{"source": "a test"},
		Extra: map[string]any{"seed": int64(1) << 40, "rate": math.Pi, "name": "naïve", "done": true, "none": nil,
			"generator": Tensor{DType: Uint8, Shape: []int{3}, Data: []byte{1, 2, 3}},
			"position":  map[string]any{"order": []any{int64(2), int64(0), int64(-1)}}},
	}
}

func TestWriteReadsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "final.pth")
	want := sample()
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-written +read:\n%s", diff)
	}
}

// anyTensors are of whatever types, shapes and names, but for the names that a wrapper leaves.
var anyTensors = rapid.Custom(func(t *rapid.T) []Tensor {
	one := rapid.Custom(func(t *rapid.T) Tensor {
		d := rapid.SampledFrom([]DType{Float32, Float64, Float16, BFloat16, Int64, Int32, Int16, Int8, Uint8, Bool}).Draw(t, "dtype")
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 4).Draw(t, "shape")
		n, _ := numel(shape)
		data := rapid.SliceOfN(rapid.Byte(), n*d.Size(), n*d.Size()).Draw(t, "data")
		return Tensor{Name: rapid.String().Draw(t, "name"), DType: d, Shape: shape, Data: data}
	})
	tensors := rapid.SliceOfNDistinct(one, 1, 5, func(x Tensor) string { return x.Name }).Draw(t, "tensors")
	unwrapped := &File{Tensors: slices.Clone(tensors)}
	if unwrapped.unwrap(); unwrapped.Prefix != "" {
		t.Skip("a state dict of a wrapper, whose prefix is taken away")
	}
	return tensors
})

// TestWriteReadsBackAnything: what was written is read, whatever its types, shapes and names.
func TestWriteReadsBackAnything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "any.pth")
	rapid.Check(t, func(t *rapid.T) {
		want := &File{Format: "zip", Nested: "state_dict", Epoch: rapid.Int().Draw(t, "epoch"), Tensors: anyTensors.Draw(t, "tensors")}
		if err := Write(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-written +read:\n%s", diff)
		}
	})
}

// TestSafetensorsReadBackAnything: the same for safetensors, by name.
func TestSafetensorsReadBackAnything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "any.safetensors")
	rapid.Check(t, func(t *rapid.T) {
		want := &File{Format: "safetensors", Epoch: rapid.Int().Draw(t, "epoch"), Tensors: anyTensors.Draw(t, "tensors"),
			Metadata: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "metadata")}
		if _, taken := want.Metadata["epoch"]; taken {
			t.Skip("the epoch's own name")
		}
		if err := WriteSafetensors(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tensorsByName(want.Tensors), tensorsByName(got.Tensors)); diff != "" {
			t.Errorf("-written +read:\n%s", diff)
		}
		if _, given := want.Metadata["format"]; !given {
			want.Metadata["format"] = "pt"
		}
		if want.Tensors, got.Tensors = nil, nil; !cmp.Equal(want, got) {
			t.Errorf("-written +read:\n%s", cmp.Diff(want, got))
		}
	})
}

// TestWriteOpensInPython loads what is written here into torchvision's networks and PyTorch's optimizer, and takes a
// step from there: the same one as by Python's own checkpoint.
func TestWriteOpensInPython(t *testing.T) {
	const save = `
import sys, torch, torchvision
torch.manual_seed(1)
for arch in ["resnet18", "resnet50"]:
    net = getattr(torchvision.models, arch)(num_classes=2)
    opt = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9, weight_decay=1e-6)
    schedule = torch.optim.lr_scheduler.StepLR(opt, 12, 0.1)
    net(torch.randn(2, 3, 32, 32)).square().sum().backward()
    opt.step(); schedule.step()
    torch.save({"epoch": 4, "state_dict": net.state_dict(), "optimizer": opt.state_dict()}, f"{sys.argv[1]}/{arch}.pth")
`
	const load = `
import sys, torch, torchvision, zipfile
def resume(arch, path, **options):
    saved = torch.load(path, weights_only=True, **options)
    net = getattr(torchvision.models, arch)(num_classes=2)
    net.load_state_dict(saved["state_dict"], strict=True)
    opt = torch.optim.SGD(net.parameters(), lr=1)
    opt.load_state_dict(saved["optimizer"])
    groups = [{k: v for k, v in g.items()} for g in opt.state_dict()["param_groups"]]
    torch.manual_seed(2)
    net(torch.randn(2, 3, 32, 32)).square().sum().backward()
    opt.step()
    return saved["epoch"], groups, list(net.state_dict().items())
torch.set_num_threads(1) # the same sums every time
for arch in ["resnet18", "resnet50"]:
    theirs = resume(arch, f"{sys.argv[1]}/{arch}.pth")
    for options in {}, {"mmap": True}:
        ours = resume(arch, f"{sys.argv[1]}/{arch}-here.pth", **options)
        assert ours[:2] == theirs[:2], (ours[:2], theirs[:2])
        for (a, x), (b, y) in zip(ours[2], theirs[2], strict=True):
            assert a == b and torch.equal(x, y), a
    fresh = torch.optim.SGD(torchvision.models.resnet18().parameters(), lr=1).state_dict()["param_groups"][0]
    assert set(ours[1][0]) == set(fresh) | {"initial_lr"}, set(ours[1][0]) ^ set(fresh)
`
	folder := t.TempDir()
	testenv.RunPython(t, save, folder)
	for _, arch := range []string{"resnet18", "resnet50"} {
		f, err := Read(filepath.Join(folder, arch+".pth"))
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(filepath.Join(folder, arch+"-here.pth"), f); err != nil {
			t.Fatal(err)
		}
	}
	testenv.RunPython(t, load, folder)
}

// TestWriteExtraInPython shows how Python sees the entries beside the state dict.
func TestWriteExtraInPython(t *testing.T) {
	path := filepath.Join(t.TempDir(), "extra.pth")
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	out := testenv.RunPython(t, `
import json, sys, torch
d = torch.load(sys.argv[1], weights_only=True)
assert d["generator"].dtype == torch.uint8
d["generator"] = d["generator"].tolist()
d.pop("state_dict"); d.pop("optimizer")
print(json.dumps(d))`, path)
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"epoch": 7.0, "seed": float64(int64(1) << 40), "rate": math.Pi, "name": "naïve", "done": true, "none": nil, "metadata": map[string]any{"source": "a test"},
		"generator": []any{1.0, 2.0, 3.0}, "position": map[string]any{"order": []any{2.0, 0.0, -1.0}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-written +in Python:\n%s", diff)
	}
}

func TestWriteGivesTheSameBytes(t *testing.T) {
	folder := t.TempDir()
	var files [2][]byte
	for i := range files {
		path := filepath.Join(folder, "f.pth")
		if err := Write(path, sample()); err != nil {
			t.Fatal(err)
		}
		files[i], _ = os.ReadFile(path)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two writes of the same checkpoint differ")
	}
}

// TestWriteSharesStorages: tied weights stay tied and take their room once.
func TestWriteSharesStorages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tied.pth")
	data := make([]byte, 1<<20)
	tied := &File{Tensors: []Tensor{
		{Name: "a", DType: Float32, Shape: []int{1 << 18}, Data: data},
		{Name: "b", DType: Float32, Shape: []int{1 << 9, 1 << 9}, Data: data},
	}}
	if err := Write(path, tied); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 1<<20+8192 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if &f.Tensors[0].Data[0] != &f.Tensors[1].Data[0] {
		t.Error("read into two storages")
	}
}

func TestWriteLeavesNothingBehindAnError(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "final.pth")
	if err := os.WriteFile(path, []byte("the checkpoint before"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    *File
		want string
	}{
		"data_too_short": {&File{Tensors: []Tensor{{Name: "w", DType: Float32, Shape: []int{2, 3}, Data: make([]byte, 20)}}},
			"tensor w: 20 bytes for shape 2x3 of float32"},
		"type_not_known": {&File{Tensors: []Tensor{{Name: "w", DType: "float7", Shape: []int{}}}},
			`tensor w: elements of type "float7" cannot be written`},
		"extra_not_plain": {&File{Extra: map[string]any{"config": map[string]any{"callback": func() {}}}},
			"entry config.callback: a value of type func() cannot be written"},
		"extra_name_taken": {&File{Extra: map[string]any{"state_dict": 1}},
			`extra entry "state_dict": the name is taken`},
	} {
		t.Run(name, func(t *testing.T) {
			err := Write(path, c.f)
			if want := "write checkpoint " + path + ": " + c.want; err == nil || err.Error() != want {
				t.Errorf("error %v\nwant  %v", err, want)
			}
			if left, _ := os.ReadDir(folder); len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
			if text, _ := os.ReadFile(path); string(text) != "the checkpoint before" {
				t.Error("the file that was there is gone")
			}
		})
	}
}

// TestWriteFullDisk writes to Linux's device that is always full.
func TestWriteFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	if err := encode(full, sample()); err == nil {
		t.Error("writing to a full disk gave no error")
	}
}
