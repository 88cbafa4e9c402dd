package results

import (
	"fmt"
	"testing"
)

func grouped(axes []string, rows ...TableRow) *Summary {
	s := &Summary{Tables: []Table{{Axes: axes, Rows: rows}}}
	for _, row := range rows {
		s.Settings = append(s.Settings, row.Setting)
	}
	return s
}

func TestGroups(t *testing.T) {
	row := func(setting string, starts bool, names ...string) TableRow {
		return TableRow{Setting: setting, Names: names, Starts: starts}
	}
	networks := grouped([]string{"arch", "loss"},
		row("ce, arch=r 50", true, "r 50", "ce"), row("cyborg, arch=r 50", false, "r 50", "cyborg"),
		row("ce, arch=x", true, "x", "ce"), row("cyborg, arch=x", false, "x", "cyborg"))
	networks.Settings = append(networks.Settings, "trained alone")
	alphas := grouped([]string{"alpha", "loss"}, row("cyborg, alpha=0.5", true, "0.5", "cyborg"),
		row("seg, alpha=0.5", false, "0.5", "seg"), row("ce", true, "", "ce"))
	for name, c := range map[string]struct {
		of   *Summary
		want string
	}{
		"by network":                       {networks, "[{r 50 .r_50 [{ce, arch=r 50 ce} {cyborg, arch=r 50 cyborg}]} {x .x [{ce, arch=x ce} {cyborg, arch=x cyborg}]} {others .others [{trained alone trained alone}]}]"},
		"a number says its axis":           {alphas, "[{alpha=0.5 .alpha_0.5 [{cyborg, alpha=0.5 cyborg} {seg, alpha=0.5 seg}]} {without alpha .without_alpha [{ce ce}]}]"},
		"one network":                      {grouped([]string{"loss"}, row("ce", true, "ce"), row("cyborg", false, "cyborg")), "[{  [{ce ce} {cyborg cyborg}]}]"},
		"networks with one setting each":   {grouped([]string{"arch", "loss"}, row("ce, arch=a", true, "a", "ce"), row("ce, arch=b", true, "b", "ce")), "[{  [{ce, arch=a ce, arch=a} {ce, arch=b ce, arch=b}]}]"},
		"a summary without tables is read": {&Summary{Settings: []string{"a"}}, "[{  [{a a}]}]"},
	} {
		if got := fmt.Sprint(c.of.Groups()); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
	numbers := Numbers(networks.Groups(), "ce, arch=r 50")
	if fmt.Sprint(numbers) != "map[ce, arch=r 50:0 ce, arch=x:0 cyborg, arch=r 50:1 cyborg, arch=x:1 trained alone:2]" {
		t.Errorf("numbers %v", numbers)
	}
}
