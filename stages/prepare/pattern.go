package prepare

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// checkPattern says which placeholders there are where a pattern has another.
func (p *Plan) checkPattern(name, pattern string) error {
	if err := p.CheckPattern(pattern); err != nil {
		return &PatternError{name, err}
	}
	return nil
}

// PatternError is a pattern of a source that cannot be filled in.
type PatternError struct {
	Saliency string
	Err      error
}

func (e *PatternError) Error() string { return fmt.Sprintf("saliency %s: %v", e.Saliency, e.Err) }

// CheckPattern says which placeholders there are where a pattern has another.
func (p *Plan) CheckPattern(pattern string) error {
	known := []string{"stem", "name", "dir", "path", "part"}
	for _, column := range p.List.Columns {
		if !slices.Contains(known, column) {
			known = append(known, column)
		}
	}
	for _, m := range placeholder.FindAllStringSubmatch(pattern, -1) {
		if !slices.Contains(known, m[1]) {
			return fmt.Errorf("%s: {%s} stands for nothing; there are: {%s}", pattern, m[1], strings.Join(known, "}, {"))
		}
	}
	return nil
}

// Expand is the file that a pattern without {part} names for one row: below Root unless it is absolute.
func (p *Plan) Expand(pattern string, i int) string { return p.expand(pattern, i, "") }

// Fill is a pattern with its placeholders filled in for one row.
func (p *Plan) Fill(pattern string, i int) string { return p.fill(pattern, i, "") }

// expand is the file that a pattern names for one row.
func (p *Plan) expand(pattern string, i int, part string) string {
	file := p.fill(pattern, i, part)
	if filepath.IsAbs(pattern) {
		return filepath.Clean(file)
	}
	return filepath.Join(p.Params.Root, filepath.FromSlash(file))
}

func (p *Plan) fill(pattern string, i int, part string) string {
	row := p.List.Rows[i]
	image := path.Clean("/" + row.Path)[1:]
	base := path.Base(image)
	return placeholder.ReplaceAllStringFunc(pattern, func(braces string) string {
		switch name := braces[1 : len(braces)-1]; name {
		case "stem":
			return strings.TrimSuffix(base, path.Ext(base))
		case "name":
			return base
		case "dir":
			return path.Dir(image)
		case "path":
			return image
		case "part":
			return part
		default:
			value, _ := p.List.Value(row, name)
			return value
		}
	})
}
