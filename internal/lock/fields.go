package lock

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// lock reads what a lock file says, key by key.
func (r *reader) lock(root *yaml.Node, l *Lock) {
	r.fields(root, "the lock", map[string]func(*yaml.Node){
		"version!":    r.whole(&l.Version, "version"),
		"name!":       r.text(&l.Name, "name"),
		"spec!":       func(n *yaml.Node) { r.spec(n, &l.Spec) },
		"environment": r.pairs(&l.Environment, "environment"),
		"data":        items(r, "data", &l.Data, r.data),
		"axes":        items(r, "axes", &l.Axes, r.axis),
		"reproduce":   func(n *yaml.Node) { r.reproduce(n, &l.Reproduce) },
		"metrics":     items(r, "metrics", &l.Metrics, r.evaluation),
		"nodes!":      items(r, "nodes", &l.Nodes, r.node),
		"settings":    func(n *yaml.Node) { r.settings(n, &l.Settings) },
	})
	names := map[string]bool{}
	for _, n := range l.Nodes {
		if names[n.Name] {
			r.bad(nil, spec.DuplicateKey, "nodes: %s is there twice", shorten(n.Name))
		}
		names[n.Name] = true
	}
}

func items[T any](r *reader, what string, to *[]T, read func(*yaml.Node, *T)) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.list(n, what, func(item *yaml.Node) {
			var one T
			read(item, &one)
			*to = append(*to, one)
		})
	}
}

func (r *reader) spec(n *yaml.Node, s *Spec) {
	r.fields(n, "spec", map[string]func(*yaml.Node){
		"digest!": r.text(&s.Digest, "spec.digest"),
		"profile": r.text(&s.Profile, "spec.profile"),
		"set":     r.texts(&s.Set, "spec.set"),
		"sources": items(r, "spec.sources", &s.Sources, func(n *yaml.Node, f *File) {
			r.fields(n, "a source", map[string]func(*yaml.Node){"file!": r.text(&f.File, "file"), "digest!": r.text(&f.Digest, "digest")})
		}),
	})
}

func (r *reader) data(n *yaml.Node, d *Data) {
	r.fields(n, "an entry of data", map[string]func(*yaml.Node){
		"name!": r.text(&d.Name, "name"), "files!": r.whole(&d.Files, "files"), "digest!": r.text(&d.Digest, "digest"),
	})
}

func (r *reader) axis(n *yaml.Node, a *Axis) {
	r.fields(n, "an axis", map[string]func(*yaml.Node){"name!": r.text(&a.Name, "name"), "values!": r.texts(&a.Values, "values")})
}

func (r *reader) node(n *yaml.Node, to *Node) {
	r.fields(n, "a node", map[string]func(*yaml.Node){
		"name!":       r.text(&to.Name, "name"),
		"stage!":      r.text(&to.Stage, "stage"),
		"key!":        r.text(&to.Key, "key"),
		"seconds":     r.number(&to.Seconds, "seconds"),
		"threads":     r.whole(&to.Threads, "threads"),
		"environment": r.pairs(&to.Environment, "environment"),
		"outputs":     r.pairs(&to.Outputs, "outputs"),
	})
}

func (r *reader) evaluation(n *yaml.Node, e *Evaluation) {
	r.fields(n, "an entry of metrics", map[string]func(*yaml.Node){
		"node!":   r.text(&e.Node, "node"),
		"set!":    r.text(&e.Set, "set"),
		"axes":    r.pairs(&e.Axes, "axes"),
		"values!": r.numbers(&e.Values, "values"),
	})
}

func (r *reader) reproduce(n *yaml.Node, to *Reproduce) {
	before := r.diags.Len()
	r.fields(n, "reproduce", map[string]func(*yaml.Node){
		"within": r.numbers(&to.Within, "reproduce.within"),
		"except": items(r, "reproduce.except", &to.Except, func(n *yaml.Node, e *Except) {
			r.fields(n, "an exception", map[string]func(*yaml.Node){"nodes!": r.text(&e.Nodes, "nodes"), "within!": r.numbers(&e.Within, "within")})
		}),
		"seeds": func(n *yaml.Node) {
			s := &Seeds{}
			r.fields(n, "reproduce.seeds", map[string]func(*yaml.Node){
				"test!": r.text(&s.Test, "test"), "level!": r.number(&s.Level, "level"), "axis!": r.text(&s.Axis, "axis"),
				"margin": r.numbers(&s.Margin, "margin"), "metrics": r.texts(&s.Metrics, "metrics"),
			})
			if s.Test != Equivalence && s.Test != Welch && r.diags.Len() == before {
				r.bad(n, spec.NotAllowed, "reproduce.seeds.test: %q is neither %s nor %s", shorten(s.Test), Equivalence, Welch)
			}
			if !(s.Level > 0 && s.Level < 1) && r.diags.Len() == before {
				r.bad(n, spec.OutOfRange, "reproduce.seeds.level: %v is not between 0 and 1", s.Level)
			}
			to.Seeds = s
		},
	})
	if r.diags.Len() == before {
		for _, p := range to.Validate() {
			r.bad(n, spec.NotAllowed, "reproduce.%s: %s", p.Path, p.Message)
		}
	}
}

func (r *reader) settings(n *yaml.Node, to *Settings) {
	r.each(n, "settings", func(key, value *yaml.Node) {
		*to = append(*to, Setting{Path: key.Value, Value: r.setting(key.Value, value),
			Pos: diag.Pos{File: r.path, Line: key.Line, Column: key.Column}})
	})
}

// setting is a leaf as JSON.
func (r *reader) setting(path string, n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		var parts []string
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				r.bad(item, spec.WrongType, "settings.%s: a list of scalars is needed", shorten(path))
				return ""
			}
			parts = append(parts, r.setting(path, item))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case n.Kind == yaml.MappingNode && len(n.Content) == 0:
		return "{}"
	case n.Kind != yaml.ScalarNode:
		r.bad(n, spec.WrongType, "settings.%s: a scalar or a list of scalars is needed, this is %s", shorten(path), kind(n))
		return ""
	}
	var v any
	if err := n.Decode(&v); err != nil {
		r.bad(n, spec.WrongType, "settings.%s: %v", shorten(path), err)
		return ""
	}
	if tag := n.ShortTag(); tag == "!!str" || tag == "!!timestamp" { // dates are texts here
		v = n.Value
	}
	return asJSON(v)
}
