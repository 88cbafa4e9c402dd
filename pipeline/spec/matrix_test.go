package spec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

func TestMatrixCells(t *testing.T) {
	for _, c := range []struct{ name, matrix, want string }{
		{"product", "{loss: [b, a], seed: 2}", "b/1 b/2 a/1 a/2"},
		{"single_value", "{loss: a, seed: [7]}", "a/7"},
		{"zip", "{arch: [s, l], seed: 2, side: [96, 224], zip: [arch, side]}", "s/1/96 s/2/96 l/1/224 l/2/224"},
		{"zip_named_backwards", "{arch: [s, l], seed: 2, side: [96, 224], zip: [side, arch]}", "s/1/96 s/2/96 l/1/224 l/2/224"},
		{"two_zips", "{a: 2, b: [x, y], c: [u, v], d: 2, zip: [[a, d], [b, c]]}", "1/x/u/1 1/y/v/1 2/x/u/2 2/y/v/2"},
		{"exclude_one", "{loss: [a, b], seed: 2, exclude: [{loss: b, seed: 1}]}", "a/1 a/2 b/2"},
		{"exclude_list", "{loss: [a, b], seed: 3, exclude: [{loss: b, seed: [1, 3]}]}", "a/1 a/2 a/3 b/2"},
		{"exclude_axis", "{loss: [a, b], seed: 2, exclude: [{seed: 2}]}", "a/1 b/1"},
		{"exclude_several", "{loss: [a, b], seed: 3, exclude: [{seed: 2}, {loss: a, seed: [2, 3]}]}", "a/1 b/1 b/3"},
		{"exclude_what_the_zip_leaves_out", "{a: 2, b: 2, zip: [a, b], exclude: [{a: 1, b: 2}]}", "1/1 2/2"},
		{"include_new", "{loss: [a], seed: 2, include: [{seed: 9, loss: x}]}", "a/1 a/2 x/9"},
		{"include_there", "{loss: [a], seed: 2, include: [{loss: a, seed: 2}, {loss: c, seed: 1}, {loss: c, seed: 1}]}", "a/1 a/2 c/1"},
		{"equal_numbers", "{loss: [a], seed: [1, 2.0], exclude: [{seed: [1.0]}], include: [{loss: a, seed: 2}, {loss: a, seed: 3}, {loss: a, seed: 3.0}, {loss: a, seed: 1e0}]}", "a/2.0 a/3 a/1"},
		{"texts_of_equal_numbers", "{set: ['1', '1.0'], exclude: [{set: '1.0'}]}", "1"},
		{"include_excluded", "{loss: [a, b], seed: 2, exclude: [{loss: b}], include: [{loss: b, seed: 2}]}", "a/1 a/2 b/2"},
		{"only_included", "{loss: [a], seed: [1], exclude: [{seed: 1}], include: [{loss: z, seed: 3}]}", "z/3"},
		{"nothing_to_do", "{loss: [a], zip: [], exclude: , include: []}", "a"},
		{"expressions", "{loss: [a, b], seed: '${n}', exclude: ['${ {\"loss\": \"b\", \"seed\": 1..n-1} }'], include: [{loss: '${\"x\"}', seed: '${n+1}'}]}", "a/1 a/2 a/3 b/3 x/4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := document(t, files{"specs/in.yaml": "version: 1\nparams: {n: 3}\nstages: {fit: {uses: train, matrix: " + c.matrix + "}}\n"})
			m := d.Stages[0].Matrix
			var got []string
			for _, cell := range cells(m) {
				got = append(got, strings.Join(cell, "/"))
			}
			if text := strings.Join(got, " "); text != c.want || m.Size() != len(got) {
				t.Errorf("got %q (size %d), want %q", text, m.Size(), c.want)
			}
		})
	}
}

// A parameter gets the value of its axis as --set would give it, and a mistake in it is shown where the value stands.
func TestMatrixValuesStandWhereTheyWereWritten(t *testing.T) {
	d := document(t, files{"specs/in.yaml": "version: 1\nstages:\n  fit:\n    matrix:\n      arch: [s, l]\n      seed: 2\n      include: [{arch: x, seed: 9}]\n    uses: train\n"})
	fit := d.Stages[0]
	var got []string
	for _, cell := range fit.Matrix.Cells() {
		v := fit.Params.With(fit.Matrix.Axes, cell)
		arch, seed := v.Get("arch"), v.Get("seed")
		got = append(got, fmt.Sprintf("%s:%d:%d %v:%d:%d", arch.Text(), arch.Pos.Line, arch.Pos.Column, seed.Any(), seed.Pos.Line, seed.Pos.Column))
	}
	want := []string{"s:5:14 1:6:13", "s:5:14 2:6:13", "l:5:17 1:6:13", "l:5:17 2:6:13", "x:7:24 9:7:33"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Against the definition: of all combinations those whose zipped axes are at the same place, less those that an entry
// of exclude matches on all of its axes, and then the included ones that are not there.
func TestMatrixIsWhatItsDefinitionSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lengths := rapid.SliceOfN(rapid.IntRange(1, 3), 1, 4).Draw(t, "lengths")
		var zip []int
		for i, n := range lengths {
			if n == lengths[0] && rapid.Bool().Draw(t, "zipped") {
				zip = append(zip, i)
			}
		}
		if len(zip) < 2 {
			zip = nil
		}
		var text strings.Builder
		for i, n := range lengths {
			fmt.Fprintf(&text, "      a%d: %d\n", i, n)
		}
		if zip != nil {
			fmt.Fprintf(&text, "      zip: [a%s]\n", strings.ReplaceAll(strings.Trim(fmt.Sprint(zip), "[]"), " ", ", a"))
		}
		type entry map[int][]int
		var exclude []entry
		for range rapid.IntRange(0, 2).Draw(t, "rules") {
			e := entry{}
			var parts []string
			for i, n := range lengths {
				if i == 0 || rapid.Bool().Draw(t, "on") {
					e[i] = rapid.SliceOfNDistinct(rapid.IntRange(1, n), 1, n, rapid.ID).Draw(t, "values")
					parts = append(parts, fmt.Sprintf("a%d: [%s]", i, strings.ReplaceAll(strings.Trim(fmt.Sprint(e[i]), "[]"), " ", ", ")))
				}
			}
			exclude = append(exclude, e)
			fmt.Fprintf(&text, "      %s\n", map[bool]string{true: "exclude:"}[len(exclude) == 1])
			fmt.Fprintf(&text, "      - {%s}\n", strings.Join(parts, ", "))
		}
		extra := make([]string, len(lengths)) // one included cell, outside of the product or inside
		text.WriteString("      include: [{")
		for i, n := range lengths {
			extra[i] = fmt.Sprint(rapid.IntRange(1, n+1).Draw(t, "extra"))
			fmt.Fprintf(&text, "a%d: %s, ", i, extra[i])
		}
		text.WriteString("}]\n")

		var want []string
		cell := make([]int, len(lengths))
		var all func(i int)
		all = func(i int) {
			if i < len(lengths) {
				for cell[i] = 1; cell[i] <= lengths[i]; cell[i]++ {
					all(i + 1)
				}
				return
			}
			for _, z := range zip {
				if cell[z] != cell[zip[0]] {
					return
				}
			}
			for _, e := range exclude {
				matches := true
				for a, values := range e {
					matches = matches && slices.Contains(values, cell[a])
				}
				if matches {
					return
				}
			}
			want = append(want, strings.ReplaceAll(strings.Trim(fmt.Sprint(cell), "[]"), " ", "/"))
		}
		all(0)
		if last := strings.Join(extra, "/"); !slices.Contains(want, last) {
			want = append(want, last)
		}

		f := files{"in.yaml": "version: 1\nstages:\n  fit:\n    uses: train\n    matrix:\n" + text.String()}
		d, diags := spec.Load("in.yaml", f.options())
		if err := diags.Err(); err != nil {
			t.Fatalf("%v\n%s", err, f["in.yaml"])
		}
		var got []string
		for _, c := range cells(d.Stages[0].Matrix) {
			got = append(got, strings.Join(c, "/"))
		}
		slices.Sort(got) // the order is that of the steps, not of the axes
		slices.Sort(want)
		if !slices.Equal(got, want) || d.Stages[0].Matrix.Size() != len(want) {
			t.Fatalf("got %v, want %v\n%s", got, want, f["in.yaml"])
		}
	})
}
