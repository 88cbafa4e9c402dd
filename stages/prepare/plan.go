package prepare

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/mapexpr"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/table"
)

// Plan is what the stage does, in full: which files go into which row. It depends on the list and on which map files
// are there; no image is opened for it.
type Plan struct {
	Params Params // with defaults
	List   *table.Table
	Images []string // the file of each row
	Maps   []Map    // in the order of Params.Saliency

	missing []bool // by row: the image is not there, and is to be skipped
}

// Map is one named map of all rows.
type Map struct {
	Saliency
	Base  int        // which of Plan.Maps has the files: its own place, or that of the source named by From
	Files [][]string // by row: the map file, or mask files to be united; none where the image has no map. Nil for From and Combine
	Gets  []int      // by row: the row that gets this row's map, -1 where it has none

	Program *mapexpr.Program // of a combination, else nil
	Of      []int            // the places in Plan.Maps of what it names, in the order of Program.Names
}

// Count is how many images have the map.
func (m *Map) Count() (n int) {
	for _, to := range m.Gets {
		if to >= 0 {
			n++
		}
	}
	return n
}

// Files lists all that the stage reads, for the key of its node: the list, the images by row, and the map files. Images
// that are not there and are to be skipped are left out: the key changes when they come.
func (p *Plan) Files() []string {
	files := []string{p.Params.CSV}
	for i, file := range p.Images {
		if !p.missing[i] {
			files = append(files, file)
		}
	}
	seen := make(map[string]bool)
	for _, m := range p.Maps {
		for _, row := range m.Files {
			for _, file := range row {
				if !seen[file] {
					seen[file] = true
					files = append(files, file)
				}
			}
		}
	}
	return files
}

// Example is a file that would give an image of the list its map; empty where the map is not one of files.
func (p *Plan) Example(m *Map) string {
	base := &p.Maps[m.Base]
	if base.Made || base.Program != nil || len(p.Images) == 0 {
		return ""
	}
	part := ""
	if base.ByFile() {
		part = base.Parts[0]
	}
	file, _ := p.mapFile(base.Saliency, base.Maps+base.Masks, 0, part)
	return file
}

// NewPlan reads the list and looks for the files. An error says what is wrong with the parameters or the list, or which
// files are not there.
func NewPlan(p Params) (*Plan, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.WithDefaults()
	list, err := table.Read(p.CSV, table.Options{Header: table.Header(p.Header), Where: p.Where, Labels: p.Labels})
	if err != nil {
		return nil, err
	}
	plan := &Plan{Params: p, List: list}
	for _, row := range list.Rows {
		plan.Images = append(plan.Images, filepath.Join(p.Root, filepath.FromSlash(row.Path)))
	}
	if err := plan.checkImages(); err != nil {
		return nil, err
	}
	for k, s := range p.Saliency {
		m := Map{Saliency: s, Base: k}
		switch {
		case s.Combine != "":
			if err := m.compile(p); err != nil {
				return nil, err
			}
		case s.From == "":
			if m.Files, err = plan.find(s); err != nil {
				return nil, err
			}
		}
		plan.Maps = append(plan.Maps, m)
	}
	plan.dealAll()
	return plan, nil
}

// compile makes a combination ready.
func (m *Map) compile(p Params) (err error) {
	if m.Program, err = mapexpr.Compile(m.Combine, p.sources()); err != nil {
		return err
	}
	for _, name := range m.Program.Names() {
		m.Of = append(m.Of, slices.IndexFunc(p.Saliency, func(s Saliency) bool { return s.Name == name }))
	}
	return nil
}

// has tells whether a row has the map that is a source or a combination.
func (p *Plan) has(m *Map, row int) bool {
	if m.Program == nil {
		return len(m.Files[row]) > 0
	}
	for _, k := range m.Of {
		if len(p.Maps[k].Files[row]) == 0 {
			return false
		}
	}
	return true
}

// dealAll decides which row gets which map.
func (p *Plan) dealAll() {
	for k := range p.Maps {
		m := &p.Maps[k]
		if m.From != "" {
			m.Base = slices.IndexFunc(p.Maps, func(o Map) bool { return o.Name == m.From })
		}
		m.Simulated = m.Simulated || p.simulated(m)
		m.Gets = p.deal(m)
	}
}

// simulated tells whether a map is made of simulated ones.
func (p *Plan) simulated(m *Map) bool {
	of := p.Maps[m.Base]
	return of.Simulated || slices.ContainsFunc(of.Of, func(k int) bool { return p.Maps[k].Simulated })
}

// Without is the plan for a list in which those rows are not.
func (p *Plan) Without(rows map[int]bool) *Plan {
	list := *p.List
	list.Rows = without(list.Rows, rows)
	out := &Plan{Params: p.Params, List: &list, Images: without(p.Images, rows), missing: without(p.missing, rows)}
	for _, m := range p.Maps {
		m.Files = without(m.Files, rows)
		out.Maps = append(out.Maps, m)
	}
	out.dealAll()
	return out
}

func without[T any](all []T, rows map[int]bool) (kept []T) {
	for i, v := range all {
		if !rows[i] {
			kept = append(kept, v)
		}
	}
	return kept
}

// maxMissing is how many files that are not there an error names.
const maxMissing = 10

// checkImages looks whether the images are there. Missing ones are errors, unless bad images are skipped and there are
// others.
func (p *Plan) checkImages() error {
	p.missing = make([]bool, len(p.Images))
	var missing []error
	count := 0
	for i, file := range p.Images {
		there, err := exists(file)
		if err != nil {
			return p.mistake(i, "image %s: %v", p.List.Rows[i].Path, err)
		}
		if p.missing[i] = !there; there {
			continue
		}
		if count++; count <= maxMissing {
			missing = append(missing, p.mistake(i, "image %s: there is no file %s", p.List.Rows[i].Path, file))
		}
	}
	if p.Params.OnBadImage == Skip && count < len(p.Images) {
		return nil
	}
	if count > 0 {
		missing = append(missing, p.mistake(-1, "%d of %d images are not there; root is %s", count, len(p.Images), p.Params.Root))
	}
	return errors.Join(missing...)
}

// mistake is one about a file that a row names; -1: about several.
func (p *Plan) mistake(row int, format string, args ...any) error {
	m := &table.Mistake{File: p.List.File, Kind: table.NoFile, Message: fmt.Sprintf(format, args...)}
	if row >= 0 {
		m.Line = p.List.Rows[row].Line
	}
	return m
}

// find looks for the map files of every row.
func (p *Plan) find(s Saliency) ([][]string, error) {
	files := make([][]string, len(p.Images))
	if s.Made && s.folder == "" {
		return files, nil // they are known when that node is done
	}
	pattern := s.Maps + s.Masks // one of them is empty
	if err := p.checkPattern(s.Name, pattern); err != nil {
		return nil, err
	}
	parts := []string{""}
	if s.ByFile() {
		parts = s.Parts
	}
	var missing []error
	count := 0
	for i := range files {
		var file string
		for _, part := range parts {
			var err error
			if file, err = p.mapFile(s, pattern, i, part); err != nil {
				return nil, err
			}
			there, err := exists(file)
			if err != nil {
				return nil, p.mistake(i, "the map %q of image %s: %v", s.Name, p.List.Rows[i].Path, err)
			}
			if there {
				files[i] = append(files[i], file)
			}
		}
		if len(files[i]) > 0 || !s.Required || p.missing[i] {
			continue
		}
		if count++; count <= maxMissing {
			missing = append(missing, p.mistake(i, "image %s has no map %q, which is required: there is no file %s",
				p.List.Rows[i].Path, s.Name, file))
		}
	}
	if count > maxMissing {
		missing = append(missing, p.mistake(-1, "%d of %d images have no map %q", count, len(files), s.Name))
	}
	return files, errors.Join(missing...)
}

// mapFile is where a row's map, or the mask of a part, is looked for.
func (p *Plan) mapFile(s Saliency, pattern string, i int, part string) (string, error) {
	image := p.List.Rows[i].Path
	switch {
	case s.Made:
		return filepath.Join(s.folder, filepath.FromSlash(MadeFile(image))), nil
	case s.Layout == CelebAMaskHQ:
		file, err := celebA(image, part)
		if err != nil {
			return "", p.mistake(i, "%v", err)
		}
		return filepath.Join(p.expand(pattern, i, part), file), nil
	}
	return p.expand(pattern, i, part), nil
}

// exists is whether there is a file; other troubles than its absence are errors.
func exists(file string) (bool, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.IsDir():
		return false, fmt.Errorf("%s is a folder; an image file is needed", file)
	case !info.Mode().IsRegular(): // to open a pipe may wait for ever
		return false, fmt.Errorf("%s is no regular file; an image file is needed", file)
	}
	return true, nil
}

// Header is what the packed file says about itself.
func (p *Plan) Header() pack.Header {
	h := pack.Header{Side: p.Params.Side, GridH: p.Params.GridH, GridW: p.Params.GridW}
	for _, r := range p.List.Rows {
		h.Rows = append(h.Rows, pack.Row{Path: r.Path, Label: r.Label, Class: r.Class})
	}
	for k := range p.Maps {
		m := &p.Maps[k]
		has := make([]bool, len(h.Rows))
		for _, to := range m.Gets {
			if to >= 0 {
				has[to] = true
			}
		}
		h.Maps = append(h.Maps, pack.MapInfo{Name: m.Name, Simulated: m.Simulated, Source: m.describe(), Has: pack.BitsOf(has)})
		if m.Simulated {
			h.Notes = append(h.Notes, fmt.Sprintf("The maps %q are simulated: no person made them.", m.Name))
		}
		if m.Shuffle != "" {
			h.Notes = append(h.Notes, fmt.Sprintf("The maps %q are a control: %s.", m.Name, m.describe()))
		}
	}
	return h
}

// describe says where a map comes from, without the folders of this machine.
func (m *Map) describe() string {
	source := ""
	switch {
	case m.Maps != "":
		source = "maps " + path.Base(filepath.ToSlash(m.Maps))
	case m.Masks != "":
		source = "masks " + path.Base(filepath.ToSlash(m.Masks))
		if len(m.Parts) > 0 {
			source += " (" + strings.Join(m.Parts, ", ") + ")"
		}
	case m.Made:
		source = "maps that a stage made"
	case m.Combine != "":
		source = "combined: " + m.Combine
	default:
		source = fmt.Sprintf("the maps %q", m.From)
	}
	switch m.Shuffle {
	case "class":
		return fmt.Sprintf("%s, shuffled within the class (seed %d)", source, m.ShuffleSeed)
	case "all":
		return fmt.Sprintf("%s, shuffled over all images (seed %d)", source, m.ShuffleSeed)
	}
	return source
}
