package loss_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// reference computes distances with libraries, and their gradients into the CAM where the library has any.
const reference = `
import json, sys
import numpy as np, torch
import torch.nn.functional as F
from scipy.stats import pearsonr, entropy
from skimage.metrics import structural_similarity

out = []
for pair in json.load(open(sys.argv[1])):
    S = torch.tensor(pair["cam"], dtype=torch.float64, requires_grad=True)
    H = torch.tensor(pair["human"], dtype=torch.float64)
    P, Q = (x / (x.sum() + 1e-10) + 1e-10 for x in (S, H))
    values = {
        "mse": F.mse_loss(S, H), "l1": F.l1_loss(S, H),
        "cosine": F.cosine_embedding_loss(S.reshape(1, -1), H.reshape(1, -1), torch.ones(1)),
        "kl": F.kl_div(P.log(), Q, reduction="sum"),
        "bce": F.binary_cross_entropy(S.clamp(1e-3, 1 - 1e-3), H),
    }
    result = {}
    for name, v in values.items():
        result[name] = {"value": v.item(), "gradient": torch.autograd.grad(v, S)[0].flatten().tolist()}
    s, h = S.detach().numpy(), H.numpy()
    result["pearson"] = {"value": 1 - pearsonr(s.ravel(), h.ravel())[0]}
    result["ssim"] = {"value": 1 - structural_similarity(s, h, win_size=3, data_range=1.0, use_sample_covariance=False)}
    result["entropy"] = {"value": entropy(P.detach().numpy().ravel())}
    out.append(result)
json.dump(out, sys.stdout)
`

// The distances are those of PyTorch, SciPy and scikit-image, on maps of several sizes.
func TestDistancesAgainstLibraries(t *testing.T) {
	testenv.Python(t)
	type pair struct {
		CAM   [][]float64 `json:"cam"`
		Human [][]float64 `json:"human"`
	}
	random := rand.New(rand.NewPCG(9, 10))
	var pairs []pair
	for _, side := range []int{3, 7, 8, 12} {
		draw := func() [][]float64 { // in unit range
			m := make([][]float64, side)
			for y := range m {
				m[y] = make([]float64, side)
				for x := range m[y] {
					m[y][x] = 0.01 + 0.98*random.Float64()
				}
			}
			m[0][1], m[side-1][0] = 0, 1
			return m
		}
		pairs = append(pairs, pair{draw(), draw()})
	}
	raw, err := json.Marshal(pairs)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "maps.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	var want []map[string]struct {
		Value    float64
		Gradient []float64
	}
	if err := json.Unmarshal(testenv.RunPython(t, reference, path), &want); err != nil {
		t.Fatal(err)
	}
	for i, p := range pairs {
		side := len(p.CAM)
		for name, theirs := range want[i] {
			err := torch.Do(func(s *torch.Scope) error {
				cam := torch.From(s, flat(p.CAM), 1, side, side).SetRequiresGrad(true)
				human := torch.From(s, flat(p.Human), 1, side, side)
				value, tolerance := loss.Distance(name).Between(s, cam, human), 1e-11
				if name == "entropy" {
					value, tolerance = loss.Entropy(s, cam), 1e-7 // SciPy divides by the sum, which is 1e-10 a cell above 1
				}
				within(t, name, []float64{s.Float(value)}, []float64{theirs.Value}, tolerance)
				s.Backward(s.Sum(value))
				if name == "kl" { // the lowest cell's slope counts for nothing in unit range
					theirs.Gradient[1] = 0
				}
				if theirs.Gradient != nil {
					within(t, name+": gradient", torch.Slice[float64](s.Grad(cam)), theirs.Gradient, 1e-9)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
