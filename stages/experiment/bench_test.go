package experiment_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// BenchmarkBuild makes the graph of a spec from its text: trainings, one evaluation of each, and a table of all.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "large.yaml")
			text := fmt.Sprintf(`version: 1
datasets: {train: {generate: {faces: {count: 4}}}}
model: {arch: resnet_small}
losses: {a: [{term: cross_entropy}], b: [{term: cross_entropy, weight: 2}]}
train: {select: {on: train}}
stages:
  fit: {uses: train, matrix: {loss: [a, b], seed: %d, exclude: [{loss: b, seed: 3}], include: [{loss: b, seed: 1000003}]}}
  score: {uses: evaluate, needs: fit, matrix: {set: [train]}}
  table: {uses: summary, needs: score}
`, n/4)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				doc, diags := spec.Load(path, spec.Options{Sections: stages.Sections()})
				g, err := experiment.Build(doc, stages.Kinds(), experiment.Options{Cores: 2}, diags)
				if err != nil || diags.Len() > 0 {
					b.Fatal(err, diags.Err())
				}
				if len(g.Nodes) < n {
					b.Fatal(len(g.Nodes))
				}
			}
		})
	}
}
