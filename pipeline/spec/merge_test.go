package spec_test

import (
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// The rule of docs/spec.md, row by row: three files, of which each extends the one before, then a profile.
func TestMergeRule(t *testing.T) {
	for _, c := range []struct{ name, root, middle, top, profile, want string }{
		{"maps_merge", "k: {a: 1}", "k: {b: 2}", "k: {a: 3}", "k: {c: 4}", "{a: 3, b: 2, c: 4}"},
		{"maps_keep_the_place_of_keys", "k: {a: 1, b: 1}", "k: {b: 2, a: 2}", "", "", "{a: 2, b: 2}"},
		{"maps_merge_deeply", "k: {m: {n: {a: 1}}}", "k: {m: {n: {b: 2}}}", "k: {m: {n: {c: 3}}}", "k: {m: {n: {a: 4}}}", "{m: {n: {a: 4, b: 2, c: 3}}}"},
		{"lists_replace", "k: [1, 2]", "k: [3]", "", "", "[3]"},
		{"lists_replace_in_a_profile", "k: [1, 2]", "", "k: [3]", "k: [4]", "[4]"},
		{"lists_of_maps_replace", "k: [{a: 1, b: 1}]", "k: [{a: 2}]", "", "", "[{a: 2}]"},
		{"scalars_replace", "k: 1", "k: two", "k: true", "k: 0.5", "0.5"},
		{"another_kind_replaces", "k: [1, 2]", "k: 3", "k: {a: 1}", "", "{a: 1}"},
		{"empty_takes_away", "k: {a: 1}", "k: {a: }", "", "", "{}"},
		{"empty_takes_a_whole_map_away", "k: {a: {b: 1}, c: 1}", "k: {a: }", "", "", "{c: 1}"},
		{"what_was_taken_away_can_come_back", "k: {a: {b: 1}}", "k: {a: }", "k: {a: {c: 1}}", "", "{a: {c: 1}}"},
		{"taken_away_twice", "k: {a: 1, b: 1}", "k: {a: }", "k: {a: }", "", "{b: 1}"},
		{"taken_away_by_a_profile", "k: {a: 1, b: 1}", "", "", "k: {a: }", "{b: 1}"},
		{"empty_over_nothing", "k: {b: 1}", "k: {a: }", "", "", "{b: 1, a: null}"},
		{"append", "k: [1]", "k+: [2]", "k+: [3]", "k+: [4]", "[1, 2, 3, 4]"},
		{"append_over_nothing_between", "k: [1]", "", "k+: [3]", "", "[1, 3]"},
		{"append_to_nothing", "", "", "k+: [3]", "k+: [4]", "[3, 4]"},
		{"append_in_a_map", "k: {l: [1]}", "k: {l+: [2]}", "k: {l+: [3]}", "k: {l+: [4]}", "{l: [1, 2, 3, 4]}"},
		{"append_after_replacing", "k: [1]", "k: [2]", "k+: [3]", "", "[2, 3]"},
		{"replace_after_appending", "k: [1]", "k+: [2]", "k: [3]", "", "[3]"},
		{"put_in_place", "k: {a: 1}", "k!: {b: 2}", "k: {c: 3}", "", "{b: 2, c: 3}"},
		{"put_in_place_in_a_profile", "k: {a: 1}", "k: {b: 2}", "", "k!: {c: 3}", "{c: 3}"},
		{"put_in_place_below", "k: {m: {a: 1}, n: 1}", "k: {m!: {b: 2}}", "", "", "{m: {b: 2}, n: 1}"},
		{"parameters", "params: {p: {default: 1, help: h}}\nk: '${p}'", "params: {p: 2}", "params: {p: 3}", "params: {p: 4}", "4"},
		{"lists_of_parameters", "params: {p: [1]}\nk: '${p}'", "params: {p+: [2]}", "params: {p+: [3]}", "", "[1, 2, 3]"},
		{"expressions_are_scalars", "params: {p: 1}\nk: {a: '${p}'}", "k: {a: 2}", "k: {b: '${p + 1}'}", "", "{a: 2, b: 2}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			profile := ""
			if c.profile != "" {
				profile = "profile: p\nprofiles: {p: {" + strings.ReplaceAll(c.profile, "\n", ", ") + "}}\n"
			}
			d := document(t, files{
				"specs/in.yaml":     "version: 1\nextends: middle.yaml\n" + c.top + "\n" + profile,
				"specs/middle.yaml": "version: 1\nextends: root.yaml\n" + c.middle + "\n",
				"specs/root.yaml":   "version: 1\n" + c.root + "\n",
			})
			if got := d.Root.Get("k").Brief(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// --set is laid on last: it replaces, maps and lists too.
func TestSetReplaces(t *testing.T) {
	text := "version: 1\nparams: {n: 2}\nprofile: p\nprofiles: {p: {k: {c: 3}}}\nk: {a: 1, l: [1, {m: 2}]}\n"
	for _, c := range []struct{ set, want string }{
		{"k.a=5", "{a: 5, l: [1, {m: 2}], c: 3}"},
		{"k.c=[4, 5]", "{a: 1, l: [1, {m: 2}], c: [4, 5]}"},
		{"k={z: 1}", "{z: 1}"},
		{"k.l.0=x", "{a: 1, l: [x, {m: 2}], c: 3}"},
		{"k.l.1.m=9", "{a: 1, l: [1, {m: 9}], c: 3}"},
		{"k.new.deep=1", "{a: 1, l: [1, {m: 2}], c: 3, new: {deep: 1}}"},
		{"k.a=${n + 1}", "{a: 3, l: [1, {m: 2}], c: 3}"},
		{"k.a=[${n}, {b: ${n}}]", "{a: [2, {b: 2}], l: [1, {m: 2}], c: 3}"},
		{"k.a=", "{a: \"\", l: [1, {m: 2}], c: 3}"},
		{"k.a='5'", "{a: \"5\", l: [1, {m: 2}], c: 3}"},
	} {
		o := files{"in.yaml": text}.options()
		o.Set = []string{c.set}
		d, diags := spec.Load("in.yaml", o)
		if err := diags.Err(); err != nil {
			t.Errorf("%s: %v", c.set, err)
		} else if got := d.Root.Get("k").Brief(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.set, got, c.want)
		}
	}
}
