package spec_test

import (
	"fmt"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// files is a folder of specs in memory.
type files map[string]string

func (f files) options() spec.Options {
	return spec.Options{
		Env: func(string) (string, bool) { return "", false },
		ReadFile: func(path string) ([]byte, error) {
			text, ok := f[path]
			if !ok {
				return nil, fmt.Errorf("no such file")
			}
			return []byte(text), nil
		},
	}
}

// trees draws plain values as yaml.v3 decodes them.
func trees() *rapid.Generator[any] {
	var tree func(depth int) *rapid.Generator[any]
	texts := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[a-z0-9 :#\-\[\]{}"'$&*!|>%@,?~.\\]{0,12}`),
		rapid.SampledFrom([]string{"${", "$${x}", "null", "true", "0x1", "1e3", "\n", " a", "a\n\nb", "\n a", "é", "\u2028", "\U0001f600", "<<", "=", "-", "---"}))
	scalars := rapid.OneOf(
		rapid.Map(texts, func(s string) any { return strings.ReplaceAll(s, "${", "$${") }),
		rapid.Map(rapid.Int(), func(n int) any { return n }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil))
	tree = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return scalars
		}
		return rapid.Custom(func(t *rapid.T) any {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				return rapid.SliceOfN(tree(depth-1), 0, 3).Draw(t, "list")
			case 1, 2:
				m := map[string]any{}
				for range rapid.IntRange(0, 4).Draw(t, "size") {
					key := rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.StringMatching(`[a-z0-9~:# ]{1,5}[a-z]`)).Draw(t, "key")
					m[key] = tree(depth-1).Draw(t, "value")
				}
				return m
			}
			return scalars.Draw(t, "scalar")
		})
	}
	return rapid.Custom(func(t *rapid.T) any {
		m := map[string]any{}
		for range rapid.IntRange(0, 5).Draw(t, "size") {
			key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "key")
			m[key] = tree(3).Draw(t, "value")
		}
		return m
	})
}

func write(t *rapid.T, v any) string {
	raw, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return "version: 1\nname: x\n" + strings.TrimPrefix(string(raw), "{}\n")
}

func TestAResolvedDocumentLoadsAgainToItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := files{"in.yaml": write(t, trees().Draw(t, "document"))}
		d, diags := spec.Load("in.yaml", f.options())
		if diags.Len() > 0 {
			t.Skip(diags.Err()) // what yaml.v3 writes and does not read, control characters
		}
		reloads(t, d)
	})
}

// Three layers of the same shape, each value of a path of the same kind in all, merge to the same document whichever
// two are merged first.
func TestMergingLayersIsAssociative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := files{
			"left.yaml":  "version: 1\nname: x\nextends: [ab.yaml, c.yaml]\n",
			"ab.yaml":    "version: 1\nextends: [a.yaml, b.yaml]\n",
			"right.yaml": "version: 1\nname: x\nextends: [a.yaml, bc.yaml]\n",
			"bc.yaml":    "version: 1\nextends: [b.yaml, c.yaml]\n",
		}
		for _, name := range []string{"a", "b", "c"} {
			f[name+".yaml"] = "version: 1\n" + layer(t, name, "", 3)
		}
		left, wrong := spec.Load("left.yaml", f.options())
		if err := wrong.Err(); err != nil {
			t.Fatal(err)
		}
		right, wrong := spec.Load("right.yaml", f.options())
		if err := wrong.Err(); err != nil {
			t.Fatal(err)
		}
		if !left.Root.Equal(right.Root) {
			t.Fatalf("(a+b)+c:\n%s\na+(b+c):\n%s", left.YAML(), right.YAML())
		}
	})
}

// layer draws a map of m1, m2 (maps), l1, l2 (lists) and s1 (a scalar), with merge rules.
func layer(t *rapid.T, label, indent string, depth int) string {
	var out strings.Builder
	for _, key := range []string{"s1", "l1", "l2", "m1", "m2"} {
		if !rapid.Bool().Draw(t, label+key) {
			continue
		}
		rule := rapid.SampledFrom([]string{"", "", "!", "+"}).Draw(t, "rule")
		switch {
		case key[0] == 's':
			fmt.Fprintf(&out, "%ss1%s: %s%d\n", indent, strings.ReplaceAll(rule, "+", ""), label, rapid.IntRange(0, 9).Draw(t, "n"))
		case key[0] == 'l':
			fmt.Fprintf(&out, "%s%s%s: [%s%d]\n", indent, key, rule, label, rapid.IntRange(0, 9).Draw(t, "n"))
		case depth > 0:
			if below := layer(t, label, indent+"  ", depth-1); below != "" {
				fmt.Fprintf(&out, "%s%s%s:\n%s", indent, key, strings.ReplaceAll(rule, "+", ""), below)
			}
		}
	}
	return out.String()
}
