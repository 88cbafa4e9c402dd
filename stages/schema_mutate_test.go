package stages_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

// seeds are good specs of one file each.
type seeds struct {
	names []string
	text  map[string]string
}

// mutable is all good specs of the corpus, resolved to one file where they extend others, and one with every construct.
func mutable(t *testing.T, j judge) seeds {
	s := seeds{text: map[string]string{"every construct": everything}}
	for _, file := range corpus(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := j.judge(file, string(text)); v != accepted {
			continue
		}
		name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		if !strings.Contains(string(text), "extends") {
			s.text[name] = string(text)
		}
		_, resolved := load(file, string(text))
		for profile, text := range resolved {
			if profile != "" || strings.Contains(text, "extends") {
				s.text[name+"@"+profile] = text
			}
		}
	}
	for name, text := range s.text {
		if v, explanation := j.judge("in.yaml", text); v != accepted {
			mistakes, _ := load("in.yaml", text)
			t.Fatalf("%s: %d %s %v\n%s", name, v, explanation, mistakes, text)
		}
	}
	s.names = slices.Sorted(maps.Keys(s.text))
	return s
}

// everything has what the other specs lack.
const everything = `
version: 1
name: everything
params: {seeds: 2, lr: {default: 0.01, help: the rate}, sides: [64, 96]}
datasets:
  train:
    csv: a.csv
    root: images
    header: "yes"
    where: split == "train"
    labels: {Live: Real, Spoof: Synthetic}
    saliency:
      human: {maps: "{stem}.png", size: any, mode: convert, filter: box, required: true}
      parts: {masks: "{stem}_{part}.png", parts: [eyes, nose]}
      other: {from: human, shuffle: all, seed: 3}
    max_pixels: 1000
    on_bad_image: skip
  validation: {csv: b.csv, with: [train]}
model: {arch: {torchscript: net.pt, head: fc.weight, map: 7, side: 64, mean: [0, 0, 0], std: [1, 1, 1]}, batch_norm: twice, dropout: 0.5}
losses:
  plain: [{term: cross_entropy, weight: 0.5}]
  maps: [{term: cross_entropy}, {term: cyborg, map: human, class: 'true', tap: pooled}]
  more: [{term: cross_entropy, weight: adaptive}, {term: cyborg, weight: adaptive, distance: ssim, method: grad_cam, keep: 0.5}, {term: cam_entropy, weight: {from: 1, to: 0, epochs: 3, shape: cosine}, log: true}]
train: {precision: bfloat16, optimizer: {sgd: {lr: '${lr}'}}, select: {best: loss, on: validation, ties: earliest}}
stages:
  fit:
    uses: train
    resources: {cpus: 2, gpus: 0, memory: 8GiB}
    retry: {times: 2, wait: 10s}
    limits: {time: 2h, silence: 10m}
    matrix: {loss: [plain, maps], seed: [1, 2], batch: [10, 20], zip: [seed, batch], exclude: [{loss: maps, seed: [2]}], include: [{loss: maps, seed: 9, batch: 5}]}
  score: {uses: evaluate, needs: [fit], set: validation, precision: ''}
  maps: {uses: cam, needs: fit, images: 3, class: real}
  table: {uses: summary, needs: [score, maps], metric: eer, notes: [one]}
  gate: {uses: check, needs: table, assert: ["mean(auc) > 0.5"]}
`

// mutate puts one mistake, or a harmless change, somewhere below v.
func mutate(t *rapid.T, v any, keys []string) any {
	switch v := v.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		if len(names) == 0 || rapid.IntRange(0, 5).Draw(t, "here") == 0 {
			return wrongMap(t, v, names)
		}
		name := rapid.SampledFrom(names).Draw(t, "key")
		v[name] = mutate(t, v[name], names)
		return v
	case []any:
		if len(v) == 0 || rapid.IntRange(0, 2).Draw(t, "here") == 0 {
			return wrongList(t, v)
		}
		i := rapid.IntRange(0, len(v)-1).Draw(t, "index")
		v[i] = mutate(t, v[i], nil)
		return v
	}
	return other(t, v)
}

func wrongMap(t *rapid.T, v map[string]any, names []string) any {
	if len(names) == 0 {
		return map[string]any{key(t): scalar(t)}
	}
	name := rapid.SampledFrom(names).Draw(t, "name")
	switch rapid.IntRange(0, 6).Draw(t, "what") {
	case 0:
		delete(v, name)
	case 1: // misspelt, or with a rule
		v[rapid.SampledFrom([]string{name + "s", name[:len(name)-1], name + "!", name + "+", strings.ToUpper(name), "x y"}).Draw(t, "renamed")] = v[name]
		delete(v, name)
	case 2:
		v[key(t)] = other(t, v[name])
	case 3:
		v[name] = []any{v[name]}
	case 4:
		v[name] = map[string]any{name: v[name]}
	case 5:
		v[name] = nil
	default:
		return other(t, v)
	}
	return v
}

func wrongList(t *rapid.T, v []any) any {
	switch rapid.IntRange(0, 4).Draw(t, "what") {
	case 0:
		return []any{}
	case 1:
		return append(v, scalar(t))
	case 2:
		return append(v, v...)
	case 3:
		return []any{v}
	}
	return other(t, v)
}

// key is a name that means something at some place of a spec, or nothing.
func key(t *rapid.T) string {
	return rapid.SampledFrom([]string{"version", "name", "extends", "profile", "params", "stages", "uses", "needs", "matrix", "zip", "include",
		"resources", "retry", "limits", "time", "train", "model", "losses", "arch", "init", "epochs", "seed", "set", "images", "lr", "sgd", "default",
		"help", "csv", "generate", "faces", "from", "term", "weight", "set!", "needs+", "nonsense", "a.b", "é", "in", "9"}).Draw(t, "new key")
}

// number is one with a fraction of nothing, which yaml would write without.
func number(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: text}
}

func scalar(t *rapid.T) any {
	return rapid.OneOf(
		rapid.SampledFrom([]any{nil, true, false, "", "x", "a b", "..", "train", "cam", "evaluate", "u1", "fit", "5", "-1", "0.5", "true", "90s", "-2h", "8GiB", "1h30m",
			"${seeds}", "${1 + 1}", "a${seeds}b", "$${x}", "resnet18", "cross_entropy", "cyborg", "float32", "auto", "box", "a/b", "fc.*", "9999999999s",
			strings.Repeat("é", 60), strings.Repeat("é", 101), strings.Repeat("x", 101), strings.Repeat("名", 70), "a…b", "e\u0301", "a\u00a0b",
			number("1.0"), number("1e0"), number("2.0")}),
		rapid.Map(rapid.SampledFrom([]int{-1 << 40, -2, -1, 0, 1, 2, 3, 99, 2047, 2048, 2049, 65537, 1 << 30, 1 << 54, 1<<63 - 1}), func(n int) any { return n }),
		rapid.Map(rapid.SampledFrom([]float64{-1.5, 0.25, 0.99, 0.995, 1.5, 1e-9, 1e18, 1e30}), func(f float64) any { return f })).Draw(t, "scalar")
}

// other is another value.
func other(t *rapid.T, v any) any {
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return []any{scalar(t)}
	case 1:
		return map[string]any{key(t): scalar(t)}
	case 2:
		if rapid.Bool().Draw(t, "wrap") {
			return []any{v}
		}
		return map[string]any{key(t): v}
	}
	return scalar(t)
}
