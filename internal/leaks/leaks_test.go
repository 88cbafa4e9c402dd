package leaks

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/faces"
	"github.com/cyborg-run/cyborg-run/internal/table"
)

// world draws sets of images that leak nothing: simulated faces, all of them real ones to the generator, with labels and
// files dealt by chance.
type world struct {
	random *rand.Rand
	faces  *faces.Set
	drawn  int
}

func newWorld(t testing.TB, seed uint64) *world {
	t.Helper()
	set, err := faces.New(faces.Options{Generator: "G0", Split: "clean", Count: 1000, Seed: seed, Side: 32})
	if err != nil {
		t.Fatal(err)
	}
	return &world{random: rand.New(rand.NewPCG(seed, 1)), faces: set}
}

func (w *world) set(t testing.TB, name string, role Role, n int) Set {
	t.Helper()
	s := Set{Name: name, Role: role}
	picture := faces.NewPicture(32)
	for i := range n {
		w.faces.Draw(2*w.drawn, picture)
		w.drawn++
		class := w.random.IntN(2)
		m := image.NewRGBA(image.Rect(0, 0, 32, 32))
		for k := range 32 * 32 {
			m.SetRGBA(k%32, k/32, color.RGBA{picture.Pixels[3*k], picture.Pixels[3*k+1], picture.Pixels[3*k+2], 255})
		}
		s.Images = append(s.Images, w.save(t, fmt.Sprintf("%s/%s_%d_%c", name, name, i, 'a'+rune(w.random.IntN(26))), class, m))
	}
	return s
}

// save writes a picture in one of several ways, and reads what an image is made of.
func (w *world) save(t testing.TB, name string, class int, m *image.RGBA) Image {
	t.Helper()
	var file bytes.Buffer
	var err error
	extension := ".jpg"
	if quality := []int{75, 90, 95, 0}[w.random.IntN(4)]; quality > 0 {
		err = jpeg.Encode(&file, m, &jpeg.Options{Quality: quality})
	} else {
		extension, err = ".png", png.Encode(&file, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return readImage(t, name+extension, class, file.Bytes(), m)
}

func readImage(t testing.TB, path string, class int, data []byte, m *image.RGBA) Image {
	t.Helper()
	head, err := ReadHead(data)
	if err != nil {
		t.Fatal(err)
	}
	size := m.Rect.Size()
	rgb, grey := make([]byte, 0, 3*size.X*size.Y), make([]byte, 0, size.X*size.Y)
	for i := 0; i < len(m.Pix); i += 4 {
		rgb = append(rgb, m.Pix[i:i+3]...)
		grey = append(grey, color.GrayModel.Convert(color.RGBA{m.Pix[i], m.Pix[i+1], m.Pix[i+2], 255}).(color.Gray).Y)
	}
	pixels := Look(rgb, grey, size.X, size.Y)
	return Image{Path: path, File: "/data/" + path, Class: class, Digest: fmt.Sprintf("%x", data), Head: &head, Pixels: &pixels}
}

// Twenty clean data sets, of three sets each, raise no alarm.
func TestCleanSetsRaiseNoAlarm(t *testing.T) {
	alarms := 0
	for seed := range uint64(20) {
		w := newWorld(t, 100+seed)
		r := Examine([]Set{w.set(t, "train", Training, 80), w.set(t, "validation", Validation, 50), w.set(t, "test", Test, 70)}, Everything)
		if len(r.Predictions) < 3*8 {
			t.Errorf("seed %d: only %d facts were tried", seed, len(r.Predictions))
		}
		for _, f := range r.Findings {
			alarms++
			t.Errorf("seed %d: %.2f %s %v", seed, f.Weight, f.Title, f.Examples)
		}
	}
	t.Logf("%d false alarms", alarms)
}

// Each planted leak is the first finding, with its weight, sets and count.
func TestPlantedLeaks(t *testing.T) {
	every := func(class int, change func(m *Image)) func(train, test *Set) {
		return func(train, _ *Set) {
			for i := range train.Images {
				if m := &train.Images[i]; m.Class == class {
					head, pixels := *m.Head, *m.Pixels
					m.Head, m.Pixels = &head, &pixels
					change(m)
				}
			}
		}
	}
	none := func(*Set, *Set) {}
	for name, c := range map[string]struct {
		plant  func(train, test *Set)
		kind   Kind
		fact   string
		weight float64 // at least
		count  int
		sets   string
	}{
		"nothing":        {plant: none},
		"format":         {every(1, func(m *Image) { m.Head.Format = "WEBP" }), FactKind, "format", 0.99, 0, "train"},
		"codec":          {every(1, func(m *Image) { m.Head.Codec = "progressive" }), FactKind, "codec", 0.99, 0, "train"},
		"quantisation":   {every(0, func(m *Image) { m.Head.Tables = "libjpeg quality 50" }), FactKind, "quantisation", 0.99, 0, "train"},
		"subsampling":    {every(0, func(m *Image) { m.Head.Subsampling = "4:4:4" }), FactKind, "subsampling", 0.99, 0, "train"},
		"mode":           {every(0, func(m *Image) { m.Head.Mode = "RGBA" }), FactKind, "mode", 0.99, 0, "train"},
		"EXIF":           {every(0, func(m *Image) { m.Head.EXIF = true }), FactKind, "EXIF", 0.99, 0, "train"},
		"colour profile": {every(0, func(m *Image) { m.Head.Profile = true }), FactKind, "colour profile", 0.99, 0, "train"},
		"structure":      {every(0, func(m *Image) { m.Head.Structure = "APP0 SOS" }), FactKind, "structure", 0.99, 0, "train"},
		"size":           {every(0, func(m *Image) { m.Head.W *= 2; m.Head.H *= 2 }), FactKind, "width", 0.99, 0, "train"},
		"aspect":         {every(0, func(m *Image) { m.Head.W, m.Head.H = 36, 36*32/30 }), FactKind, "width", 0.99, 0, "train"},
		"bytes":          {every(0, func(m *Image) { m.Head.Bytes *= 5 }), FactKind, "bytes a pixel", 0.9, 0, "train"},
		"mean colour":    {every(1, func(m *Image) { m.Pixels.Mean[1] += 150 }), FactKind, "mean green", 0.9, 0, "train"},
		"extension":      {every(1, func(m *Image) { m.Path += ".bmp"; m.Head = nil }), FactKind, "extension", 0.99, 0, "train"},

		"half of the files": {every(1, func(m *Image) {
			if len(m.Path)%2 == 0 || strings.Contains(m.Path, "e") {
				m.Head.Tables = "own 0123"
			}
		}), FactKind, "quantisation", 0.7, 0, "train"},
		"one in ten is no finding": {every(1, func(m *Image) {
			if strings.HasSuffix(m.Path, "b.jpg") {
				m.Head.EXIF = true
			}
		}), "", "", 0, 0, ""},

		"exact copies": {func(train, test *Set) {
			for i := range 7 {
				copyImage(&test.Images[i], train.Images[10*i])
			}
		}, ExactKind, "", weighExact, 7, "train test"},
		"near copies": {func(train, test *Set) {
			for i := range 5 {
				pixels := *train.Images[10*i].Pixels
				pixels.PHash ^= 1<<i | 1<<40
				pixels.DHash ^= 1 << (2 * i)
				pixels.Mean[0] += 15
				test.Images[i].Pixels = &pixels
				test.Images[i].Class = train.Images[10*i].Class
			}
		}, NearKind, "", weighNear, 5, "train test"},
		"both classes": {func(train, _ *Set) {
			copyImage(&train.Images[1], train.Images[0])
			train.Images[0].Class, train.Images[1].Class = table.Real, table.Synthetic
		}, BothKind, "", weighBoth, 1, "train"},
		"twice in a set": {func(train, _ *Set) {
			copyImage(&train.Images[1], train.Images[0])
			copyImage(&train.Images[2], train.Images[0])
		}, ExactKind, "", weighAgain, 2, "train"},
		"near, of the other class": {func(train, _ *Set) {
			train.Images[1].Pixels = train.Images[0].Pixels
			train.Images[0].Class, train.Images[1].Class = table.Real, table.Synthetic
		}, NearKind, "", weighNearBoth, 2, "train"},
		"near in a set": {func(train, _ *Set) {
			train.Images[1].Pixels, train.Images[1].Class = train.Images[0].Pixels, train.Images[0].Class
		}, NearKind, "", weighNearAgain, 2, "train"},
		"names": {func(train, test *Set) {
			for i := range 9 {
				test.Images[i].Path = strings.Replace(train.Images[i].Path, "train/", "elsewhere/", 1)
				test.Images[i].Digest, test.Images[i].File = "", "/elsewhere/"+test.Images[i].Path
			}
		}, NameKind, "", weighNames, 9, "train test"},
		"names of files that differ": {func(train, test *Set) {
			test.Images[0].Path = "other/" + train.Images[0].Path
		}, NameKind, "", weighSaid, 1, "train test"},
		"names that are numbers": {func(train, test *Set) {
			train.Images[0].Path, test.Images[0].Path = "a/0001.png", "b/0001.png"
			train.Images[0].Digest, test.Images[0].Digest = "", ""
		}, NameKind, "", weighSaid, 1, "train test"},
		"names in several folders": {func(train, _ *Set) {
			train.Images[0].Path = "other/" + train.Images[1].Path
		}, NameKind, "", weighSaid, 1, "train"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 5)
			train, test := w.set(t, "train", Training, 160), w.set(t, "test", Test, 120)
			c.plant(&train, &test)
			r := Examine([]Set{train, test}, Everything)
			if c.kind == "" {
				if len(r.Findings) > 0 {
					t.Errorf("%+v", r.Findings)
				}
				return
			}
			if len(r.Findings) == 0 {
				t.Fatal("nothing was found")
			}
			f := r.Findings[0]
			if f.Kind != c.kind || f.Fact != c.fact && !slices.Contains(f.Also, c.fact) || f.Weight < c.weight || f.Count != c.count || strings.Join(f.Sets, " ") != c.sets {
				t.Errorf("%s %q (also %v), weight %.3f, count %d, sets %v: %s", f.Kind, f.Fact, f.Also, f.Weight, f.Count, f.Sets, f.Title)
			}
		})
	}
}

// copyImage makes an image the same file as another, under its own name.
func copyImage(to *Image, from Image) {
	to.Digest, to.Head, to.Pixels, to.Class = from.Digest, from.Head, from.Pixels, from.Class
}

// Sets that say nothing: of one class, without labels, without images, or with files that nobody can read.
func TestSetsThatPredictNothing(t *testing.T) {
	w := newWorld(t, 9)
	one, unlabelled, bad := w.set(t, "one", Test, 40), w.set(t, "unlabelled", Test, 40), w.set(t, "bad", Test, 40)
	for i := range 40 {
		one.Images[i].Class, unlabelled.Images[i].Class = table.Real, table.Unlabelled
		m := &bad.Images[i]
		m.Head, m.Pixels, m.Bad, m.Path, m.Digest = nil, nil, "truncated", fmt.Sprint(i), fmt.Sprint(i)
	}
	r := Examine([]Set{one, unlabelled, bad, {Name: "absent", Role: Training, Absent: "there is no list"}, {Name: "empty", Role: Test}}, Everything)
	if len(r.Findings) > 0 || len(r.Predictions) > 0 {
		t.Errorf("%+v %+v", r.Findings, r.Predictions)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one (test): 40 Real\n", "unlabelled (test): 40 without label\n", "40 files cannot be read\n  0: truncated", "and 37 more",
		"absent (training): left out, there is no list", "0 leaks, 0 warnings, 0 notes", "No set has both classes"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
}

// What is scored with another set is predicted with it.
func TestWith(t *testing.T) {
	w := newWorld(t, 11)
	fake, real := w.set(t, "stylegan", Test, 60), w.set(t, "ffhq", Test, 60)
	for i := range 60 {
		fake.Images[i].Class, real.Images[i].Class = table.Synthetic, table.Real
		head := *fake.Images[i].Head
		head.W = 299
		fake.Images[i].Head = &head
	}
	fake.With = []string{"ffhq", "not there"}
	r := Examine([]Set{fake, real}, Everything)
	if len(r.Findings) == 0 || r.Findings[0].Fact != "width" || r.Findings[0].Weight < 0.99 || r.Findings[0].Sets[0] != "stylegan with ffhq" {
		t.Errorf("%+v", r.Findings)
	}
}

// The same sets give the same report, whatever the goroutines did.
func TestReportIsTheSame(t *testing.T) {
	make := func() *Report {
		w := newWorld(t, 3)
		train, test := w.set(t, "train", Training, 100), w.set(t, "test", Test, 100)
		for i := range 30 {
			copyImage(&test.Images[i], train.Images[i])
			test.Images[40+i].Pixels = train.Images[50+i].Pixels
			test.Images[70+i%30].Path = "x/" + train.Images[i].Path[6:]
		}
		return Examine([]Set{train, test}, Everything)
	}
	first := make()
	for range 5 {
		if d := cmp.Diff(first, make()); d != "" {
			t.Fatal(d)
		}
	}
}

// A list as long as the paper's is examined in seconds.
func TestHugeLists(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute under the race detector")
	}
	random := rand.New(rand.NewPCG(2, 2))
	heads := []*Head{{Format: "JPEG", Codec: "baseline", Mode: "RGB", W: 224, H: 224, Bytes: 9000}, {Format: "PNG", Codec: "deflate", Mode: "RGB", W: 224, H: 224, Bytes: 90000}}
	s := Set{Name: "test", Role: Test}
	for i := range 300_000 {
		s.Images = append(s.Images, Image{Path: fmt.Sprintf("/a/%06d.png", i), File: fmt.Sprint(i), Class: i % 2, Digest: fmt.Sprint("d", i), Head: heads[random.IntN(2)],
			Pixels: &Pixels{Mean: [3]float32{random.Float32(), random.Float32(), random.Float32()}, PHash: random.Uint64(), DHash: random.Uint64()}})
	}
	began := time.Now()
	r := Examine([]Set{s}, Everything)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("%s for 300,000 images", took)
	}
	if len(r.Findings) > 0 {
		t.Errorf("%+v", r.Findings)
	}
}

// The page shows every finding, takes no path for markup, and refers to nothing outside of itself.
func TestPage(t *testing.T) {
	w := newWorld(t, 6)
	train, test := w.set(t, "train", Training, 60), w.set(t, "test", Test, 60)
	for i := range train.Images {
		if train.Images[i].Class == 1 {
			train.Images[i].Path = "<b>" + train.Images[i].Path + ".bmp"
		}
	}
	copyImage(&test.Images[0], train.Images[0])
	test.Images[1].Bad = "truncated <i>"
	r := Examine([]Set{train, test}, Everything)
	var page strings.Builder
	if err := r.WriteHTML(&page, "mine <u>"); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"<article": len(r.Findings), "mine &lt;u&gt;": 2, "<b>train": 0, "truncated &lt;i&gt;": 1, "http": 0, `class="over"`: 1,
		"<td>extension</td>": 5, "What to do": len(r.Findings)} {
		if got := strings.Count(page.String(), text); got != want {
			t.Errorf("%q is there %d times, want %d", text, got, want)
		}
	}
}
