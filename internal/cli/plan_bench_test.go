package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/stages"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// BenchmarkPlan is `cyborg-run plan` of specs whose nodes are all done: read, build, look up, print.
func BenchmarkPlan(b *testing.B) {
	for _, nodes := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			dir := planted(b, nodes)
			b.Chdir(dir)
			b.Setenv("CYBORG_TORCH", "")
			for b.Loop() {
				var out, errs bytes.Buffer
				if status := Main([]string{"plan", "wide.yaml", "--device", "cpu"}, &out, &errs); status != ExitDone || !bytes.Contains(out.Bytes(), []byte(" 0 to run")) {
					b.Fatalf("%d\n%s%s", status, &out, &errs)
				}
			}
		})
		b.Run(fmt.Sprint(nodes, "/build"), func(b *testing.B) {
			dir := b.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "wide.yaml"), fmt.Appendf(nil, wide, nodes/4), 0o644); err != nil {
				b.Fatal(err)
			}
			b.Chdir(dir)
			for b.Loop() {
				var f specFlags
				if _, _, err := f.load("wide.yaml"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// planted is a folder with a spec of about so many nodes, and a store in which all of them are done.
func planted(b *testing.B, nodes int) string {
	b.Helper()
	dir := b.TempDir()
	text := fmt.Sprintf(wide, nodes/4)
	if err := os.WriteFile(filepath.Join(dir, "wide.yaml"), []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	doc, diags := spec.Load(filepath.Join(dir, "wide.yaml"), spec.Options{Sections: stages.Sections()})
	g, err := experiment.Build(doc, stages.Kinds(), experiment.Options{Cores: 2}, diags)
	if err != nil || diags.Err() != nil {
		b.Fatal(err, diags.Err())
	}
	st, err := store.Open(filepath.Join(dir, ".cyborg"))
	if err != nil {
		b.Fatal(err)
	}
	st.Unsynced()
	p, err := graph.MakePlan(g, st, "wide", graph.Machine{Device: "cpu"})
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range p.Steps {
		p.Look(s)
		try, err := st.Begin(s.Key)
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range s.Node.Stage.Outputs {
			path := filepath.Join(try.Dir, "out", name)
			if filepath.Ext(name) == "" {
				path = filepath.Join(path, "data.csv")
			}
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(s.Node.Name), 0o644); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := try.Commit(store.Manifest{Node: s.Node.Name, Kind: s.Node.Stage.Kind, Parts: s.Parts}, s.Node.Stage.Outputs); err != nil {
			b.Fatal(err)
		}
		p.Look(s)
	}
	if err := p.Remember("wide"); err != nil {
		b.Fatal(err)
	}
	time.Sleep(2500 * time.Millisecond)
	for _, s := range p.Steps {
		p.Look(s)
	}
	if err := st.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

const wide = `version: 1
name: wide
datasets:
  train: {generate: {faces: {count: 4}}, saliency: {human: {maps: "maps/{stem}.png"}}}
  unseen: {generate: {faces: {count: 4, generator: U1}}}
model: {arch: resnet_small}
losses:
  cross_entropy: [{term: cross_entropy}]
  cyborg: [{term: cross_entropy, weight: 0.5}, {term: cyborg, weight: 0.5, map: human, class: predicted}]
train: {select: {on: train}, threads: 1}
evaluate: {threads: 1}
stages:
  fit: {uses: train, matrix: {loss: [cross_entropy, cyborg], seed: %d}}
  score: {uses: evaluate, needs: fit, matrix: {set: [unseen]}}
  table: {uses: summary, needs: score}
`
