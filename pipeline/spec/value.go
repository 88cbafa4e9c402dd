package spec

import (
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Kind is what a Value holds.
type Kind uint8

// The kinds. An Invalid value had a problem that was reported: whoever meets it passes over it in silence.
const (
	Invalid Kind = iota
	Null
	Bool
	Int
	Float
	String
	List
	Map
)

// String names the kind as messages do.
func (k Kind) String() string {
	return [...]string{"invalid", "empty", "true or false", "a whole number", "a number", "text", "a list", "a map"}[k]
}

// Key is one key of a map, at its place.
type Key struct {
	Name string
	Pos  diag.Pos

	rule mergeRule
}

// Value is a YAML value that knows where it came from. Values are read only once they are part of a Document.
type Value struct {
	Kind Kind
	Pos  diag.Pos
	Keys []Key // of a map, in file order

	items []*Value // of a list, or of a map beside Keys
	text  string   // of a scalar: as it was written
	truth bool
	whole int
	float float64

	parent *Value
	name   string // in parent
	origin *origin
	made   *made // nil: it stands as it was written
	gone   bool  // it is empty and takes away what is below it
}

// origin is where a value was written: a file, the command line or the environment.
type origin struct {
	dir     string  // relative paths start here
	source  *source // nil outside files
	set     bool    // --set wrote it
	profile string  // the profile that it is part of
	preset  bool    // nobody wrote it: a default
	shift   int     // of --set: characters before the value
}

// Get is the value of a map's key, or nil.
func (v *Value) Get(key string) *Value {
	if i := v.index(key); i >= 0 {
		return v.items[i]
	}
	return nil
}

// Key is the key of that name of a map with its place; without one it has the map's place.
func (v *Value) Key(name string) Key {
	if i := v.index(name); i >= 0 {
		return v.Keys[i]
	}
	return Key{Name: name, Pos: v.Pos}
}

func (v *Value) index(key string) int {
	if v == nil || v.Kind != Map {
		return -1
	}
	for i := range v.Keys {
		if v.Keys[i].Name == key {
			return i
		}
	}
	return -1
}

// List is the entries of a list, or the values of a map in the order of Keys; nil for anything else.
func (v *Value) List() []*Value {
	if v == nil {
		return nil
	}
	return v.items
}

// Len is the number of entries of a list or map.
func (v *Value) Len() int { return len(v.List()) }

// Names is the keys of a map, in file order.
func (v *Value) Names() []string {
	if v == nil {
		return nil
	}
	names := make([]string, len(v.Keys))
	for i, key := range v.Keys {
		names[i] = key.Name
	}
	return names
}

// Text is a scalar as text: numbers as they were written, "" for nil, empty values, lists and maps.
func (v *Value) Text() string {
	if v == nil {
		return ""
	}
	switch v.Kind {
	case String, Float:
		return v.text
	case Bool:
		return strconv.FormatBool(v.truth)
	case Int:
		return strconv.Itoa(v.whole)
	}
	return ""
}

// Absent tells whether there is no value: nil, or empty in the file.
func (v *Value) Absent() bool { return v == nil || v.Kind == Null }

// Any is the value in plain Go: nil, bool, int, float64, string, []any or map[string]any.
func (v *Value) Any() any {
	if v == nil {
		return nil
	}
	switch v.Kind {
	case Bool:
		return v.truth
	case Int:
		return v.whole
	case Float:
		return v.float
	case String:
		return v.text
	case List:
		list := make([]any, len(v.items))
		for i, item := range v.items {
			list[i] = item.Any()
		}
		return list
	case Map:
		out := make(map[string]any, len(v.items))
		for i, key := range v.Keys {
			out[key.Name] = v.items[i].Any()
		}
		return out
	}
	return nil
}

// Path is the way to the value in its document, as --set writes it: "losses.cyborg.0.weight". The document's is "".
func (v *Value) Path() string {
	if v == nil || v.parent == nil {
		return ""
	}
	if up := v.parent.Path(); up != "" {
		return up + "." + v.name
	}
	return v.name
}

// Resolve is the value as a path on this machine: relative to the folder of the file that wrote it (see the package
// comment). An empty text stays empty.
func (v *Value) Resolve() string {
	text := v.Text()
	if text == "" || filepath.IsAbs(text) || v.origin == nil {
		return text
	}
	return filepath.Join(v.origin.dir, filepath.FromSlash(text))
}

// FromSet tells whether --set wrote the value.
func (v *Value) FromSet() bool { return v != nil && v.origin != nil && v.origin.set }

// Sound tells whether v, and all below it, is as it was written: nothing of it had a problem.
func (v *Value) Sound() bool {
	return v.Kind != Invalid && !slices.ContainsFunc(v.items, func(item *Value) bool { return !item.Sound() })
}

// Equal tells whether two values are the same, in the order of keys too; places do not count.
func (v *Value) Equal(w *Value) bool {
	if v == nil || w == nil {
		return v == w
	}
	if v.Kind != w.Kind || len(v.items) != len(w.items) {
		return false
	}
	switch v.Kind {
	case Bool:
		return v.truth == w.truth
	case Int:
		return v.whole == w.whole
	case Float:
		return v.float == w.float || math.IsNaN(v.float) && math.IsNaN(w.float)
	case String:
		return v.text == w.text
	}
	for i := range v.items {
		if v.Kind == Map && v.Keys[i].Name != w.Keys[i].Name || !v.items[i].Equal(w.items[i]) {
			return false
		}
	}
	return true
}

// adopt tells every value below v who its parent is.
func (v *Value) adopt() {
	for i, item := range v.items {
		item.parent = v
		if v.Kind == Map {
			item.name = v.Keys[i].Name
		} else {
			item.name = strconv.Itoa(i)
		}
		item.adopt()
	}
}

// at is a copy of v, and of all below it, that stands at another place.
func (v *Value) at(pos diag.Pos) *Value {
	c := *v
	c.Pos = pos
	c.Keys = append([]Key(nil), v.Keys...)
	for i := range c.Keys {
		c.Keys[i].Pos = pos
	}
	c.items = make([]*Value, len(v.items))
	for i, item := range v.items {
		c.items[i] = item.at(pos)
	}
	return &c
}

// count is the number of values in v, itself among them.
func (v *Value) count() int {
	n := 1
	for _, item := range v.items {
		n += item.count()
	}
	return n
}

// put sets a key of a map.
func (v *Value) put(key Key, item *Value) {
	if i := v.index(key.Name); i >= 0 {
		v.Keys[i], v.items[i] = key, item
		return
	}
	v.Keys, v.items = append(v.Keys, key), append(v.items, item)
}

// drop is a map without some of its keys.
func (v *Value) drop(names ...string) *Value {
	c := *v
	c.Keys, c.items = nil, nil
next:
	for i, key := range v.Keys {
		for _, name := range names {
			if key.Name == name {
				continue next
			}
		}
		c.Keys, c.items = append(c.Keys, key), append(c.items, v.items[i])
	}
	return &c
}

func integer(n int, pos diag.Pos, from *origin) *Value {
	return &Value{Kind: Int, Pos: pos, whole: n, text: strconv.Itoa(n), origin: from}
}

func float(f float64, pos diag.Pos, from *origin) *Value {
	return &Value{Kind: Float, Pos: pos, float: f, text: floatText(f), origin: from}
}

func text(s string, pos diag.Pos, from *origin) *Value {
	return &Value{Kind: String, Pos: pos, text: s, origin: from}
}

// floatText is a number that YAML reads as a number with a fraction.
func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return ".nan"
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
