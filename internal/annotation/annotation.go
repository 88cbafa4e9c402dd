// Package annotation turns what people marked on images into saliency maps: drawings, boxes, polygons, clicks and
// eye-tracking fixations. It reads their files and computes; it decodes no pictures.
//
// Terms: an annotator is a person, or a viewer of an eye tracker. A mark is what one annotator left in one place: a region
// or a point. A map is a number of 0 to 1 for each pixel of an image.
//
// Coordinates are in pixels of the image from its top left corner, x to the right and y down: the first pixel is the square
// from (0, 0) to (1, 1), and its centre is (0.5, 0.5). Regions are drawn with antialiasing: a pixel's value is the part of it
// that is covered, to within 1/16.
package annotation

import (
	"fmt"
	"math"
	"slices"
)

// Map is a number for each pixel, row by row from the top left.
type Map struct {
	W, H int
	V    []float64
}

// NewMap is a map of zeros.
func NewMap(w, h int) *Map { return &Map{W: w, H: h, V: make([]float64, w*h)} }

// Max is the largest value.
func (m *Map) Max() float64 { return slices.Max(m.V) }

// Empty tells whether nothing is marked.
func (m *Map) Empty() bool { return m.Max() <= 0 }

// Bytes is the map in grey levels: 255 for 1, rounded; what is outside of 0 to 1 is clipped.
func (m *Map) Bytes() []byte {
	out := make([]byte, len(m.V))
	for i, v := range m.V {
		out[i] = byte(math.Round(255 * min(max(v, 0), 1)))
	}
	return out
}

// Point is a place in an image. Weight is its duration in milliseconds, or 1.
type Point struct{ X, Y, Weight float64 }

// Inside tells whether it lies in an image of w x h pixels.
func (p Point) Inside(w, h int) bool {
	return p.X >= 0 && p.Y >= 0 && p.X < float64(w) && p.Y < float64(h)
}

// Record is all that one annotator left on one image.
type Record struct {
	Annotator string
	Regions   []Region
	Points    []Point // fixations: in order of time
}

// Set is the content of an annotation file: records by image, under the names that the file has for images.
type Set struct {
	Images  map[string][]Record
	Answers []Answer // of files that have them beside the marks

	places map[[2]string]int // of image and annotator, among the image's records
}

// Answer is what an annotator took an image for.
type Answer struct{ Annotator, Image, Answer string }

// record is the record of an annotator of an image, made where there is none.
func (s *Set) record(image, annotator string) *Record {
	if s.Images == nil {
		s.Images, s.places = map[string][]Record{}, map[[2]string]int{}
	}
	key := [2]string{image, annotator}
	i, known := s.places[key]
	if !known {
		i = len(s.Images[image])
		s.places[key] = i
		s.Images[image] = append(s.Images[image], Record{Annotator: annotator})
	}
	return &s.Images[image][i]
}

// finite refuses numbers that no coordinate has.
func finite(values ...float64) error {
	for _, v := range values {
		if math.IsNaN(v) || math.Abs(v) > maxCoordinate {
			return fmt.Errorf("%v is no coordinate", v)
		}
	}
	return nil
}

// maxCoordinate is far beyond any picture, and small enough to compute with.
const maxCoordinate = 1e6
