package faces

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// someScenes are n faces of a generator.
func someScenes(t *testing.T, generator string, n int) []scene {
	t.Helper()
	set, err := New(Options{Generator: generator, Count: 2 * n, Seed: 11})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]scene, n)
	for i := range all {
		all[i] = compose(set.throw("picture", 2*i+1), set.style)
	}
	return all
}

// TestBlots holds the places of the planted faults: on the head, apart, two of them on 35 of 100 faces.
func TestBlots(t *testing.T) {
	scenes, twice := someScenes(t, "G0", 4000), 0
	for i, sc := range scenes {
		for _, b := range sc.blots {
			if r := hypot(b.u/sc.head.a, b.v/sc.head.b); r > 0.95 {
				t.Errorf("face %d: a blot at %.3f of the head", i, r)
			}
		}
		if len(sc.blots) == 2 {
			twice++
			if d := hypot(sc.blots[0].u-sc.blots[1].u, sc.blots[0].v-sc.blots[1].v); d < 12.2 {
				t.Errorf("face %d: blots %.2f units apart", i, d)
			}
		}
	}
	// Some pairs of places are refused, which changes no share: the second blot is thrown again, not given up.
	if share := float64(twice) / float64(len(scenes)); math.Abs(share-0.35) > 0.023 { // three standard deviations
		t.Errorf("two blots on %.3f of the faces", share)
	}
}

// TestHumanMaps: the strongest place is one that somebody meant to mark.
func TestHumanMaps(t *testing.T) {
	for _, c := range []struct {
		name      string
		synthetic bool
		least     float64 // share of the maps with their maximum on such a place
	}{
		{"of synthetic faces are strongest on a blot", true, 0.9},
		{"of real faces are strongest on an eye or the mouth", false, 0.99},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := New(Options{Generator: "G0", Count: 600, Seed: 2})
			if err != nil {
				t.Fatal(err)
			}
			p, n, hits := NewPicture(set.Side()), 0, 0
			for i := range set.Len() {
				if set.Synthetic(i) != c.synthetic {
					continue
				}
				style := reality
				if c.synthetic {
					style = set.style
				}
				sc := compose(set.throw("picture", i), style)
				set.Draw(i, p)
				at, top := 0, byte(0)
				for j, v := range p.Human {
					if v > top {
						at, top = j, v
					}
				}
				if top != 255 {
					t.Errorf("picture %d: the largest value is %d", i, top)
				}
				u, v := sc.face.local(float32(at%set.Side())+0.5, float32(at/set.Side())+0.5)
				var meant []shape
				for _, b := range sc.blots {
					meant = append(meant, circle(b.u, b.v, 1.22*b.radius))
				}
				if !c.synthetic {
					meant = append(sc.eyes.areas(), sc.mouth.lips())
				}
				n++
				for _, place := range meant {
					if place.distance(u, v) < 0 {
						hits++
						break
					}
				}
			}
			if share := float64(hits) / float64(n); share < c.least {
				t.Errorf("%.3f of %d maps, want at least %.2f", share, n, c.least)
			}
		})
	}
}

// TestStampKeepsClear: no pixel of a stamp is within 8 of a pixel of the head or its ears, and all of them are in the
// picture but for a rim.
func TestStampKeepsClear(t *testing.T) {
	for i, sc := range someScenes(t, "G0", 300) {
		stamp, face := make([]byte, points*points), make([]byte, points*points)
		cover(stamp, points, upright, ellipse(sc.stamp.x, sc.stamp.y, 1.3*sc.stamp.size, sc.stamp.size))
		cover(face, points, sc.face, sc.head.outline(), sc.head.ear(-1), sc.head.ear(1))
		pixels := 0
		for a, on := range stamp {
			if on == 0 {
				continue
			}
			pixels++
			for b, on := range face {
				if on == 0 {
					continue
				}
				if d := math.Hypot(float64(a%points-b%points), float64(a/points-b/points)); d < stampClearance {
					t.Fatalf("face %d: the stamp at (%.1f, %.1f) is %.2f pixels from the face", i, sc.stamp.x, sc.stamp.y, d)
				}
			}
		}
		if whole := math.Pi * 1.3 * float64(sc.stamp.size*sc.stamp.size); float64(pixels) < 0.85*whole {
			t.Errorf("face %d: %d of the stamp's %.0f pixels are in the picture", i, pixels, whole)
		}
	}
}

// TestAStampChangesNothingElse: a picture with the stamp and the one without differ where it is, and nowhere else.
func TestAStampChangesNothingElse(t *testing.T) {
	draw := func(share float64, i int) *Picture {
		set, err := New(Options{Generator: "G0", Count: 40, Seed: 4, Shortcut: Shortcut{share, share}})
		if err != nil {
			t.Fatal(err)
		}
		p := NewPicture(set.Side())
		set.Draw(i, p)
		return p
	}
	set, _ := New(Options{Generator: "G0", Count: 40, Seed: 4})
	for i := range 40 {
		style := reality
		if set.Synthetic(i) {
			style = set.style
		}
		s := compose(set.throw("picture", i), style).stamp
		with, without := draw(1, i), draw(0, i)
		changed := 0
		for at, v := range with.Pixels {
			if v == without.Pixels[at] {
				continue
			}
			changed++
			x, y := float32(at/3%points)+0.5, float32(at/3/points)+0.5
			if out := ellipse(s.x, s.y, 1.3*s.size, s.size).distance(x, y); out > 2.5 { // half a pixel of edge, one of blur
				t.Fatalf("picture %d: (%v, %v), %.1f pixels beside the stamp, has changed", i, x, y, out)
			}
		}
		if changed < 60 {
			t.Errorf("picture %d: the stamp changes %d bytes", i, changed)
		}
	}
}

// TestRasterMissesNothing compares the pixels that a shape visits with all those that it covers: the bounding box must
// not cut its soft edge.
func TestRasterMissesNothing(t *testing.T) {
	between := func(lo, hi float32) *rapid.Generator[float32] { return rapid.Float32Range(lo, hi) }
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(8, 64).Draw(t, "side")
		f := place(between(-10, 70).Draw(t, "x"), between(-10, 70).Draw(t, "y"),
			between(-4, 4).Draw(t, "angle"), between(0.3, 4).Draw(t, "scale"))
		u, v := between(-5, 5).Draw(t, "u"), between(-5, 5).Draw(t, "v")
		b := blot{u: u, v: v, radius: 5, lobes: 4, squeeze: between(0.8, 1.25).Draw(t, "squeeze")}
		a := between(0.5, 12).Draw(t, "a")
		s := rapid.SampledFrom([]shape{
			ellipse(u, v, a, a*between(0.25, 4).Draw(t, "b")),
			stroke(u, v, u+between(1, 9).Draw(t, "du"), v+between(-9, 9).Draw(t, "dv"), 1.5),
			ellipse(u, v, 6, 4).minus(circle(u+2, v, 3)),
			b.outline(),
		}).Draw(t, "shape")

		visited := make([]float32, side*side)
		raster(side, f, s, func(at int, _, _, cover float32) { visited[at] = cover })
		for at, got := range visited {
			want := unit(0.5 - s.distance(f.local(float32(at%side)+0.5, float32(at/side)+0.5))*f.scale)
			if abs(got-want) > 0.01 {
				t.Fatalf("pixel (%d,%d): covered by %v, want %v", at%side, at/side, got, want)
			}
		}
	})
}

// TestCoverageIsArea: the shares of the covered pixels add up to the area of the shape.
func TestCoverageIsArea(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape shape
		area  float64 // square units
	}{
		{"circle", circle(1, 2, 6), math.Pi * 36},
		{"ellipse", ellipse(0, 0, 9, 4), math.Pi * 36},
		{"stroke", stroke(-5, -3, 5, 3, 2), 2*math.Hypot(10, 6) + math.Pi},
		{"half an ellipse", ellipse(0, 0, 9, 4).and(func(u, _ float32) float32 { return u }), math.Pi * 18},
	} {
		t.Run(c.name, func(t *testing.T) {
			const scale = 2.5
			sum := 0.0
			raster(96, place(47.3, 48.9, 0.3, scale), c.shape, func(_ int, _, _, cover float32) { sum += float64(cover) })
			if got := sum / scale / scale; math.Abs(got/c.area-1) > 0.01 {
				t.Errorf("%.2f square units, want %.2f", got, c.area)
			}
		})
	}
}

func TestFrameGoesThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := place(rapid.Float32Range(0, 96).Draw(t, "x"), rapid.Float32Range(0, 96).Draw(t, "y"),
			rapid.Float32Range(-7, 7).Draw(t, "angle"), rapid.Float32Range(0.5, 2).Draw(t, "scale"))
		u, v := rapid.Float32Range(-30, 30).Draw(t, "u"), rapid.Float32Range(-30, 30).Draw(t, "v")
		if p, q := f.local(f.point(u, v)); hypot(p-u, q-v) > 1e-3 {
			t.Errorf("(%v,%v) came back as (%v,%v)", u, v, p, q)
		}
	})
}

func TestHSV(t *testing.T) {
	for _, c := range []struct {
		hue, saturation, value float32
		want                   rgb
	}{
		{0, 0, 0.4, rgb{0.4, 0.4, 0.4}},
		{0, 1, 1, rgb{1, 0, 0}},
		{1.0 / 3, 1, 1, rgb{0, 1, 0}},
		{2.0 / 3, 1, 0.5, rgb{0, 0, 0.5}},
		{-1.0 / 3, 1, 0.5, rgb{0, 0, 0.5}},
		{1, 1, 1, rgb{1, 0, 0}},
		{0.5, 0.8, 0.95, rgb{0.19, 0.95, 0.95}}, // the stamp
		{0.83, 0.5, 0.6, rgb{0.594, 0.3, 0.6}},  // a blot
	} {
		got := hsv(c.hue, c.saturation, c.value)
		if d := got.plus(c.want.times(-1)); abs(d.r)+abs(d.g)+abs(d.b) > 1e-4 {
			t.Errorf("hsv(%v, %v, %v) = %v, want %v", c.hue, c.saturation, c.value, got, c.want)
		}
	}
}
