package lock

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// SettingsOf are the leaves of a resolved spec, each with the place where it was written.
func SettingsOf(doc *spec.Document) Settings {
	var all Settings
	flatten("", doc.Root, &all)
	return all
}

func flatten(path string, v *spec.Value, into *Settings) {
	items := v.List()
	if len(items) == 0 || v.Kind == spec.List && scalars(items) {
		if v.Kind != spec.Null { // nothing was said
			*into = append(*into, Setting{Path: path, Value: asJSON(v.Any()), Pos: v.Pos})
		}
		return
	}
	for i, item := range items {
		step := strconv.Itoa(i)
		if v.Kind == spec.Map {
			step = v.Keys[i].Name
		}
		if strings.ContainsAny(step, `."`) {
			step = strconv.Quote(step)
		}
		if path != "" {
			step = path + "." + step
		}
		flatten(step, item, into)
	}
}

func scalars(items []*spec.Value) bool {
	for _, item := range items {
		if item.Kind == spec.List || item.Kind == spec.Map {
			return false
		}
	}
	return true
}

// asJSON is a plain value in one line. Not a number and infinity, which JSON lacks, are texts.
func asJSON(v any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return strconv.Quote(strings.TrimSpace(strings.ReplaceAll(err.Error(), "json: unsupported value: ", "")))
	}
	return strings.TrimSpace(out.String())
}

// weight says what a difference in a setting means.
type weight int

const (
	counts weight = iota // other results are to be expected
	place                // where something is; what is there is told by its digest
	cores                // how many threads there are: other last digits
	words                // what people read, what is checked, how a run is scheduled
)

// role is what the setting at a path is for.
func role(path string) weight {
	steps := strings.Split(path, ".")
	last := steps[len(steps)-1]
	switch steps[0] {
	case "version", "name", "title", "description", "params", "reproduce":
		return words // parameters count where they are used
	case "datasets":
		switch last {
		case "csv", "root", "maps", "masks":
			return place
		}
	case "model":
		if last == "init" || last == "from" || last == "torchscript" {
			return place
		}
	case "stages":
		if len(steps) > 2 {
			switch steps[2] {
			case "resources", "retry", "limits":
				return words
			}
		}
	}
	if len(steps) > 1 && steps[len(steps)-2] == "checkpoint" {
		return words
	}
	if last == "threads" {
		return cores
	}
	return counts
}
