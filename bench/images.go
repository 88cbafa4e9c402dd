package main

import (
	"errors"
	"regexp"
	"strings"
)

// pillowRatio is a line of package image's benchmark: how many times faster than Pillow, by processor time.
var pillowRatio = regexp.MustCompile(`BenchmarkAgainstPillow/(\S+?)(?:-\d+)?\s.*?([0-9.]+) x-Pillow`)

// images runs the benchmark of package image, which decodes pictures of 1024 x 1024 and resizes them to 224 x 224 in this
// program and in Pillow, one core each.
func (b *bench) images() error {
	if b.python == "" {
		return errSkip{"CYBORG_PYTHON names no Python with Pillow"}
	}
	times := map[string][]float64{}
	for range b.rounds {
		printed, _, err := b.command(".", nil, "go", "test", "-run", "^$", "-bench", "AgainstPillow", "./internal/image")
		if err != nil {
			return err
		}
		for _, found := range pillowRatio.FindAllStringSubmatch(printed, -1) {
			times[found[1]] = append(times[found[1]], 1/number(found[2]))
		}
	}
	if len(times) == 0 {
		return errors.New("package image's benchmark printed no ratio")
	}
	for _, name := range []string{"photo.jpg", "photo.png", "resize"} {
		ones := make([]float64, len(times[name]))
		for i := range ones {
			ones[i] = 1
		}
		b.add(line{what: "decode and resize, " + strings.TrimPrefix(name, "photo.") + "; Pillow's time is 1", unit: "", ours: times[name], theirs: ones})
	}
	return nil
}
