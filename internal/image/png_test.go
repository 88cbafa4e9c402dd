package image_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	stdimage "image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/image"
)

// chunk is one of a PNG file: length, name, content, checksum.
func chunk(name string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	b = append(append(b, name...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func pngOf(chunks ...[]byte) []byte {
	return append([]byte("\x89PNG\r\n\x1a\n"), bytes.Join(chunks, nil)...)
}

// pngHeader ends with depth, colour type, compression, filter method and interlacing.
func pngHeader(w, h uint32, rest ...byte) []byte {
	return chunk("IHDR", append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h), rest...))
}

func deflated(rows []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(rows) // a buffer takes all
	_ = w.Close()
	return b.Bytes()
}

// What is wrong with a PNG file is told by its kind.
func TestBadPNG(t *testing.T) {
	const w, h = 10, 6
	rows := bytes.Repeat(append([]byte{1}, slices.Repeat([]byte{3, 1, 4}, w)...), h)
	head, end, stream := pngHeader(w, h, 8, 2, 0, 0, 0), chunk("IEND", nil), deflated(rows)
	picture := chunk("IDAT", stream)
	tail := len(stream) - 4 // where the checksum is
	numbers := pngHeader(w, h, 8, 3, 0, 0, 0)

	for name, c := range map[string]struct {
		chunks [][]byte
		kind   error // nil: none
		want   string
	}{
		"good":                         {[][]byte{head, picture, end}, nil, ""},
		"wrong_checksum_of_picture":    {[][]byte{head, broken(picture, len(picture)-4, 0, 0, 0, 0), end}, nil, ""}, // zlib has its own
		"wrong_checksum_of_header":     {[][]byte{broken(head, len(head)-4, 0, 0, 0, 0), picture, end}, image.ErrDamaged, `the checksum of its chunk "IHDR" is wrong`},
		"wrong_checksum_of_zlib":       {[][]byte{head, chunk("IDAT", broken(stream, tail, 0, 0, 0, 0)), end}, image.ErrDamaged, "zlib: invalid checksum"},
		"no_checksum_of_zlib":          {[][]byte{head, chunk("IDAT", stream[:tail]), end}, image.ErrTruncated, "the file ends before the picture does"},
		"stream_cut":                   {[][]byte{head, chunk("IDAT", stream[:tail/2]), end}, image.ErrTruncated, "the file ends before the picture does"},
		"stream_of_no_byte":            {[][]byte{head, chunk("IDAT", nil), end}, image.ErrTruncated, "the file ends before the picture does"},
		"stream_is_not_zlib":           {[][]byte{head, chunk("IDAT", []byte("a picture, believe me")), end}, image.ErrDamaged, "zlib: invalid header"},
		"stream_damaged":               {[][]byte{head, chunk("IDAT", broken(stream, 2, 7)), end}, image.ErrDamaged, "flate: corrupt input"},
		"stream_goes_on_after_another": {[][]byte{head, chunk("IDAT", stream[:tail/2]), chunk("tEXt", []byte("a\x00b")), chunk("IDAT", stream[tail/2:]), end}, image.ErrTruncated, "the file ends before the picture does"},
		"a_byte_too_few":               {[][]byte{head, chunk("IDAT", deflated(rows[1:])), end}, image.ErrTruncated, "the file ends before the picture does"},
		"a_row_too_few":                {[][]byte{head, chunk("IDAT", deflated(rows[1+3*w:])), end}, image.ErrTruncated, "the file ends before the picture does"},
		"a_byte_too_many":              {[][]byte{head, chunk("IDAT", deflated(append(rows, 0))), end}, image.ErrDamaged, "there is more of the picture than its size asks for"},
		"large_size_of_a_small_file":   {[][]byte{pngHeader(10000, 10000, 8, 2, 0, 0, 0), picture, end}, image.ErrTruncated, "the file ends before the picture does"},
		"filter_5":                     {[][]byte{head, chunk("IDAT", deflated(broken(rows, 0, 5))), end}, image.ErrDamaged, "a row of the picture names a filter that there is not"},
		"interlacing_2":                {[][]byte{pngHeader(w, h, 8, 2, 0, 0, 2), picture, end}, image.ErrDamaged, "interlacing 2"},
		"filter_method_1":              {[][]byte{pngHeader(w, h, 8, 2, 0, 1, 0), picture, end}, image.ErrUnsupported, "compression 0, filter method 1"},
		"colour_type_5":                {[][]byte{pngHeader(w, h, 8, 5, 0, 0, 0), picture, end}, image.ErrUnsupported, "colour type 5 of 8 bits"},
		"palette_of_16_bits":           {[][]byte{pngHeader(w, h, 16, 3, 0, 0, 0), picture, end}, image.ErrUnsupported, "colour type 3 of 16 bits"},
		"header_of_14_bytes":           {[][]byte{pngHeader(w, h, 8, 2, 0, 0, 0, 0), picture, end}, image.ErrDamaged, `the chunk "IHDR" of 14 bytes stands where it may not`},
		"second_header":                {[][]byte{head, head, picture, end}, image.ErrDamaged, `the chunk "IHDR" of 13 bytes stands where it may not`},
		"no_header":                    {[][]byte{chunk("tEXt", make([]byte, 40)), head, picture, end}, image.ErrDamaged, `the chunk "tEXt" of 40 bytes stands where it may not`},
		"no_picture":                   {[][]byte{head, end}, image.ErrDamaged, "it ends without a picture or its palette"},
		"no_palette":                   {[][]byte{numbers, picture, end}, image.ErrDamaged, "it ends without a picture or its palette"},
		"palette_of_4_bytes":           {[][]byte{numbers, chunk("PLTE", make([]byte, 4)), picture, end}, image.ErrDamaged, "a palette of 4 bytes"},
		"palette_of_257_colours":       {[][]byte{numbers, chunk("PLTE", make([]byte, 3*257)), picture, end}, image.ErrDamaged, "a palette of 771 bytes"},
		"palette_after_the_picture":    {[][]byte{numbers, picture, chunk("PLTE", make([]byte, 6)), end}, image.ErrDamaged, "it has a second palette, or one after the picture"},
		"short_transparent_colour":     {[][]byte{head, chunk("tRNS", make([]byte, 4)), picture, end}, image.ErrDamaged, "its transparent colour has 4 bytes, of 6"},
		"no_end":                       {[][]byte{head, picture}, image.ErrTruncated, "the file ends before the picture does"},
		"chunk_longer_than_the_file":   {[][]byte{head, broken(picture, 0, 0x7f), end}, image.ErrTruncated, "the file ends before the picture does"},
		"chunk_of_4_GB":                {[][]byte{head, broken(picture, 0, 0xff, 0xff, 0xff, 0xff), end}, image.ErrTruncated, "the file ends before the picture does"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := image.Read("x", pngOf(c.chunks...), image.Limits{})
			if c.kind == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if want := "read image x: PNG: " + c.kind.Error() + ": " + c.want; !errors.Is(err, c.kind) || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v\nwant %s", err, want)
			}
		})
	}
}

// Whatever the rows, the pixels are those that Go's own decoder makes of them, or neither makes any.
func FuzzPNGRows(f *testing.F) {
	for _, colour := range []byte{0, 2, 3, 4, 6} {
		for _, interlacing := range []byte{0, 1} {
			f.Add(byte(9), byte(7), byte(8), colour, interlacing, bytes.Repeat([]byte("\x04abcdefgh\x03\x00\x01\x02"), 40))
			f.Add(byte(5), byte(5), byte(1), colour, interlacing, bytes.Repeat([]byte("\x01a\x02"), 40))
			f.Add(byte(3), byte(6), byte(16), colour, interlacing, bytes.Repeat([]byte("\x02abc\x04"), 80))
		}
	}
	f.Fuzz(func(t *testing.T, w, h, depth, colour, interlacing byte, rows []byte) {
		w, h = max(1, w%40), max(1, h%40)
		chunks := [][]byte{pngHeader(uint32(w), uint32(h), depth, colour, 0, 0, interlacing)}
		if colour == 3 {
			palette := make([]byte, 3<<min(depth, 8))
			for i := range palette {
				palette[i] = byte(i * i)
			}
			chunks = append(chunks, chunk("PLTE", palette))
		}
		if size, stride := pngSize(int(w), int(h), depth, colour, interlacing); size > 0 { // as much as is wanted
			rows = append(rows, make([]byte, size)...)[:size]
			for i := range rows {
				if i%stride == 0 || interlacing == 1 {
					rows[i] %= 6 // the filters, and one that there is not
				}
			}
		}
		data := pngOf(append(chunks, chunk("IDAT", deflated(rows)), chunk("IEND", nil))...)
		m, err := image.Read("x", data, image.Limits{})
		want, wantErr := png.Decode(bytes.NewReader(data))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, Go's decoder: %v", err, wantErr)
		}
		if err != nil || depth == 16 { // of 16 bits Go rounds otherwise
			return
		}
		if got := m.RGB(); !bytes.Equal(got.Pix, opaque(want)) {
			t.Errorf("%d x %d, %d bits, colour type %d, interlacing %d: other pixels than Go's", w, h, depth, colour, interlacing)
		}
	})
}

// pngSize is the bytes of a picture's rows and those of its widest row, 0 for what is no PNG.
func pngSize(w, h int, depth, colour, interlacing byte) (size, stride int) {
	channels := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
	row := func(pixels int) int { return 1 + (pixels*channels*int(depth)+7)/8 }
	if channels == 0 || depth > 16 {
		return 0, 0
	}
	if interlacing == 0 {
		return h * row(w), row(w)
	}
	for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		if pw, ph := (w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3]; pw > 0 {
			size += ph * row(pw)
		}
	}
	return size, row(w)
}

// opaque are the colours of a picture [h, w, 3] without its opacity.
func opaque(m stdimage.Image) (pix []byte) {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			c, ok := m.At(x, y).(color.NRGBA)
			if !ok {
				c = color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			}
			pix = append(pix, c.R, c.G, c.B)
		}
	}
	return pix
}
