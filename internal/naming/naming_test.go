package naming

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

func TestNames(t *testing.T) {
	node := func(name string, axes ...string) task.Input {
		in := task.Input{Node: name, Axes: map[string]string{}}
		for i := 0; i < len(axes); i += 2 {
			in.Axes[axes[i]] = axes[i+1]
		}
		return in
	}
	scores := []task.Input{
		node("score[seed=1,loss=cyborg,arch=a,set=u1]", "seed", "1", "loss", "cyborg", "arch", "a", "set", "u1", "tap", "pooled"),
		node("score[seed=2,loss=cyborg,arch=b,set=u2]", "seed", "2", "loss", "cyborg", "arch", "b", "set", "u2", "tap", "pooled"),
	}
	others := []task.Input{node("fit[depth=3]", "depth", "3"), node("fit[depth=4]", "depth", "4")}
	n := New("loss", "seed", "cross_entropy", scores, others)
	if d := cmp.Diff([]string{"seed", "loss", "arch", "set", "tap", "depth"}, n.Axes); d != "" {
		t.Errorf("axes in the order of the names, unnamed ones last:\n%s", d)
	}
	for _, c := range []struct {
		axes            map[string]string
		setting, baseOf string
	}{
		{scores[0].Axes, "cyborg, arch=a", "cross_entropy, arch=a"}, // one tap, and the set is part of no name
		{scores[1].Axes, "cyborg, arch=b", "cross_entropy, arch=b"},
		{others[0].Axes, "depth=3", "cross_entropy, depth=3"},
		{nil, "model", "cross_entropy"},
	} {
		if got := n.Setting(c.axes); got != c.setting {
			t.Errorf("%v: setting %q, want %q", c.axes, got, c.setting)
		}
		if got := n.BaselineOf(c.axes); got != c.baseOf {
			t.Errorf("%v: baseline %q, want %q", c.axes, got, c.baseOf)
		}
	}
}
