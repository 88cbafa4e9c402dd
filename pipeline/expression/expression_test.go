package expression_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/expression"
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

// A mistake has a place in the text, in bytes, and a reason.
func TestErrors(t *testing.T) {
	env := map[string]any{"split": "", "my column": "x", "list": []any{1}}
	for text, want := range map[string]expression.Error{
		`split == "é" and splt == "b"`: {Offset: 18, Width: 4, Reason: expression.Unknown, Name: "splt", Message: `unknown name "splt"`},
		`split == `:                    {Offset: 8, Width: 1, Message: "it ends too early"},
		`split`:                        {Width: 5, Message: "expected bool, but got string"},
		`let a = 1; a > 0`:             {Offset: 4, Width: 1, Message: "`let` and `;` are not for specs; declare a parameter"},
		`all(1..900000, true)`:         {Width: 20, Reason: expression.TooMuch, Message: "the expression takes too long or makes too much"},
		`true and list[9] == 1`:        {Offset: 13, Width: 1, Reason: expression.Fails, Message: "index out of range: 9 (array length is 1)"},
		`$env == $env`:                 {Width: 4, Reason: expression.Unknown, Name: "$env", Message: `unknown name "$env"`},
		`$env["my" + "column"] == ""`:  {Width: 4, Reason: expression.Unknown, Name: "$env", Message: `unknown name "$env"`},
	} {
		c, err := expression.CompileCondition(text, env)
		if err == nil {
			_, err = c.Holds(env)
		}
		var got *expression.Error
		if !errors.As(err, &got) {
			t.Errorf("%s: %v", text, err)
		} else if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	c, err := expression.CompileCondition(`$env["my column"] == "x"`, env)
	if err != nil {
		t.Fatal(err)
	}
	if holds, err := c.Holds(env); !holds || err != nil {
		t.Errorf("a name that is no identifier: %v, %v", holds, err)
	}
	if _, err := expression.Compile(`$env["my column"]`, env); err == nil {
		t.Error("an expression of a spec sees $env")
	}
}

func TestConditions(t *testing.T) {
	env := map[string]any{"split": "", "n": 0, "mean": func(x int) int { return x }}
	holds, err := expression.CompileCondition(`split == "train" and mean(n) > 2`, env)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]bool{2: false, 3: true} {
		got, err := holds.Holds(map[string]any{"split": "train", "n": n, "mean": env["mean"]})
		if err != nil || got != want {
			t.Errorf("n %d: %v, %v", n, got, err)
		}
	}
	for code, want := range map[string]string{
		`splt == "train"`: `unknown name "splt"`,
		`split + "x"`:     "expected bool, but got string",
		`split == `:       "it ends too early",
		`split == 3`:      "mismatched types string and int",
		`env("HOME")`:     `unknown name "env"`,
		`now() != nil`:    `unknown name "now"`,
	} {
		if _, err := expression.CompileCondition(code, env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", code, err, want)
		}
	}
}

// A run of a condition is bounded; the next one has its own budget.
func TestConditionsEnd(t *testing.T) {
	env := map[string]any{"n": 0}
	c, err := expression.CompileCondition("all(1..n, all(1..n, # >= 1))", env)
	if err != nil {
		t.Fatal(err)
	}
	if holds, err := c.Holds(map[string]any{"n": 100}); err != nil || !holds {
		t.Errorf("10,000 steps: %v, %v", holds, err)
	}
	if _, err := c.Holds(map[string]any{"n": 1000}); err == nil {
		t.Error("1,000,000 steps are no mistake")
	}
	if holds, err := c.Holds(map[string]any{"n": 100}); err != nil || !holds {
		t.Errorf("after a failure: %v, %v", holds, err)
	}
}

// Every run of a condition is bounded by itself.
func TestConditionsAreBounded(t *testing.T) {
	big := make([]any, 9000)
	for i := range big {
		big[i] = i
	}
	env := map[string]any{"big": big, "wide": strings.Repeat("x", 60<<10)}
	for _, code := range []string{
		`all(big, all(big, # >= 0))`, `all(big, len(wide + wide) > 0)`, `len(uniq(big)) > 0`, `wide matches "(x?){200}y"`, `all(big, big == big)`,
		`len(map(big, big)) > 0`, `all(1..900000, true)`,
	} {
		c, err := expression.CompileCondition(code, env)
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		bounded(t, 200, func() {
			if _, err := c.Holds(env); err == nil || !strings.Contains(err.Error(), "too long or makes too much") {
				t.Errorf("%s: %v", code, err)
			}
		})
	}
	for code, want := range map[string]bool{`wide matches "^x+$"`: true, `wide matches "y"`: false, `len(sort(take(big, 500))) == 500`: true,
		`len(uniq(take(big, 500))) == 500`: true, `all(big, # < 9000)`: true, `"ab" matches ("a" + "b")`: true} {
		c, err := expression.CompileCondition(code, env)
		if err != nil {
			t.Fatal(err)
		}
		if holds, err := c.Holds(env); err != nil || holds != want {
			t.Errorf("%s: %v, %v", code, holds, err)
		}
	}
}

// Conditions come from specs too.
func FuzzCondition(f *testing.F) {
	env := map[string]any{"split": "train", "n": 3, "list": []any{1, 2}, "mean": func(x float64) float64 { return x }}
	for _, code := range []string{`split == "train"`, `n > 2 and all(list, # > 0)`, `mean(n)`, `let x = 1; x > 0`, `split matches "("`, `(((`, `list[9] == 1`, `split matches "a{1000}"`, `split matches split`, `uniq(list) == list`, `$env.n == 3`, `$env["n"] == 3`, `$env[$env["split"]] == 3`,
		`all(1..1000, all(1..1000, all(1..1000, true)))`, `len(map(1..10000, "xxxxxxxxxxxxxxxx" + string(#))) > 0`} {
		f.Add(code)
	}
	for _, code := range []string{"split == \"train\" and splt", "n > 1\n  and n < 3", "'it''s' == split", "é == split"} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		c, err := expression.CompileCondition(code, env)
		var why *expression.Error
		switch {
		case err == nil:
			_, _ = c.Holds(env)
		case !errors.As(err, &why) || why.Message == "" || why.Offset < 0 || why.Offset > len(code) || why.Width < 0:
			t.Fatalf("it does not compile, and nobody says why: %#v", why)
		}
	})
}
