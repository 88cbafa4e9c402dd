package results

import (
	"slices"
	"strconv"
	"strings"
)

// Group is the settings that are compared with each other: those of one network.
type Group struct {
	Name     string  // what they have in common: resnet50; empty where all settings are one group
	File     string  // what the name of a figure of this group ends with: ".resnet50"; empty as above
	Settings []Named // in the summary's order
}

// Named is a setting and what it is called within its group: its value of the compared axis.
type Named struct{ Setting, Name string }

// Groups are the settings by the values of all axes but the compared one. All are one group, under their full names, where
// there are no such axes, and where apart from each other they could not be compared.
func (s *Summary) Groups() []Group {
	var groups []Group
	placed := map[string]bool{}
	largest := 0
	if len(s.Tables) > 0 && len(s.Tables[0].Axes) > 1 {
		for _, row := range s.Tables[0].Rows {
			if row.Starts || len(groups) == 0 {
				name := groupName(s.Tables[0].Axes, row.Names[:len(row.Names)-1])
				groups = append(groups, Group{Name: name, File: "." + FileName(name)})
			}
			g := &groups[len(groups)-1]
			g.Settings = append(g.Settings, Named{row.Setting, row.Names[len(row.Names)-1]})
			placed[row.Setting], largest = true, max(largest, len(g.Settings))
		}
	}
	if len(groups) < 2 || largest < 2 {
		one := Group{}
		for _, setting := range s.Settings {
			one.Settings = append(one.Settings, Named{setting, setting})
		}
		return []Group{one}
	}
	rest := Group{Name: "others", File: ".others"} // not evaluated: no table has them
	for _, setting := range s.Settings {
		if !placed[setting] {
			rest.Settings = append(rest.Settings, Named{setting, setting})
		}
	}
	if len(rest.Settings) > 0 {
		groups = append(groups, rest)
	}
	return groups
}

// groupName is the axes' values; a value that says nothing alone has its axis with it, and so has each of several.
func groupName(axes, values []string) string {
	var parts []string
	for i, value := range values {
		_, err := strconv.ParseFloat(value, 64)
		switch {
		case value == "":
		case err == nil || len(values) > 1:
			parts = append(parts, axes[i]+"="+value)
		default:
			parts = append(parts, value)
		}
	}
	if len(parts) == 0 {
		return "without " + strings.Join(axes[:len(values)], ", ")
	}
	return strings.Join(parts, ", ")
}

// Numbers gives each setting its series number in figures: 0 to the baseline and to what corresponds to it in other groups,
// from 1 to the others in their order. The same name has the same number in every group.
func Numbers(groups []Group, baseline string) map[string]int {
	for _, g := range groups {
		for _, of := range g.Settings {
			if of.Setting == baseline {
				baseline = of.Name
			}
		}
	}
	byName, numbers, next := map[string]int{baseline: 0}, map[string]int{}, 1
	for _, g := range groups {
		for _, of := range g.Settings {
			if _, known := byName[of.Name]; !known {
				byName[of.Name] = next
				next++
			}
			numbers[of.Setting] = byName[of.Name]
		}
	}
	return numbers
}

// Names are what the settings are called within their groups.
func Names(groups []Group) map[string]string {
	names := map[string]string{}
	for _, g := range groups {
		for _, of := range g.Settings {
			names[of.Setting] = of.Name
		}
	}
	return names
}

// Has says whether the setting is of this group.
func (g Group) Has(setting string) bool {
	return slices.ContainsFunc(g.Settings, func(of Named) bool { return of.Setting == setting })
}

// FileName keeps letters, digits, dots, dashes and underscores of a name.
func FileName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, name)
}
