package report

import "github.com/cyborg-run/cyborg-run/internal/results"

// bands lay out the pictures of one image: a line for each group of settings, a column for each name within a group.
type bands struct {
	Heads []string
	Bands []band
}

type band struct {
	Group string
	At    []int // by Heads: the place of the group's setting among all; -1: the group has none of that name
}

func newBands(groups []results.Group, settings []string) (b bands) {
	column, place := map[string]int{}, map[string]int{}
	for i, setting := range settings {
		place[setting] = i
	}
	for _, g := range groups {
		line := band{Group: g.Name}
		for _, of := range g.Settings {
			at, shown := place[of.Setting]
			if !shown {
				continue
			}
			if _, known := column[of.Name]; !known {
				column[of.Name] = len(b.Heads)
				b.Heads = append(b.Heads, of.Name)
			}
			for len(line.At) <= column[of.Name] {
				line.At = append(line.At, -1)
			}
			line.At[column[of.Name]] = at
		}
		if len(line.At) > 0 {
			b.Bands = append(b.Bands, line)
		}
	}
	return b
}

// Several says that the groups are to be named.
func (b bands) Several() bool { return len(b.Bands) > 1 }
