package spec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// BenchmarkMatrix resolves stages of so many nodes: 100,000 take ten times what 10,000 take.
func BenchmarkMatrix(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		list := make([]string, n/10)
		for i := range list {
			list[i] = fmt.Sprintf("v%d", i)
		}
		for name, matrix := range map[string]string{
			"range":   fmt.Sprintf("{seed: %d}", n),
			"list":    "{v: [" + strings.Join(list, ", ") + "], seed: 10}",
			"exclude": fmt.Sprintf("{v: [%s], seed: 11, exclude: [{seed: 3}], include: [{v: z, seed: 4}]}", strings.Join(list, ", ")),
			"zip":     fmt.Sprintf("{v: [%s], w: %d, seed: 10, zip: [v, w]}", strings.Join(list, ", "), len(list)),
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				f := files{"in.yaml": "version: 1\nname: x\nstages: {fit: {uses: train, matrix: " + matrix + "}}\n"}
				b.ReportAllocs()
				for b.Loop() {
					d, diags := spec.Load("in.yaml", f.options())
					if err := diags.Err(); err != nil {
						b.Fatal(err)
					}
					m := d.Stages[0].Matrix
					for _, cell := range m.Cells() {
						d.Stages[0].Params.With(m.Axes, cell)
					}
				}
			})
		}
	}
}

// BenchmarkWideMaps reads maps of many keys, merged: the other thing that could be quadratic.
func BenchmarkWideMaps(b *testing.B) {
	for _, n := range []int{4_000, 40_000} {
		var keys strings.Builder
		for i := range n {
			fmt.Fprintf(&keys, "  k%d: %d\n", i, i)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := files{"in.yaml": "version: 1\nname: x\nextends: base.yaml\nkeys:\n" + keys.String(), "base.yaml": "version: 1\nkeys:\n" + keys.String()}
			for b.Loop() {
				if _, diags := spec.Load("in.yaml", f.options()); diags.Len() > 0 {
					b.Fatal(diags.Err())
				}
			}
		})
	}
}
