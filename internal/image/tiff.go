package image

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// The tags of TIFF that are read (TIFF 6.0, Adobe 1992).
const (
	tagWidth           = 256
	tagHeight          = 257
	tagBits            = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagStripOffsets    = 273
	tagSamples         = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanar          = 284
	tagPredictor       = 317
	tagColorMap        = 320
	tagTileWidth       = 322
	tagTileHeight      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagExtraSamples    = 338
	tagSampleFormat    = 339
)

// What numbers of a picture stand for.
const (
	whiteIsZero = 0
	blackIsZero = 1
	photoRGB    = 2
	photoIndex  = 3
	photoCMYK   = 5
)

// tiff is the first picture of a TIFF file.
type tiff struct {
	data        []byte
	order       binary.ByteOrder
	tags        map[uint16][]int
	w, h        int
	compression int
	photometric int
	bits        int // of each sample
	samples     int // of each pixel
	extra       []int
	planes      int // 1, or as many as samples where each has its own
	predictor   int
}

func isTIFF(data []byte) bool {
	return len(data) >= 4 && (string(data[:4]) == "II*\x00" || string(data[:4]) == "MM\x00*")
}

func tiffUnsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s; convert it to PNG", ErrUnsupported, fmt.Sprintf(format, args...))
}

func decodeTIFF(data []byte, l Limits) (*Image, error) {
	m, err := readTIFF(data, l)
	if err != nil {
		return nil, fmt.Errorf("TIFF: %w", err)
	}
	return m, nil
}

func readTIFF(data []byte, l Limits) (*Image, error) {
	t := &tiff{data: data, order: binary.LittleEndian}
	if data[0] == 'M' {
		t.order = binary.BigEndian
	}
	if err := t.readTags(); err != nil {
		return nil, err
	}
	t.w, t.h = t.one(tagWidth, 0), t.one(tagHeight, 0)
	if err := l.check(t.w, t.h); err != nil {
		return nil, err
	}
	if err := t.readFormat(); err != nil {
		return nil, err
	}
	m, unpack, err := t.layout()
	if err != nil {
		return nil, err
	}
	turned := t.one(tagOrientation, upright)
	if turned >= 5 && t.compression == compressNone && m.Mode != TrueColor && t.w != t.h {
		return nil, tiffUnsupported("pixels without compression that are turned (orientation %d), which Pillow misreads", turned)
	}
	if err := t.blocks(m, l, unpack); err != nil {
		return nil, err
	}
	return m.turn(turned), nil
}

// tiffSizes are the bytes of a value, by its type.
var tiffSizes = map[uint16]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}

// readTags reads the first directory: the whole numbers in it, by tag.
func (t *tiff) readTags() error {
	cut := fmt.Errorf("%w: the file ends before its directory does", ErrTruncated)
	if len(t.data) < 8 {
		return cut
	}
	at := uint64(t.order.Uint32(t.data[4:]))
	if at+2 > uint64(len(t.data)) {
		return cut
	}
	count := uint64(t.order.Uint16(t.data[at:]))
	entries := t.data[at+2:]
	if uint64(len(entries)) < 12*count {
		return cut
	}
	t.tags = make(map[uint16][]int)
	left := uint64(len(t.data)) // values do not overlap: all of them together are no longer than the file
	for range count {
		entry := entries[:12]
		entries = entries[12:]
		kind, number := t.order.Uint16(entry[2:]), uint64(t.order.Uint32(entry[4:]))
		size := tiffSizes[kind]
		place := entry[8:]
		if size*number > 4 {
			at := uint64(t.order.Uint32(place))
			if at+size*number > uint64(len(t.data)) {
				return fmt.Errorf("%w: the values of tag %d lie behind the file's end", ErrTruncated, t.order.Uint16(entry))
			}
			if size*number > left {
				return fmt.Errorf("%w: its tags share their values", ErrDamaged)
			}
			left -= size * number
			place = t.data[at:]
		}
		if kind != 1 && kind != 3 && kind != 4 { // bytes, shorts and longs
			continue
		}
		values := make([]int, number)
		for i := range values {
			switch p := place[uint64(i)*size:]; size {
			case 1:
				values[i] = int(p[0])
			case 2:
				values[i] = int(t.order.Uint16(p))
			default:
				values[i] = int(t.order.Uint32(p))
			}
		}
		t.tags[t.order.Uint16(entry)] = values
	}
	return nil
}

// one is a tag's first value.
func (t *tiff) one(tag uint16, standard int) int {
	if v := t.tags[tag]; len(v) > 0 {
		return v[0]
	}
	return standard
}

// readFormat reads how the pixels are stored, and refuses what Pillow has no mode for or this package does not convert.
func (t *tiff) readFormat() error {
	t.compression = t.one(tagCompression, compressNone)
	if _, ok := decompressors[t.compression]; !ok {
		name := compressions[t.compression]
		if name == "" {
			name = fmt.Sprint(t.compression)
		}
		return tiffUnsupported("compression %s", name)
	}
	if order := t.one(tagFillOrder, 1); order != 1 {
		return tiffUnsupported("bits in reversed order")
	}
	t.photometric = t.one(tagPhotometric, whiteIsZero)
	t.extra = t.tags[tagExtraSamples]
	t.samples = t.one(tagSamples, 1)
	bits := t.tags[tagBits]
	if len(bits) == 0 {
		bits = []int{1}
	}
	if t.samples < 1 || t.samples > 4 {
		return tiffUnsupported("%d samples a pixel", t.samples)
	}
	bits = bits[:min(len(bits), t.samples)]
	if slices.Max(bits) != slices.Min(bits) {
		return tiffUnsupported("samples of different depth")
	}
	if len(bits) > 1 && len(bits) < t.samples {
		return fmt.Errorf("%w: depths for %d of %d samples", ErrDamaged, len(bits), t.samples)
	}
	t.bits = bits[0]
	for _, format := range t.tags[tagSampleFormat] {
		if format != 1 && (format != 2 || t.photometric != blackIsZero || t.samples != 1 || t.bits != 8) {
			return tiffUnsupported("samples of format %d; whole numbers without sign are read", format)
		}
	}
	t.predictor = 1
	if t.compression == compressLZW || t.compression == compressDeflate || t.compression == compressOldDeflate {
		t.predictor = t.one(tagPredictor, 1)
	}
	if t.predictor != 1 && (t.predictor != 2 || t.bits < 8) {
		return tiffUnsupported("predictor %d of %d bits", t.predictor, t.bits)
	}
	switch planar := t.one(tagPlanar, 1); {
	case planar == 1 || t.samples == 1:
		t.planes = 1
	case planar == 2 && t.bits == 8 && len(t.extra) == 0 && (t.samples != 4 || t.photometric == photoCMYK):
		t.planes = t.samples
	default:
		return tiffUnsupported("planes (configuration %d) of %d samples of %d bits", planar, t.samples, t.bits)
	}
	return nil
}

// layout is the empty image, and how a row's bytes become its pixels.
func (t *tiff) layout() (*Image, func(out, row []byte), error) {
	m := &Image{W: t.w, H: t.h, Orientation: upright, step: 1}
	none := len(t.extra) == 0
	only := func(v ...int) bool { return len(t.extra) == 1 && slices.Contains(v, t.extra[0]) }
	const other, opacity, corel = 0, 2, 999
	small := t.bits == 1 || t.bits == 2 || t.bits == 4 || t.bits == 8
	switch {
	case t.photometric <= blackIsZero && t.samples == 1 && none && small:
		if m.Mode = Grey8; t.bits == 1 {
			m.Mode = Bilevel
		}
		return m, t.greys(), nil
	case t.photometric <= blackIsZero && t.samples == 1 && none && t.bits == 16:
		if t.order == binary.BigEndian && t.photometric == whiteIsZero {
			break
		}
		if m.Mode, m.step = Grey16, 2; t.order == binary.BigEndian {
			m.Mode = Grey16B
		}
		return m, t.deepGreys, nil
	case t.photometric == blackIsZero && t.samples == 2 && t.bits == 8 && only(other, opacity):
		if m.Mode = Grey8; t.extra[0] == opacity {
			m.Mode = GreyAlpha
		}
	case t.photometric == photoIndex && t.samples == 1 && none && small:
		if err := m.tiffPalette(t.tags[tagColorMap], t.bits); err != nil {
			return nil, nil, err
		}
		return m, func(out, row []byte) { unpackBits(out, row, t.bits, 1) }, nil
	case t.photometric == photoRGB && (t.bits == 8 || t.bits == 16) && t.samples >= 3:
		switch m.step = 3; {
		case t.samples == 3 && none, t.samples == 4 && only(other):
			m.Mode = TrueColor
		case t.samples == 4 && (none || only(opacity) || t.bits == 8 && only(corel)):
			m.Mode = RGBAlpha
		}
	case t.photometric == photoCMYK && (t.bits == 8 || t.bits == 16) && t.samples == 4 && none:
		m.Mode, m.step = CMYK, 4
	}
	if m.Mode == "" {
		return nil, nil, tiffUnsupported("photometric interpretation %d of %d samples of %d bits, extra samples %v",
			t.photometric, t.samples, t.bits, t.extra)
	}
	return m, t.pick(m.step), nil
}

// greys unpacks samples of up to 8 bits and spreads them over 0 to 255.
func (t *tiff) greys() func(out, row []byte) {
	scale := byte(255 / (1<<t.bits - 1))
	return func(out, row []byte) {
		unpackBits(out, row, t.bits, scale)
		if t.photometric == whiteIsZero {
			for i := range out {
				out[i] = 255 - out[i]
			}
		}
	}
}

// deepGreys keeps 16 bits, the high byte first. Pillow does not turn white and black where white is zero.
func (t *tiff) deepGreys(out, row []byte) {
	for i := 0; i+1 < len(out); i += 2 {
		binary.BigEndian.PutUint16(out[i:], t.order.Uint16(row[i:]))
	}
}

// pick takes the first n samples of each pixel, of 16 bits the high byte.
func (t *tiff) pick(n int) func(out, row []byte) {
	width, high := t.bits/8, 0
	if t.bits == 16 && t.order == binary.LittleEndian {
		high = 1
	}
	return func(out, row []byte) {
		for len(out) >= n && len(row) >= t.samples*width {
			for c := range n {
				out[c] = row[c*width+high]
			}
			out, row = out[n:], row[t.samples*width:]
		}
	}
}

// tiffPalette reads a colour map: all reds, all greens, all blues, of 16 bits each, of which Pillow takes the high byte.
func (m *Image) tiffPalette(colours []int, bits int) error {
	count := 1 << bits
	if len(colours) != 3*count {
		return fmt.Errorf("%w: a palette of %d values, %d are needed", ErrDamaged, len(colours), 3*count)
	}
	m.Mode = Palette
	for i := range count {
		m.palette[i] = [3]byte{byte(colours[i] >> 8), byte(colours[count+i] >> 8), byte(colours[2*count+i] >> 8)}
	}
	return nil
}
