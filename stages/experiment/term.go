package experiment

import (
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Term is one term of a loss, which is the weighted sum of its terms. Saliency terms are those that read class activation
// maps (CAMs): all but the two cross-entropies. The page on the method has the formulas and their sources.
type Term struct {
	// Term is what it computes. The keys map, class, tap, method, keep and log are for saliency terms.
	Term string `yaml:"term" json:"term" required:"true" enum:"cross_entropy|auxiliary_cross_entropy|cyborg|harmonization|cam_entropy|cam_log_entropy|cam_entropy_match|energy_variance"`
	// Weight multiplies it in the sum: a number, or a map for one that changes in the training: {to: 0.5, epochs: 10}. With
	// adaptive, on cross_entropy and on saliency terms, the cross-entropy has the weight a = L / (L + S + 1e-8) in each step,
	// where L is its value and S the sum of the others', and these have 1 - a, as in the code of VISER.
	Weight Weight `yaml:"weight" json:"weight" default:"1"`
	// Log puts the term into ln(1 + the weighted sum of all terms of the loss that say so), which is added to the others.
	Log bool `yaml:"log" json:"log,omitempty"`
	// Map is the saliency of the training data that CAMs are compared with, by its name. The terms cam_entropy,
	// cam_log_entropy and energy_variance read none.
	Map string `yaml:"map" json:"map,omitempty" default:"human"`
	// Class says whose CAM is read: that of the predicted class, as in the authors' code, of the true one, or that of the
	// true one less that of the other.
	Class string `yaml:"class" json:"class,omitempty" default:"predicted" enum:"predicted|true|true_minus_false"`
	// Tap is the layer that the CAM reads: authors (the layer that the authors' code reads), pooled (the tensor that is
	// pooled and classified), or a module by its name whose output has as many channels as the head takes: layer4.1.
	Tap string `yaml:"tap" json:"tap,omitempty" default:"authors"`
	// Distance is how cyborg compares CAM and map.
	Distance string `yaml:"distance" json:"distance,omitempty" default:"mse" enum:"mse|l1|kl|cosine|pearson|ssim|bce"`
	// Method is how the CAM is made: from the head's weights, or from the gradient of the logit, which costs a second pass
	// backwards from the logits to the tap. At the tap pooled all three are the same.
	Method string `yaml:"method" json:"method,omitempty" default:"cam" enum:"cam|grad_cam|hirescam"`
	// Keep is the share of images on which the term counts, drawn anew in each step from the training's seed; without it, all.
	Keep *float64 `yaml:"keep" json:"keep,omitempty" min:"0" max:"1"`
}

const (
	crossEntropy          = "cross_entropy"
	auxiliaryCrossEntropy = "auxiliary_cross_entropy"
	cyborg                = "cyborg"
)

// Saliency tells whether the term reads CAMs.
func (t Term) Saliency() bool { return t.Term != crossEntropy && t.Term != auxiliaryCrossEntropy }

// Mapped tells whether the term compares CAMs with maps.
func (t Term) Mapped() bool {
	switch t.Term {
	case cyborg, "harmonization", "cam_entropy_match":
		return true
	}
	return false
}

// plain is the term without the keys that it does not read, and without defaults that are younger than keys of nodes: what
// they say has always been so.
func (t Term) plain() Term {
	out := Term{Term: t.Term, Weight: t.Weight}
	if !t.Saliency() {
		return out
	}
	out.Log, out.Class, out.Tap = t.Log, t.Class, t.Tap
	if t.Mapped() {
		out.Map = t.Map
	}
	if t.Term == cyborg && t.Distance != "mse" {
		out.Distance = t.Distance
	}
	if t.Method != "cam" {
		out.Method = t.Method
	}
	if t.Keep != nil && *t.Keep != 1 {
		out.Keep = t.Keep
	}
	return out
}

// checkLoss looks for keys of a loss's terms that do not go together.
func checkLoss(loss spec.Entry[[]Term], diags *diag.List) {
	written := loss.From.List()
	if len(written) != len(loss.Value) {
		return
	}
	var adaptive []int
	entropies := 0
	for i, t := range loss.Value {
		at := written[i]
		wrong := func(key, format string, args ...any) {
			if v := at.Get(key); !v.Absent() {
				diags.Add(v.Pos, spec.NotAllowed, "losses.%s.%d: "+format, append([]any{loss.Name, i}, args...)...)
			}
		}
		if t.Term != cyborg {
			wrong("distance", "distance is for the term cyborg; %s has its own", t.Term)
		}
		if !t.Saliency() {
			for _, key := range []string{"method", "keep", "log"} {
				wrong(key, "%s is for terms that read CAMs, and %s reads none", key, t.Term)
			}
		}
		if t.Log && (t.Weight.Value < 0 || t.Weight.From < 0 || t.Weight.To < 0) {
			wrong("weight", "ln(1 + x) of a term with log needs a weight that is not below 0")
		}
		if t.Weight.Adaptive {
			adaptive = append(adaptive, i)
			switch {
			case t.Term == crossEntropy:
				entropies++
			case t.Log || !t.Saliency():
				wrong("weight", "adaptive weighs cross_entropy against terms that read CAMs and are not in log")
			}
		}
	}
	if len(adaptive) > 0 && (entropies != 1 || len(adaptive) == 1) {
		diags.Add(written[adaptive[0]].Pos, spec.NotAllowed, "losses.%s.%d: adaptive weighs one cross_entropy against saliency terms: "+
			"give it to both, [{term: cross_entropy, weight: adaptive}, {term: cyborg, weight: adaptive}]", loss.Name, adaptive[0])
	}
}
