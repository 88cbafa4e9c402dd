package mapexpr_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/expr-lang/expr"

	"github.com/cyborg-run/cyborg-run/internal/mapexpr"
)

var names = []string{"human", "parts", "gaze-map"}

// Every cell has the value that expr-lang's own machine computes from that cell's values.
func TestAsExprDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	values := make([][]float64, len(names))
	for k := range values {
		for range 200 {
			values[k] = append(values[k], math.Round(random.Float64()*20)/20) // so that some are equal, and 0, and 1
		}
	}
	for _, text := range []string{
		"human", "1 - human", "-human + parts", "human * parts", "(human + 2 * parts) / 3", "max(human, 0.5 * parts)",
		"min(human, parts, 0.3)", "abs(human - parts)", "human > 0.5 ? parts : 1 - parts", "human == parts ? 1 : 0.25",
		"human >= 0.2 && human < parts ? human : 0", "!(human != parts) || parts <= 0.1 ? 0.75 : parts", "not (human < 0.5) and true ? 1 : 0",
		`$env["gaze-map"] * human`, "0.5", "human > 0.9 or parts > 0.9 ? 1 : human",
	} {
		program, err := mapexpr.Compile(text, names)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var maps [][]float64
		for _, name := range program.Names() {
			maps = append(maps, values[slices.Index(names, name)])
		}
		for i, got := range program.Floats(maps) {
			env := map[string]any{}
			for k, name := range names {
				env[name] = values[k][i]
			}
			out, err := expr.Eval("float("+text+")", env)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if want := min(max(out.(float64), 0), 1); math.Abs(got-want) > 1e-15 {
				t.Fatalf("%s, cell %d: %v, expr has %v of %v", text, i, got, want, env)
			}
		}
	}
}

func TestValues(t *testing.T) {
	for text, want := range map[string]byte{
		"clip(human, 0.6, 0.8)": 153,
		"human / 0":             0, // by definition
		"0 / 0 + 1 + human":     255,
		"human > 0.1":           255,
		"human * 6":             255,
		"human - 1":             0,
		"human":                 51,
		"human / 2":             26, // 25.5 is rounded up
		"-1 * -human":           51,
	} {
		program, err := mapexpr.Compile(text, names)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := program.Bytes([][]byte{{51, 51}}); len(got) != 2 || got[0] != want || got[1] != want {
			t.Errorf("%s of 51: %v, want %d", text, got, want)
		}
	}
}

func TestCompileSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"humans":                            `combine: humans: column 1: no map is called "humans"; there are: human, parts, gaze-map`,
		"human +":                           "combine: human +: column 7: it ends too early",
		"human ** 2":                        "column 7: ** is not known here; there are: + - * / < <= > >= == != && || ! ?:",
		"sqrt(human)":                       "column 1: there is no function sqrt; there are: abs, clip, max, min",
		"len(human)":                        "there is no function len",
		"max(human)":                        "column 1: max is written max(x, y, ...)",
		"clip(human, 1)":                    "clip is written clip(x, low, high)",
		`"human"`:                           "only names of maps, numbers, operators and functions can stand here",
		"[human]":                           "only names of maps",
		"human.parts":                       "only names of maps",
		"let x = human; x":                  "only names of maps",
		"":                                  "combine: : column 1: it ends too early",
		strings.Repeat("human+", 300) + "1": "more than 256 parts",
		strings.Repeat(" ", 5000):           "5000 bytes are too many",
		strings.Repeat("(", 2000):           "column",
	} {
		if _, err := mapexpr.Compile(text, names); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
	if _, err := mapexpr.Compile("human", nil); err == nil || !strings.Contains(err.Error(), "there is no other map that is read") {
		t.Errorf("without maps: %v", err)
	}
}

// Whatever is compiled computes, with all values within 0 to 1.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{"max(human, 0.5 * parts)", `$env["gaze-map"] > 0.5 ? 1/0 : -human`, "clip(human, 1, 0)", "1e308 * 1e308 - human"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		program, err := mapexpr.Compile(text, names)
		if err != nil {
			return
		}
		maps := make([][]float64, len(program.Names()))
		for k := range maps {
			maps[k] = []float64{0, 0.5, 1}
		}
		for _, v := range program.Floats(maps) {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("%s: %v", text, v)
			}
		}
	})
}
