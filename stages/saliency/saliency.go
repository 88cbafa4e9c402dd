// Package saliency is the stage that turns what people marked on images into maps: drawings, boxes, polygons, clicks, and
// fixations of an eye tracker. Package internal/annotation says how they are read and computed.
//
// Outputs:
//
//	maps/a/b.jpg.png  the map of /a/b.jpg in the data set's list: 8-bit grey, of the image's size; for each image that has one
//	images.csv        path,map,annotators,wrong,unanswered,empty,outside: what became of each image's annotations
//	agreement.csv     path,annotators,pairs,cc,iou: how far the annotators of an image agree, means over pairs of them
//	agreement.json    their means over the images, Fleiss' kappa of the answers, and how many annotations were left out
//
// The way from annotations to a map: annotators whose answer does not count are left out, and those who marked nothing;
// then each has a map, which is averaged over them, smoothed, cut at the threshold, and brought to the granularity. Clicks
// and fixations become Gaussians; each annotator's have a sum of 1 before the mean, and the largest value of the image's map
// becomes 1 after it. Counted as outside are points that lie outside of their image, and regions of which a part does.
package saliency

import (
	"github.com/cyborg-run/cyborg-run/pipeline"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// Params are what a spec says of annotations. Exactly one of drawings, boxes, polygons, clicks and fixations is given.
type Params struct {
	// Set is the data set whose images the annotations are of.
	Set string `yaml:"set" json:"-" default:"train"`

	// Drawings is the file of each drawing: SVG, or PNG of the image's size. It is a pattern as in maps of a data set, below its
	// root (and not beside the spec) unless it is absolute, in which {annotator} stands for any text: who drew it. An image may
	// have any number.
	Drawings string `yaml:"drawings" json:"drawings,omitempty"`
	// Boxes is a file of rectangles: COCO's JSON (bbox), or CSV with the columns image, x, y, width and height, in pixels. In CSV
	// files, a column annotator (or viewer, or participant) says who, and a column answer what they took the image for.
	Boxes string `yaml:"boxes" json:"boxes,omitempty"`
	// Polygons is a file of outlines: COCO's JSON (segmentation), or CSV with the columns image and points (x1 y1 x2 y2 ...).
	Polygons string `yaml:"polygons" json:"polygons,omitempty"`
	// Clicks is a CSV file of points: image, x and y.
	Clicks string `yaml:"clicks" json:"clicks,omitempty"`
	// Fixations is a file of an eye tracker: CSV with the columns image, viewer, x, y and ms, or JSON that has for each image a
	// list of {viewer, x: [...], y: [...], ms: [...]}.
	Fixations string `yaml:"fixations" json:"fixations,omitempty"`

	// Match says by what a file names images: their path in the list, or their file name alone.
	Match string `yaml:"match" json:"match" default:"path" enum:"path|name"`
	// Categories are those of a COCO file whose annotations count; without them, all do.
	Categories []string `yaml:"categories" json:"categories,omitempty"`
	// Ink says what is marked in a PNG drawing: its opacity, or, where it has none, what is light (auto); or always the one, the
	// other, or what is dark.
	Ink string `yaml:"ink" json:"ink" default:"auto" enum:"auto|opacity|light|dark"`
	// Size says whether the size of a PNG drawing, and the one that COCO's JSON gives an image or a mask in run lengths, must be
	// that of the image, or what is marked is scaled to it.
	Size string `yaml:"size" json:"size" default:"exact" enum:"exact|any"`

	// Answers is a CSV file of what annotators took images for: annotator, image and answer, a label of the data set.
	Answers string `yaml:"answers" json:"answers,omitempty"`
	// Only says whose annotations count where there are answers: of those who were right, of those who were wrong, or of all.
	Only string `yaml:"only" json:"only" default:"right" enum:"right|wrong|all"`
	// MinAnnotators is how many annotators an image must have; with fewer, it gets no map.
	MinAnnotators int `yaml:"min_annotators" json:"min_annotators" default:"1" min:"1" max:"100000"`

	// Average makes one map of all annotators': their mean; what anyone marked; what more than half of them marked; or, of clicks
	// and fixations, all points together, whoever they are from (pooled), so that who has more of them counts for more.
	Average string `yaml:"average" json:"average" default:"mean" enum:"mean|any|majority|pooled"`
	// Sigma is the width of the Gaussian of a click or fixation.
	Sigma Sigma `yaml:"sigma" json:"sigma,omitzero"`
	// Weight says whether a fixation counts by its duration, or as one.
	Weight string `yaml:"weight" json:"weight" default:"duration" enum:"duration|count"`
	// DropFirst leaves out the first fixation of each viewer, which is mostly where they looked before the image came.
	DropFirst bool `yaml:"drop_first" json:"drop_first,omitempty"`

	// Smooth is the sigma in pixels of a Gaussian filter over the averaged map; 0 is none.
	Smooth float64 `yaml:"smooth" json:"smooth,omitempty" default:"0" min:"0" max:"1000"`
	// Threshold makes 1 of what is at least this, and 0 of the rest; 0 leaves the map as it is.
	Threshold float64 `yaml:"threshold" json:"threshold,omitempty" default:"0" min:"0" max:"1"`
	// Granularity is the map itself (features), the area that is marked with the holes in it, or the upright box around all that
	// is marked (boundary). Marked is what reaches the threshold or, without one, half of the map's largest value. These
	// definitions are ours: those of "Grains of Saliency", which the names are from, are not published.
	Granularity string `yaml:"granularity" json:"granularity" default:"features" enum:"features|area|boundary"`

	// Simulated says that no person made these annotations, and the report says so too. Those of generated data always are.
	Simulated bool `yaml:"simulated" json:"-"`
	// Threads is the number of cores; 0 means all.
	Threads int `yaml:"threads" json:"-" default:"0" min:"0" max:"1024"`
}

// Sigma is a width in pixels of the image, or in degrees of visual angle: then with the pixels in a degree, or with the
// screen and how far it was away.
type Sigma struct {
	// Pixels is the width itself.
	Pixels float64 `yaml:"pixels" json:"pixels,omitempty" min:"0" max:"10000"`
	// Degrees is the width in degrees of visual angle; 1 is usual for fixations.
	Degrees float64 `yaml:"degrees" json:"degrees,omitempty" min:"0" max:"90"`
	// PixelsPerDegree is how many pixels of the image one degree was.
	PixelsPerDegree float64 `yaml:"pixels_per_degree" json:"pixels_per_degree,omitempty" min:"0" max:"10000"`
	// ScreenPixels is the width of the screen in pixels of the image.
	ScreenPixels float64 `yaml:"screen_pixels" json:"screen_pixels,omitempty" min:"0" max:"100000"`
	// ScreenCM is the width of the screen in centimetres.
	ScreenCM float64 `yaml:"screen_cm" json:"screen_cm,omitempty" min:"0" max:"10000"`
	// DistanceCM is how far the eye was from the screen, in centimetres.
	DistanceCM float64 `yaml:"distance_cm" json:"distance_cm,omitempty" min:"0" max:"10000"`
}

// Job is the stage as the worker gets it: its files are absolute, or below the list's root.
type Job struct {
	Params
	List prepare.Params `json:"list"`

	simulated bool
}

// SimulatedMaps implements experiment.MakesMaps.
func (j Job) SimulatedMaps() bool { return j.simulated }

// The outputs beside the maps.
const (
	Images        = "images.csv"
	AgreementCSV  = "agreement.csv"
	AgreementJSON = "agreement.json"
)

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     "saliency",
	Revision: 3,
	Program:  pipeline.Torch,
	Outputs:  []string{experiment.MapsFolder, Images, AgreementCSV, AgreementJSON},
	Publish: []pipeline.Publication{
		{Output: experiment.MapsFolder, To: "saliency/{node}/maps"},
		{Output: Images, To: "saliency/{node}/images.csv"},
		{Output: AgreementCSV, To: "saliency/{node}/agreement.csv"},
		{Output: AgreementJSON, To: "saliency/{node}/agreement.json"},
	},
}

// Kind is how specs use it.
var Kind = experiment.Kind{
	Stage:  Stage,
	Params: func() any { return &Params{} },
	Bind:   bind,
}

func bind(b *experiment.Builder, c *experiment.Cell, n *graph.Node) {
	p := *c.Params.(*Params)
	sound := p.check(func(param, format string, args ...any) {
		b.Diags.Add(c.Place(param), spec.NotAllowed, "saliency: "+format, args...)
	})
	list, ok := b.Images(n, c.Place("set"), p.Set)
	if !ok || !sound {
		return
	}
	for _, file := range p.files() {
		if *file.path != "" {
			*file.path = c.Path(file.param)
			b.File(c.Place(file.param), *file.path, "saliency."+file.param, "")
			if b.Files {
				n.Files = append(n.Files, *file.path)
			}
		}
	}
	generated := len(n.Needs) > 0
	if b.Files && p.Drawings != "" && !generated {
		plan, err := prepare.NewPlan(list)
		if err != nil {
			return // reported when the images were looked for
		}
		drawings, err := drawingFiles(plan, p.Drawings)
		if err != nil {
			b.Diags.Add(c.Place("drawings"), spec.NotAllowed, "saliency: drawings: %v", err)
			return
		}
		if len(drawings) == 0 {
			b.Diags.Add(c.Place("drawings"), spec.MissingFile, "saliency: drawings: %s", NotThere(plan, p.Drawings))
			return
		}
		n.Files = append(n.Files, drawings...)
	}
	n.Params = Job{Params: p, List: list, simulated: p.Simulated || generated}
	n.CPUs = b.Threads(p.Threads)
}

// file is a parameter that names one.
type file struct {
	param string
	path  *string
}

func (p *Params) files() []file {
	return []file{{"boxes", &p.Boxes}, {"polygons", &p.Polygons}, {"clicks", &p.Clicks}, {"fixations", &p.Fixations}, {"answers", &p.Answers}}
}

// drawingFiles are all files of a pattern, for the key of the node.
func drawingFiles(plan *prepare.Plan, pattern string) (files []string, err error) {
	found, err := FindDrawings(plan, pattern)
	for _, row := range found {
		for _, d := range row {
			files = append(files, d.File)
		}
	}
	return files, err
}
