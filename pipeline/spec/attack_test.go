package spec_test

import (
	"fmt"
	"os"

	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// bounded runs f, which may allocate at most so many MiB in all, garbage included: work that is bounded in memory that it
// touches anew is bounded in time. The watchdog only keeps a test that hangs from hanging for ever.
func bounded(t *testing.T, mebibytes uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	runtime.ReadMemStats(&after)
	if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > mebibytes {
		t.Errorf("%d MiB were allocated, more than %d", made, mebibytes)
	}
}

// nest is code(code(...(inner))), n times.
func nest(n int, pattern, inner string) string {
	for range n {
		inner = strings.ReplaceAll(pattern, "@", inner)
	}
	return inner
}

// Whatever an expression does, it ends soon and in little memory. big is a list of 9,000 numbers, wide a text of 60 KiB.
func TestExpressionsAreBounded(t *testing.T) {
	var big strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&big, "%d, ", i)
	}
	params := "params:\n  wide: " + strings.Repeat("x", 60<<10) + "\n  big: [" + big.String() + "]\n"
	for name, code := range map[string]string{
		"range":                  `1..1000000000`,
		"range_beyond_int":       `-9223372036854775807..9223372036854775807`,
		"ranges_in_a_list":       `[` + strings.Repeat(`1..900000, `, 200) + `1]`,
		"range_of_ranges":        `map(1..900, 1..900)`,
		"nested_map":             nest(5, `map(1..100, @)`, `1`),
		"nested_all":             nest(5, `all(1..10000, @)`, `true`),
		"nested_filter":          nest(6, `filter(big, len(@) > 0)`, `big`),
		"predicates_on_big":      `map(big, any(big, # < 0))`,
		"big_times_big":          `map(big, big)`,
		"pipeline":               `big | map(big) | map(len(#)) | sum()`,
		"repeat":                 `repeat("x", 1000000000)`,
		"join":                   `join(map(big, wide))`,
		"replace":                `replace(wide, "x", wide)`,
		"sum_of_texts":           strings.Repeat(`wide+`, 200) + `wide`,
		"texts_in_predicate":     `all(big, len(` + strings.Repeat(`wide+`, 100) + `wide) > 0)`,
		"upper_in_predicate":     `all(big, upper(wide) != "")`,
		"compare_in_predicate":   `all(big, big == map(big, #))`,
		"equal_lists":            `all(big, big == big)`,
		"contains_in_predicate":  `all(big, wide contains wide)`,
		"in_in_predicate":        `map(big, "a" in big)`,
		"split":                  `all(big, len(split(wide, "x")) > 0)`,
		"concat":                 nest(7, `concat(@, @)`, `big`),
		"concat_many":            `concat(` + strings.Repeat(`big, `, 200) + `big)`,
		"uniq":                   `uniq(big)`,
		"sort_in_predicate":      `all(big, len(sort(big)) > 0)`,
		"median_in_predicate":    `all(big, median(big) > 0)`,
		"reverse_in_predicate":   `all(big, len(reverse(big)) > 0)`,
		"let":                    `let a = big; let b = [a, a]; let c = [b, b]; c`,
		"sequence":               `big; big`,
		"power":                  `2 ** 100000000`,
		"literal":                strings.Repeat("9", 4000),
		"deep_parentheses":       strings.Repeat("(", 2000) + "1" + strings.Repeat(")", 2000),
		"deep_lists":             strings.Repeat("[", 2000) + strings.Repeat("]", 2000),
		"deep_not":               strings.Repeat("!", 4000) + "true",
		"deep_minus":             strings.Repeat("-", 4000) + "1",
		"deep_conditions":        strings.Repeat("true ? 1 : ", 370) + "1",
		"deep_maps":              strings.Repeat("{a:", 1300) + "1" + strings.Repeat("}", 1300),
		"long":                   strings.Repeat("1+", 4000) + "1",
		"pattern_large":          `wide matches "` + strings.Repeat("x{1000}", 500) + `"`,
		"pattern_repeats":        `wide matches "(x?){1000}y"`,
		"pattern_nested":         `wide matches "((x{10}){10}){10}"`,
		"pattern_slow":           `wide matches "` + strings.Repeat("x*", 100) + `y"`,
		"pattern_made":           `wide matches ("x" + "{1000}" + "x{1000}x{1000}")`,
		"pattern_long":           `"a" matches wide`,
		"pattern_in_predicate":   `map(big, wide matches "x+y")`,
		"patterns_in_predicate":  `map(big, "a" matches ("[a-z]{20}" + string(#)))`,
		"pattern_bad":            `wide matches "(("`,
		"clock":                  `now()`,
		"date":                   `date("2020-01-01")`,
		"duration":               `duration("9999h")`,
		"json":                   `toJSON(big)`,
		"from_json":              `fromJSON(wide)`,
		"base64":                 `toBase64(wide)`,
		"reduce":                 `reduce(big, #acc + wide, "")`,
		"group":                  `groupBy(big, big)`,
		"flatten":                `flatten([big, [big, [big]]])`,
		"get_of_map":             `get({"a": big}, "a")["b"]`,
		"environment":            `$env`,
		"environment_by_name":    `$env["env"]`,
		"environment_of_program": `os.Getenv("HOME")`,
		"method":                 `wide.String()`,
		"own_functions":          `value__(big)`,
	} {
		t.Run(name, func(t *testing.T) {
			f := files{"in.yaml": "version: 1\nname: x\n" + params + "value: '${" + code + "}'\n"}
			var diags interface{ Err() error }
			bounded(t, 200, func() { _, diags = spec.Load("in.yaml", f.options()) })
			switch name { // small after all
			case "power", "range_beyond_int", "deep_parentheses", "deep_minus", "deep_not", "own_functions", "deep_conditions":
				return
			}
			if diags.Err() == nil {
				t.Error("it is taken")
			}
		})
	}
}

// What one expression may not make, many may not make together.
func TestAllExpressionsTogetherAreBounded(t *testing.T) {
	lines := func(n int, line string) string {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, strings.ReplaceAll(line, "@", "%[1]d")+"\n", i)
		}
		return out.String()
	}
	list := "[" + strings.TrimSuffix(strings.Repeat("1, ", 5000), ", ") + "]"
	doubling := "params:\n  p0: [1, 1]\n"
	for i := 1; i < 40; i++ {
		doubling += fmt.Sprintf("  p%d: ['${p%d}', '${p%d}']\n", i, i-1, i-1)
	}
	texts := "params:\n  t0: '" + strings.Repeat("x", 1000) + "'\n"
	for i := 1; i < 40; i++ {
		texts += fmt.Sprintf("  t%d: '${t%d}${t%d}'\n", i, i-1, i-1)
	}
	for name, text := range map[string]string{
		"a_list_many_times":   "params: {big: " + list + "}\nuse:\n" + lines(5000, "- ${big}"),
		"doubling":            doubling,
		"doubling_texts":      texts,
		"texts_many_times":    "params: {wide: " + strings.Repeat("x", 60<<10) + "}\nuse:\n" + lines(5000, "- a${wide}"),
		"many_expressions":    "use:\n" + lines(50_000, "- ${1 + @}"),
		"much_work_each":      "use:\n" + lines(5000, "- ${count(1..15000, # > @)}"),
		"parameters":          "params:\n" + lines(20_000, "  p@: 1") + "use:\n" + lines(20_000, "- ${p@ + 1}"),
		"chain_of_parameters": "params:\n  p0: 1\n" + lines(20_000, "  q@: '${p0}'"),
		"profiles":            "profiles:\n" + lines(20_000, "  p@: {}"),
	} {
		t.Run(name, func(t *testing.T) {
			f := files{"in.yaml": "version: 1\nname: x\n" + text}
			var diags interface{ Err() error }
			bounded(t, 1500, func() { _, diags = spec.Load("in.yaml", f.options()) })
			if diags.Err() == nil {
				t.Error("it is taken")
			}
		})
	}
}

// An expression sees the environment by env() alone, and only what is asked for; it has no way to a file.
func TestExpressionsSeeNothingElse(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET", "secret")
	var asked []string
	o := files{"in.yaml": "version: 1\nname: x\nvalue: '${env(\"ASKED\") + \"!\"}'\n"}.options()
	o.Env = func(name string) (string, bool) { asked = append(asked, name); return "answer", true }
	d, diags := spec.Load("in.yaml", o)
	if diags.Len() > 0 || d.Root.Get("value").Text() != "answer!" || fmt.Sprint(asked, d.Env) != "[ASKED] [ASKED]" {
		t.Errorf("%v, %v, %v", diags.Err(), asked, d.Env)
	}
	for _, code := range []string{`open("@")`, `file("@")`, `read("@")`, `readFile("@")`, `include("@")`, `exec("cat @")`, `SECRET`, `$SECRET`, `$env.SECRET`, `getenv("SECRET")`, `env.SECRET`, `env`} {
		text := "version: 1\nname: x\nvalue: '${" + strings.ReplaceAll(code, "@", secret) + "}'\n"
		if d, diags := spec.Load("in.yaml", files{"in.yaml": text}.options()); diags.Len() == 0 {
			t.Errorf("%s gives %s", code, d.YAML())
		}
	}
}
