package spec

import (
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// set applies one --set to root, or to a parameter of that name.
func (l *loader) set(root *Value, arg string, params *params) {
	pos := diag.Pos{File: "--set " + arg}
	path, written, ok := strings.Cut(arg, "=")
	path = strings.TrimSpace(path)
	if !ok || path == "" {
		l.diags.Add(pos, BadSet, "--set takes key=value, such as --set train.epochs=3")
		return
	}
	value := l.argument(written, pos)
	if value == nil {
		return
	}
	name, isParam := strings.CutPrefix(path, "params.")
	if p := params.get(name); p != nil {
		p.given = value
		return
	}
	if isParam {
		l.diags.Add(pos, BadSet, "%q is not a parameter%s", name, orList(name, params.names()))
		return
	}
	steps := strings.Split(path, ".")
	if slices.ContainsFunc(steps, func(s string) bool { return !keyName(s) }) || len(steps) > maxDepth {
		l.diags.Add(pos, BadSet, "%q is no path; write the keys on the way with a dot between them", path)
		return
	}
	switch steps[0] {
	case "extends", "profile", "profiles", "version", "params":
		l.diags.Add(pos, BadSet, "%q cannot be set%s", steps[0], map[bool]string{true: "; use --profile"}[steps[0] == "profile"])
		return
	}
	if !l.known(root, steps, pos, params.names()) {
		return
	}
	putAt(root, steps, value, pos, l.diags)
}

// argument parses the value of a --set: a scalar, [a, b] or {a: b}. Anything else is text.
func (l *loader) argument(written string, pos diag.Pos) *Value {
	from := &origin{dir: l.Dir, source: &source{path: pos.File, text: written}, set: true}
	if strings.TrimSpace(written) == "" {
		return text("", pos, from)
	}
	if len(written) > maxBytes {
		l.diags.Add(pos, TooLarge, "the value has more than %d MiB", maxBytes>>20)
		return nil
	}
	if _, what := from.source.unreadable(); what != "" {
		l.diags.Add(pos, BadSet, "%s: this is no text", what)
		return nil
	}
	node, more, err := decodeYAML(mask(written))
	flow := strings.ContainsAny(strings.TrimSpace(written)[:1], "[{\"'")
	switch {
	case err != nil && flow:
		l.diags.Add(pos, BadSet, "the value is no YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	case err != nil || node == nil || more > 0, node.Kind != yaml.ScalarNode && !flow, node.Anchor != "", node.Kind == yaml.AliasNode, node.Style&yaml.TaggedStyle != 0:
		return text(written, pos, from)
	}
	c := converter{source: from.source, origin: from, diags: l.diags}
	return c.value(node, 0)
}

// known checks the first steps of a path against the document and the types of sections.
func (l *loader) known(root *Value, steps []string, pos diag.Pos, params []string) bool {
	top := slices.Concat(frame, sectionNames(l.Sections))
	if root.Get(steps[0]) == nil && l.Sections != nil && !slices.Contains(top, steps[0]) {
		l.diags.Add(pos, BadSet, "there is no parameter and no section %q%s", steps[0], orList(steps[0], slices.Concat(params, top)))
		return false
	}
	if section, ok := l.Sections[steps[0]]; ok {
		return knownPath(root.Get(steps[0]), section, steps, pos, l.diags)
	}
	if steps[0] == "stages" && len(steps) > 1 && root.Get("stages").Get(steps[1]) == nil {
		names := root.Get("stages").Names()
		l.diags.Add(pos, BadSet, "there is no stage %q%s", steps[1], orList(steps[1], names))
		return false
	}
	return true
}

// putAt puts a value at the end of a path, making maps on the way where there is nothing.
func putAt(v *Value, steps []string, value *Value, pos diag.Pos, diags *diag.List) {
	for i, step := range steps {
		done := strings.Join(steps[:i], ".")
		last := i == len(steps)-1
		switch v.Kind {
		case Map:
			if last {
				v.put(Key{Name: step, Pos: pos}, value)
				return
			}
			next := v.Get(step)
			if next == nil || next.Kind == Null {
				next = &Value{Kind: Map, Pos: pos, origin: value.origin}
				v.put(Key{Name: step, Pos: pos}, next)
			}
			v = next
		case List:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(v.items) {
				diags.Add(pos, BadSet, "%s is a list of %d; %q is none of 0 to %d", done, len(v.items), step, len(v.items)-1)
				return
			}
			if last {
				v.items[n] = value
				return
			}
			v = v.items[n]
		case Invalid:
			return
		default:
			diags.Add(pos, BadSet, "%s is %s and has no key %q", done, v.Kind, step)
			return
		}
	}
}
