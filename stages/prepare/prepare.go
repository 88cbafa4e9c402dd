// Package prepare declares the stage that turns a data set, a list of image files with their saliency maps, into one
// packed file (package pack). It says what the stage reads and in which order; package worker decodes and writes.
//
// Terms: the list is the data set's CSV file (package table). A saliency source is a named set of map files, or of
// segmentation masks, with at most one map an image; a combination is a source that is computed from others, cell by cell;
// a control is a source whose maps are given to other images.
package prepare

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/mapexpr"
	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/pipeline"
)

// Stage declares the kind.
var Stage = &pipeline.Stage{
	Kind:     "prepare",
	Revision: 2, // raise it when the same files give other bytes; worker/testdata/revision.golden tells
	Program:  pipeline.Torch,
	Outputs:  []string{Output, Skipped},
}

// Output is the packed file, Skipped the list of the images that were left out (path,reason, with a header), and Source the
// optional input: the folder of a generate node, in which CSV and Root lie.
const (
	Output  = "data.pack"
	Skipped = "skipped.csv"
	Source  = "source"
)

// What Params.OnBadImage can be.
const (
	Fail = "fail"
	Skip = "skip"
)

// Params of the stage.
type Params struct {
	// CSV is the list of images: split,label,path without a header, or any columns with one.
	CSV string `yaml:"csv" json:"csv"`
	// Root is the folder that the paths of the list start from, also those that begin with "/". Empty: the list's folder.
	Root string `yaml:"root" json:"root,omitempty"`
	// Header says whether the list's first line names its columns: auto, yes or no.
	Header string `yaml:"header" json:"header,omitempty" default:"auto" enum:"auto|yes|no"`
	// Where is which rows are used: an expression over the list's columns, such as split == "train". Empty: all.
	Where string `yaml:"where" json:"where,omitempty"`
	// Labels say what further labels of the list mean: {Live: Real, Spoof: Synthetic}.
	Labels map[string]string `yaml:"labels" json:"labels,omitempty"`
	// Saliency are the sources of saliency maps.
	Saliency []Saliency `yaml:"saliency" json:"saliency,omitempty"`
	// Side is the height and width in pixels that images are resized to, whatever their shape.
	Side int `yaml:"side" json:"side" min:"1"`
	// GridH and GridW are the size in cells that maps are resized to: that of the network's class activation map.
	GridH int `yaml:"grid_h" json:"grid_h" min:"1"`
	GridW int `yaml:"grid_w" json:"grid_w" min:"1"`
	// MaxPixels is the largest width times height of a file that is decoded. 0: 178,956,970, as in Pillow.
	MaxPixels int `yaml:"max_pixels" json:"max_pixels,omitempty" min:"0"`
	// OnBadImage is what becomes of an image that cannot be read, or has a map that cannot: the stage fails, or goes on
	// without the image and lists it.
	OnBadImage string `yaml:"on_bad_image" json:"on_bad_image,omitempty" default:"fail" enum:"fail|skip"`
}

// Saliency is one source of maps. Exactly one of Maps, Masks, Made, Combine and From is given.
type Saliency struct {
	// Name is what losses call the map.
	Name string `yaml:"name" json:"name"`
	// Maps is the file of an image's grey map, below Root unless absolute. In it {stem} stands for the image's file name
	// without extension, {name} for the file name, {dir} for its folder, {path} for the path of the list, and {split},
	// {label} or any other column of the list for its value. An image whose file is not there has no map.
	Maps string `yaml:"maps" json:"maps,omitempty"`
	// Masks is the same for segmentation masks: what is not zero is 1.
	Masks string `yaml:"masks" json:"masks,omitempty"`
	// Layout names a published set of masks whose folders are known (CelebAMaskHQ); Masks is then its folder of masks, and Parts
	// are its names.
	Layout string `yaml:"layout" json:"layout,omitempty" enum:"celebamask-hq"`
	// Made takes the maps that an earlier node made: the input MadePort(Name), a folder with one 8-bit grey PNG for each image
	// that has a map, called as MadeFile says.
	Made bool `yaml:"made" json:"made,omitempty"`
	// Combine computes the map from other sources, cell by cell after they were brought to the grid (package mapexpr).
	Combine string `yaml:"combine" json:"combine,omitempty"`
	// From names another source, whose maps a control shuffles.
	From string `yaml:"from" json:"from,omitempty"`
	// Parts choose what of the masks is used: one file a part where the pattern has {part}, else one value a part (all
	// other values are 0). Parts are united.
	Parts []string `yaml:"parts" json:"parts,omitempty"`
	// Filter is how maps are brought to the grid: bilinear (as the authors do) or box (the mean over each cell).
	Filter string `yaml:"filter" json:"filter,omitempty" default:"bilinear" enum:"bilinear|box"`
	// Size is whether a map must have exactly its image's size, or any.
	Size string `yaml:"size" json:"size,omitempty" default:"exact" enum:"exact|any"`
	// Mode is whether a map must be grey of at most 8 bits a pixel (and a mask of one channel), or is converted to grey as
	// Pillow does it (a mask: what is not black is 1).
	Mode string `yaml:"mode" json:"mode,omitempty" default:"grey" enum:"grey|convert"`
	// Simulated declares that no person made these maps. It is said wherever results are shown.
	Simulated bool `yaml:"simulated" json:"simulated,omitempty"`
	// Required makes an image without a map an error.
	Required bool `yaml:"required" json:"required,omitempty"`
	// Shuffle makes a control: each map goes to another image of its class, or to any other image.
	Shuffle string `yaml:"shuffle" json:"shuffle,omitempty" enum:"class|all"`
	// ShuffleSeed fixes which.
	ShuffleSeed uint64 `yaml:"shuffle_seed" json:"shuffle_seed,omitempty"`

	folder string // of made maps; empty before they are made
}

// MadePort is the input with the maps that another node made for the source of that name.
func MadePort(name string) string { return "maps." + name }

// MadeFile is the path of an image's map below the folder of made maps, for its path in the list: a/b.jpg.png for /a/b.jpg.
func MadeFile(image string) string { return path.Clean("/" + image)[1:] + ".png" }

// WithMade is the same with the folder in which the maps of a source lie that another node made.
func (p Params) WithMade(name, folder string) Params {
	p.Saliency = slices.Clone(p.Saliency)
	for i := range p.Saliency {
		if p.Saliency[i].Name == name && p.Saliency[i].Made {
			p.Saliency[i].folder = folder
		}
	}
	return p
}

// ByFile is whether each part of the masks has its own file.
func (s Saliency) ByFile() bool { return s.Layout != "" || strings.Contains(s.Masks, "{part}") }

// At is the same with CSV and Root below dir, where they are not absolute.
func (p Params) At(dir string) Params {
	below := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	p.CSV, p.Root = below(p.CSV), below(p.Root)
	return p
}

// WithDefaults is the same with every empty choice made.
func (p Params) WithDefaults() Params {
	choose := func(field *string, standard string) {
		if *field == "" {
			*field = standard
		}
	}
	choose(&p.Root, filepath.Dir(p.CSV))
	choose(&p.Header, "auto")
	choose(&p.OnBadImage, Fail)
	p.Saliency = slices.Clone(p.Saliency)
	for i := range p.Saliency {
		s := &p.Saliency[i]
		choose(&s.Filter, "bilinear")
		choose(&s.Size, "exact")
		choose(&s.Mode, "grey")
	}
	return p
}

// Validate says all that is wrong with the parameters by themselves; no file is read.
func (p Params) Validate() error {
	p = p.WithDefaults()
	var wrong []error
	say := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	among := func(field, value string, all ...string) {
		say(slices.Contains(all, value), "%s: %q; there are: %s", field, value, strings.Join(all, ", "))
	}
	say(p.CSV != "", "csv: no list of images is named")
	among("header", p.Header, "auto", "yes", "no")
	among("on_bad_image", p.OnBadImage, Fail, Skip)
	for _, name := range slices.Sorted(maps.Keys(p.Labels)) {
		among("labels: "+name, p.Labels[name], table.ClassNames...)
	}
	say(p.Side > 0, "side: %d pixels", p.Side)
	say(p.GridH > 0 && p.GridW > 0, "grid: %d x %d cells", p.GridH, p.GridW)
	say(p.MaxPixels >= 0, "max_pixels: %d", p.MaxPixels)
	for i, s := range p.Saliency {
		at := "saliency " + s.Name
		say(s.Name != "", "saliency %d has no name", i+1)
		say(!slices.ContainsFunc(p.Saliency[:i], func(o Saliency) bool { return o.Name == s.Name }), "%s is declared twice", at)
		given := 0
		for _, source := range []bool{s.Maps != "", s.Masks != "", s.Made, s.Combine != "", s.From != ""} {
			if source {
				given++
			}
		}
		say(given == 1, "%s: %d of maps, masks, stage, combine and from are given; give one", at, given)
		among(at+": filter", s.Filter, "bilinear", "box")
		among(at+": size", s.Size, "exact", "any")
		among(at+": mode", s.Mode, "grey", "convert")
		among(at+": shuffle", s.Shuffle, "", "class", "all")
		among(at+": layout", s.Layout, "", CelebAMaskHQ)
		if s.From != "" {
			wrong = append(wrong, p.validateControl(at, s)...)
		}
		if s.Combine != "" {
			wrong = append(wrong, p.validateCombined(at, s)...)
		}
		wrong = append(wrong, validateParts(at, s)...)
	}
	return errors.Join(wrong...)
}

func (p Params) validateControl(at string, s Saliency) (wrong []error) {
	k := slices.IndexFunc(p.Saliency, func(o Saliency) bool { return o.Name == s.From })
	switch {
	case k < 0:
		var names []string
		for _, o := range p.Saliency {
			if o.Name != s.Name {
				names = append(names, o.Name)
			}
		}
		wrong = append(wrong, fmt.Errorf("%s: from: no source is called %q; there are: %s", at, s.From, strings.Join(names, ", ")))
	case p.Saliency[k].From != "" || p.Saliency[k].Shuffle != "":
		wrong = append(wrong, fmt.Errorf("%s: from: %s is a control itself; name the maps it is made of", at, s.From))
	}
	if s.Shuffle == "" {
		wrong = append(wrong, fmt.Errorf("%s: from without shuffle would be %s again; write shuffle: class or shuffle: all", at, s.From))
	}
	return wrong
}

// Combined are the names of the maps that a source is computed from; none where it is not.
func (p Params) Combined(s Saliency) []string {
	if program, err := mapexpr.Compile(s.Combine, p.sources()); s.Combine != "" && err == nil {
		return program.Names()
	}
	return nil
}

// sources are the maps that a combination may name: those that are read.
func (p Params) sources() (names []string) {
	for _, s := range p.Saliency {
		if s.From == "" && s.Combine == "" {
			names = append(names, s.Name)
		}
	}
	return names
}

func (p Params) validateCombined(at string, s Saliency) (wrong []error) {
	program, err := mapexpr.Compile(s.Combine, p.sources())
	if err != nil {
		return []error{fmt.Errorf("%s: %w", at, err)}
	}
	if len(program.Names()) == 0 {
		wrong = append(wrong, fmt.Errorf("%s: combine: %s names no map; there are: %s", at, s.Combine, strings.Join(p.sources(), ", ")))
	}
	return wrong
}

func validateParts(at string, s Saliency) (wrong []error) {
	switch {
	case strings.Contains(s.Maps, "{part}"), s.Masks == "" && len(s.Parts) > 0:
		wrong = append(wrong, fmt.Errorf("%s: parts belong to masks", at))
	case s.Layout != "" && s.Masks == "":
		wrong = append(wrong, fmt.Errorf("%s: layout is that of masks; name their folder by masks", at))
	case s.Layout != "":
		wrong = append(wrong, validateCelebA(at, s.Parts)...)
	case s.ByFile() && len(s.Parts) == 0:
		wrong = append(wrong, fmt.Errorf("%s: masks has {part}, and parts names none", at))
	case !s.ByFile():
		for _, part := range s.Parts {
			if _, err := strconv.ParseUint(part, 10, 16); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: parts: %q is no value of a mask; write 0 to 65535, or {part} in the pattern of masks for one file a part", at, part))
			}
		}
	}
	return wrong
}
