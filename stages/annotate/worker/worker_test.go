package worker

import (
	"context"
	"encoding/json"
	"image"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/loader"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/pack/packtest"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/internal/trained/trainedtest"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/annotate"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// job annotates by the quick start's network at 32 pixels, whose CAMs have 4 x 4 cells.
func job() annotate.Job {
	return annotate.Job{
		Params: annotate.Params{Method: "cam", Class: "predicted", Tap: "pooled", Batch: 4,
			RISE: annotate.RISE{Masks: 10, Cells: 4, Keep: 0.5, Seed: 1}},
		Trained: experiment.Trained{Model: trainedtest.Small(), Precision: "float32", ChannelsLast: true},
	}
}

// attempt is a folder in which a job is done.
type attempt struct {
	t             *testing.T
	dir           string
	job           annotate.Job
	weights, data string
}

func newAttempt(t *testing.T, j annotate.Job) *attempt {
	t.Helper()
	weights, _ := trainedtest.Save(t)
	return &attempt{t: t, dir: t.TempDir(), job: j, weights: weights, data: packtest.Noise(t, 1, 11, 32, 4)}
}

// run does the job as a worker process would, with out/ begun anew and the state as it is.
func (a *attempt) run(ctx context.Context) error {
	a.t.Helper()
	for _, stale := range []string{"out", "events.jsonl"} {
		if err := os.RemoveAll(filepath.Join(a.dir, stale)); err != nil {
			a.t.Fatal(err)
		}
	}
	params, err := json.Marshal(a.job)
	if err != nil {
		a.t.Fatal(err)
	}
	t, err := (&task.Task{Node: "annotate", Kind: "annotate", Params: params, Device: "cpu", Threads: 1, Inputs: map[string][]task.Input{
		"model": {{Node: "teacher", Path: a.weights}}, "data": {{Node: "data.train", Path: a.data}},
	}}).In(a.dir)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := t.Open(); err != nil {
		a.t.Fatal(err)
	}
	return Run(ctx, t)
}

// maps are the files of the output by their paths.
func (a *attempt) maps() map[string]string {
	a.t.Helper()
	found := map[string]string{}
	root := filepath.Join(a.dir, "out", experiment.MapsFolder)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		found[filepath.ToSlash(name)] = string(raw)
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return found
}

func (a *attempt) facts() (facts annotation) {
	a.t.Helper()
	raw, err := os.ReadFile(filepath.Join(a.dir, "out", "annotation.json"))
	if err != nil {
		a.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &facts); err != nil {
		a.t.Fatal(err)
	}
	return facts
}

func done(t *testing.T, j annotate.Job) *attempt {
	t.Helper()
	a := newAttempt(t, j)
	if err := a.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

func gray(t *testing.T, raw string) *image.Gray {
	t.Helper()
	img, err := png.Decode(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	grey, ok := img.(*image.Gray)
	if !ok {
		t.Fatalf("the map is %T, want 8 bits of grey", img)
	}
	return grey
}

// byHand is the network's classes, and the CAMs of those in unit range, by the formula and not by package loss.
func byHand(t *testing.T, a *attempt) (classes []int, cams [][]float64) {
	t.Helper()
	set, err := pack.Open(a.data)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	err = torch.Do(func(s *torch.Scope) error {
		net, err := trained.Open(a.weights, a.job.Trained, torch.CPU)
		if err != nil {
			return err
		}
		defer net.Close()
		images, err := loader.New(s, torch.CPU, set, nil)
		if err != nil {
			return err
		}
		s.NoGrad(func() {
			out := net.Forward(s, net.Normalise(s, images.Batch(s, loader.Range(0, set.Len())).Pixels), model.Eval, a.job.Tap)
			logits, features, head := torch.Slice[float32](out.Logits), torch.Slice[float32](out.Features[a.job.Tap]), torch.Slice[float32](net.Head())
			channels, cells := len(head)/2, len(features)/set.Len()/(len(head)/2)
			for i := range set.Len() {
				class := 0
				if logits[2*i+1] > logits[2*i] {
					class = 1
				}
				if a.job.Class == "true" {
					class = set.Rows()[i].Class
				}
				cam := make([]float64, cells)
				for c := range channels {
					for k := range cam {
						cam[k] += float64(head[class*channels+c]) * float64(features[(i*channels+c)*cells+k])
					}
				}
				classes, cams = append(classes, class), append(cams, unitRange(cam))
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return classes, cams
}

// Each map is the CAM of its image and class in unit range, under the name that a student's data set looks for.
func TestCAM(t *testing.T) {
	for _, class := range []string{"predicted", "true"} {
		for _, method := range []string{"cam", "hirescam", "grad_cam"} { // one and the same at the pooled tap
			t.Run(class+"/"+method, func(t *testing.T) {
				j := job()
				j.Class, j.Method = class, method
				a := done(t, j)
				_, want := byHand(t, a)
				found := a.maps()
				if len(found) != 11 {
					t.Fatalf("%d maps of 11 images", len(found))
				}
				set, err := pack.Open(a.data)
				if err != nil {
					t.Fatal(err)
				}
				defer set.Close()
				for i, row := range set.Rows() {
					img := gray(t, found[prepare.MadeFile(row.Path)])
					if method == "grad_cam" {
						continue // its ReLU may cut any part of it
					}
					for k, v := range want[i] {
						if got := float64(img.Pix[k]); math.Abs(got-255*v) > 0.51 {
							t.Fatalf("%s cell %d is %g, want %g", row.Path, k, got, 255*v)
						}
					}
				}
			})
		}
	}
}

// Grad-CAM has a ReLU, and at another tap than the pooled one HiResCAM is another map than the CAM.
func TestTheMethodsDiffer(t *testing.T) {
	of := func(method, tap string) map[string]string {
		j := job()
		j.Method, j.Tap = method, tap
		return done(t, j).maps()
	}
	if cmp.Equal(of("cam", "pooled"), of("grad_cam", "pooled")) {
		t.Error("no image has a CAM below zero, so that the ReLU was not seen")
	}
	if cmp.Equal(of("cam", "authors"), of("hirescam", "authors")) {
		t.Error("hirescam at the authors' tap is the CAM")
	}
}

// Only images that the network is right on, if asked, with what became of all of them.
func TestCorrectOnly(t *testing.T) {
	j := job()
	j.CorrectOnly = true
	a := done(t, j)
	classes, _ := byHand(t, a)
	want := annotation{Network: "resnet_small", Method: "cam", Class: "predicted", Images: 11,
		Labels: map[string]*count{"Real": {Images: 6}, "Synthetic": {Images: 5}}}
	for i, class := range classes {
		of := want.Labels[[]string{"Real", "Synthetic"}[i%2]]
		if class == i%2 {
			of.Right++
			of.Annotated++
			want.Annotated++
		} else {
			want.Wrong++
		}
	}
	if d := cmp.Diff(want, a.facts()); d != "" {
		t.Error(d)
	}
	if len(a.maps()) != want.Annotated || want.Annotated == 0 || want.Wrong == 0 {
		t.Errorf("%d maps, want %d (and some of both)", len(a.maps()), want.Annotated)
	}
}

// RISE's maps are as large as the images, and the same every time; one that is stopped, or whose maps were damaged meanwhile,
// ends in the same ones.
func TestRISE(t *testing.T) {
	j := job()
	j.Method = "rise"
	whole := done(t, j)
	want := whole.maps()
	for name, raw := range want {
		if b := gray(t, raw).Bounds(); b.Dx() != 32 || b.Dy() != 32 {
			t.Errorf("%s is %v", name, b)
		}
	}
	a := newAttempt(t, j)
	a.weights, a.data = whole.weights, whole.data
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { // as soon as there are two maps
		for ctx.Err() == nil {
			if names, _ := filepath.Glob(filepath.Join(a.dir, "state", "*.png")); len(names) >= 2 {
				stop()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if err := a.run(ctx); err == nil {
		t.Log("it ended before it was stopped")
	}
	for i, name := range []string{"000000000.png", "000000001.png"} {
		path := filepath.Join(a.dir, "state", name)
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if err := os.Truncate(path, info.Size()/2*int64(1-i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, a.maps()); d != "" {
		t.Error("stopped and resumed, its maps differ")
	}
}

func TestWhatCannotBeAnnotated(t *testing.T) {
	unlabelled := func(t *testing.T) string {
		path := filepath.Join(t.TempDir(), "data.pack")
		w, err := pack.Create(path, pack.Header{Side: 32, GridH: 4, GridW: 4, Rows: []pack.Row{{Path: "a.png", Class: -1}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteImage(0, make([]byte, 3*32*32)); err != nil {
			t.Fatal(err)
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		change func(t *testing.T, a *attempt)
		want   string
	}{
		"no_true_class":   {func(t *testing.T, a *attempt) { a.data, a.job.Class = unlabelled(t), "true" }, "data.train: images without label have no true class"},
		"not_right":       {func(t *testing.T, a *attempt) { a.data, a.job.CorrectOnly = unlabelled(t), true }, "take correct_only away"},
		"another_network": {func(_ *testing.T, a *attempt) { a.job.Model.Arch.Name = "resnet18" }, "read checkpoint "},
		"damaged_weights": {func(t *testing.T, a *attempt) {
			if err := os.Truncate(a.weights, 5000); err != nil {
				t.Fatal(err)
			}
		}, "final.pth"},
		"damaged_data": {func(t *testing.T, a *attempt) {
			if err := os.Truncate(a.data, 5000); err != nil {
				t.Fatal(err)
			}
		}, "truncated or damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAttempt(t, job())
			c.change(t, a)
			if err := a.run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// Where no image gets a map there is nothing to go on with.
func TestNoMaps(t *testing.T) {
	a := &annotator{task: &task.Task{}, set: nil, job: job(), gallery: gallery{flat: map[int64]bool{}}}
	var err error
	if a.set, err = pack.Open(packtest.Noise(t, 1, 2, 32, 4)); err != nil {
		t.Fatal(err)
	}
	defer a.set.Close()
	a.predicted = []int64{1, 0}
	if err := a.conclude(); err == nil || err.Error() != "0 of 2 images got a map; the network is wrong on 2: a student would have nothing to learn from" {
		t.Error(err)
	}
}
