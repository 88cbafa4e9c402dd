package leaks

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// pillowFiles writes a picture in every way that Pillow knows and this package tells apart, and prints what Pillow says of
// each file.
const pillowFiles = `
import io, json, sys, os
import numpy, PIL
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin
out = sys.argv[1]
random = numpy.random.default_rng(1)
rgb = Image.fromarray(random.integers(0, 256, (37, 53, 3), dtype=numpy.uint8))
smooth = rgb.resize((64, 48)).resize((160, 120), Image.BICUBIC)
exif = Image.Exif(); exif[0x0110] = "model"; exif[0x0112] = 6
icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
n = 0
def save(image, name, **options):
    global n
    n += 1
    image.save(os.path.join(out, "%03d_%s" % (n, name)), **options)
for quality in (1, 10, 49, 50, 51, 75, 90, 95, 99, 100):
    save(rgb, "q%d.jpg" % quality, quality=quality)
for sampling in ("4:4:4", "4:2:2", "4:2:0"):
    save(smooth, "s.jpg", subsampling=sampling)
save(smooth, "progressive.jpg", progressive=True)
save(smooth, "optimised.jpg", optimize=True)
save(smooth, "restart.jpg", restart_marker_rows=1)
save(smooth, "exif.jpg", exif=exif); save(smooth, "icc.jpg", icc_profile=icc); save(smooth, "comment.jpg", comment=b"hello")
save(smooth.convert("L"), "grey.jpg"); save(smooth.convert("CMYK"), "cmyk.jpg")
save(smooth, "own.jpg", qtables=[[min(255, 1 + 3 * i) for i in range(64)], [7] * 64])
save(smooth, "web.jpg", quality="web_high")
for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
    image = smooth.convert("L").convert("I").point(lambda v: v * 200).convert("I;16") if mode == "I;16" else smooth.convert(mode)
    save(image, "%s.png" % mode.replace(";", ""), compress_level=1 + len(mode))
save(smooth, "exif.png", exif=exif); save(smooth, "icc.png", icc_profile=icc)
info = PngImagePlugin.PngInfo(); info.add_text("Software", "x"); save(smooth, "text.png", pnginfo=info)
save(Image.fromarray(random.integers(0, 256, (300, 300, 3), dtype=numpy.uint8)), "large.png")
for lossless in (False, True):
    for mode in ("RGB", "RGBA"):
        image = smooth.convert(mode)
        if mode == "RGBA": image.putalpha(smooth.convert("L"))
        save(image, "%s.webp" % mode, lossless=lossless)
        save(image, "%s_exif.webp" % mode, lossless=lossless, exif=exif.tobytes(), icc_profile=icc)
for mode in ("1", "L", "P", "RGB", "RGBA"):
    save(smooth.convert(mode), "%s.bmp" % mode)
for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"):
    image = smooth.convert("I").convert("I;16") if mode == "I;16" else smooth.convert(mode)
    for compression in (None, "tiff_lzw"):
        save(image, "%s.tif" % mode.replace(";", ""), compression=compression)
save(smooth, "jpeg.tif", compression="jpeg"); save(smooth, "turned.tif", tiffinfo={274: 6})
for mode in ("L", "P", "RGB"):
    save(smooth.convert(mode), "%s.gif" % mode, interlace=mode == "P")
facts = []
for name in sorted(os.listdir(out)):
    with Image.open(os.path.join(out, name)) as image:
        fact = dict(name=name, format=image.format, mode=image.mode, w=image.width, h=image.height, profile=bool(image.info.get("icc_profile")))
        if image.format in ("JPEG", "PNG", "WEBP"): fact["exif"] = bool(image.info.get("exif"))
        if image.format == "JPEG":
            fact["tables"] = {k: list(v) for k, v in image.quantization.items()}
            fact["sampling"] = JpegImagePlugin.get_sampling(image)
            fact["progressive"] = bool(image.info.get("progressive"))
        facts.append(fact)
print(json.dumps(facts))`

type pillowFact struct {
	Name, Format, Mode string
	W, H, Sampling     int
	Profile            bool
	EXIF               *bool
	Progressive        bool
	Tables             map[int][64]uint16
}

// Of every kind of file that Pillow writes, we say what it says.
func TestHeadEqualsPillow(t *testing.T) {
	dir := t.TempDir()
	var facts []pillowFact
	if err := json.Unmarshal(testenv.RunPython(t, pillowFiles, dir), &facts); err != nil {
		t.Fatal(err)
	}
	if len(facts) < 70 {
		t.Errorf("only %d files", len(facts))
	}
	for _, f := range facts {
		t.Run(f.Name, func(t *testing.T) { equalsPillow(t, filepath.Join(dir, f.Name), f) })
	}
}

func equalsPillow(t *testing.T, path string, f pillowFact) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := ReadHead(data)
	if err != nil {
		t.Fatal(err)
	}
	type plain struct {
		Format, Mode string
		W, H         int
		Profile      bool
	}
	if d := cmp.Diff(plain{f.Format, f.Mode, f.W, f.H, f.Profile}, plain{h.Format, h.Mode, h.W, h.H, h.Profile}); d != "" {
		t.Error(d)
	}
	if f.EXIF != nil && *f.EXIF != h.EXIF {
		t.Errorf("EXIF %v, Pillow says %v", h.EXIF, *f.EXIF)
	}
	if f.Format != "JPEG" {
		return
	}
	if d := cmp.Diff(f.Tables, h.quantisation); d != "" {
		t.Error(d)
	}
	sampling, known := map[string]int{"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}[h.Subsampling]
	if !known {
		sampling = -1
	}
	if sampling != f.Sampling {
		t.Errorf("subsampling %s, Pillow says %d", h.Subsampling, f.Sampling)
	}
	if progressive := h.Codec == "progressive"; progressive != f.Progressive {
		t.Errorf("%s, progressive to Pillow: %v", h.Codec, f.Progressive)
	}
	if quality, isOne := strings.CutPrefix(filepath.Base(path)[4:], "q"); isOne && h.Tables != "libjpeg quality "+strings.TrimSuffix(quality, ".jpg") {
		t.Errorf("tables called %s", h.Tables)
	}
}

// Real photographs too.
func TestHeadEqualsPillowOnPhotographs(t *testing.T) {
	const script = `
import json, os, sys
from PIL import Image, JpegImagePlugin
facts = []
for top, _, names in os.walk(sys.argv[1]):
    for name in names:
        with Image.open(os.path.join(top, name)) as image:
            facts.append(dict(name=os.path.relpath(os.path.join(top, name), sys.argv[1]), format=image.format, mode=image.mode, w=image.width,
                h=image.height, profile=bool(image.info.get("icc_profile")), exif=bool(image.info.get("exif")),
                progressive=bool(image.info.get("progressive")), sampling=JpegImagePlugin.get_sampling(image),
                tables={k: list(v) for k, v in image.quantization.items()}))
print(json.dumps(facts))`
	for _, folder := range []string{"data/faces/images", "data/osie/stimuli"} {
		dir := testenv.Shared(t, folder)
		var facts []pillowFact
		if err := json.Unmarshal(testenv.RunPython(t, script, dir), &facts); err != nil {
			t.Fatal(err)
		}
		for _, f := range facts {
			equalsPillow(t, filepath.Join(dir, f.Name), f)
		}
	}
}

// seeds are small files of every format, one of each.
func seeds(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join("testdata", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = data
	}
	return all
}

// A file that was cut off is told to be, or its head is whole; the errors are those that are named.
func TestHeadOfCutFiles(t *testing.T) {
	for name, data := range seeds(t) {
		whole, err := ReadHead(data)
		if err != nil {
			t.Fatal(name, err)
		}
		for n := range data {
			h, err := ReadHead(data[:n])
			switch {
			case err == nil && (h.Format != whole.Format || h.W != whole.W || h.H != whole.H):
				t.Fatalf("%s cut to %d bytes: %+v, whole %+v", name, n, h, whole)
			case err != nil && !known(err):
				t.Fatalf("%s cut to %d bytes: %v", name, n, err)
			}
		}
		if _, err := ReadHead(data[:20]); err == nil {
			t.Errorf("%s: 20 bytes are a whole head", name)
		}
	}
	for _, text := range []string{"", "no image", "<html>", "\xff\xd8\xff", "BM", "GIF89a", "RIFF....WEBP"} {
		if _, err := ReadHead([]byte(text)); !known(err) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func known(err error) bool {
	return errors.Is(err, ErrNotImage) || errors.Is(err, ErrTruncated) || errors.Is(err, ErrDamaged)
}

// Whatever bytes come: no panic, no endless loop, nothing large, and a head only with a size and a format.
func FuzzReadHead(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ReadHead(data)
		if err != nil {
			if !known(err) {
				t.Fatal(err)
			}
			return
		}
		if h.W < 1 || h.H < 1 || h.Format == "" || h.Mode == "" || h.Codec == "" || len(h.Structure) > 1000 {
			t.Fatalf("%+v", h)
		}
		again, err := ReadHead(bytes.Clone(data))
		if d := cmp.Diff(h, again, cmp.AllowUnexported(Head{})); err != nil || d != "" {
			t.Fatal(err, d)
		}
	})
}
