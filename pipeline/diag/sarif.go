package diag

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// Rule explains one code to readers of SARIF.
type Rule struct {
	Code, Title, Help string
	URI               string // of its page; absolute, as SARIF asks
}

// Tool is who found the mistakes.
type Tool struct {
	Name, Version string
	Home          string // its address
	Rules         []Rule
}

// WriteSARIF prints diagnostics as SARIF 2.1.0 (OASIS, 2020), which GitHub and others show beside the lines. Files are
// named relative to root, an absolute folder, where they are below it. A diagnostic of no file, such as one of an
// argument, is shown at the file that spec gives for its place in the list.
//
// The writer is our own: of SARIF's some hundred types a list of mistakes needs the dozen fields below.
func WriteSARIF(w io.Writer, tool Tool, root string, all []Diagnostic, spec []string) error {
	type object = map[string]any
	rules, index := []object{}, map[string]int{}
	for i, r := range tool.Rules {
		index[r.Code] = i
		rules = append(rules, object{
			"id": r.Code, "name": r.Title, "shortDescription": object{"text": r.Title}, "fullDescription": object{"text": r.Help},
			"help": object{"text": r.Help}, "helpUri": r.URI, "defaultConfiguration": object{"level": "error"},
		})
	}
	results := []object{}
	for i, d := range all {
		file, region := d.Pos.File, object{"startLine": max(1, d.Pos.Line)}
		switch {
		case d.Pos.Line == 0 && (file == "" || strings.HasPrefix(file, "--")):
			file = spec[i]
		case d.Pos.Line > 0 && d.Pos.Column > 0:
			region["startColumn"], region["endColumn"] = d.Pos.Column, d.Pos.EndColumn()
		}
		result := object{
			"ruleId": d.Code, "level": "error", "message": object{"text": d.Message},
			"locations": []object{{"physicalLocation": object{"artifactLocation": object{"uri": uri(root, file)}, "region": region}}},
		}
		if at, known := index[d.Code]; known {
			result["ruleIndex"] = at
		}
		results = append(results, result)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(object{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"version": "2.1.0",
		"runs": []object{{
			"tool":       object{"driver": object{"name": tool.Name, "version": tool.Version, "informationUri": tool.Home, "rules": rules}},
			"columnKind": "unicodeCodePoints",
			"results":    results,
		}},
	})
}

// EndColumn is the column behind the last one that the place underlines; 0 where no column is known.
func (p Pos) EndColumn() int {
	if p.Column == 0 {
		return 0
	}
	return p.Column + max(1, p.Width)
}

// uri is a file's address: relative to root where it is below.
func uri(root, file string) string {
	if filepath.IsAbs(file) {
		if rel, err := filepath.Rel(root, file); err == nil && filepath.IsLocal(rel) {
			file = rel
		} else {
			return (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()
		}
	}
	return (&url.URL{Path: filepath.ToSlash(filepath.Clean(file))}).String()
}
