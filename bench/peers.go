package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	peerJobs    = 1000 // not 10,000, which takes them minutes
	peerPatient = 5 * time.Minute
)

// peers does the same with snakemake and DVC, in a Python environment made for it.
func (b *bench) peers() error {
	python := b.python
	if python == "" {
		python = "python3"
	}
	venv := filepath.Join(b.dir, "peers")
	if _, _, err := b.command(b.dir, nil, python, "-m", "venv", venv); err != nil {
		return errSkip{"no Python environment for snakemake and DVC: " + firstLine(err)}
	}
	pip := filepath.Join(venv, "bin", "pip")
	for _, peer := range []struct {
		name string
		make func(dir string, jobs int) error
		done []string // makes all jobs done
		plan []string
		want string
	}{
		{"snakemake", snakefile, []string{"snakemake", "--touch", "--cores", "1"}, []string{"snakemake", "--dry-run", "--cores", "1"}, "Nothing to be done"},
		{"dvc", dvcfile, []string{"dvc", "commit", "--force", "--quiet"}, []string{"dvc", "status"}, "up to date"},
	} {
		if _, _, err := b.command(b.dir, nil, pip, "install", "--quiet", "--disable-pip-version-check", peer.name); err != nil {
			fmt.Fprintf(os.Stderr, "  skipped: %s cannot be installed: %s\n", peer.name, firstLine(err))
			continue
		}
		if err := b.peer(venv, peer.name, peer.make, peer.done, peer.plan, peer.want); err != nil {
			fmt.Fprintf(os.Stderr, "  skipped: %s: %s\n", peer.name, firstLine(err))
		}
	}
	return nil
}

func (b *bench) peer(venv, name string, create func(string, int) error, done, plan []string, want string) error {
	dir := filepath.Join(b.dir, name)
	ours := filepath.Join(b.memory(), "plan-beside-"+name)
	if err := errors.Join(os.MkdirAll(dir, 0o755), create(dir, peerJobs), plant(ours, peerJobs)); err != nil {
		return err
	}
	env := []string{"PATH=" + filepath.Join(venv, "bin") + ":" + os.Getenv("PATH"), "DVC_NO_ANALYTICS=1"}
	program := func(args []string) string { return filepath.Join(venv, "bin", args[0]) }
	if name == "dvc" {
		if _, _, err := b.command(dir, env, program([]string{"dvc"}), "init", "--no-scm", "--quiet"); err != nil {
			return err
		}
	}
	if _, _, err := b.command(dir, env, program(done), done[1:]...); err != nil {
		return err
	}
	began := time.Now()
	figures, err := turns(b.rounds,
		func(int) (float64, error) {
			_, seconds, err := b.command(ours, []string{"CYBORG_TORCH="}, filepath.Join(b.bin, "cyborg-run"), "plan", "wide.yaml", "--device", "cpu")
			return seconds, err
		},
		func(int) (float64, error) {
			if time.Since(began) > peerPatient {
				return 0, fmt.Errorf("it takes longer than %s", peerPatient)
			}
			out, seconds, err := b.command(dir, env, program(plan), plan[1:]...)
			if err == nil && !strings.Contains(out, want) {
				err = fmt.Errorf("%s does not say %q:\n%s", name, want, out)
			}
			return seconds, err
		})
	if err != nil {
		return err
	}
	b.add(line{what: fmt.Sprintf("plan, %d nodes all done, beside %s", peerJobs, name), unit: "s", ours: figures[0], theirs: figures[1], limit: 1})
	return nil
}

// snakefile is a chain of two trivial jobs for each seed, and one that gathers all.
func snakefile(dir string, jobs int) error {
	text := fmt.Sprintf(`SEEDS = range(%d)
rule all:
    input: "table"
rule fit:
    output: "fit/{seed}"
    shell: "echo {wildcards.seed} > {output}"
rule score:
    input: "fit/{seed}"
    output: "score/{seed}"
    shell: "cp {input} {output}"
rule table:
    input: expand("score/{seed}", seed=SEEDS)
    output: "table"
    shell: "cat {input} > {output}"
`, jobs/2)
	if err := os.WriteFile(filepath.Join(dir, "Snakefile"), []byte(text), 0o644); err != nil {
		return err
	}
	return jobFiles(dir, jobs)
}

func dvcfile(dir string, jobs int) error {
	text := fmt.Sprintf(`stages:
  fit:
    matrix: {seed: [%s]}
    cmd: echo ${item.seed} > fit/${item.seed}
    outs: ["fit/${item.seed}"]
  score:
    matrix: {seed: [%[1]s]}
    cmd: cp fit/${item.seed} score/${item.seed}
    deps: ["fit/${item.seed}"]
    outs: ["score/${item.seed}"]
`, seeds(jobs/2))
	if err := os.WriteFile(filepath.Join(dir, "dvc.yaml"), []byte(text), 0o644); err != nil {
		return err
	}
	return jobFiles(dir, jobs)
}

func seeds(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return strings.Join(all, ", ")
}

// jobFiles are what the jobs would leave.
func jobFiles(dir string, jobs int) error {
	for _, stage := range []string{"fit", "score"} {
		if err := os.MkdirAll(filepath.Join(dir, stage), 0o755); err != nil {
			return err
		}
		for i := range jobs / 2 {
			if err := os.WriteFile(filepath.Join(dir, stage, fmt.Sprint(i)), fmt.Appendln(nil, stage, i), 0o644); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(filepath.Join(dir, "table"), nil, 0o644)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// peakMB is the memory that a process had at most, where the system says.
func peakMB(state *os.ProcessState) float64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return float64(usage.Maxrss) / 1024
	}
	return 0
}
