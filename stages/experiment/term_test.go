package experiment_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

// withLoss is the right spec with other terms in its loss cyborg.
func withLoss(t *testing.T, terms string) string {
	t.Helper()
	const old = "[{term: cross_entropy}, {term: cyborg, tap: pooled}]"
	if !strings.Contains(right, old) {
		t.Fatal("the right spec has another loss")
	}
	path := filepath.Join(t.TempDir(), "spec.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(right, old, terms, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a term is in a node's key: what says the default is not there, so that the keys of older trainings stay.
func TestTermsOfKeys(t *testing.T) {
	for name, c := range map[string]struct{ terms, want string }{
		"older": {"[{term: cross_entropy, weight: 0.5}, {term: cyborg, weight: 0.5, tap: pooled}]",
			`[{"term":"cross_entropy","weight":0.5},{"term":"cyborg","weight":0.5,"map":"human","class":"predicted","tap":"pooled"}]`},
		"defaults": {"[{term: cyborg, distance: mse, method: cam, keep: 1, log: false}]",
			`[{"term":"cyborg","weight":1,"map":"human","class":"predicted","tap":"authors"}]`},
		"all": {"[{term: cross_entropy}, {term: cyborg, distance: ssim, method: hirescam, class: true_minus_false, keep: 0.25, log: true}]",
			`[{"term":"cross_entropy","weight":1},{"term":"cyborg","weight":1,"log":true,"map":"human","class":"true_minus_false","tap":"authors","distance":"ssim","method":"hirescam","keep":0.25}]`},
		"no_map": {"[{term: cam_entropy, map: nothing, keep: 0}]",
			`[{"term":"cam_entropy","weight":1,"class":"predicted","tap":"authors","keep":0}]`},
		"ramps": {"[{term: cross_entropy, weight: {from: 1, to: 0.5, epochs: 10}}, {term: harmonization, weight: {steps: 100, shape: cosine}}]",
			`[{"term":"cross_entropy","weight":{"from":1,"to":0.5,"epochs":10,"shape":"linear"}},` +
				`{"term":"harmonization","weight":{"from":0,"to":1,"steps":100,"shape":"cosine"},"map":"human","class":"predicted","tap":"authors"}]`},
		"adaptive": {"[{term: cross_entropy, weight: adaptive}, {term: cyborg, weight: adaptive}]",
			`[{"term":"cross_entropy","weight":"adaptive"},{"term":"cyborg","weight":"adaptive","map":"human","class":"predicted","tap":"authors"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := build(t, withLoss(t, c.terms), true)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range g.Nodes {
				if !strings.HasPrefix(n.Name, "fit[loss=cyborg") {
					continue
				}
				terms := n.Params.(train.Job).Terms
				raw, err := json.Marshal(terms)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, string(raw)); diff != "" {
					t.Error(diff)
				}
				var read []experiment.Term
				if err := json.Unmarshal(raw, &read); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(terms, read); diff != "" {
					t.Errorf("the worker reads other terms:\n%s", diff)
				}
				return
			}
			t.Error("no training")
		})
	}
}

func TestTermsThatAreWrong(t *testing.T) {
	for terms, want := range map[string]string{
		"[{term: cam_entropy, distance: l1}]":                                                    "losses.cyborg.0: distance is for the term cyborg; cam_entropy has its own",
		"[{term: cross_entropy, keep: 0.5}]":                                                     "losses.cyborg.0: keep is for terms that read CAMs, and cross_entropy reads none",
		"[{term: cross_entropy, method: cam}]":                                                   "losses.cyborg.0: method is for terms that read CAMs",
		"[{term: cyborg}, {term: auxiliary_cross_entropy, log: true}]":                           "losses.cyborg.1: log is for terms that read CAMs",
		"[{term: cyborg, keep: 1.5}]":                                                            "keep: 1.5 is more than 1",
		"[{term: cyborg, distance: l3}]":                                                         `distance: "l3" is not one of mse, l1, kl`,
		"[{term: cyborg, weight: -1, log: true}]":                                                "losses.cyborg.0: ln(1 + x) of a term with log needs a weight that is not below 0",
		"[{term: cyborg, weight: adaptive}]":                                                     "losses.cyborg.0: adaptive weighs one cross_entropy against saliency terms: give it to both",
		"[{term: cross_entropy, weight: adaptive}, {term: cyborg}]":                              "losses.cyborg.0: adaptive weighs one cross_entropy",
		"[{term: cross_entropy, weight: adaptive}, {term: cyborg, weight: adaptive, log: true}]": "losses.cyborg.1: adaptive weighs cross_entropy against terms that read CAMs and are not in log",
		"[{term: cyborg, weight: much}]":                                                         `weight: "much" is not one of a number, adaptive and a map`,
		"[{term: cyborg, weight: {to: 2}}]":                                                      "a weight that changes needs a length: one of epochs and steps",
		"[{term: cyborg, weight: {to: 2, epochs: 3, steps: 4}}]":                                 "a weight that changes needs a length: one of epochs and steps",
		"[{term: cyborg, weight: {too: 2, epochs: 3}}]":                                          `unknown key "too"`,
		"[{term: cyborg, weight: {to: 2, epochs: 3, shape: round}}]":                             `shape: "round" is not one of linear, cosine, step`,
		"[{term: cyborg, weight: [1]}]":                                                          "weight",
	} {
		_, err := build(t, withLoss(t, terms), true)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", terms, err, want)
		}
	}
}

// The layers of a network from Python are out of reach of gradients to a tap.
func TestGradientsNeedOurNetworks(t *testing.T) {
	path := withLoss(t, "[{term: cross_entropy}, {term: cyborg, tap: pooled, method: hirescam}]")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	script := strings.Replace(string(text), "arch: resnet_small", "arch: {torchscript: net.pt, head: fc.weight, map: 7}", 1)
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := build(t, path, true); err == nil || !strings.Contains(err.Error(), `loss "cyborg": hirescam reads gradients within the network`) {
		t.Error(err)
	}
}
