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

	"github.com/cyborg-run/cyborg-run/internal/image"
)

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
	if kind == "jpeg" {
		err = jpeg.Encode(&b, m, nil)
	} else {
		err = png.Encode(&b, m)
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
	jpg, pngFile := sample(t, "jpeg"), sample(t, "png")
	huge := broken(pngFile, 16, 0, 1, 0, 0, 0, 1, 0, 0) // 65536 x 65536
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
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
		"webp":                {[]byte("RIFF\x10\x00\x00\x00WEBPVP8 "), image.ErrUnsupported, "unsupported kind of image: WebP; JPEG and PNG are read, convert it to PNG"},
		"bmp":                 {[]byte("BM\x46\x00\x00\x00\x00\x00\x00\x00"), image.ErrUnsupported, "unsupported kind of image: BMP; JPEG and PNG are read, convert it to PNG"},
		"tiff":                {[]byte("II*\x00\x08\x00\x00\x00"), image.ErrUnsupported, "unsupported kind of image: TIFF; JPEG and PNG are read, convert it to PNG"},
		"heif":                {[]byte("\x00\x00\x00\x18ftypheic"), image.ErrUnsupported, "unsupported kind of image: HEIF; JPEG and PNG are read, convert it to PNG"},
		"jpeg_cut_in_half":    {jpg[:len(jpg)/2], image.ErrTruncated, "JPEG: truncated: the file ends before the picture does"},
		"jpeg_without_end":    {jpg[:len(jpg)-1], image.ErrTruncated, "JPEG: truncated: the file ends before the picture does"},
		"jpeg_cut_in_header":  {jpg[:sof], image.ErrTruncated, "JPEG: truncated: the file ends before the picture does"},
		"jpeg_of_3_bytes":     {jpg[:3], image.ErrTruncated, "JPEG: truncated: the file ends before the picture does"},
		"jpeg_data_cut_out":   {append(bytes.Clone(jpg[:len(jpg)-200]), 0xff, 0xd9), image.ErrTruncated, "JPEG: truncated: the file ends before the picture does"},
		"jpeg_too_large":      {broken(jpg, sof+5, 0xff, 0, 0xff, 0), image.ErrTooLarge, "JPEG: too large: 65280 x 65280 pixels are more than the limit of 178956970; raise max_pixels if the file is to be trusted"},
		"jpeg_without_size":   {broken(jpg, sof+5, 0, 0, 0, 0), image.ErrDamaged, "JPEG: damaged: Empty JPEG image"},
		"jpeg_of_2_colours":   {broken(jpg, sof+9, 2), image.ErrDamaged, "JPEG: damaged: Bogus marker length"},
		"jpeg_bad_tables":     {broken(jpg, bytes.Index(jpg, []byte("\xff\xc4"))+5, 255, 255, 255), image.ErrDamaged, "JPEG: damaged: Bogus Huffman table definition"},
		"png_cut_in_half":     {pngFile[:len(pngFile)/2], image.ErrTruncated, "PNG: truncated: the file ends before the picture does"},
		"png_without_end":     {pngFile[:len(pngFile)-12], image.ErrTruncated, "PNG: truncated: the file ends before the picture does"},
		"png_of_8_bytes":      {pngFile[:8], image.ErrTruncated, "PNG: truncated: 8 bytes, the header alone needs 33"},
		"png_too_large":       {huge, image.ErrTooLarge, "PNG: too large: 65536 x 65536 pixels are more than the limit of 178956970; raise max_pixels if the file is to be trusted"},
		"png_of_no_pixels":    {broken(pngFile, 16, 0, 0, 0, 0), image.ErrDamaged, "PNG: damaged: 0 x 30 pixels"},
		"png_damaged_picture": {broken(pngFile, 60, 1, 2, 3), image.ErrDamaged, "PNG: damaged: "},
		"png_damaged_header":  {broken(pngFile, 24, 7), image.ErrUnsupported, "PNG: unsupported kind of image: "},
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
	for _, kind := range []string{"jpeg", "png"} {
		data := sample(t, kind)
		if _, err := image.Read("x", data, image.Limits{MaxPixels: 1199}); !errors.Is(err, image.ErrTooLarge) {
			t.Errorf("%s of 1200 pixels, limit 1199: %v", kind, err)
		}
		if _, err := image.Read("x", data, image.Limits{MaxPixels: 1200}); err != nil {
			t.Errorf("%s of 1200 pixels, limit 1200: %v", kind, err)
		}
	}
}

// A file cut anywhere is an error, never a picture with a grey part.
func TestCutAnywhere(t *testing.T) {
	for _, kind := range []string{"jpeg", "png"} {
		data := sample(t, kind)
		for n := range data {
			if _, err := image.Read("x", data[:n], image.Limits{}); err == nil {
				t.Errorf("%s of %d bytes, cut to %d: no error", kind, len(data), n)
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
func FuzzRead(f *testing.F) {
	f.Add(sample(f, "jpeg"))
	f.Add(sample(f, "png"))
	f.Add([]byte("\xff\xd8\xff\xe0"))
	f.Add([]byte("RIFF\x10\x00\x00\x00WEBP"))
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
	})
}
