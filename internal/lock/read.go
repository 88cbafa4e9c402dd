package lock

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// maxBytes is what no lock comes near: that of a run with 10,000 nodes has about 5 MB.
const maxBytes = 32 << 20

// ReadFile reads a lock file. What is wrong with it is a diag.Error, each with its place.
func ReadFile(path string) (*Lock, error) {
	info, err := os.Stat(path) // before opening: to open a pipe may wait for ever
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("this is no regular file")
	}
	if err != nil {
		return nil, fmt.Errorf("read lock: %w", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read lock: %w", err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read lock: %w", err)
	}
	return Read(path, raw)
}

// Read reads the text of a lock file; path is for messages.
func Read(path string, raw []byte) (*Lock, error) {
	r := &reader{path: path, diags: &diag.List{}}
	var l Lock
	if root := r.parse(raw); root != nil {
		if r.version(root); r.diags.Len() == 0 {
			r.lock(root, &l)
		}
	}
	if err := r.diags.Err(); err != nil {
		return nil, err
	}
	if l.Data == nil {
		l.Data = []Data{} // a lock knows of all data: there are none
	}
	return &l, nil
}

// reader is one call of Read.
type reader struct {
	path  string
	diags *diag.List
}

// maxProblems is how many mistakes are told of one lock.
const maxProblems = 20

func (r *reader) bad(n *yaml.Node, code, format string, args ...any) {
	if r.diags.Len() >= maxProblems {
		return
	}
	pos := diag.Pos{File: r.path}
	if n != nil {
		pos.Line, pos.Column, pos.Width = n.Line, n.Column, min(80, max(1, utf8.RuneCountInString(n.Value)))
	}
	r.diags.Add(pos, code, format, args...)
}

func (r *reader) parse(raw []byte) (root *yaml.Node) {
	if len(raw) > maxBytes {
		r.bad(nil, spec.TooLarge, "the lock has more than %d MiB; none is that large", maxBytes>>20)
		return nil
	}
	defer func() { // the parser is foreign code that reads foreign bytes
		if p := recover(); p != nil {
			root = nil
			r.bad(nil, spec.Syntax, "this is no YAML: %v", p)
		}
	}()
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		r.bad(nil, spec.Syntax, "this is no YAML: %v; write it again by `cyborg-run lock SPEC`", err)
		return nil
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		r.bad(nil, spec.NotASpec, "this is no lock: a map of keys (version, name, spec, nodes, ...) is needed; `cyborg-run lock SPEC` writes one")
		return nil
	}
	return doc.Content[0]
}

// version comes before all else: another version may have other keys.
func (r *reader) version(root *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "version" {
			continue
		}
		if v := root.Content[i+1]; v.Kind != yaml.ScalarNode || v.Value != strconv.Itoa(Version) {
			written := v.Value
			if v.Kind != yaml.ScalarNode {
				written = kind(v)
			}
			r.bad(v, spec.BadVersion, "version: this cyborg-run reads locks of version %d, not %s", Version, shorten(written))
		}
		return
	}
	r.bad(nil, spec.Missing, "this is no lock: it has no version; `cyborg-run lock SPEC` writes one")
}

// fields calls the function of each key of a map; keys that must be there end in "!".
func (r *reader) fields(n *yaml.Node, what string, read map[string]func(*yaml.Node)) {
	required := map[string]bool{}
	for name, f := range read {
		if name[len(name)-1] == '!' {
			delete(read, name)
			read[name[:len(name)-1]], required[name[:len(name)-1]] = f, true
		}
	}
	r.each(n, what, func(key, value *yaml.Node) {
		f, known := read[key.Value]
		if !known {
			r.bad(key, spec.UnknownKey, "unknown key %q in %s", shorten(key.Value), what)
			return
		}
		delete(required, key.Value)
		f(value)
	})
	for _, name := range sorted(required) {
		r.bad(n, spec.Missing, "%s has no %s", what, name)
	}
}

// each walks a map.
func (r *reader) each(n *yaml.Node, what string, f func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.bad(n, spec.WrongType, "%s: a map is needed, this is %s", what, kind(n))
		return
	}
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || key.Anchor != "" || key.ShortTag() == "!!merge" {
			r.bad(key, spec.BadYAML, "%s: a key is a plain word in a lock", what)
			continue
		}
		if first, twice := seen[key.Value]; twice {
			r.bad(key, spec.DuplicateKey, "%s: %q is given twice, first in line %d", what, shorten(key.Value), first)
			continue
		}
		seen[key.Value] = key.Line
		f(key, n.Content[i+1])
	}
}

func (r *reader) list(n *yaml.Node, what string, f func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		r.bad(n, spec.WrongType, "%s: a list is needed, this is %s", what, kind(n))
		return
	}
	for _, item := range n.Content {
		f(item)
	}
}

func (r *reader) text(to *string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
			r.bad(n, spec.WrongType, "%s: text is needed, this is %s", what, kind(n))
			return
		}
		*to = n.Value
	}
}

func (r *reader) texts(to *[]string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.list(n, what, func(item *yaml.Node) {
			var s string
			r.text(&s, what)(item)
			*to = append(*to, s)
		})
	}
}

func (r *reader) pairs(to *map[string]string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*to = map[string]string{}
		r.each(n, what, func(key, value *yaml.Node) {
			var s string
			r.text(&s, what+"."+shorten(key.Value))(value)
			(*to)[key.Value] = s
		})
	}
}

func (r *reader) number(to *float64, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		f, err := strconv.ParseFloat(n.Value, 64)
		tag := n.ShortTag()
		if n.Kind != yaml.ScalarNode || tag != "!!float" && tag != "!!int" || err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			r.bad(n, spec.WrongType, "%s: a number is needed, this is %s", what, kind(n))
			return
		}
		*to = f
	}
}

func (r *reader) numbers(to *map[string]float64, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*to = map[string]float64{}
		r.each(n, what, func(key, value *yaml.Node) {
			var f float64
			r.number(&f, what+"."+shorten(key.Value))(value)
			(*to)[key.Value] = f
		})
	}
}

func (r *reader) whole(to *int, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		i, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil || i < 0 {
			r.bad(n, spec.WrongType, "%s: a whole number is needed, this is %s", what, kind(n))
			return
		}
		*to = i
	}
}

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias, which a lock has none of"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!str":
		return "text (" + strconv.Quote(shorten(n.Value)) + ")"
	}
	return shorten(n.Value)
}

func shorten(s string) string {
	if utf8.RuneCountInString(s) > 40 {
		return string([]rune(s)[:40]) + "..."
	}
	return s
}
