package annotation_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
)

var plain = cmpopts.IgnoreUnexported(annotation.Set{})

func TestReadCSV(t *testing.T) {
	for name, c := range map[string]struct {
		form annotation.Form
		text string
		want annotation.Set
	}{
		"boxes": {annotation.Boxes, "\ufeffimage,x,y,width,height\n/a/1.png,1,2,3,4\n/a/1.png,0,0,1.5,1\n", annotation.Set{Images: map[string][]annotation.Record{
			"/a/1.png": {{Regions: []annotation.Region{annotation.Box(1, 2, 3, 4), annotation.Box(0, 0, 1.5, 1)}}},
		}}},
		"polygons_of_two": {annotation.Polygons, "annotator,image,points,colour\nann,1.png,\"0,0 4,0 4,4\",red\nbob,1.png,0 0 1-1 2 2,\nbob,2.png,,\n", annotation.Set{Images: map[string][]annotation.Record{
			"1.png": {
				{Annotator: "ann", Regions: []annotation.Region{{Lines: [][]annotation.Vec{{{0, 0}, {4, 0}, {4, 4}}}}}},
				{Annotator: "bob", Regions: []annotation.Region{{Lines: [][]annotation.Vec{{{0, 0}, {1, -1}, {2, 2}}}}}},
			},
			"2.png": {{Annotator: "bob"}},
		}}},
		"clicks_with_answers": {annotation.Clicks, "Image,Participant,X,Y,Answer\n1.png,7,1,2,Real\n1.png,7,3,4,Real\n", annotation.Set{
			Images:  map[string][]annotation.Record{"1.png": {{Annotator: "7", Points: []annotation.Point{{1, 2, 1}, {3, 4, 1}}}}},
			Answers: []annotation.Answer{{"7", "1.png", "Real"}},
		}},
		"fixations": {annotation.Fixations, "image,viewer,x,y,ms\n1.png,0,-3,2.5,120\n", annotation.Set{Images: map[string][]annotation.Record{
			"1.png": {{Annotator: "0", Points: []annotation.Point{{-3, 2.5, 120}}}},
		}}},
		"answers": {annotation.Answers, "annotator,image,answer\n7,1.png,Real\n", annotation.Set{Answers: []annotation.Answer{{"7", "1.png", "Real"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := annotation.ReadCSV(strings.NewReader(c.text), c.form)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&c.want, got, plain); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReadCOCO(t *testing.T) {
	text := `{"images": [{"id": 5, "file_name": "a/1.png", "width": 9, "height": 7.0}, {"id": 6, "file_name": "b.png"}],
		"categories": [{"id": 1, "name": "eye"}, {"id": 2, "name": "hair"}],
		"annotations": [
			{"image_id": 5, "category_id": 1, "bbox": [1, 2, 3, 4], "segmentation": [[0, 0, 4, 0, 4, 4], [5, 5, 5, 7, 7, 7]], "annotator": 12},
			{"image_id": 5, "category_id": 2, "bbox": [0, 0, 1, 1], "segmentation": {"size": [2, 1], "counts": [1, 1]}, "annotator": "eve"}]}`
	boxes, err := annotation.ReadCOCO(strings.NewReader(text), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &annotation.Set{Images: map[string][]annotation.Record{"a/1.png": {
		{Annotator: "12", Regions: []annotation.Region{{Lines: annotation.Box(1, 2, 3, 4).Lines, W: 9, H: 7}}},
		{Annotator: "eve", Regions: []annotation.Region{{Lines: annotation.Box(0, 0, 1, 1).Lines, W: 9, H: 7}}},
	}}}
	if d := cmp.Diff(want, boxes, plain); d != "" {
		t.Error(d)
	}
	polygons, err := annotation.ReadCOCO(strings.NewReader(text), true, []string{"eye"})
	if err != nil {
		t.Fatal(err)
	}
	want = &annotation.Set{Images: map[string][]annotation.Record{"a/1.png": {{Annotator: "12", Regions: []annotation.Region{{
		W: 9, H: 7,
		Lines: [][]annotation.Vec{{{0, 0}, {4, 0}, {4, 4}}, {{7, 7}, {5, 7}, {5, 5}}}, // wound alike, so that they unite
	}}}}}}
	if d := cmp.Diff(want, polygons, plain); d != "" {
		t.Error(d)
	}
}

// A mask that pycocotools 2.0 packed, and its run lengths.
func TestPackedRunLengths(t *testing.T) {
	counts := []int{3, 1, 8, 1, 4, 1, 2, 1, 33, 1, 55, 1, 5, 1, 3, 1, 7, 1, 41, 1, 46, 1, 5, 1, 1, 1, 5, 1, 42, 1, 18, 1, 18, 1, 19, 1, 13, 1, 9, 1, 48, 25, 10, 1, 4, 25, 15, 25, 12, 1, 2, 25, 15, 25, 15, 25, 6, 1, 8, 25, 9, 1, 5, 25, 15, 25, 15, 25, 15, 7, 2, 16, 15, 7, 2, 16, 15, 7, 2, 16, 15, 7, 2, 16, 15, 7, 2, 16, 15, 7, 2, 16, 15, 7, 2, 17, 4, 1, 9, 7, 2, 16, 15, 7, 2, 16, 3, 1, 11, 7, 2, 16, 15, 25, 15, 25, 15, 25, 15, 25, 15, 25, 15, 25, 15, 25, 15, 25, 15, 25, 15, 25, 6, 1, 8, 25, 15, 25, 11, 1, 3, 25, 15, 25, 15, 25, 48, 1, 4, 1, 24, 1, 73, 1, 57}
	text := `{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"segmentation":{"size":[40,50],"counts":"3180L0N0o00f00^N0N040R1050gN0L040U10XO00010J0L0W1h0jNXOJh0;0MXOFh0=000GXO2h01XOLh0:0000^OC9=GC9=GC9=GC9=GC9=GC9=GC:2@56I9=GC91A86G9=9000000000000000000GXO2h070LXOHh0<000Q1XOdN0d00a10@"}}]}`
	set, err := annotation.ReadCOCO(strings.NewReader(text), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := annotation.Region{Runs: &annotation.Runs{W: 50, H: 40, Counts: counts}}
	if d := cmp.Diff(want, set.Images["a"][0].Regions[0]); d != "" {
		t.Error(d)
	}
}

// Each damaged file has its message.
func TestReadSaysWhatIsWrong(t *testing.T) {
	csv := func(form annotation.Form) func(string) error {
		return func(text string) error {
			_, err := annotation.ReadCSV(strings.NewReader(text), form)
			return err
		}
	}
	coco := func(polygons bool, categories ...string) func(string) error {
		return func(text string) error {
			_, err := annotation.ReadCOCO(strings.NewReader(text), polygons, categories)
			return err
		}
	}
	fixations := func(text string) error {
		_, err := annotation.ReadFixations(strings.NewReader(text))
		return err
	}
	svg := func(text string) error {
		_, err := annotation.DrawSVG([]byte(text), 10, 10)
		return err
	}
	one := `{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"bbox":[1,2,3],"segmentation":`
	for _, c := range []struct {
		read       func(string) error
		text, want string
	}{
		{csv(annotation.Boxes), "", "CSV: the file is empty"},
		{csv(annotation.Boxes), "image,x,y\n", "CSV line 1: there is no column width; boxes have image, x, y, width, height"},
		{csv(annotation.Boxes), "image,x,y,width,height,x\n", "CSV line 1: two columns x"},
		{csv(annotation.Boxes), "image,x,y,width,height\na,1,2,3,4\nb,1,2,-3,4\n", "CSV line 3: bbox: -3 x 4 pixels; a width and a height of 0 or more are needed"},
		{csv(annotation.Clicks), "image,x,y\na,1\n", "CSV: record on line 2: wrong number of fields"},
		{csv(annotation.Clicks), "image,x,y\na,one,2\n", `CSV line 2: x: "one" is no number of pixels or milliseconds`},
		{csv(annotation.Clicks), "image,x,y\na,NaN,2\n", `CSV line 2: x: "NaN" is no number of pixels or milliseconds`},
		{csv(annotation.Clicks), "image,x,y\n,1,2\n", "CSV line 2: no image is named"},
		{csv(annotation.Clicks), "image,annotator,x,y,answer\na,p,1,2,Real\na,p,1,2,Synthetic\n", `CSV line 3: annotator "p" answered "Real" on a before, and "Synthetic" here`},
		{csv(annotation.Polygons), "image,points\na,1 2 3 4\n", "CSV line 2: points: a polygon of 4 numbers; three or more pairs x, y are needed"},
		{csv(annotation.Fixations), "image,viewer,x,y,ms\na,1,2,3,-4\n", "CSV line 2: ms: a fixation of -4 ms"},
		{csv(annotation.Answers), "image,annotator,answer\na,1,\n", "CSV line 2: the answer is empty"},
		{coco(false), "{\n\n", "line 3: no JSON: unexpected end of JSON input"},
		{coco(false), `{"images":[{"id":1}]}`, "COCO: the image 1 has no file_name"},
		{coco(false), `{"images":[{"id":1,"file_name":"a"},{"id":1,"file_name":"b"}]}`, "COCO: two images have the id 1"},
		{coco(false), `{"annotations":[{"image_id":3}]}`, "COCO: annotations[0]: there is no image with the id 3"},
		{coco(false), one + `[]}]}`, "COCO: annotations[0]: bbox: 3 numbers; x, y, width and height are needed"},
		{coco(true), one + `[]}]}`, "COCO: annotations[0]: segmentation: a list of polygons is needed, [[x, y, x, y, ...], ...], or run lengths {size, counts}"},
		{coco(true), one + `[[1,2,3,4]]}]}`, "COCO: annotations[0]: segmentation: a polygon of 4 numbers; three or more pairs x, y are needed"},
		{coco(true), one + `[[1,2,3,4,1e9,0]]}]}`, "COCO: annotations[0]: segmentation: 1e+09 is no coordinate"},
		{coco(true), one + `{"size":[2,2],"counts":"abc"}}]}`, "COCO: annotations[0]: segmentation: counts: the text ends within a number"},
		{coco(true), one + `{"size":[2,2],"counts":"~"}}]}`, "COCO: annotations[0]: segmentation: counts: the text is damaged at character 1"},
		{coco(true), one + `{"size":[2,2],"counts":{}}}]}`, "COCO: annotations[0]: segmentation: counts: a list of numbers or a text is needed"},
		{coco(true), one + `{"size":[2,2],"counts":[1,2]}}]}`, "COCO: annotations[0]: segmentation: runs of 3 pixels in a mask of 2 x 2"},
		{coco(false), `{"images":[{"id":1,"file_name":"a","width":640.5,"height":480}],"annotations":[{"image_id":1,"bbox":[1,2,3,4]}]}`, "COCO: the image 1 (a): a size of 640.5 x 480 pixels"},
		{coco(false), `{"images":[{"id":1,"file_name":"a","width":-1,"height":1}],"annotations":[{"image_id":1,"bbox":[1,2,3,4]}]}`, "COCO: the image 1 (a): a size of -1 x 1 pixels"},
		{coco(true, "nose"), `{"categories":[{"id":1,"name":"eye"}]}`, `COCO: no category is called "nose"; there are: eye`},
		{fixations, `{"a":[{"viewer":3,"x":[1],"y":[1,2],"ms":[3]}]}`, "image a, viewer 3: 1 values of x, 2 of y, 1 of ms; they belong together"},
		{fixations, `{"a":[{"viewer":3,"x":[1],"y":[2],"ms":[-3]}]}`, "image a, viewer 3, fixation 1: 1, 2 for -3 ms"},
		{fixations, `[1]`, "JSON: json: cannot unmarshal array into Go value of type "},
		{svg, "", "SVG line 1: the file has no svg element, or ends before it does"},
		{svg, "<svg>\n<g>", "SVG line 2: XML syntax error on line 2: unexpected EOF"},
		{svg, "<p/>", "SVG line 1: <p>: an svg element is needed here"},
		{svg, "<svg/><svg/>", "SVG line 1: <svg>: an svg element is needed here"},
		{svg, "<svg>\n<text>a</text></svg>", "SVG line 2: <text>: this kind of element is not read; draw with path, polyline, polygon, line, circle, ellipse, rect and g"},
		{svg, `<svg><style>path {fill: none}</style></svg>`, "<style>: this kind of element is not read"},
		{svg, `<svg><path d="10 10"/></svg>`, `<path>: path: a command is needed at character 1, there is '1'`},
		{svg, `<svg><path d="L10 10"/></svg>`, "<path>: path: it must begin with M or m"},
		{svg, `<svg><path d="M10 10 C1 2 3"/></svg>`, "<path>: path: C needs 6 numbers, and number 4 is missing at character 14"},
		{svg, `<svg><polygon points="1 2 3"/></svg>`, "<polygon>: points: pairs of numbers are needed"},
		{svg, `<svg><circle r="2em"/></svg>`, `<circle>: r: "2em" is no length in user units`},
		{svg, `<svg><circle r="2" transform="rotate(1,2)"/></svg>`, `<circle>: transform "rotate(1,2)": there are matrix, translate`},
		{svg, `<svg><circle r="2" clip-path="url(#a)"/></svg>`, "<circle>: clip-path is not read"},
		{svg, `<svg><path d="M0 0L1 1" stroke-width="wide"/></svg>`, `<path>: stroke-width: "wide" is no length`},
		{svg, `<svg viewBox="0 0 0 9"/>`, `<svg>: viewBox "0 0 0 9": four numbers are needed, the last two above 0`},
		{svg, `<svg viewBox="0 0 9 9" preserveAspectRatio="middle"/>`, `<svg>: preserveAspectRatio "middle"`},
		{svg, "<svg>" + strings.Repeat("<g>", 70), "SVG line 1: more than 64 elements in each other"},
	} {
		err := c.read(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want %s", c.text, err, c.want)
		}
	}
}

// Whatever a file holds, it is read into numbers that can be drawn, or refused.
func FuzzDrawSVG(f *testing.F) {
	for _, name := range slices.Sorted(maps.Keys(drawings)) {
		f.Add([]byte(drawings[name]))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := annotation.DrawSVG(data, 20, 15)
		if err == nil {
			within(t, m)
		}
	})
}

func FuzzReadCOCO(f *testing.F) {
	f.Add([]byte(`{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"bbox":[1,2,3,4],"segmentation":[[1,2,9,4,5,6]]}]}`), true)
	f.Add([]byte(`{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"segmentation":{"size":[2,2],"counts":[1,2,1]}}]}`), true)
	f.Fuzz(func(t *testing.T, data []byte, polygons bool) {
		set, err := annotation.ReadCOCO(strings.NewReader(string(data)), polygons, nil)
		if err == nil {
			drawAll(t, set)
		}
	})
}

func FuzzReadCSV(f *testing.F) {
	for form, text := range map[annotation.Form]string{
		annotation.Boxes: "image,x,y,width,height\na,1,2,3,4\n", annotation.Polygons: "image,points\na,1 2 3 4 5 6\n", annotation.Answers: "image,annotator,answer\na,b,Real\n",
		annotation.Fixations: "image,viewer,x,y,ms\na,1,2,3,4\n",
	} {
		f.Add([]byte(text), string(form))
	}
	f.Fuzz(func(t *testing.T, data []byte, form string) {
		set, err := annotation.ReadCSV(strings.NewReader(string(data)), annotation.Form(form))
		if err == nil {
			drawAll(t, set)
		}
	})
}

func FuzzReadFixations(f *testing.F) {
	f.Add([]byte(`{"a":[{"viewer":3,"x":[1],"y":[2],"ms":[3]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := annotation.ReadFixations(strings.NewReader(string(data)))
		if err == nil {
			drawAll(t, set)
		}
	})
}

func drawAll(t *testing.T, set *annotation.Set) {
	for _, records := range set.Images {
		for _, r := range records {
			m := annotation.NewMap(12, 9)
			for _, region := range r.Regions {
				m.Draw(region, 1)
			}
			within(t, m)
			m.Spread(r.Points, 2)
		}
	}
}

func within(t *testing.T, m *annotation.Map) {
	for i, v := range m.V {
		if !(v >= 0 && v <= 1+1e-9) {
			t.Fatalf("pixel %d is %v", i, v)
		}
	}
}
