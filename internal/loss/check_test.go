package loss_test

import (
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/loss"
)

func share(v float64) *float64 { return &v }

func TestCheck(t *testing.T) {
	const (
		names = "cross_entropy, auxiliary_cross_entropy, cyborg, harmonization, cam_entropy, cam_log_entropy, cam_entropy_match, energy_variance"
		sides = "adaptive weighs one cross_entropy against terms that read CAMs: both sides must say it"
	)
	for _, c := range []struct {
		loss loss.Loss
		want string
	}{
		{nil, "the loss has no terms; there are: " + names},
		{loss.Loss{{Name: "crossentropy"}}, `term 1 of the loss: unknown term "crossentropy"; there are: ` + names},
		{loss.Loss{{Name: "cross_entropy"}, {Name: "cyborg", Class: "best", Map: "human", Tap: "pooled"}},
			`term 2 of the loss (cyborg): unknown class "best"; there are: predicted, true, true_minus_false`},
		{loss.Loss{{Name: "cyborg", Distance: "l3", Map: "human", Tap: "pooled"}},
			`term 1 of the loss (cyborg): unknown distance "l3"; there are: mse, l1, kl, cosine, pearson, ssim, bce`},
		{loss.Loss{{Name: "cyborg", Method: "lime", Map: "human", Tap: "pooled"}},
			`term 1 of the loss (cyborg): unknown method "lime"; there are: cam, grad_cam, hirescam`},
		{loss.Loss{{Name: "cyborg", Tap: "pooled"}}, "term 1 of the loss (cyborg): it compares CAMs with maps: name a map and a tap"},
		{loss.Loss{{Name: "cam_entropy"}}, "term 1 of the loss (cam_entropy): it reads CAMs: name a tap"},
		{loss.Loss{{Name: "cam_entropy", Tap: "pooled", Keep: share(1.5)}}, "term 1 of the loss (cam_entropy): keep is a share, from 0 to 1"},
		{loss.Loss{{Name: "cross_entropy", Keep: share(1)}}, "term 1 of the loss (cross_entropy): keep and log are for terms that read CAMs"},
		{loss.Loss{{Name: "cross_entropy", Adaptive: true}}, sides},
		{loss.Loss{{Name: "cam_entropy", Tap: "pooled", Adaptive: true}}, sides},
		{loss.Loss{{Name: "cross_entropy", Adaptive: true}, {Name: "cross_entropy", Adaptive: true}, {Name: "cam_entropy", Tap: "pooled", Adaptive: true}}, sides},
		{loss.Loss{{Name: "cross_entropy", Adaptive: true}, {Name: "auxiliary_cross_entropy", Adaptive: true}},
			"term 2 of the loss (auxiliary_cross_entropy): adaptive weighs cross_entropy against terms that read CAMs and are not in log"},
	} {
		if err := c.loss.Check(); err == nil || err.Error() != c.want {
			t.Errorf("%v:\n got %v\nwant %s", c.loss, err, c.want)
		}
	}
}
