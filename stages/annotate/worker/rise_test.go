package worker

import (
	_ "embed"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/loader"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/pack/packtest"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/internal/trained/trainedtest"
	"github.com/cyborg-run/cyborg-run/stages/annotate"
)

//go:embed testdata/rise.py
var reference string

// explain is RISE's map of the image at a place, and that image's bytes.
func explain(t *testing.T, r annotate.RISE, place int64, class int64, open func() (*model.Model, error)) (importance []float64, image []byte) {
	t.Helper()
	set, err := pack.Open(packtest.Noise(t, 4, 3, 32, 4))
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	err = torch.Do(func(s *torch.Scope) error {
		net, err := open()
		if err != nil {
			return err
		}
		defer net.Close()
		if err := net.Fold(); err != nil {
			return err
		}
		a := &annotator{set: set, net: net, predicted: []int64{class, class, class},
			job: annotate.Job{Params: annotate.Params{Method: "rise", Class: "predicted", RISE: r, Batch: 7}}}
		if a.images, err = loader.New(s, torch.CPU, set, nil); err != nil {
			return err
		}
		importance, err = a.importance(t.Context(), s, newMasks(s, r, 32), place, func(int) {})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return importance, slices.Clone(set.Image(int(place)))
}

// The map is the paper's, with masks of the same seed drawn, enlarged and applied in NumPy and PyTorch.
func TestRISEAgainstNumPy(t *testing.T) {
	testenv.Python(t)
	path, _ := trainedtest.Save(t)
	for name, r := range map[string]annotate.RISE{
		"even":   {Masks: 40, Cells: 4, Keep: 0.5, Seed: 3},
		"uneven": {Masks: 33, Cells: 7, Keep: 0.3, Seed: 9}, // 7 cells of 5 pixels are more than 32 pixels
	} {
		t.Run(name, func(t *testing.T) {
			got, image := explain(t, r, 1, 1, func() (*model.Model, error) {
				return trained.Open(path, job().Trained, torch.CPU)
			})
			pixels := make([]int, len(image))
			for i, v := range image {
				pixels[i] = int(v)
			}
			args, err := json.Marshal(map[string]any{"weights": path, "image": pixels, "side": 32, "cells": r.Cells, "masks": r.Masks,
				"keep": r.Keep, "seed": r.Seed, "class": 1})
			if err != nil {
				t.Fatal(err)
			}
			var want []float64
			if err := json.Unmarshal(testenv.RunPython(t, testenv.Networks+reference, string(args)), &want); err != nil {
				t.Fatal(err)
			}
			worst := 0.0
			for i := range want {
				worst = max(worst, math.Abs(got[i]-want[i]))
			}
			t.Logf("at most %.1e apart", worst)
			if len(got) != len(want) || worst > 1e-5 {
				t.Errorf("%d and %d pixels, %g apart", len(got), len(want), worst)
			}
		})
	}
}

// A network that reads one patch of the image alone is seen to do so: RISE's peak lies there.
func TestRISEFindsWhatIsRead(t *testing.T) {
	const side, top, left, size = 32, 6, 18, 8
	net := &nn.Network{Name: "patch", Input: nn.ImageNet(side), Layers: nn.Seq(nn.Conv("conv", 3, 1, nn.Kernel(side), nn.Padding(0))),
		Head: nn.Linear{Name: "fc", In: 1, Out: 2}, Classes: 2}
	kernel := make([]float32, 3*side*side)
	for c := range 3 {
		for y := top; y < top+size; y++ {
			for x := left; x < left+size; x++ {
				kernel[(c*side+y)*side+x] = 1. / (3 * size * size)
			}
		}
	}
	importance, image := explain(t, annotate.RISE{Masks: 500, Cells: 6, Keep: 0.5, Seed: 1}, 0, 1, func() (*model.Model, error) {
		m, err := model.New(net, torch.CPU, torch.Float32, model.Options{})
		if err != nil {
			return nil, err
		}
		_, err = m.Load([]checkpoint.Tensor{
			floats("conv.weight", kernel, 1, 3, side, side), floats("fc.weight", []float32{8, -8}, 2, 1), floats("fc.bias", []float32{0, 0}, 2),
		}, model.LoadOptions{})
		return m, err
	})
	mean := 0.0 // the patch is darker than the mean colour: hiding it raises its sum
	for y := top; y < top+size; y++ {
		for x := left; x < left+size; x++ {
			mean += float64(image[3*(y*side+x)]) / (size * size)
		}
	}
	if mean > 110 {
		t.Fatalf("the patch has a mean of %g; the test wants one below that of ImageNet", mean)
	}
	peak := slices.Index(importance, slices.Max(importance))
	if y, x := peak/side, peak%side; y < top || y >= top+size || x < left || x >= left+size {
		t.Errorf("the peak is at %d,%d; the network reads rows %d to %d and columns %d to %d", y, x, top, top+size-1, left, left+size-1)
	}
}

func floats(name string, values []float32, shape ...int) (out checkpoint.Tensor) {
	_ = torch.Do(func(s *torch.Scope) error {
		out = checkpoint.Tensor{Name: name, DType: checkpoint.Float32, Shape: shape, Data: torch.From(s, values, shape...).Bytes()}
		return nil
	})
	return out
}

// Masks are between 0 and 1, keep the share that is asked for, and depend on the seed alone.
func TestMasks(t *testing.T) {
	r := annotate.RISE{Masks: 400, Cells: 5, Keep: 0.4, Seed: 2}
	draw := func(r annotate.RISE, from, to int) (values []float32) {
		err := torch.Do(func(s *torch.Scope) error {
			values = torch.Slice[float32](newMasks(s, r, 24).some(s, from, to, torch.Float32, torch.CPU))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return values
	}
	all := draw(r, 0, r.Masks)
	mean := 0.0
	for _, v := range all {
		if v < 0 || v > 1+1e-6 {
			t.Fatalf("a mask holds %v", v)
		}
		mean += float64(v) / float64(len(all))
	}
	if math.Abs(mean-r.Keep) > 0.02 {
		t.Errorf("masks keep %g of the pixels, want %g", mean, r.Keep)
	}
	if part := draw(r, 7, 9); !slices.Equal(part, all[7*24*24:9*24*24]) {
		t.Error("masks depend on the batch that they are made in")
	}
	r.Seed++
	if slices.Equal(draw(r, 0, r.Masks), all) {
		t.Error("another seed draws the same masks")
	}
}
