// Command bench measures this program beside Python doing the same work, both in one call and in turns, and prints the
// ratios of the medians.
//
// It needs bin/cyborg-run and bin/cyborg-torch, a Python with PyTorch (CYBORG_PYTHON) and the reference programs in
// ../shared (or CYBORG_SHARED); a part that lacks what it needs is skipped and says so. All images are generated, all
// maps simulated. A machine that does other work meanwhile spoils every figure, more those of two threads: the load is
// printed, and medians of turns take the edge off.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// part measures one thing; it adds its lines to the table.
type part struct {
	name, about string
	measure     func(*bench) error
}

var parts = []part{
	{"step", "a training step of ResNet50, 224 px, batch 20", (*bench).step},
	{"quickstart", "a training of the quick start on one core", (*bench).quickstart},
	{"pair", "two trainings side by side, and one after the other", (*bench).pair},
	{"generate", "the quick start's 2,100 images", (*bench).generate},
	{"images", "decoding and resizing", (*bench).images},
	{"score", "photographs to scores by ResNet50, decoding included", (*bench).score},
	{"metrics", "scores to metrics, tests and tables, and a bootstrap, beside scikit-learn", (*bench).metrics},
	{"start", "the command line's own time", (*bench).start},
	{"plan", "a plan of thousands of finished nodes, beside snakemake and DVC", (*bench).plan},
	{"paper", "a plan of all of the paper's experiments", (*bench).paper},
	{"leaks", "data leaks over images of 224 px, beside Pillow and ImageHash", (*bench).leaks},
	{"hash", "digests of thousands of files", (*bench).hash},
	{"nodes", "nodes of next to no work", (*bench).nodes},
}

// errSkip says what a part lacks.
type errSkip struct{ lack string }

func (e errSkip) Error() string { return "skipped: " + e.lack }

// bench is one call of the program.
type bench struct {
	ctx    context.Context
	dir    string // of this call, removed at the end
	bin    string
	python string
	shared string
	rounds int
	quick  bool
	turn   int      // of trainings: each is another one to the cache
	also   []string // other folders to remove
	lines  []line
}

func main() {
	only := flag.String("only", "", "parts, separated by commas: "+strings.Join(names(), ", "))
	rounds := flag.Int("rounds", 3, "turns of each measurement")
	quick := flag.Bool("quick", false, "one turn, shorter runs: to see that it works")
	bin := flag.String("bin", "bin", "the folder of cyborg-run and cyborg-torch")
	flag.Parse()
	if err := run(*only, *bin, *rounds, *quick); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func names() []string {
	var all []string
	for _, p := range parts {
		all = append(all, p.name)
	}
	return all
}

func run(only, bin string, rounds int, quick bool) error {
	chosen := names()
	if only != "" {
		chosen = strings.Split(only, ",")
	}
	for _, name := range chosen {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("-only %s: there are %s", name, strings.Join(names(), ", "))
		}
	}
	if quick {
		rounds = 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &bench{ctx: ctx, python: os.Getenv("CYBORG_PYTHON"), rounds: max(1, rounds), quick: quick}
	if err := b.settle(bin); err != nil {
		return err
	}
	defer func() {
		for _, dir := range append(b.also, b.dir) {
			_ = os.RemoveAll(dir)
		}
	}()
	b.describe()
	for _, p := range parts {
		if !slices.Contains(chosen, p.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s (load %s)\n", p.name, p.about, load())
		var lack errSkip
		if err := p.measure(b); errors.As(err, &lack) {
			fmt.Fprintf(os.Stderr, "  %v\n", lack)
		} else if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	b.print()
	return nil
}

// settle finds the folders.
func (b *bench) settle(bin string) error {
	var err error
	if b.bin, err = filepath.Abs(bin); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(b.bin, "cyborg-run")); err != nil {
		return fmt.Errorf("%w: run `make build` first", err)
	}
	shared := os.Getenv("CYBORG_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "shared")
	}
	if b.shared, err = filepath.Abs(shared); err != nil {
		return err
	}
	b.dir, err = os.MkdirTemp("", "cyborg-bench-")
	return err
}

// needs is the path of a file of ../shared, where there is a Python too.
func (b *bench) needs(name string) (string, error) {
	path := filepath.Join(b.shared, filepath.FromSlash(name))
	if b.python == "" {
		return "", errSkip{"CYBORG_PYTHON names no Python with PyTorch"}
	}
	if _, err := os.Stat(path); err != nil {
		return "", errSkip{path + " is not there"}
	}
	return path, nil
}
