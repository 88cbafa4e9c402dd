package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// argument is one --set. Places in it are columns of its text, as it stands in messages.
type argument struct {
	text    string // --set key=value
	path    string
	written string // the value
}

const setFlag = "--set "

// pos is the place of n characters of the argument, from a byte of its text on.
func (a argument) pos(from, n int) diag.Pos {
	if strings.Contains(a.text, "\n") {
		return diag.Pos{File: a.text}
	}
	return diag.Pos{File: a.text, Column: utf8.RuneCountInString(a.text[:from]) + 1, Width: max(1, n)}
}

// step is the place of one step of the path.
func (a argument) step(i int) diag.Pos {
	steps := strings.Split(a.path, ".")
	from := strings.Index(a.text, a.path)
	for _, before := range steps[:i] {
		from += len(before) + 1
	}
	return a.pos(from, utf8.RuneCountInString(steps[i]))
}

// whole is the place of the path.
func (a argument) whole() diag.Pos {
	return a.pos(max(strings.Index(a.text, a.path), 0), utf8.RuneCountInString(a.path))
}

// set applies one --set to root, or to a parameter of that name.
func (l *loader) set(root *Value, arg string, params *params) {
	path, written, ok := strings.Cut(arg, "=")
	a := argument{text: setFlag + arg, path: strings.TrimSpace(path), written: written}
	if !ok || a.path == "" {
		l.diags.Add(a.pos(len(setFlag), utf8.RuneCountInString(arg)), BadSet, "--set takes key=value, such as --set train.epochs=3")
		return
	}
	value := l.argument(a)
	if value == nil {
		return
	}
	name, isParam := strings.CutPrefix(a.path, "params.")
	if p := params.get(name); p != nil {
		p.given = value
		return
	}
	if isParam {
		l.diags.Add(a.step(1), BadSet, "%q is not a parameter%s", name, orList(name, params.names()))
		return
	}
	steps := strings.Split(a.path, ".")
	if slices.ContainsFunc(steps, func(s string) bool { return !keyName(s) }) || len(steps) > maxDepth {
		l.diags.Add(a.whole(), BadSet, "%q is no path; write the keys on the way with a dot between them", a.path)
		return
	}
	switch steps[0] {
	case "extends", "profile", "profiles", "version", "params":
		l.diags.Add(a.step(0), BadSet, "%q cannot be set%s", steps[0], map[bool]string{true: "; use --profile"}[steps[0] == "profile"])
		return
	}
	if !l.known(root, a, steps, params.names()) {
		return
	}
	putAt(root, a, steps, value, l.diags)
}

// argument parses the value of a --set: a scalar, [a, b] or {a: b}. Anything else is text.
func (l *loader) argument(a argument) *Value {
	written := a.written
	start := len(a.text) - len(written)
	pos := a.pos(start, utf8.RuneCountInString(written))
	from := &origin{dir: l.Dir, source: &source{path: a.text, text: written}, set: true}
	if pos.Column > 0 {
		from.shift = pos.Column - 1
	}
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
func (l *loader) known(root *Value, a argument, steps, params []string) bool {
	top := slices.Concat(frame, sectionNames(l.Sections))
	if root.Get(steps[0]) == nil && l.Sections != nil && !slices.Contains(top, steps[0]) {
		l.diags.Add(a.step(0), BadSet, "there is no parameter and no section %q%s", steps[0], orList(steps[0], slices.Concat(params, top)))
		return false
	}
	if section, ok := l.Sections[steps[0]]; ok {
		return knownPath(root.Get(steps[0]), section, a, steps, l.diags)
	}
	if steps[0] != "stages" || len(steps) == 1 {
		return true
	}
	stages := root.Get("stages")
	stage := stages.Get(steps[1])
	if stage == nil {
		l.diags.Add(a.step(1), BadSet, "there is no stage %q%s", steps[1], orList(steps[1], stages.Names()))
		return false
	}
	if section, ok := l.Sections[stage.Get("uses").Text()]; ok && len(steps) > 2 && !slices.Contains(stageKeys(), steps[2]) {
		return knownKey(section, a, steps, 2, stageKeys(), l.diags)
	}
	return true
}

// putAt puts a value at the end of a path, making maps on the way where there is nothing.
func putAt(v *Value, a argument, steps []string, value *Value, diags *diag.List) {
	for i, step := range steps {
		done := strings.Join(steps[:i], ".")
		last := i == len(steps)-1
		switch v.Kind {
		case Map:
			if last {
				v.put(Key{Name: step, Pos: a.step(i)}, value)
				return
			}
			next := v.Get(step)
			if next == nil || next.Kind == Null {
				next = &Value{Kind: Map, Pos: a.step(i), origin: value.origin}
				v.put(Key{Name: step, Pos: a.step(i)}, next)
			}
			v = next
		case List:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(v.items) {
				entries := "is an empty list"
				if len(v.items) > 0 {
					entries = fmt.Sprintf("is a list of %d; %q is none of 0 to %d", len(v.items), step, len(v.items)-1)
				}
				diags.Add(a.step(i), BadSet, "%s %s", done, entries)
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
			diags.Add(a.step(i), BadSet, "%s is %s and has no key %q", done, describe(v), step)
			return
		}
	}
}
