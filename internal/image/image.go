// Package image reads photographs and saliency maps exactly as Pillow 13 does, and resizes them exactly as it does, so
// that a network sees the same bytes here as in the Python code that it is compared with.
//
// Terms: an Image holds what a file holds, in one of Pillow's modes, before any conversion; RGB and Grey are the two
// forms that the rest of the program works on, with one byte a channel, row by row from the top left. "Pillow" below
// means Image.open(path) followed by the named method. EXIF orientation is told and not acted on, as in Pillow; only TIFF
// pictures are turned, as Pillow turns them.
//
// JPEG is read by libjpeg-turbo; PNG here, unpacked by libdeflate; BMP and TIFF here; of WebP, the bit streams by golang.org/x/image
// and their way to RGB here. What Pillow reads and this package does not is refused by name (ErrUnsupported), and so are the
// few kinds of BMP and TIFF that Pillow misreads.
//
// Everything here may be called from any number of goroutines. Nothing needs to be freed.
package image

// Mode is how an image file holds its pixels, by Pillow's names.
type Mode string

// The modes of the files that are read.
const (
	Bilevel   Mode = "1"     // grey of one bit
	Grey8     Mode = "L"     // grey of 2, 4 or 8 bits
	GreyAlpha Mode = "LA"    // grey and opacity
	Palette   Mode = "P"     // numbers of colours
	TrueColor Mode = "RGB"   //
	RGBAlpha  Mode = "RGBA"  //
	Grey16    Mode = "I;16"  // grey of 16 bits
	Grey16B   Mode = "I;16B" // the same, of a TIFF file with the high byte first
	CMYK      Mode = "CMYK"  // printing colours, 255 for full ink (of JPEG, the stored numbers inverted, as Adobe stores them)
)

// Words describe a mode to people.
func (m Mode) Words() string {
	switch m {
	case Bilevel, Grey8:
		return "grey"
	case GreyAlpha:
		return "grey with opacity"
	case Palette:
		return "numbers of a palette's colours"
	case TrueColor:
		return "colours"
	case RGBAlpha:
		return "colours with opacity"
	case Grey16, Grey16B:
		return "grey of 16 bits"
	}
	return "printing colours"
}

// Image is a decoded file.
type Image struct {
	W, H int
	Mode Mode
	// Orientation is how EXIF says that the picture is to be turned for showing, 1 (as it is) to 8. The pixels are not.
	Orientation int

	step    int    // bytes a pixel in pix
	pix     []byte // [H, W, step]; Grey16 and Grey16B: two bytes, the high one first
	palette [256][3]byte
}

// RGB is a picture of three channels.
type RGB struct {
	W, H int
	Pix  []byte // [H, W, 3]
}

// Grey is a picture of one channel.
type Grey struct {
	W, H int
	Pix  []byte // [H, W]
}

// RGB converts as Pillow's convert("RGB"): opacity is dropped without blending, grey is repeated, 16-bit grey above 255
// becomes 255 (16-bit colour and 16-bit grey with opacity keep their high byte).
func (m *Image) RGB() *RGB {
	if m.Mode == TrueColor && m.step == 3 {
		return &RGB{m.W, m.H, m.pix}
	}
	out := &RGB{m.W, m.H, make([]byte, 3*m.W*m.H)}
	switch m.Mode {
	case TrueColor, RGBAlpha:
		m.each(out, func(q, p []byte) { q[0], q[1], q[2] = p[0], p[1], p[2] })
	case Palette:
		m.each(out, func(q, p []byte) { copy(q, m.palette[p[0]][:]) })
	case Grey16, Grey16B:
		m.each(out, func(q, p []byte) { q[0] = clip16(p[0], p[1]); q[1], q[2] = q[0], q[0] })
	case CMYK:
		m.each(out, func(q, p []byte) {
			light := 255 - int(p[3])
			for c := range q {
				q[c] = byte(max(0, light-over255(int(p[c])*light)))
			}
		})
	default:
		m.each(out, func(q, p []byte) { q[0], q[1], q[2] = p[0], p[0], p[0] })
	}
	return out
}

// each converts pixel by pixel: q is one of the output, p the same one as stored.
func (m *Image) each(out *RGB, convert func(q, p []byte)) {
	pix, dst, step := m.pix, out.Pix, m.step
	for len(pix) >= step && len(dst) >= 3 {
		convert(dst[:3:3], pix[:step:step])
		pix, dst = pix[step:], dst[3:]
	}
}

// Grey converts as Pillow's convert("L"): ITU-R 601-2 luma of colours, as RGB for the rest.
func (m *Image) Grey() *Grey {
	out := &Grey{m.W, m.H, make([]byte, m.W*m.H)}
	switch m.Mode {
	case Bilevel, Grey8:
		out.Pix = m.pix
	case GreyAlpha:
		for i := range out.Pix {
			out.Pix[i] = m.pix[i*m.step]
		}
	case Grey16, Grey16B:
		for i := range out.Pix {
			out.Pix[i] = clip16(m.pix[2*i], m.pix[2*i+1])
		}
	default:
		for i, rgb := 0, m.RGB().Pix; i < len(out.Pix); i++ {
			out.Pix[i] = luma(rgb[3*i], rgb[3*i+1], rgb[3*i+2])
		}
	}
	return out
}

// Values are the stored numbers of a label map [H, W]: grey levels of 8 or 16 bits, or numbers of a palette's colours.
// It is false for an image of several channels, which has no such numbers.
func (m *Image) Values() ([]uint16, bool) {
	if m.step > 2 || m.Mode == GreyAlpha {
		return nil, false
	}
	values := make([]uint16, m.W*m.H)
	for i := range values {
		if m.Deep() {
			values[i] = uint16(m.pix[2*i])<<8 | uint16(m.pix[2*i+1])
		} else {
			values[i] = uint16(m.pix[i])
		}
	}
	return values, true
}

// Deep says whether the image is grey of 16 bits, which RGB and Grey clip.
func (m *Image) Deep() bool { return m.Mode == Grey16 || m.Mode == Grey16B }

// Single says whether the image has one channel of grey with at most 8 bits, as a saliency map should.
func (m *Image) Single() bool { return m.Mode == Bilevel || m.Mode == Grey8 }

func clip16(high, low byte) byte {
	if high != 0 {
		return 255
	}
	return low
}

func luma(r, g, b byte) byte {
	return byte((uint32(r)*19595 + uint32(g)*38470 + uint32(b)*7471 + 0x8000) >> 16)
}

// over255 is v/255, rounded, for v up to 255*255.
func over255(v int) int {
	v += 128
	return (v>>8 + v) >> 8
}
