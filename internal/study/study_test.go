package study

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// plain is a study of n images, real and synthetic in turn, that are in no file.
func plain(n int, s Settings) *Study {
	st := &Study{Settings: s}
	if st.Participants == 0 {
		st.Participants = 100
	}
	for i := range n {
		st.Images = append(st.Images, Image{Path: fmt.Sprintf("images/%d.png", i), Label: []string{Real, Synthetic}[i%2], Type: "image/png", Width: 40, Height: 20})
	}
	st.Stimuli = Singles(st.Images)
	return st
}

// Plans are balanced: nobody sees an image twice, every block has its share of both classes, each image is shown about
// equally often, and as many participants in a row as there are blocks see an image in a block of its own each.
func TestPlanIsBalanced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blocks := rapid.IntRange(1, 3).Draw(t, "blocks")
		images := 2 * rapid.IntRange(blocks, 20).Draw(t, "pairs of images")
		s := plain(images, Settings{Seed: rapid.Uint64().Draw(t, "seed"), Trials: rapid.IntRange(blocks, images).Draw(t, "trials"),
			CheckEvery: rapid.IntRange(0, 5).Draw(t, "checks"), FixedOrder: rapid.Bool().Draw(t, "fixed")})
		for i := range blocks {
			s.Blocks = append(s.Blocks, []string{Free, Annotated}[i%2])
		}
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		shown := make([]int, images)
		const squares = 12
		for square := range squares {
			block := map[int]map[int]bool{} // by image, of the block as it is declared
			for k := range blocks {
				plan := s.Plan(square*blocks + k)
				if len(plan) != s.planned() {
					t.Fatalf("%d trials, %d are planned", len(plan), s.planned())
				}
				seen := map[int]bool{}
				counts := map[[2]int]int{} // by block and class
				for _, trial := range plan {
					if trial.Check != "" {
						continue
					}
					image := trial.Images[0]
					if seen[image] {
						t.Fatalf("image %d twice for one participant", image)
					}
					seen[image] = true
					shown[image]++
					which := trial.Block
					if !s.FixedOrder {
						which = (trial.Block + square) % blocks
					}
					if trial.Annotated != (s.Blocks[which] == Annotated) {
						t.Fatalf("block %d is %s, the trial is annotated: %t", which, s.Blocks[which], trial.Annotated)
					}
					if block[image] == nil {
						block[image] = map[int]bool{}
					}
					block[image][which] = true
					counts[[2]int{which, image % 2}]++
				}
				for class := range 2 {
					var n []int
					for b := range blocks {
						n = append(n, counts[[2]int{b, class}])
					}
					if slices.Max(n)-slices.Min(n) > 1 {
						t.Fatalf("class %d in blocks: %v", class, n)
					}
				}
			}
			for image, in := range block {
				if len(in) != blocks {
					t.Fatalf("image %d was in %d of %d blocks", image, len(in), blocks)
				}
			}
		}
		for class := range 2 {
			var n []int
			for i := class; i < images; i += 2 {
				n = append(n, shown[i])
			}
			if slices.Max(n)-slices.Min(n) > blocks {
				t.Fatalf("images of class %d were shown %v times", class, n)
			}
		}
	})
}

// A plan follows from seed and number alone.
func TestPlanIsSeeded(t *testing.T) {
	s := plain(20, Settings{Seed: 1, Blocks: []string{Free, Annotated}, CheckEvery: 4})
	text := func(s *Study, n int) string { return fmt.Sprint(s.Plan(n)) }
	if again := plain(20, s.Settings); text(s, 3) != text(again, 3) {
		t.Error("the same plan twice is another")
	}
	other := plain(20, Settings{Seed: 2, Blocks: []string{Free, Annotated}, CheckEvery: 4})
	if text(s, 3) == text(s, 4) || text(s, 3) == text(other, 3) {
		t.Error("another participant or seed has the same plan")
	}
}

// open begins a study in a folder of the test.
func open(t *testing.T, dir string, s *Study) *Session {
	t.Helper()
	e, err := Open(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// An answer is kept once however often it is sent, whoever sends it at the same time; the first one stands.
func TestAnswersOnce(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, plain(6, Settings{Blocks: []string{Free}}))
	secret, err := e.Join()
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			answer := Answer{Trial: 0, Answer: []string{Real, Synthetic}[i%2], Drawings: [][]Stroke{nil}}
			if err := e.Record(secret, answer); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	records, err := ReadLog(dir)
	if err != nil || len(records) != 2 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if at, err := e.Where(secret); err != nil || at.Done != 1 {
		t.Errorf("%+v, %v", at, err)
	}
}

func TestRefused(t *testing.T) {
	e := open(t, t.TempDir(), plain(4, Settings{Blocks: []string{Annotated}, Participants: 1}))
	secret, err := e.Join()
	if err != nil {
		t.Fatal(err)
	}
	dot := []Stroke{{Size: 0.1, Points: [][2]float64{{0.5, 0.5}}}}
	good := Answer{Answer: Real, Drawings: [][]Stroke{dot}}
	with := func(change func(*Answer)) Answer { a := good; change(&a); return a }
	var invalid Invalid
	for name, c := range map[string]struct {
		secret string
		answer Answer
		is     func(error) bool
	}{
		"stranger":         {"guessed", good, func(err error) bool { return errors.Is(err, ErrStranger) }},
		"ahead":            {secret, with(func(a *Answer) { a.Trial = 1 }), func(err error) bool { return errors.Is(err, ErrAhead) }},
		"negative":         {secret, with(func(a *Answer) { a.Trial = -1 }), func(err error) bool { return errors.Is(err, ErrAhead) }},
		"no_drawing":       {secret, with(func(a *Answer) { a.Drawings = [][]Stroke{nil} }), func(err error) bool { return errors.As(err, &invalid) }},
		"no_such_answer":   {secret, with(func(a *Answer) { a.Answer = Left }), func(err error) bool { return errors.As(err, &invalid) }},
		"two_drawings":     {secret, with(func(a *Answer) { a.Drawings = [][]Stroke{dot, dot} }), func(err error) bool { return errors.As(err, &invalid) }},
		"no_number":        {secret, with(func(a *Answer) { a.Time = math.NaN() }), func(err error) bool { return errors.As(err, &invalid) }},
		"far_away":         {secret, with(func(a *Answer) { a.Drawings = [][]Stroke{{{Size: 0.1, Points: [][2]float64{{9, 0}}}}} }), func(err error) bool { return errors.As(err, &invalid) }},
		"endless":          {secret, with(func(a *Answer) { a.Drawings = [][]Stroke{{{Size: 0.1, Points: make([][2]float64, maxPoints+1)}}} }), func(err error) bool { return errors.As(err, &invalid) }},
		"brush_of_nothing": {secret, with(func(a *Answer) { a.Drawings = [][]Stroke{{{Points: [][2]float64{{0, 0}}}}} }), func(err error) bool { return errors.As(err, &invalid) }},
	} {
		t.Run(name, func(t *testing.T) {
			if err := e.Record(c.secret, c.answer); !c.is(err) {
				t.Errorf("%v", err)
			}
		})
	}
	if err := e.Record(secret, good); err != nil {
		t.Error(err)
	}
	if _, err := e.Join(); !errors.Is(err, ErrFull) {
		t.Errorf("a second of one participant: %v", err)
	}
}

// A study goes on after its end: the same link, people and places; with other settings it is refused, and one program at a
// time holds it.
func TestGoesOn(t *testing.T) {
	dir := t.TempDir()
	settings := Settings{Blocks: []string{Free}, Seed: 4}
	e := open(t, dir, plain(6, settings))
	secret, err := e.Join()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Record(secret, Answer{Answer: Real, Drawings: [][]Stroke{nil}}); err != nil {
		t.Fatal(err)
	}
	before, _ := e.Where(secret)
	token := e.Token
	if _, err := Open(dir, plain(6, settings)); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("held twice: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	settings.Seed = 5
	if _, err := Open(dir, plain(6, settings)); err == nil || !strings.Contains(err.Error(), "seed 4, now 5") {
		t.Errorf("with another seed: %v", err)
	}
	settings.Seed = 4
	e = open(t, dir, plain(6, settings))
	after, err := e.Where(secret)
	if err != nil || fmt.Sprint(after.Done, *after.Trial) != fmt.Sprint(before.Done, *before.Trial) || e.Token != token {
		t.Errorf("before %+v, after %+v, %v", before, after, err)
	}
	info, err := os.Stat(filepath.Join(dir, tokenFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token may be read by others: %v, %v", info.Mode(), err)
	}
	log, err := os.ReadFile(filepath.Join(dir, logFile))
	if err != nil || strings.Contains(string(log), secret) {
		t.Errorf("the log holds the secret of a participant (%v)", err)
	}
}

// Cut off at any byte, as by a kill or a loss of power, the log opens again with every record that was whole, and goes on.
func TestCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	s := plain(4, Settings{Blocks: []string{Free}})
	e := open(t, dir, s)
	secret, err := e.Join()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := e.Record(secret, Answer{Trial: i, Answer: Real, Drawings: [][]Stroke{nil}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, logFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := Open(dir, s)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		lines := strings.Count(string(whole[:cut]), "\n")
		at, err := e.Where(secret)
		if lines == 0 {
			if !errors.Is(err, ErrStranger) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			_, err = e.Join()
		} else {
			if at.Done != lines-1 {
				t.Fatalf("cut at %d: %d answers, %d lines", cut, at.Done, lines)
			}
			err = e.Record(secret, Answer{Trial: at.Done, Answer: Synthetic, Drawings: [][]Stroke{nil}})
		}
		if closing := e.Close(); err != nil || closing != nil {
			t.Fatalf("cut at %d: %v, %v", cut, err, closing)
		}
		if records, err := ReadLog(dir); err != nil || len(records) != lines+1 {
			t.Fatalf("cut at %d: %d records behind %d lines, %v", cut, len(records), lines, err)
		}
	}
	if err := os.WriteFile(path, append([]byte("{}\n"), whole...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, s); err == nil || !strings.Contains(err.Error(), "trials.jsonl:1:") {
		t.Errorf("damage in the middle: %v", err)
	}
}

// FuzzParseLog: whatever is in a log, reading it ends, takes only whole lines, and reads the same again.
func FuzzParseLog(f *testing.F) {
	f.Add([]byte(`{"kind":"join","participant":"p0001","secret":"x"}` + "\n" +
		`{"kind":"answer","participant":"p0001","trial":0,"images":["a.png"],"answer":"Real","time":1,"total":2,"drawings":[[{"size":0.1,"points":[[0,1]]}]]}` + "\n" + `{"ki`))
	f.Add([]byte(`{"kind":"answer","participant":"p0001"}` + "\n"))
	f.Add([]byte("\x00\x00\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, whole, err := ParseLog("log", data)
		if err != nil {
			return
		}
		if whole > len(data) || whole > 0 && data[whole-1] != '\n' {
			t.Fatalf("%d of %d bytes", whole, len(data))
		}
		again, rest, err := ParseLog("log", data[:whole])
		if err != nil || rest != whole || len(again) != len(records) {
			t.Fatalf("%d records, again %d, %v", len(records), len(again), err)
		}
		for _, r := range records {
			if r.Kind == Answered {
				for _, strokes := range r.Drawings {
					Draw(strokes, 16, 16)
				}
			}
		}
	})
}
