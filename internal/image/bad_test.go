package image_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	stdimage "image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/cyborg-run/cyborg-run/internal/image"
)

// kinds are those of sample, by what reads them.
var kinds = map[string][]string{
	"jpeg": {"jpeg"}, "png": {"png"}, "bmp": {"bmp"}, "tiff": {"tiff", "tiff_deflate"}, "webp": {"lossy", "lossless", "animated"},
}

// sample is a small picture as a file's bytes.
func sample(t testing.TB, kind string) []byte {
	t.Helper()
	m := stdimage.NewNRGBA(stdimage.Rect(0, 0, 40, 30))
	for i := range m.Pix {
		m.Pix[i] = byte(i * i / 7)
	}
	for y := range 30 {
		for x := range 40 {
			c := m.NRGBAAt(x, y)
			m.SetNRGBA(x, y, color.NRGBA{c.R, c.G, c.B, 255})
		}
	}
	var b bytes.Buffer
	var err error
	switch kind {
	case "jpeg":
		err = jpeg.Encode(&b, m, nil)
	case "png":
		err = png.Encode(&b, m)
	case "bmp":
		err = bmp.Encode(&b, m)
	case "tiff":
		err = tiff.Encode(&b, m, nil)
	case "tiff_deflate":
		err = tiff.Encode(&b, m, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
	default: // pictures of 13 x 9, as no encoder is at hand
		var data []byte
		data, err = os.ReadFile("testdata/" + kind + ".webp")
		b.Write(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// broken is a copy with some bytes set from a place on.
func broken(data []byte, at int, with ...byte) []byte {
	out := bytes.Clone(data)
	copy(out[at:], with)
	return out
}

func TestBadFiles(t *testing.T) {
	jpg, pngFile, bitmap, tif := sample(t, "jpeg"), sample(t, "png"), sample(t, "bmp"), sample(t, "tiff")
	lossy, lossless := sample(t, "lossy"), sample(t, "lossless")
	huge := broken(pngFile, 16, 0, 1, 0, 0, 0, 1, 0, 0) // 65536 x 65536
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	// Many tags with the whole file as their values: 8 bytes of memory for each byte, of each tag.
	sharing := []byte("II*\x00\x08\x00\x00\x00\x02\x00" + strings.Repeat("\x00\x01\x01\x00\x20\x00\x00\x00\x00\x00\x00\x00", 2))
	sof := bytes.Index(jpg, []byte("\xff\xc0"))

	for name, c := range map[string]struct {
		data []byte
		kind error
		want string // the error begins so, after the file's name
	}{
		"empty":               {nil, image.ErrEmpty, "empty file (0 bytes)"},
		"zero_bytes":          {make([]byte, 9000), image.ErrNotImage, "not an image: its 9000 bytes begin with zeros, as a copy does that was broken off"},
		"text":                {[]byte("<html>404</html>"), image.ErrNotImage, `not an image: it begins with "<html>404</html>"`},
		"git_lfs_pointer":     {[]byte("version https://git-lfs.github.com/spec/v1\noid"), image.ErrNotImage, "not an image: a Git LFS pointer; fetch the file itself with git lfs pull"},
		"heif":                {[]byte("\x00\x00\x00\x18ftypheic"), image.ErrUnsupported, "unsupported kind of image: HEIF; JPEG, PNG, BMP, TIFF and WebP are read, convert it to PNG"},
		"big_tiff":            {[]byte("II+\x00\x08\x00\x00\x00"), image.ErrUnsupported, "unsupported kind of image: BigTIFF; JPEG, PNG, BMP, TIFF and WebP are read, convert it to PNG"},
		"text_like_bmp":       {[]byte("BMW is a maker of cars"), image.ErrNotImage, `not an image: it begins with "BMW is a maker of cars"`},
		"jpeg_cut_in_half":    {jpg[:len(jpg)/2], image.ErrTruncated, "JPEG: truncated: the file ends before the picture does"},
		"jpeg_without_end":    {jpg[:len(jpg)-1], image.ErrTruncated, "JPEG: truncated: the file ends before the picture does"},
		"jpeg_cut_in_header":  {jpg[:sof], image.ErrTruncated, "JPEG: truncated: the file ends before the picture does"},
		"jpeg_of_3_bytes":     {jpg[:3], image.ErrTruncated, "JPEG: truncated: the file ends before the picture does"},
		"jpeg_data_cut_out":   {append(bytes.Clone(jpg[:len(jpg)-200]), 0xff, 0xd9), image.ErrTruncated, "JPEG: truncated: the file ends before the picture does"},
		"jpeg_too_large":      {broken(jpg, sof+5, 0xff, 0, 0xff, 0), image.ErrTooLarge, "JPEG: too large: 65280 x 65280 pixels are more than the limit of 178956970; raise max_pixels if the file is to be trusted"},
		"jpeg_without_size":   {broken(jpg, sof+5, 0, 0, 0, 0), image.ErrDamaged, "JPEG: damaged: Empty JPEG image"},
		"jpeg_of_2_colours":   {broken(jpg, sof+9, 2), image.ErrDamaged, "JPEG: damaged: Bogus marker length"},
		"jpeg_of_12_bits":     {broken(jpg, sof+4, 12), image.ErrUnsupported, "JPEG: unsupported kind of image: Unsupported JPEG data precision 12; convert it to PNG"},
		"jpeg_lossless":       {broken(jpg, sof+1, 0xc3), image.ErrUnsupported, "JPEG: unsupported kind of image: Unsupported JPEG process: SOF type 0xc3; convert it to PNG"},
		"jpeg_bad_tables":     {broken(jpg, bytes.Index(jpg, []byte("\xff\xc4"))+5, 255, 255, 255), image.ErrDamaged, "JPEG: damaged: Bogus Huffman table definition"},
		"png_cut_in_half":     {pngFile[:len(pngFile)/2], image.ErrTruncated, "PNG: truncated: the file ends before the picture does"},
		"png_without_end":     {pngFile[:len(pngFile)-12], image.ErrTruncated, "PNG: truncated: the file ends before the picture does"},
		"png_of_8_bytes":      {pngFile[:8], image.ErrTruncated, "PNG: truncated: 8 bytes, the header alone needs 33"},
		"png_too_large":       {huge, image.ErrTooLarge, "PNG: too large: 65536 x 65536 pixels are more than the limit of 178956970; raise max_pixels if the file is to be trusted"},
		"png_of_no_pixels":    {broken(pngFile, 16, 0, 0, 0, 0), image.ErrDamaged, "PNG: damaged: 0 x 30 pixels"},
		"png_damaged_picture": {broken(pngFile, 60, 1, 2, 3), image.ErrDamaged, "PNG: damaged: "},
		"png_damaged_header":  {broken(pngFile, 24, 7), image.ErrUnsupported, "PNG: unsupported kind of image: "},
		"bmp_cut_in_half":     {bitmap[:len(bitmap)/2], image.ErrTruncated, "BMP: truncated: the picture needs 3600 bytes, there are 1773"},
		"bmp_cut_in_header":   {bitmap[:30], image.ErrTruncated, "BMP: truncated: the file ends in its header"},
		"bmp_too_large":       {broken(bitmap, 18, 0, 0, 1, 0, 0, 0, 1, 0), image.ErrTooLarge, "BMP: too large: 65536 x 65536 pixels"},
		"bmp_of_2_bits":       {broken(bitmap, 28, 2), image.ErrUnsupported, "BMP: unsupported kind of image: 2 bits a pixel; convert it to PNG"},
		"bmp_of_jpeg":         {broken(bitmap, 30, 4), image.ErrUnsupported, "BMP: unsupported kind of image: compression 4; convert it to PNG"},
		"bmp_of_old_header":   {broken(bitmap, 14, 16), image.ErrUnsupported, "BMP: unsupported kind of image: a header of 16 bytes; convert it to PNG"},
		"tiff_cut_in_half":    {tif[:len(tif)/2], image.ErrTruncated, "TIFF: truncated: the file ends before its directory does"},
		"tiff_without_tags":   {[]byte("II*\x00\x08\x00\x00\x00\x00\x00"), image.ErrDamaged, "TIFF: damaged: 0 x 0 pixels"},
		"tiff_shared_values":  {sharing, image.ErrDamaged, "TIFF: damaged: its tags share their values"},
		"tiff_too_large":      {bytes.Replace(tif, []byte{0, 1, 3, 0, 1, 0, 0, 0, 40, 0, 0, 0}, []byte{0, 1, 4, 0, 1, 0, 0, 0, 0, 0, 0, 255}, 1), image.ErrTooLarge, "TIFF: too large: "},
		"webp_cut_in_half":    {lossy[:len(lossy)/2], image.ErrTruncated, "WebP: truncated: "},
		"webp_of_no_picture":  {[]byte("RIFF\x04\x00\x00\x00WEBP"), image.ErrDamaged, "WebP: damaged: there is no picture in it"},
		"webp_damaged":        {broken(lossy, 23, 0, 0, 0), image.ErrDamaged, "WebP: damaged: "},
		"webp_lossless_lies":  {broken(lossless, 21, 255, 255, 255, 15), image.ErrTooLarge, "WebP: too large: "},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "photo.jpg") // what it is called does not matter
			if err := os.WriteFile(path, c.data, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := image.Open(path, image.Limits{})
			if !errors.Is(err, c.kind) {
				t.Fatalf("%v, want: %v", err, c.kind)
			}
			if want := "read image " + path + ": " + c.want; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v\nwant %s", err, want)
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	_, err := image.Open("no/such.png", image.Limits{})
	if want := "read image no/such.png: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestLimits(t *testing.T) {
	for _, all := range kinds {
		for _, kind := range all {
			data := sample(t, kind)
			m, err := image.Read("x", data, image.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			pixels := m.W * m.H
			if _, err := image.Read("x", data, image.Limits{MaxPixels: pixels - 1}); !errors.Is(err, image.ErrTooLarge) {
				t.Errorf("%s of %d pixels, limit one less: %v", kind, pixels, err)
			}
			if _, err := image.Read("x", data, image.Limits{MaxPixels: pixels}); err != nil {
				t.Errorf("%s of %d pixels, limit as many: %v", kind, pixels, err)
			}
		}
	}
}

// A file cut anywhere is an error, never a picture with a grey part.
func TestCutAnywhere(t *testing.T) {
	for _, all := range kinds {
		for _, kind := range all {
			data := sample(t, kind)
			for n := range data {
				if _, err := image.Read("x", data[:n], image.Limits{}); err == nil {
					t.Errorf("%s of %d bytes, cut to %d: no error", kind, len(data), n)
				}
			}
		}
	}
}

func TestValues(t *testing.T) {
	write := func(m stdimage.Image) *image.Image {
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		got, err := image.Read("x", b.Bytes(), image.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	palette := stdimage.NewPaletted(stdimage.Rect(0, 0, 3, 1), color.Palette{color.White, color.Black, color.Black})
	copy(palette.Pix, []byte{2, 0, 1})
	deep := stdimage.NewGray16(stdimage.Rect(0, 0, 2, 1))
	deep.SetGray16(1, 0, color.Gray16{Y: 1000})
	for name, c := range map[string]struct {
		m    stdimage.Image
		want []uint16
	}{
		"numbers_of_a_palette": {palette, []uint16{2, 0, 1}},
		"grey_of_16_bits":      {deep, []uint16{0, 1000}},
	} {
		values, ok := write(c.m).Values()
		if d := cmp.Diff(c.want, values); d != "" || !ok {
			t.Errorf("%s: %v %s", name, ok, d)
		}
	}
	if _, ok := write(stdimage.NewNRGBA(stdimage.Rect(0, 0, 2, 2))).Values(); ok {
		t.Error("a picture in colours has no values")
	}
}

// Whatever the bytes, decoding ends in an error or in a picture of the promised size.
func fuzz(f *testing.F, readers ...string) {
	for _, reader := range readers {
		for _, kind := range kinds[reader] {
			f.Add(sample(f, kind))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := image.Read("x", data, image.Limits{MaxPixels: 1 << 16})
		if err != nil {
			return
		}
		if rgb := m.RGB(); len(rgb.Pix) != 3*m.W*m.H {
			t.Fatalf("%d bytes of RGB for %d x %d", len(rgb.Pix), m.W, m.H)
		}
		if grey := m.Grey(); len(grey.Pix) != m.W*m.H {
			t.Fatalf("%d bytes of grey for %d x %d", len(grey.Pix), m.W, m.H)
		}
		if values, ok := m.Values(); ok && len(values) != m.W*m.H {
			t.Fatalf("%d values for %d x %d", len(values), m.W, m.H)
		}
		if m.Orientation < 1 || m.Orientation > 8 {
			t.Fatalf("orientation %d", m.Orientation)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe0"))
	fuzz(f, "jpeg", "png")
}

func FuzzBMP(f *testing.F) {
	const head = "BM\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x28\x00\x00\x00\x03\x00\x00\x00\x02\x00\x00\x00\x01\x00"
	palette := strings.Repeat("\x10\x20\x30\x00", 16)
	runs := "\x02\x11\x00\x00\x00\x03\x12\x30\x00\x01"
	f.Add([]byte(head + "\x04\x00\x02\x00\x00\x00" + strings.Repeat("\x00", 20) + palette + runs))                                                   // run lengths
	f.Add([]byte(head + "\x10\x00\x03\x00\x00\x00" + strings.Repeat("\x00", 20) + "\x00\xf8\x00\x00\xe0\x07\x00\x00\x1f\x00\x00\x00" + runs + runs)) // bit fields
	fuzz(f, "bmp")
}

func FuzzTIFF(f *testing.F) {
	for _, m := range []stdimage.Image{stdimage.NewGray(stdimage.Rect(0, 0, 5, 3)), stdimage.NewRGBA64(stdimage.Rect(0, 0, 3, 2)),
		stdimage.NewPaletted(stdimage.Rect(0, 0, 3, 2), color.Palette{color.White, color.Black})} {
		var b bytes.Buffer
		if err := tiff.Encode(&b, m, nil); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	tags := []byte("II*\x00\x08\x00\x00\x00\x07\x00") // 3 x 2 pixels of 8 bits in tiles of run lengths
	for _, tag := range [][2]uint16{{256, 3}, {257, 2}, {258, 8}, {259, 32773}, {322, 16}, {323, 16}, {324, 4}} {
		tags = binary.LittleEndian.AppendUint16(tags, tag[0])
		tags = append(tags, 3, 0, 1, 0, 0, 0)
		tags = binary.LittleEndian.AppendUint32(tags, uint32(tag[1]))
	}
	f.Add(append(tags, "\x00\x00\x00\x00\xf1\x07\x02abc\x80"...))
	fuzz(f)
}

func FuzzWebP(f *testing.F) { fuzz(f, "webp") }
