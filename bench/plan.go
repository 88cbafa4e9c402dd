package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/stages"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

// plan measures `cyborg-run plan` of specs all of whose nodes are done, beside snakemake and DVC on as many finished jobs.
func (b *bench) plan() error {
	for _, size := range []struct {
		nodes int
		limit float64
		slow  bool
	}{{10_000, 0.2, false}, {100_000, 2.5, true}} {
		if size.slow && b.quick {
			continue
		}
		dir := filepath.Join(b.memory(), fmt.Sprintf("plan-%d", size.nodes))
		if err := plant(dir, size.nodes); err != nil {
			return err
		}
		// A copy that finds no cyborg-torch beside it plans for the machine that was planted.
		alone := filepath.Join(dir, "cyborg-run")
		program, err := os.ReadFile(filepath.Join(b.bin, "cyborg-run"))
		if err == nil {
			err = os.WriteFile(alone, program, 0o755)
		}
		if err != nil {
			return err
		}
		var peak []float64
		figures, err := turns(b.rounds, func(int) (float64, error) {
			began := time.Now()
			cmd := exec.CommandContext(b.ctx, alone, "plan", "wide.yaml", "--device", "cpu")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "CYBORG_TORCH=")
			out, err := cmd.CombinedOutput()
			seconds := time.Since(began).Seconds()
			if err != nil || !strings.Contains(string(out), " 0 to run\n") {
				return 0, fmt.Errorf("plan of %d nodes: %w\n%s", size.nodes, err, out)
			}
			peak = append(peak, peakMB(cmd.ProcessState))
			return seconds, nil
		})
		if err != nil {
			return err
		}
		b.add(line{what: fmt.Sprintf("plan, %d nodes all done", size.nodes), unit: "s", ours: figures[0], limit: size.limit})
		if !size.slow {
			b.add(line{what: fmt.Sprintf("its memory, %d nodes", size.nodes), unit: "MB", ours: peak, limit: 200})
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return b.peers()
}

// memory is a folder that costs no disk, where there is one: thousands of small files are made, and read once.
func (b *bench) memory() string {
	if dir, err := os.MkdirTemp("/dev/shm", "cyborg-bench-"); err == nil {
		b.also = append(b.also, dir)
		return dir
	}
	return b.dir
}

const wide = `version: 1
name: wide
datasets:
  train: {generate: {faces: {count: 4}}}
  unseen: {generate: {faces: {count: 4, generator: U1}}}
model: {arch: resnet_small}
losses: {one: [{term: cross_entropy}], two: [{term: cross_entropy, weight: 0.5}]}
train: {select: {on: train}, threads: 1}
evaluate: {threads: 1}
stages:
  fit: {uses: train, matrix: {loss: [one, two], seed: %d}}
  score: {uses: evaluate, needs: fit, matrix: {set: [unseen]}}
  table: {uses: summary, needs: score}
`

// plant writes a spec of about so many nodes, and a store in which all of them are done: outputs are the node's name.
func plant(dir string, nodes int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, "wide.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, wide, nodes/4), 0o644); err != nil {
		return err
	}
	doc, diags := spec.Load(path, spec.Options{Sections: stages.Sections()})
	if doc == nil {
		return diags.Err()
	}
	g, err := experiment.Build(doc, stages.Kinds(), experiment.Options{Cores: runtime.NumCPU()}, diags)
	if err != nil || diags.Err() != nil {
		return fmt.Errorf("build the spec: %w %w", err, diags.Err())
	}
	st, err := store.Open(filepath.Join(dir, ".cyborg"))
	if err != nil {
		return err
	}
	st.Unsynced()
	p, err := graph.MakePlan(g, st, "wide", graph.Machine{Device: "cpu"})
	if err != nil {
		return err
	}
	for _, s := range p.Steps {
		if err := plantNode(p, st, s); err != nil {
			return err
		}
	}
	if err := p.Remember("wide"); err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // until the last file's time is settled, so that it is remembered
	for _, s := range p.Steps {
		p.Look(s)
	}
	return st.Close()
}

func plantNode(p *graph.Plan, st *store.Store, s *graph.Step) error {
	p.Look(s)
	try, err := st.Begin(s.Key)
	if err != nil {
		return err
	}
	for _, name := range s.Node.Stage.Outputs {
		file := filepath.Join(try.Dir, "out", filepath.FromSlash(name))
		if filepath.Ext(name) == "" {
			file = filepath.Join(file, "data.csv")
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(s.Node.Name), 0o644); err != nil {
			return err
		}
	}
	_, err = try.Commit(store.Manifest{Node: s.Node.Name, Kind: s.Node.Stage.Kind, Parts: s.Parts}, s.Node.Stage.Outputs)
	p.Look(s)
	return err
}
