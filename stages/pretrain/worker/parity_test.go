package worker

import (
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/saving"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

//go:embed testdata/parity.py
var reference string

// Three steps from the same weights on the same batches leave the weights, running statistics and losses of PyTorch, in
// float64.
func TestThreeStepsAgainstPyTorch(t *testing.T) {
	testenv.Python(t)
	for _, skips := range []bool{true, false} {
		t.Run(fmt.Sprintf("skips=%v", skips), func(t *testing.T) {
			j := small()
			j.Precision, j.Skips, j.LR = "float64", skips, 1e-3
			folder := t.TempDir()
			start, end := filepath.Join(folder, "start.safetensors"), filepath.Join(folder, "end.safetensors")
			setting := map[string]any{"side": 32, "skips": skips, "lr": j.LR, "start": start, "end": end}
			var batches []map[string][]int
			var got []checkpoint.Tensor
			a := newAttempt(t, j)
			err := torch.Do(func(s *torch.Scope) error {
				tk := a.begin()
				tr := &trainer{task: tk, job: j, scope: s, keeper: saving.New(tk, saving.Rule{})}
				defer tr.close()
				if err := tr.prepare(torch.CPU); err != nil {
					return err
				}
				tr.begin()
				state, err := tr.net.State()
				if err != nil {
					return err
				}
				if err := checkpoint.WriteSafetensors(start, &checkpoint.File{Tensors: state}); err != nil {
					return err
				}
				for k := range 3 {
					places := tr.data.rows[3*k : 3*k+3]
					batch := map[string][]int{}
					for _, place := range places {
						full, _ := tr.data.set.MapFull("human", int(place))
						batch["images"] = append(batch["images"], ints(tr.data.set.Image(int(place)))...)
						batch["maps"] = append(batch["maps"], ints(full)...)
					}
					batches = append(batches, batch)
					if err := tr.step(places); err != nil {
						return err
					}
				}
				got, err = tr.net.State()
				setting["losses"] = string(tr.steps.Text)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			setting["batches"] = batches
			raw, err := json.Marshal(setting)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(folder, "setting.json")
			if err := os.WriteFile(path, raw, 0o644); err != nil {
				t.Fatal(err)
			}
			var losses []float64
			if err := json.Unmarshal(testenv.RunPython(t, testenv.Networks+reference, path), &losses); err != nil {
				t.Fatal(err)
			}
			for k, own := range columns(t, setting["losses"].(string))["loss"] {
				if math.Abs(own-losses[k]) > 1e-7 {
					t.Errorf("step %d: the loss is %g, PyTorch's %g", k, own, losses[k])
				}
			}
			compare(t, got, end)
		})
	}
}

func ints(raw []byte) []int {
	out := make([]int, len(raw))
	for i, v := range raw {
		out[i] = int(v)
	}
	return out
}

// compare holds a state against PyTorch's in a file.
func compare(t *testing.T, got []checkpoint.Tensor, path string) {
	t.Helper()
	file, err := checkpoint.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]checkpoint.Tensor{}
	for _, tensor := range file.Tensors {
		want[tensor.Name] = tensor
	}
	worst, where := 0.0, ""
	for _, tensor := range got {
		theirs, ok := want[tensor.Name]
		if !ok || len(theirs.Data) != len(tensor.Data) {
			t.Errorf("PyTorch has no %s of %v", tensor.Name, tensor.Shape)
			continue
		}
		if tensor.DType != checkpoint.Float64 {
			continue // num_batches_tracked
		}
		largest, apart := 1e-12, 0.0
		for k := 0; k < len(tensor.Data); k += 8 {
			a, b := float(tensor.Data[k:]), float(theirs.Data[k:])
			largest, apart = max(largest, math.Abs(b)), max(apart, math.Abs(a-b))
		}
		if apart/largest > worst {
			worst, where = apart/largest, tensor.Name
		}
	}
	t.Logf("at most %.1e apart, relative to the largest value of %s", worst, where)
	if len(got) != len(want) || worst > 1e-7 {
		t.Errorf("%d tensors, PyTorch's %d; %g apart at %s", len(got), len(want), worst, where)
	}
}

func float(raw []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(raw)) }
