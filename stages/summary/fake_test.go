package summary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// fakeRun makes what the nodes of a made-up run would have left: losses x seeds, evaluated on sets, with made-up scores,
// histories and pictures. It returns the inputs of a summary and the run's folder with its cams/.
func fakeRun(t testing.TB, losses []string, seeds int, sets []string) (inputs map[string][]task.Input, folder string) {
	t.Helper()
	folder = t.TempDir()
	inputs = map[string][]task.Input{}
	random := rand.New(rand.NewPCG(7, 8))
	for l, loss := range losses {
		for seed := 1; seed <= seeds; seed++ {
			name := fmt.Sprintf("loss=%s,seed=%d", loss, seed)
			axes := map[string]string{"loss": loss, "seed": fmt.Sprint(seed)}
			gap := []float64{0.5, 1.9, 1.5, 1.2}[l%4] + 0.45*random.NormFloat64()
			for s, set := range sets {
				node := "score[" + name + ",set=" + set + "]"
				dir := filepath.Join(folder, "store", node)
				fakeScores(t, random, dir, gap-0.25*float64(s%3))
				inputs[Scores] = append(inputs[Scores], task.Input{Node: node, Path: dir,
					Axes: map[string]string{"loss": loss, "seed": fmt.Sprint(seed), "set": set}})
			}
			fit := filepath.Join(folder, "store", "fit["+name+"]")
			fakeHistory(t, random, fit, gap)
			inputs[Histories] = append(inputs[Histories], task.Input{Node: "fit[" + name + "]", Axes: axes, Path: fit})
			maps := filepath.Join(folder, "store", "maps["+name+"]")
			fakeCAMs(t, random, filepath.Join(maps, "cams"), gap, 14/seed) // the first seed's are shown
			if err := os.MkdirAll(filepath.Join(folder, "cams"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(maps, "cams"), filepath.Join(folder, "cams", "maps["+name+"]")); err != nil {
				t.Fatal(err)
			}
			inputs[CAMs] = append(inputs[CAMs], task.Input{Node: "maps[" + name + "]", Axes: axes, Path: maps})
		}
	}
	return inputs, folder
}

func fakeScores(t testing.TB, random *rand.Rand, dir string, gap float64) {
	var rows []metrics.Score
	for i := range 200 {
		label := []string{"Real", "Synthetic"}[i%2]
		score := 1 / (1 + math.Exp(-(random.NormFloat64() + gap*(float64(i%2)-0.5))))
		rows = append(rows, metrics.Score{Path: fmt.Sprintf("images/%03d.png", i), Label: label, Class: i % 2, Score: score})
	}
	var text bytes.Buffer
	if err := metrics.WriteScores(&text, rows); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "scores.csv", text.Bytes())
	report, err := json.Marshal(metrics.Evaluate(metrics.Split(rows)))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "metrics.json", report)
}

func fakeHistory(t testing.TB, random *rand.Rand, dir string, gap float64) {
	text := "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,lr,seconds\n"
	for e := 1; e <= 30; e++ {
		k := math.Exp(-float64(e) / 6)
		noise := func(sd float64) float64 { return sd * random.NormFloat64() * (k + 0.2) }
		text += fmt.Sprintf("%d,%.6f,%.6f,%.6f,%.6f,0.02,0.7\n", e, 0.02+0.7*k+math.Abs(noise(0.04)), 1-0.48*k-math.Abs(noise(0.02)),
			0.15+0.6*k+0.02*gap+math.Abs(noise(0.12)), math.Min(1, 0.94-0.4*k+noise(0.05)))
	}
	put(t, dir, "history.csv", []byte(text))
}

func fakeCAMs(t testing.TB, random *rand.Rand, dir string, gap float64, images int) {
	index := results.CAM{Human: math.Min(0.9, 0.3*gap), MapName: "human (simulated)", Mean: "mean.png"}
	for i := range images {
		faces := rand.New(rand.NewPCG(uint64(i), 1)) // the same faces for every model
		x, y := 30+36*faces.Float64(), 32+32*faces.Float64()
		spotX, spotY := x+8*faces.NormFloat64(), y+9*faces.NormFloat64()
		label := []string{"Real", "Synthetic"}[i%2]
		side := 0.15 + 0.2*random.Float64()
		name := fmt.Sprintf("%02d", i)
		face := func(u, v float64) color.NRGBA { return cartoon(u, v, x, y, spotX, spotY, i%2 == 1) }
		human := func(u, v float64) float64 { return bell(u-spotX, v-spotY, 11) }
		cam := func(u, v float64) float64 {
			lost := math.Max(0, 1.6-gap)
			return math.Min(1, human(u+3*side, v)+lost*bell(u-10, v-80, 14))
		}
		picture(t, dir, name+".png", 96, 96, face)
		picture(t, dir, name+"-human.png", 96, 96, heat(face, human))
		picture(t, dir, name+"-cam.png", 96, 96, heat(face, cam))
		index.Images = append(index.Images, results.CAMImage{Path: "images/" + name + ".png", Label: label,
			Score: 1 / (1 + math.Exp(-gap*2*(float64(i%2)-0.5)-random.NormFloat64())), Picture: name + ".png",
			Overlay: name + "-cam.png", Human: name + "-human.png"})
	}
	picture(t, dir, "mean.png", 192, 96, heat(func(_, _ float64) color.NRGBA { return color.NRGBA{20, 20, 20, 255} },
		func(u, v float64) float64 {
			if u >= 96 {
				return bell(u-144, v-48, 22)
			}
			return math.Min(1, bell(u-48, v-48, 20)*math.Min(1, gap/2)+math.Max(0, 1.4-gap)*bell(u-12, v-78, 18))
		}))
	raw, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "index.json", raw)
}

func bell(dx, dy, sigma float64) float64 { return math.Exp(-(dx*dx + dy*dy) / (2 * sigma * sigma)) }

func cartoon(u, v, x, y, spotX, spotY float64, blot bool) color.NRGBA {
	r := math.Hypot((u-x)/17, (v-y)/21)
	switch eyes := math.Min(math.Hypot(u-x+8, v-y+4), math.Hypot(u-x-8, v-y+4)); {
	case r < 1 && blot && math.Hypot(u-spotX, v-spotY) < 5:
		return color.NRGBA{150, 90, 170, 255}
	case r < 1 && eyes < 3:
		return color.NRGBA{40, 50, 70, 255}
	case r < 1 && math.Hypot((u-x)/6, (v-y-11)/2.5) < 1:
		return color.NRGBA{160, 70, 70, 255}
	case r < 1:
		return color.NRGBA{225, 180 - uint8(20*r), 150, 255}
	case math.Hypot((u-x)/20, (v-y+4)/24) < 1:
		return color.NRGBA{80, 60, 50, 255}
	}
	return color.NRGBA{140 + uint8(u/2), 170, 150 + uint8(v/2), 255}
}

// heat lays a map over a picture, from blue to red.
func heat(base func(u, v float64) color.NRGBA, m func(u, v float64) float64) func(u, v float64) color.NRGBA {
	return func(u, v float64) color.NRGBA {
		b, h := base(u, v), m(u, v)
		mix := func(from uint8, to float64) uint8 {
			return uint8(0.55*float64(from) + 0.45*255*math.Min(1, math.Max(0, to)))
		}
		return color.NRGBA{mix(b.R, 1.5-math.Abs(4*h-3)), mix(b.G, 1.5-math.Abs(4*h-2)), mix(b.B, 1.5-math.Abs(4*h-1)), 255}
	}
}

func picture(t testing.TB, dir, name string, w, h int, at func(u, v float64) color.NRGBA) {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for v := range h {
		for u := range w {
			m.SetNRGBA(u, v, at(float64(u), float64(v)))
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	put(t, dir, name, out.Bytes())
}

func put(t testing.TB, dir, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// summarise runs the stage and returns its output folder.
func summarise(t testing.TB, p Params, inputs map[string][]task.Input) string {
	t.Helper()
	params, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	job, err := (&task.Task{Node: "table", Params: params, Inputs: inputs}).In(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "out")
}

func read(t testing.TB, out string) (s results.Summary) {
	t.Helper()
	if err := readJSON(filepath.Join(out, "summary.json"), &s); err != nil {
		t.Fatal(err)
	}
	return s
}
