package torch_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// The same operators on the same numbers, and the same draws from the same seed, in PyTorch: equal to the last bit, since
// both call the same kernels.
const reference = `
import base64, json, torch, torch.nn.functional as F
torch.set_num_threads(1)
out = {}
def keep(name, t):
    out[name] = [str(t.dtype)[6:], list(t.shape), base64.b64encode(t.detach().contiguous().view(torch.uint8).numpy().tobytes() if t.dim() else t.detach().reshape(1).view(torch.uint8).numpy().tobytes()).decode()]
def gen(s): return torch.Generator().manual_seed(s)
keep("normal", torch.empty(1001).normal_(0.5, 2, generator=gen(1)))
keep("normal few", torch.empty(7, dtype=torch.float64).normal_(generator=gen(1)))
keep("uniform", torch.empty(33).uniform_(-1, 2, generator=gen(2)))
keep("bernoulli", torch.empty(33).bernoulli_(0.25, generator=gen(3)))
keep("randperm", torch.randperm(100, generator=gen(4)))
keep("randn", torch.randn(3, 5, generator=gen(5)))
torch.manual_seed(6)
keep("manual_seed", torch.randn(40))
x = torch.randn(2, 3, 8, 8, generator=gen(7))
w = torch.randn(4, 3, 3, 3, generator=gen(8)).requires_grad_()
y = F.conv2d(x, w, None, 2, 1)
keep("conv2d", y)
y = F.batch_norm(y, None, None, training=True)
keep("batch_norm", y)
y = F.max_pool2d(F.relu(y), 3, 2, 1)
keep("max_pool2d", y)
loss = F.cross_entropy(y.mean((2, 3)), torch.tensor([1, 3]), label_smoothing=0.1)
keep("loss", loss)
loss.backward()
keep("grad", w.grad)
keep("einsum", torch.einsum("bchw,bc->bhw", x, x[:, :, 0, 0]))
keep("amax", x.amax((2, 3)))
keep("upsample", F.interpolate(x, size=(5, 11), mode="bilinear", align_corners=False))
keep("softmax", x.softmax(1))
keep("gelu", F.gelu(x))
keep("gather", x.flatten(1).gather(1, torch.tensor([[0, 5], [7, 7]])))
with torch.autocast("cpu", torch.bfloat16):
    keep("autocast", F.conv2d(x, w, None, 1, 1))
keep("sgd", w)
torch._fused_sgd_([w.data], [w.grad], [torch.zeros_like(w)], weight_decay=1e-4, momentum=0.9, lr=0.1, dampening=0.0, nesterov=False, maximize=False, is_first_step=True)
keep("sgd", w)
print(json.dumps(out))
`

func TestParityWithPyTorch(t *testing.T) {
	testenv.Python(t)
	oneThread(t)
	var want map[string][3]any
	if err := json.Unmarshal(testenv.RunPython(t, reference), &want); err != nil {
		t.Fatal(err)
	}
	gen := func(seed uint64) *torch.Generator {
		g := torch.NewGenerator(torch.CPU, seed)
		t.Cleanup(g.Close)
		return g
	}
	none := torch.Tensor{}
	do(t, func(s *torch.Scope) {
		keep := func(name string, got torch.Tensor) {
			t.Helper()
			w, ok := want[name]
			delete(want, name)
			if !ok {
				t.Errorf("%s: PyTorch computed none", name)
				return
			}
			if fmt.Sprint(got.DType()) != w[0] || fmt.Sprint(got.Shape()) != fmt.Sprint(w[1]) {
				t.Errorf("%s: %v, want %v%v", name, got, w[0], w[1])
			}
			if base64.StdEncoding.EncodeToString(got.Bytes()) != w[2] {
				t.Errorf("%s: other bytes than PyTorch's", name)
			}
		}
		empty := func(n int, d torch.DType) torch.Tensor { return s.Empty([]int{n}, d, torch.CPU) }
		keep("normal", s.Normal_(empty(1001, torch.Float32), 0.5, 2, gen(1)))
		keep("normal few", s.Normal_(empty(7, torch.Float64), 0, 1, gen(1)))
		keep("uniform", s.Uniform_(empty(33, torch.Float32), -1, 2, gen(2)))
		keep("bernoulli", s.Bernoulli_(empty(33, torch.Float32), 0.25, gen(3)))
		keep("randperm", s.Randperm(100, gen(4), torch.Int64, torch.CPU))
		keep("randn", s.Randn([]int{3, 5}, gen(5), torch.Float32, torch.CPU))
		torch.DefaultGenerator(torch.CPU).Seed(6)
		keep("manual_seed", s.Randn([]int{40}, nil, torch.Float32, torch.CPU))

		x := s.Randn([]int{2, 3, 8, 8}, gen(7), torch.Float32, torch.CPU)
		w := s.Randn([]int{4, 3, 3, 3}, gen(8), torch.Float32, torch.CPU).SetRequiresGrad(true)
		y := s.Conv2d(x, w, none, []int{2, 2}, []int{1, 1}, []int{1, 1}, 1)
		keep("conv2d", y)
		y = s.BatchNorm(y, none, none, none, none, true, 0.1, 1e-5)
		keep("batch_norm", y)
		y = s.MaxPool2d(s.Relu(y), []int{3, 3}, []int{2, 2}, []int{1, 1}, []int{1, 1}, false)
		keep("max_pool2d", y)
		labels := torch.From(s, []int64{1, 3}, 2)
		loss := s.CrossEntropyLoss(s.MeanDim(y, []int{2, 3}, false), labels, none, torch.ReduceMean, -100, 0.1)
		keep("loss", loss)
		s.Backward(loss)
		keep("grad", s.Grad(w))
		keep("einsum", s.Einsum("bchw,bc->bhw", []torch.Tensor{x, s.Select(s.Select(x, 3, 0), 2, 0)}))
		keep("amax", s.Amax(x, []int{2, 3}, false))
		keep("upsample", s.UpsampleBilinear2d(x, []int{5, 11}, false))
		keep("softmax", s.Softmax(x, 1, 0))
		keep("gelu", s.Gelu(x, "none"))
		keep("gather", s.Gather(s.Flatten(x, 1, -1), 1, torch.From(s, []int64{0, 5, 7, 7}, 2, 2)))
		s.Autocast(torch.BFloat16, func() {
			keep("autocast", s.Conv2d(x, w, none, []int{1, 1}, []int{1, 1}, []int{1, 1}, 1))
		})
		s.NoGrad(func() {
			s.FusedSGD_([]torch.Tensor{w}, []torch.Tensor{s.Grad(w)}, []torch.Tensor{s.ZerosLike(w)}, 1e-4, 0.9, 0.1, 0, false, true)
		})
		keep("sgd", w)
	})
	for name := range want {
		t.Errorf("%s: not computed here", name)
	}
}
