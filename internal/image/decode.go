package image

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Limits bound what a file may ask for.
type Limits struct {
	MaxPixels int // width times height; 0: DefaultMaxPixels
}

// DefaultMaxPixels is the size from which Pillow warns of a decompression bomb: a quarter of a gibibyte in RGB.
const DefaultMaxPixels = 178_956_970

// What can be wrong with a file. Every error of this package about a file's content is one of them (errors.Is), and
// names the file and the finding.
var (
	ErrEmpty       = errors.New("empty file")
	ErrNotImage    = errors.New("not an image")
	ErrUnsupported = errors.New("unsupported kind of image")
	ErrTooLarge    = errors.New("too large")
	ErrTruncated   = errors.New("truncated")
	ErrDamaged     = errors.New("damaged")
)

// Error is a file that is no usable image: its name, and why, which is one of the reasons above or the system's.
type Error struct {
	Name string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("read image %s: %v", e.Name, e.Err) }

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }

// Open reads and decodes a file. Its errors are of type *Error. The kind of file is told by content, whatever the file is called.
func Open(path string, l Limits) (*Image, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return nil, &Error{path, err}
	}
	return Read(path, data, l)
}

// Read decodes a file's bytes; name is what errors call it.
func Read(name string, data []byte, l Limits) (*Image, error) {
	if l.MaxPixels == 0 {
		l.MaxPixels = DefaultMaxPixels
	}
	m, err := decode(data, l)
	if err != nil {
		return nil, &Error{name, err}
	}
	return m, nil
}

// Decode is Open and RGB.
func Decode(path string, l Limits) (*RGB, error) {
	m, err := Open(path, l)
	if err != nil {
		return nil, err
	}
	return m.RGB(), nil
}

// DecodeGrey is Open and Grey.
func DecodeGrey(path string, l Limits) (*Grey, error) {
	m, err := Open(path, l)
	if err != nil {
		return nil, err
	}
	return m.Grey(), nil
}

func decode(data []byte, l Limits) (*Image, error) {
	switch {
	case len(data) == 0:
		return nil, fmt.Errorf("%w (0 bytes)", ErrEmpty)
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return decodeJPEG(data, l)
	case bytes.HasPrefix(data, []byte(pngMagic)):
		return decodePNG(data, l)
	case isBMP(data):
		return decodeBMP(data, l)
	case isWebP(data):
		return decodeWebP(data, l)
	case isTIFF(data):
		return decodeTIFF(data, l)
	}
	if kind := otherKind(data); kind != "" {
		return nil, fmt.Errorf("%w: %s; JPEG, PNG, BMP, TIFF and WebP are read, convert it to PNG", ErrUnsupported, kind)
	}
	return nil, fmt.Errorf("%w: %s", ErrNotImage, beginning(data))
}

// check holds a picture's size against the limits before memory is taken for it.
func (l Limits) check(w, h int) error {
	if w < 1 || h < 1 {
		return fmt.Errorf("%w: %d x %d pixels", ErrDamaged, w, h)
	}
	if w > l.MaxPixels/h {
		return fmt.Errorf("%w: %d x %d pixels are more than the limit of %d; raise max_pixels if the file is to be trusted",
			ErrTooLarge, w, h, l.MaxPixels)
	}
	return nil
}

// otherKind names formats that are images and are not read.
func otherKind(data []byte) string {
	at := func(offset int, mark string) bool {
		return len(data) >= offset+len(mark) && string(data[offset:offset+len(mark)]) == mark
	}
	switch {
	case at(0, "II+\x00"), at(0, "MM\x00+"):
		return "BigTIFF"
	case at(0, "GIF87a"), at(0, "GIF89a"):
		return "GIF"
	case at(4, "ftypavif"), at(4, "ftypavis"):
		return "AVIF"
	case at(4, "ftyphei"), at(4, "ftypmif1"), at(4, "ftypmsf1"):
		return "HEIF"
	case at(4, "jP  \r\n\x87\n"), at(0, "\xff\x4f\xff\x51"):
		return "JPEG 2000"
	case at(0, "\xff\x0a"), at(4, "JXL \r\n\x87\n"):
		return "JPEG XL"
	case at(0, "8BPS"):
		return "Photoshop"
	case len(data) > 2 && data[0] == 'P' && '1' <= data[1] && data[1] <= '7' && strings.IndexByte(" \t\r\n", data[2]) >= 0:
		return "PNM"
	case at(0, "%PDF"):
		return "PDF"
	}
	return ""
}

// beginning describes the first bytes of a file that is no image, which mostly tells how it came to be.
func beginning(data []byte) string {
	head := data[:min(len(data), 32)]
	switch {
	case len(bytes.Trim(data[:min(len(data), 512)], "\x00")) == 0:
		return fmt.Sprintf("its %d bytes begin with zeros, as a copy does that was broken off", len(data))
	case bytes.HasPrefix(data, []byte("version https://git-lfs")):
		return "a Git LFS pointer; fetch the file itself with git lfs pull"
	}
	return fmt.Sprintf("it begins with %q", head)
}
