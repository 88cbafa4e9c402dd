package faces

import (
	"bytes"
	"math"
	"testing"
)

// clips draws n pictures of each class with the clip, and the same without, and calls see with both and the clip's place.
func clips(t *testing.T, n int, see func(i int, sc scene, k clip, with, without *Picture)) {
	t.Helper()
	o := Options{Generator: "G0", Count: 2 * n, Seed: 4}
	bare, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Clip = Shortcut{1, 1}
	set, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	with, without := NewPicture(set.Side()), NewPicture(set.Side())
	for i := range set.Len() {
		style := reality
		if set.Synthetic(i) {
			style = set.style
		}
		sc := compose(set.throw("picture", i), style)
		set.Draw(i, with)
		bare.Draw(i, without)
		see(i, sc, newClip(set.throw("clip", i), sc.head, features(sc.eyes, sc.mouth), sc.blots), with, without)
	}
}

// TestAClipChangesNothingElse: no pixel beside the clip, no map and no mask.
func TestAClipChangesNothingElse(t *testing.T) {
	clips(t, 30, func(i int, sc scene, k clip, with, without *Picture) {
		for name, layer := range map[string][2][]byte{
			"human map": {with.Human, without.Human}, "part mask": {with.Parts, without.Parts}, "head mask": {with.Head, without.Head},
		} {
			if !bytes.Equal(layer[0], layer[1]) {
				t.Errorf("picture %d: the %s has changed", i, name)
			}
		}
		changed := 0
		for at, v := range with.Pixels {
			if v == without.Pixels[at] {
				continue
			}
			changed++
			u, v := sc.face.local(float32(at/3%points)+0.5, float32(at/3/points)+0.5)
			if out := (hypot(u-k.u, v-k.v) - clipLong) * sc.face.scale; out > 2.5 { // half a pixel of edge, one of blur
				t.Fatalf("picture %d: a pixel %.1f pixels beside the clip has changed", i, out)
			}
		}
		if x, y := sc.face.point(k.u, k.v); min(x, y) > 0 && max(x, y) < points && changed < 40 {
			t.Errorf("picture %d: the clip changes %d bytes", i, changed)
		}
	})
}

// TestClipLiesWithinTheHeadMaskAndBesideTheHumanMap is what parts the two: the head mask takes the clip in, and few of the
// simulated annotators' marks reach it.
func TestClipLiesWithinTheHeadMaskAndBesideTheHumanMap(t *testing.T) {
	var marked, far [2]float64
	n := [2]float64{}
	clips(t, 300, func(i int, sc scene, k clip, with, _ *Picture) {
		x, y := sc.face.point(k.u, k.v)
		if x < 0 || y < 0 || x >= points || y >= points {
			return // beyond the picture's edge, as a part of the head
		}
		at, class := int(y)*points+int(x), i%2
		if with.Head[at] != 255 {
			t.Errorf("picture %d: the clip at (%.1f, %.1f) is not on the head", i, x, y)
		}
		n[class]++
		marked[class] += float64(with.Human[at]) / 255
		far[class] += float64(hypot(k.u, k.v))
	})
	for class, name := range []string{"real", "synthetic"} {
		if mean := marked[class] / n[class]; mean > 0.2 {
			t.Errorf("%s faces: the human map is %.3f at the clip's middle on average, want at most 0.2", name, mean)
		}
	}
	// Its place must not tell the classes apart: the mean distance from the middle of the head is the same within its error.
	if d := math.Abs(far[0]/n[0] - far[1]/n[1]); d > 0.35 {
		t.Errorf("the clip lies %.2f units from the middle on real faces and %.2f on synthetic ones", far[0]/n[0], far[1]/n[1])
	}
}

// TestClipsAreAnotherLotThanStamps: who wears one says nothing about who wears the other, and the shares are exact.
func TestClipsAreAnotherLotThanStamps(t *testing.T) {
	half := Shortcut{0.5, 0.5}
	set, err := New(Options{Generator: "G0", Count: 4000, Seed: 1, Shortcut: half, Clip: half})
	if err != nil {
		t.Fatal(err)
	}
	clipped, both := 0, 0
	for i := range set.Len() {
		if set.Clipped(i) {
			clipped++
			if set.Stamped(i) {
				both++
			}
		}
	}
	if clipped != 2000 || math.Abs(float64(both)-1000) > 100 { // five standard deviations of 20
		t.Errorf("%d of 4000 wear the clip and %d the stamp too", clipped, both)
	}
}
