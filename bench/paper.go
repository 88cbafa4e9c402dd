package main

import (
	"fmt"
	"path/filepath"
)

// paper measures the plan of all of the paper's experiments: four networks, four settings, ten trainings, six generators. The
// lists that are at hand are read whole, the images are not looked for.
func (b *bench) paper() error {
	lists, err := b.needs("data/cyborg/csvs/original.csv")
	if err != nil {
		return err
	}
	spec, err := filepath.Abs("specs/paper/all.yaml")
	if err != nil {
		return err
	}
	data := filepath.Dir(filepath.Dir(lists))
	figures, err := turns(b.rounds, func(int) (float64, error) {
		_, seconds, err := b.command(b.dir, []string{"CYBORG_DATA=" + data}, filepath.Join(b.bin, "cyborg-run"),
			"plan", spec, "--no-files", "--profile", "paper", "--device", "cpu")
		return seconds, err
	})
	if err != nil {
		return fmt.Errorf("plan of the paper: %w", err)
	}
	b.add(line{what: "plan of all of the paper's experiments", unit: "s", ours: figures[0], limit: 1})
	return nil
}
