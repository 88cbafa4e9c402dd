package expression_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline/expression"
)

// Whole numbers do not run over: what has no value fails at its place.
func TestWholeNumbersDoNotRunOver(t *testing.T) {
	env := map[string]any{"s": 4294967296, "most": math.MaxInt, "least": math.MinInt, "any": []any{math.MaxInt, 1}, "huge": 1e300}
	for text, want := range map[string]struct {
		part, message string
	}{
		`s * s + 7`:                       {"*", "4294967296 * 4294967296 is no whole number of 64 bits; numbers with a fraction go further, such as 4294967296.0"},
		`1 + (most + 1)`:                  {"+ 1)", "9223372036854775807 + 1 is no whole number"},
		`9223372036854775807 + 1`:         {"", "9223372036854775807 + 1 is no whole number"},
		`any[0] + any[1]`:                 {"+", "9223372036854775807 + 1 is no whole number"},
		`least - 1`:                       {"-", "-9223372036854775808 - 1 is no whole number"},
		`least * -1`:                      {"*", "is no whole number"},
		`-1 * least`:                      {"", "is no whole number"},
		`-least`:                          {"", "-(-9223372036854775808) is no whole number of 64 bits"},
		`abs(least)`:                      {"", "-(-9223372036854775808) is no whole number of 64 bits"},
		`sum(any)`:                        {"", "9223372036854775807 + 1 is no whole number"},
		`sum([1, 2], # * most)`:           {"", "2 * 9223372036854775807 is no whole number"},
		`sum([most, most])`:               {"", "9223372036854775807 + 9223372036854775807 is no whole number"},
		`int(huge)`:                       {"", "int(1e+300): there is no such whole number of 64 bits"},
		`int(1e300)`:                      {"", "int(1e+300): there is no such whole number of 64 bits"},
		`int(2 ** 63)`:                    {"", "there is no such whole number of 64 bits"},
		`int(huge - huge + float("nan"))`: {"", "int(NaN): there is no such"},
		`1 % 0`:                           {"%", "1 % 0: a division by 0 leaves no remainder"},
		`7 % (s - s)`:                     {"%", "7 % 0: a division by 0 leaves no remainder"},
		`"a" + 1`:                         {"", "mismatched types string and int"},
		`1 % 2.5`:                         {"", "mismatched types int and float64"},
	} {
		p, err := expression.Compile(text, env)
		if err == nil {
			var out any
			if out, err = p.Run(env); err == nil {
				t.Errorf("%s gives %v", text, out)
				continue
			}
		}
		var why *expression.Error
		if !errors.As(err, &why) || !strings.Contains(why.Message, want.message) {
			t.Errorf("%s: %v, want %s", text, err, want.message)
			continue
		}
		if part := text[why.Offset:]; want.part != "" && !strings.HasPrefix(part, want.part) {
			t.Errorf("%s: the place is %q, want %q", text, part, want.part)
		}
	}
	for text, want := range map[string]any{
		`s * 2147483647`: 4294967296 * 2147483647, `most - 1 + 1`: math.MaxInt, `least + most`: -1, `-most - 1`: math.MinInt, `0 * least`: 0,
		`1.5 + 1`: 2.5, `s * 2.0`: 8589934592.0, `"a" + "b"`: "ab", `any[1] + 1.5`: 2.5, `7 % 4`: 3, `-7 % 4`: -3, `sum([1, 2.5])`: 3.5, `sum(1..4)`: 10,
		`sum([1, 2], # + 1)`: 5, `sum([])`: 0, `sum(map([1, 2], # * 0.5))`: 1.5, `int(2.9)`: 2, `int("12")`: 12, `int(-9223372036854775808.0)`: math.MinInt,
		`abs(-3)`: 3, `abs(-2.5)`: 2.5, `len(3..1)`: 0, `len(least..least)`: 1, `(1..3)[2]`: 3, `most + 1.0 > most`: false, `map(["a"], # + "b")[0]`: "ab",
		`-2.5`: -2.5, `- -3`: 3, `1 - 2 * 3`: -5,
	} {
		p, err := expression.Compile(text, env)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := p.Run(env); err != nil || got != want {
			t.Errorf("%s: %v (%T), %v, want %v", text, got, got, err, want)
		}
	}
	for _, text := range []string{`len(least..most)`, `len(-1..most)`, `len(1..1000001)`} {
		p, err := expression.Compile(text, env)
		if err != nil {
			t.Fatal(err)
		}
		var why *expression.Error
		if out, err := p.Run(env); !errors.As(err, &why) || why.Reason != expression.TooMuch {
			t.Errorf("%s: %v, %v", text, out, err)
		}
	}
}

// Against exact arithmetic: the same, or an error where it needs more than 64 bits.
func TestWholeNumbersAreExact(t *testing.T) {
	operators := map[string]func(a, b *big.Int) *big.Int{
		"+": func(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) },
		"-": func(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) },
		"*": func(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) },
	}
	programs := map[string]*expression.Program{}
	for operator := range operators {
		var err error
		if programs[operator], err = expression.Compile("a "+operator+" b", map[string]any{"a": 0, "b": 0}); err != nil {
			t.Fatal(err)
		}
	}
	number := rapid.OneOf(rapid.Int(), rapid.SampledFrom([]int{math.MinInt, math.MinInt + 1, -1, 0, 1, math.MaxInt, 1 << 31, 1 << 32, 3037000500}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		for operator, exact := range operators {
			want := exact(big.NewInt(int64(a)), big.NewInt(int64(b)))
			got, err := programs[operator].Run(map[string]any{"a": a, "b": b})
			if want.IsInt64() != (err == nil) || err == nil && fmt.Sprint(got) != want.String() {
				t.Fatalf("%d %s %d: %v, %v, want %v", a, operator, b, got, err, want)
			}
		}
	})
}
