package annotation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// COCO is a file of object annotations in COCO's form (https://cocodataset.org/#format-data).
type COCO struct {
	Images []struct {
		ID     int64   `json:"id"`
		File   string  `json:"file_name"`
		Width  float64 `json:"width"` // some tools write 640.0
		Height float64 `json:"height"`
	} `json:"images"`
	Annotations []struct {
		Image        int64           `json:"image_id"`
		Category     int64           `json:"category_id"`
		Box          []float64       `json:"bbox"`
		Segmentation json.RawMessage `json:"segmentation"`
		Annotator    text            `json:"annotator"` // not COCO's: who made it
	} `json:"annotations"`
	Categories []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	} `json:"categories"`
}

// sizeOf is an image's size; 0 x 0 where the file does not say it.
func sizeOf(width, height float64) (w, h int, err error) {
	if width == 0 && height == 0 {
		return 0, 0, nil
	}
	for _, v := range []float64{width, height} {
		if v != math.Trunc(v) || v < 1 || v > maxCoordinate {
			return 0, 0, fmt.Errorf("a size of %v x %v pixels", width, height)
		}
	}
	return int(width), int(height), nil
}

// text is a string, or a number that stands for one.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return errors.New("a text or a number is needed")
	}
	*t = text(n)
	return nil
}

// ReadCOCO reads the boxes (bbox) or the polygons (segmentation: lists of numbers, or masks in run lengths, as lists or
// packed) of the categories of those names; of all where none are named. An image of the file that nothing marks
// has no record.
func ReadCOCO(r io.Reader, polygons bool, categories []string) (*Set, error) {
	var file COCO
	if err := decodeJSON(r, &file); err != nil {
		return nil, err
	}
	images, wanted := map[int64]int{}, map[int64]bool{}
	for i, image := range file.Images {
		if image.File == "" {
			return nil, fmt.Errorf("COCO: the image %d has no file_name", image.ID)
		}
		if _, twice := images[image.ID]; twice {
			return nil, fmt.Errorf("COCO: two images have the id %d", image.ID)
		}
		images[image.ID] = i
	}
	var names []string
	for _, c := range file.Categories {
		names = append(names, c.Name)
		wanted[c.ID] = slices.Contains(categories, c.Name)
	}
	for _, name := range categories {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("COCO: no category is called %q; there are: %s", name, strings.Join(names, ", "))
		}
	}
	set := &Set{}
	for i, a := range file.Annotations {
		at, known := images[a.Image]
		if !known {
			return nil, fmt.Errorf("COCO: annotations[%d]: there is no image with the id %d", i, a.Image)
		}
		if len(categories) > 0 && !wanted[a.Category] {
			continue
		}
		image := file.Images[at]
		region, err := boxRegion(a.Box)
		if polygons {
			region, err = segmentation(a.Segmentation)
		}
		if err != nil {
			return nil, fmt.Errorf("COCO: annotations[%d]: %w", i, err)
		}
		if region.W, region.H, err = sizeOf(image.Width, image.Height); err != nil {
			return nil, fmt.Errorf("COCO: the image %d (%s): %w", image.ID, image.File, err)
		}
		record := set.record(image.File, string(a.Annotator))
		record.Regions = append(record.Regions, region)
	}
	return set, nil
}

// decodeJSON reads the one value of a file.
func decodeJSON(r io.Reader, into any) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + bytes.Count(raw[:min(int(syntax.Offset), len(raw))], []byte("\n"))
			return fmt.Errorf("line %d: no JSON: %w", line, err)
		}
		return fmt.Errorf("JSON: %w", err)
	}
	return nil
}

func boxRegion(box []float64) (Region, error) {
	if len(box) != 4 {
		return Region{}, fmt.Errorf("bbox: %d numbers; x, y, width and height are needed", len(box))
	}
	if err := finite(box...); err != nil {
		return Region{}, fmt.Errorf("bbox: %w", err)
	}
	if box[2] < 0 || box[3] < 0 {
		return Region{}, fmt.Errorf("bbox: %v x %v pixels; a width and a height of 0 or more are needed", box[2], box[3])
	}
	return Box(box[0], box[1], box[2], box[3]), nil
}

// segmentation reads polygons, which are united, or run lengths.
func segmentation(raw json.RawMessage) (Region, error) {
	var polygons [][]float64
	if err := json.Unmarshal(raw, &polygons); err == nil && len(polygons) > 0 {
		var r Region
		for _, values := range polygons {
			line, err := polygon(values)
			if err != nil {
				return r, fmt.Errorf("segmentation: %w", err)
			}
			r.add(line...) // turned alike, so that they unite
		}
		return r, nil
	}
	var runs struct {
		Size   []int           `json:"size"`
		Counts json.RawMessage `json:"counts"`
	}
	if err := json.Unmarshal(raw, &runs); err != nil || len(runs.Size) != 2 {
		return Region{}, errors.New("segmentation: a list of polygons is needed, [[x, y, x, y, ...], ...], or run lengths {size, counts}")
	}
	counts, err := runLengths(runs.Counts)
	if err != nil {
		return Region{}, fmt.Errorf("segmentation: counts: %w", err)
	}
	h, w := runs.Size[0], runs.Size[1]
	sum := 0
	for _, n := range counts {
		if n < 0 || n > maxCells {
			return Region{}, fmt.Errorf("segmentation: a run of %d pixels", n)
		}
		sum += n
		if sum > maxCells {
			break
		}
	}
	if h < 1 || w < 1 || h > maxCells/w || sum != w*h {
		return Region{}, fmt.Errorf("segmentation: runs of %d pixels in a mask of %d x %d", sum, w, h)
	}
	return Region{Runs: &Runs{W: w, H: h, Counts: counts}}, nil
}

// runLengths reads counts: a list, or a text as pycocotools packs it, with five bits a letter from "0" on, the lowest first; a
// sixth says that more follow, and from the third count on it is the difference to the last but one.
func runLengths(raw json.RawMessage) (counts []int, err error) {
	if json.Unmarshal(raw, &counts) == nil {
		return counts, nil
	}
	var packed string
	if json.Unmarshal(raw, &packed) != nil {
		return nil, errors.New("a list of numbers or a text is needed")
	}
	value, bits := 0, 0
	for i := range len(packed) {
		letter := int(packed[i]) - '0'
		if letter < 0 || letter > 0x3f || bits > 30 {
			return nil, fmt.Errorf("the text is damaged at character %d", i+1)
		}
		value |= letter & 0x1f << bits
		bits += 5
		if letter&0x20 != 0 {
			continue
		}
		if letter&0x10 != 0 {
			value |= -1 << bits
		}
		if n := len(counts); n > 2 {
			value += counts[n-2]
		}
		counts = append(counts, value)
		value, bits = 0, 0
	}
	if bits > 0 {
		return nil, errors.New("the text ends within a number")
	}
	return counts, nil
}

// maxCells is how large a mask may be: Pillow's limit for pictures.
const maxCells = 178_956_970

func polygon(values []float64) ([]Vec, error) {
	if len(values) < 6 || len(values)%2 != 0 {
		return nil, fmt.Errorf("a polygon of %d numbers; three or more pairs x, y are needed", len(values))
	}
	if err := finite(values...); err != nil {
		return nil, err
	}
	line := make([]Vec, len(values)/2)
	for i := range line {
		line[i] = Vec{values[2*i], values[2*i+1]}
	}
	return line, nil
}
