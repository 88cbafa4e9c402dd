package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// nodes measures what a node costs whose work is next to nothing: the checks of one assertion each on a small finished
// table. Beside it, make starts as many shells that do nothing at all, and neither keeps nor verifies anything.
func (b *bench) nodes() error {
	const atOnce = 2
	count, alone := 1000, 100
	if b.quick {
		count, alone = 100, 20
	}
	base, err := quickstartSpec()
	if err != nil {
		return err
	}
	small := []string{"--set", "seeds=1", "--set", "train.epochs=1"}
	if _, err := b.run(b.dir, "nodes", base, append(small, "--only", "table")...); err != nil {
		return err
	}
	made := 0
	// checks is a call with n nodes that no call before had: the assertion is part of the key.
	checks := func(n int, flags ...string) (float64, error) {
		var text strings.Builder
		fmt.Fprintf(&text, "version: 1\nname: nodes\nextends: %s\nstages:\n", base)
		for i := range n {
			made++
			fmt.Fprintf(&text, "  node%d: {uses: check, needs: table, assert: ['mean(auc) > -%d']}\n", i, made)
		}
		path := filepath.Join(b.dir, "nodes.yaml")
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			return 0, err
		}
		return b.run(b.dir, "nodes", path, append(append(flags, small...), "--only", "node*")...)
	}
	sides := []func(int) (float64, error){
		func(int) (float64, error) { return checks(count, "--jobs", fmt.Sprint(atOnce)) },
		func(int) (float64, error) {
			seconds, err := checks(alone, "--jobs", "1")
			return 1000 * seconds / float64(alone), err
		},
	}
	maker, lack := exec.LookPath("make")
	if lack == nil {
		sides = append(sides, func(int) (float64, error) { return b.shells(maker, count, atOnce) })
	}
	figures, err := turns(b.rounds, sides...)
	if err != nil {
		return err
	}
	limit := 5.0
	if b.quick {
		limit = 0
	}
	b.add(line{what: fmt.Sprintf("%d trivial nodes, %d at a time", count, atOnce), unit: "s", ours: figures[0], limit: limit})
	b.add(line{what: "a trivial node, one at a time", unit: "ms", ours: figures[1], limit: 15})
	if lack == nil {
		b.add(line{what: fmt.Sprintf("the nodes beside `make -j%d` of as many `true`", atOnce), unit: "s", ours: figures[0], theirs: figures[2]})
	}
	return nil
}

// shells lets make start so many shells.
func (b *bench) shells(program string, count, atOnce int) (float64, error) {
	dir := filepath.Join(b.dir, "shells")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	var names, rules strings.Builder
	for i := range count {
		fmt.Fprintf(&names, " n%d", i)
		fmt.Fprintf(&rules, "n%d:\n\t@true;\n", i) // the semicolon makes it a shell's
	}
	text := ".PHONY: all" + names.String() + "\nall:" + names.String() + "\n" + rules.String()
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(text), 0o644); err != nil {
		return 0, err
	}
	_, seconds, err := b.command(dir, nil, program, "-j", fmt.Sprint(atOnce))
	return seconds, err
}
