package main

import (
	"errors"
	"regexp"
)

// timesAnImage is a line of package image's benchmark.
var timesAnImage = regexp.MustCompile(`BenchmarkAgainstPillow/(\S+?)(?:-\d+)?\s.*?(?:([0-9.]+) Pillow-ms\s+)?([0-9.]+) one-core-ms\s+([0-9.]+) two-cores-ms`)

// images runs the benchmark of package image, which decodes pictures of 1024 x 1024 and resizes them to 224 x 224 in
// Pillow on one core, and in this program on one core and on two.
func (b *bench) images() error {
	if b.python == "" {
		return errSkip{"CYBORG_PYTHON names no Python with Pillow"}
	}
	turns := "9x"
	if b.quick {
		turns = "1x"
	}
	pillow, one, two := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for range b.rounds {
		printed, _, err := b.command(".", nil, "go", "test", "-run", "^$", "-bench", "AgainstPillow", "-benchtime", turns, "./internal/image")
		if err != nil {
			return err
		}
		for _, found := range timesAnImage.FindAllStringSubmatch(printed, -1) {
			name := found[1]
			if found[2] != "" {
				pillow[name] = append(pillow[name], number(found[2]))
			}
			one[name] = append(one[name], number(found[3]))
			two[name] = append(two[name], number(found[4]))
		}
	}
	if len(pillow) == 0 {
		return errors.New("package image's benchmark printed no times")
	}
	const scaling = 1.9 // what a second core has to give
	for _, name := range []string{"photo.jpg", "photo.png", "resize"} {
		what := name + " of 1024 x 1024 to 224 x 224"
		b.add(line{what: what + "; other: Pillow", unit: "ms", ours: one[name], theirs: pillow[name], limit: 1})
		b.add(line{what: "  on two cores; other: Pillow on one", unit: "ms", ours: two[name], theirs: pillow[name], limit: 1 / scaling})
		b.add(line{what: "  on two cores; other: this on one", unit: "ms", ours: two[name], theirs: one[name], limit: 1 / scaling})
	}
	// No work gains more from the second core, here and now, than counting does.
	b.add(line{what: "counting on two cores; other: on one", unit: "ms", ours: two["counting"], theirs: one["counting"]})
	return nil
}
