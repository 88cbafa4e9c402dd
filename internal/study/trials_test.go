package study

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestParseTrials(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"least":         {"participant,image,answer,annotated\nann,/a/../b.png,real,yes\n", ""},
		"other_columns": {"image,weather,answer,participant,annotated\nb.png,fine,SYNTHETIC,7,0\n", ""},
		"spreadsheet":   {"\ufeffparticipant,image,answer,annotated\r\nann,b.png,Real,TRUE\r\n", ""},
		"word":          {"participant,image,answer,annotated\nann,b.png,fake,1\n", ""},
		"no_column":     {"participant,image,answer\n", "t.csv:1: the header needs the column annotated"},
		"two_columns":   {"participant,image,answer,annotated,image\n", `t.csv:1: there are two columns "image"`},
		"answer":        {"participant,image,answer,annotated\nann,b.png,perhaps,1\n", `t.csv:2: answer "perhaps" is not known`},
		"annotated":     {"participant,image,answer,annotated\nann,b.png,Real,\n", `t.csv:2: annotated ""`},
		"time":          {"participant,image,answer,annotated,time\nann,b.png,Real,1,-3\n", `t.csv:2: time "-3" is no number of seconds`},
		"check":         {"participant,image,answer,annotated,check\nann,b.png,Real,1,maybe\n", `t.csv:2: check "maybe"`},
		"no_name":       {"participant,image,answer,annotated\n,b.png,Real,1\n", "t.csv:2: participant and image must be given"},
		"fields":        {"participant,image,answer,annotated\nann,b.png\n", "t.csv:2: 2 fields, the header has 4"},
		"nothing":       {"", "t.csv: no rows"},
		"bytes":         {"participant,image,answer,annotated\nann,\xff.png,Real,1\n", "t.csv: not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := ParseTrials("t.csv", []byte(c.text), "generator", map[string]string{"fake": Synthetic})
			if c.want == "" {
				if err != nil || len(rows) != 1 || rows[0].Image != "b.png" || rows[0].Participant == "" || !math.IsNaN(rows[0].Time) {
					t.Errorf("%+v, %v", rows, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// FuzzParseTrials: whatever is in a file, reading it ends; what was read is written and reads the same.
func FuzzParseTrials(f *testing.F) {
	f.Add([]byte("participant,image,answer,annotated,time,label,generator,pair,check,trial\np1,a.png,Real,true,1.5,Synthetic,G0,b.png,passed,3\n"))
	f.Add([]byte("participant,image,answer,annotated\n\"a\nb\",\"x,y\",Real,0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := ParseTrials("t.csv", data, "generator", nil)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := WriteTrials(&again, rows); err != nil {
			t.Fatal(err)
		}
		got, err := ParseTrials("again.csv", again.Bytes(), "generator", nil)
		if err != nil {
			t.Fatalf("%v\n%q", err, again.String())
		}
		if d := cmp.Diff(rows, got, cmpopts.EquateNaNs(), cmpopts.IgnoreFields(Row{}, "Line")); d != "" {
			t.Fatal(d)
		}
	})
}

// A dot is a disc: its area is that of one, and it lies where it was put. Strokes only add.
func TestDraw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(20, 120).Draw(t, "w"), rapid.IntRange(20, 120).Draw(t, "h")
		x, y := rapid.Float64Range(0.3, 0.7).Draw(t, "x"), rapid.Float64Range(0.3, 0.7).Draw(t, "y")
		size := rapid.Float64Range(0.1, 0.2).Draw(t, "size")
		dot := []Stroke{{Size: size, Points: [][2]float64{{x, y}}}}
		p := Draw(dot, w, h)
		area, sx, sy := 0.0, 0.0, 0.0
		for i, v := range p.Pix {
			if v == 255 {
				area, sx, sy = area+1, sx+float64(i%w)+0.5, sy+float64(i/w)+0.5
			}
		}
		radius := size * float64(w) / 2
		inside := y*float64(h) > radius && y*float64(h)+radius < float64(h) && x*float64(w) > radius && x*float64(w)+radius < float64(w)
		if want := math.Pi * radius * radius; inside && math.Abs(area-want) > 2+6*radius {
			t.Fatalf("radius %g: %g pixels, want about %g", radius, area, want)
		}
		if inside && radius > 2 && math.Hypot(sx/area-x*float64(w), sy/area-y*float64(h)) > 0.8 {
			t.Fatalf("at %g, %g, put at %g, %g", sx/area, sy/area, x*float64(w), y*float64(h))
		}
		both := Draw(append(dot, Stroke{Size: size, Points: [][2]float64{{0, 0}, {1, 1}}}), w, h)
		for i := range p.Pix {
			if p.Pix[i] > both.Pix[i] {
				t.Fatal("a further stroke takes away")
			}
		}
	})
}
