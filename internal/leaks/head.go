package leaks

import (
	"bytes"
	"errors"
	"fmt"
)

// Head is what a file tells of itself before its pixels are decoded. Names are Pillow's; an empty one means that this kind
// of file has no such thing.
type Head struct {
	Format      string `json:"format"`                // JPEG, PNG, WEBP, BMP, TIFF or GIF
	Codec       string `json:"codec"`                 // how the pixels are coded: "baseline", "deflate 78da, interlaced"
	Mode        string `json:"mode"`                  // L, RGB, P, ...
	W           int    `json:"w"`                     // pixels
	H           int    `json:"h"`                     // pixels
	Tables      string `json:"tables,omitempty"`      // of JPEG: the name of its quantisation tables
	Subsampling string `json:"subsampling,omitempty"` // of JPEG with three channels: 4:4:4, 4:2:0, ...
	Structure   string `json:"structure,omitempty"`   // segments or chunks before the pixels, in order: the writer's handwriting
	EXIF        bool   `json:"exif,omitempty"`
	Profile     bool   `json:"profile,omitempty"` // an ICC colour profile
	Bytes       int    `json:"bytes"`             // of the file

	quantisation map[int][64]uint16 // by number, row by row from the top left
}

// What can be wrong with a file's head. Every error of ReadHead is one of them (errors.Is).
var (
	ErrNotImage  = errors.New("no image of a known kind")
	ErrTruncated = errors.New("truncated")
	ErrDamaged   = errors.New("damaged")
)

// maxSteps bounds segments, chunks and directory entries that are looked at: no writer makes so many.
const maxSteps = 100_000

// ReadHead reads the head of a file from its bytes. What follows the head need not be there, and pixels are not looked at.
func ReadHead(data []byte) (Head, error) {
	var h Head
	var err error
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		h, err = jpegHead(data)
	case bytes.HasPrefix(data, []byte(pngMagic)):
		h, err = pngHead(data)
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		h, err = webpHead(data)
	case bytes.HasPrefix(data, []byte("BM")):
		h, err = bmpHead(data)
	case bytes.HasPrefix(data, []byte("II*\x00")), bytes.HasPrefix(data, []byte("MM\x00*")):
		h, err = tiffHead(data)
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		h, err = gifHead(data)
	default:
		return h, fmt.Errorf("%w: it begins with %q", ErrNotImage, data[:min(len(data), 16)])
	}
	if err == nil && (h.W < 1 || h.H < 1) {
		err = fmt.Errorf("%w: %d x %d pixels", ErrDamaged, h.W, h.H)
	}
	if err != nil {
		return Head{}, fmt.Errorf("%s: %w", h.Format, err)
	}
	h.Bytes = len(data)
	return h, nil
}

// sequence writes down the names of parts in order, a repeated one once.
type sequence struct {
	text []byte
	last string
}

func (s *sequence) add(name string) {
	const longest = 300 // bytes; what differs behind them is no handwriting
	if name == s.last || len(s.text) > longest {
		return
	}
	if s.last != "" {
		s.text = append(s.text, ' ')
	}
	s.text, s.last = append(s.text, name...), name
}
