package spec

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Options are what the command line adds to a spec. The zero value loads the spec as it stands.
type Options struct {
	Profile string   // --profile; empty: the spec's own choice
	Set     []string // --set key=value, in order

	// Sections are the top-level keys that the caller decodes, each with a value (or a nil pointer) of its Go type, such
	// as {"train": (*train.Params)(nil)}. With them, unknown top-level keys and unknown --set paths are reported; without
	// them, any key is a section.
	Sections map[string]any

	Dir      string                            // the working directory; empty: the process's
	Env      func(string) (string, bool)       // nil: os.LookupEnv
	ReadFile func(path string) ([]byte, error) // nil: regular files of this machine
}

// Document is a resolved spec.
type Document struct {
	Path          string
	Name          string
	Title         string
	Description   string
	Profile       string   // the one that was taken; empty: none
	ProfileOrigin string   // who chose it: "--profile", "the spec", "the spec's expression"
	ProfileNames  []string // all that are declared, the main one first
	Params        map[string]any
	Parameters    []Parameter // the same in file order, with what they are for
	Stages        []Stage     // in file order
	Root          *Value      // a map: everything but extends, profile and profiles
	Sources       []string    // every file that was read, the spec first
	Env           []string    // every environment variable that was asked for, sorted
}

// Parameter is a value that a spec offers for change.
type Parameter struct {
	Name, Help string
	Value      *Value
}

// frame is the top-level keys that the package itself knows.
var frame = []string{"version", "name", "title", "description", "extends", "profile", "params", "profiles", "stages"}

// Load reads a spec and resolves it. Every problem that can be seen is in the list; the document is nil only when there
// is nothing to go on with. In a document with problems, the values they stand in are Invalid, which Decode passes over.
func Load(path string, o Options) (*Document, *diag.List) {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	l := &loader{Options: o, diags: &diag.List{}}
	root := l.file(path, nil, nil)
	if root == nil {
		return nil, l.diags
	}
	d := &Document{Path: path, Sources: l.sources}
	l.resolve(d, root)
	d.Env = l.asked()
	return d, l.diags
}

// loader is one call of Load.
type loader struct {
	Options
	diags   *diag.List
	sources []string
	env     map[string]bool // variables that were asked for
}

func (l *loader) resolve(d *Document, root *Value) {
	profiles := root.Get("profiles") // keep their rules: they are still to be merged
	root = settle(root)
	params := l.declared(root.Get("params"))
	scope := &scope{loader: l, params: params}
	root = l.profile(d, root, profiles, scope)
	for _, arg := range l.Set {
		l.set(root, arg, params)
	}
	root = root.drop("params")
	root.adopt()
	scope.reset()
	root = scope.evaluate(root)
	d.Params = map[string]any{}
	values := &Value{Kind: Map, Pos: root.Pos, origin: root.origin}
	for _, p := range params.list {
		value := scope.param(p)
		d.Params[p.name] = value.Any()
		d.Parameters = append(d.Parameters, Parameter{Name: p.name, Help: p.help, Value: value})
		values.put(Key{Name: p.name, Pos: p.pos}, value)
	}
	if root.Get("name").Absent() { // resolved.yaml has another file name
		stem := strings.TrimSuffix(filepath.Base(d.Path), filepath.Ext(d.Path))
		root.put(Key{Name: "name", Pos: root.Pos}, text(stem, diag.Pos{File: d.Path}, &origin{dir: root.origin.dir, preset: true}))
	}
	d.Root = l.ordered(root, values)
	d.Root.adopt()
	l.frame(d)
}

// ordered puts what names the document first and the stages last; the sections keep their order.
func (l *loader) ordered(root, params *Value) *Value {
	out := &Value{Kind: Map, Pos: root.Pos, origin: root.origin}
	head := []string{"version", "name", "title", "description"}
	for _, name := range head {
		if v := root.Get(name); v != nil {
			out.put(root.Key(name), v)
		}
	}
	if params.Len() > 0 {
		out.put(Key{Name: "params", Pos: params.Pos}, params)
	}
	rest := root.drop(append(head, "stages")...)
	out.Keys, out.items = append(out.Keys, rest.Keys...), append(out.items, rest.items...)
	if stages := root.Get("stages"); stages != nil {
		out.put(root.Key("stages"), stages)
	}
	return out
}

// file reads one file and what it extends. chain is the files that led here, asker the place that named this one.
func (l *loader) file(path string, chain []string, asker *diag.Pos) *Value {
	clean := filepath.Clean(path)
	if at := slices.Index(chain, clean); at >= 0 {
		l.diags.Add(*asker, ExtendsCycle, "extends in a circle: %s", strings.Join(append(chain[at:], clean), " -> "))
		return nil
	}
	if len(l.sources) >= maxFiles || len(chain) > 20 {
		l.diags.Add(*asker, TooLarge, "more than %d files, or more than 20 levels, of extends", maxFiles)
		return nil
	}
	if !slices.Contains(l.sources, path) {
		l.sources = append(l.sources, path)
	}
	source := read(path, l.ReadFile, asker, l.diags)
	if source == nil {
		return nil
	}
	here := &origin{dir: filepath.Dir(path), source: source}
	root := parse(source, here, l.diags)
	if root == nil {
		return nil
	}
	l.version(root)
	extends := root.Get("extends")
	root = root.drop("extends")
	var base *Value
	for _, name := range l.extended(extends) {
		under := name.text
		if !filepath.IsAbs(under) {
			under = filepath.Join(here.dir, filepath.FromSlash(under))
		}
		more := l.file(under, append(slices.Clone(chain), clean), &name.Pos)
		switch {
		case more == nil:
		case base == nil:
			base = more
		default:
			base = mergeSpecs(base, more, l.diags)
		}
	}
	if base == nil {
		return root
	}
	return mergeSpecs(base, root, l.diags)
}

func (l *loader) extended(v *Value) []*Value {
	var names []*Value
	list := []*Value{v}
	if v.Absent() || v.Kind == Invalid {
		return nil
	}
	if v.Kind == List {
		list = v.items
	}
	for _, name := range list {
		switch {
		case name.Kind == Invalid:
		case name.Kind != String || name.text == "":
			l.diags.Add(name.Pos, WrongType, "extends: a path or a list of paths is needed, this is %s", describe(name))
		case strings.Contains(name.text, "${"):
			l.diags.Add(name.Pos, WrongType, "extends: a path cannot be an expression; profiles are for what varies")
		default:
			names = append(names, name)
		}
	}
	return names
}

func (l *loader) version(root *Value) {
	v := root.Get("version")
	if v == nil || v.Kind == Invalid || v.Kind == Int && v.whole == 1 || v.Kind == Float && v.float == 1 {
		return
	}
	l.diags.Add(v.Pos, BadVersion, "version: this cyborg-run reads version 1, not %s", brief(v))
}

// mergeSpecs merges two whole specs. A parameter that is declared below and given as a bare value above keeps its help.
func mergeSpecs(base, over *Value, diags *diag.List) *Value {
	return merge(base, keepHelp(base, over), diags)
}

func keepHelp(base, over *Value) *Value {
	below, above := base.Get("params"), over.Get("params")
	if below == nil || above == nil || below.Kind != Map || above.Kind != Map {
		return over
	}
	params := *above
	params.items = slices.Clone(above.items)
	for i, key := range params.Keys {
		if declares(below.Get(key.Name)) && params.items[i].Kind != Map && key.rule == merging {
			bare := params.items[i]
			params.items[i] = &Value{Kind: Map, Pos: bare.Pos, origin: bare.origin, Keys: []Key{{Name: "default", Pos: bare.Pos}}, items: []*Value{bare}}
		}
	}
	out := *over
	out.Keys, out.items = slices.Clone(over.Keys), slices.Clone(over.items)
	out.items[out.index("params")] = &params
	return &out
}

const profileFlag = "--profile "

// profile merges the chosen profile over root.
func (l *loader) profile(d *Document, root, profiles *Value, s *scope) *Value {
	chosen := root.Get("profile")
	rest := root.drop("profile", "profiles")
	if profiles != nil && profiles.Kind != Invalid && profiles.Kind != Map && profiles.Kind != Null {
		l.diags.Add(profiles.Pos, WrongType, "profiles: a map of profiles is needed, this is %s", describe(profiles))
		return rest
	}
	if profiles.Len() > maxProfiles {
		l.diags.Add(profiles.Pos, TooLarge, "more than %d profiles", maxProfiles)
		return rest
	}
	d.ProfileNames = profiles.Names()
	pos := argument{text: profileFlag + l.Profile}.pos(len(profileFlag), utf8.RuneCountInString(l.Profile))
	switch {
	case l.Profile != "":
		d.Profile, d.ProfileOrigin = l.Profile, "--profile"
	case chosen.Absent() || chosen.Kind == Invalid:
		return rest
	default:
		d.ProfileOrigin = "the spec"
		if chosen.Kind == String && strings.Contains(chosen.text, "${") {
			d.ProfileOrigin = "the spec's expression"
		}
		value := s.value(chosen)
		if value.Kind == Invalid {
			return rest
		}
		if value.Kind != String {
			l.diags.Add(chosen.Pos, WrongType, "profile: the name of a profile is needed, this is %s", describe(value))
			return rest
		}
		d.Profile, pos = value.text, chosen.Pos
	}
	body := profiles.Get(d.Profile)
	if body == nil {
		l.diags.Add(pos, UnknownProfile, "there is no profile %q%s", d.Profile, orList(d.Profile, d.ProfileNames))
		return rest
	}
	if body.Absent() || body.Kind == Invalid {
		return rest
	}
	if body.Kind != Map {
		l.diags.Add(body.Pos, WrongType, "profiles.%s: a map is needed, this is %s", d.Profile, describe(body))
		return rest
	}
	for _, name := range []string{"version", "name", "extends", "profile", "profiles"} {
		if body.Get(name) != nil {
			l.diags.Add(body.Key(name).Pos, UnknownKey, "a profile cannot change %q", name)
			body = body.drop(name)
		}
	}
	body = inProfile(body, d.Profile, map[*origin]*origin{})
	s.params.override(body.Get("params"), d.Profile, l.diags)
	out := settle(merge(rest, body.drop("params"), l.diags))
	out.Pos = root.Pos
	return out
}
