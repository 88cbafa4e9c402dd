package spec

import (
	"slices"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/expression"
)

// param is a declared parameter. raw is what will be evaluated: its default, or what a profile or --set put there.
type param struct {
	name, help string
	pos        diag.Pos
	raw        *Value
	given      *Value // by a profile or --set; checked against the default's type
}

type params struct{ list []*param }

func (p *params) get(name string) *param {
	for _, have := range p.list {
		if have.name == name {
			return have
		}
	}
	return nil
}

func (p *params) names() []string {
	names := make([]string, len(p.list))
	for i, have := range p.list {
		names[i] = have.name
	}
	return names
}

// declares tells whether a value is {default, help} rather than a bare default.
func declares(v *Value) bool {
	return v != nil && v.Kind == Map && (v.Get("default") != nil || v.Get("help") != nil)
}

// declared reads the section params.
func (l *loader) declared(v *Value) *params {
	out := &params{}
	if v.Absent() || v.Kind == Invalid {
		return out
	}
	if v.Kind != Map {
		l.diags.Add(v.Pos, WrongType, "params: a map of parameters is needed, this is %s", describe(v))
		return out
	}
	if v.Len() > maxParams {
		l.diags.Add(v.Pos, TooLarge, "more than %d parameters", maxParams)
		return out
	}
	for i, key := range v.Keys {
		item := v.items[i]
		p := &param{name: key.Name, pos: key.Pos, raw: item}
		out.list = append(out.list, p)
		if !identifier(key.Name) || slices.Contains(expression.Reserved, key.Name) {
			l.diags.Add(key.Pos, BadName, "the parameter %q: a name of letters, digits and _ is needed that no expression uses otherwise", key.Name)
		}
		if item.Kind != Map {
			continue
		}
		p.raw = item.Get("default")
		for _, k := range item.Keys {
			if k.Name != "default" && k.Name != "help" {
				l.diags.Add(k.Pos, BadParam, "unknown key %q in params.%s: a parameter is a bare value, or has default and help", k.Name, key.Name)
				p.raw = &Value{Kind: Invalid, Pos: item.Pos, origin: item.origin}
			}
		}
		if help := item.Get("help"); help != nil && help.Kind != Invalid {
			if help.Kind != String {
				l.diags.Add(help.Pos, WrongType, "params.%s.help: text is needed, this is %s", key.Name, describe(help))
			}
			p.help = help.Text()
		}
	}
	return out
}

// override takes the params of a profile.
func (p *params) override(v *Value, profile string, diags *diag.List) {
	if v.Absent() || v.Kind == Invalid {
		return
	}
	if v.Kind != Map {
		diags.Add(v.Pos, WrongType, "profiles.%s.params: a map of parameters is needed, this is %s", profile, describe(v))
		return
	}
	for i, key := range v.Keys {
		have := p.get(key.Name)
		if have == nil {
			diags.Add(key.Pos, BadParam, "profile %q sets %q, which is not a parameter%s", profile, key.Name, orList(key.Name, p.names()))
			continue
		}
		have.given = v.items[i]
		if declares(have.given) {
			have.given = have.given.Get("default")
		}
	}
}

// fits makes a given value of the default's type, or says why it is not: --set seeds=many.
func (p *param) fits(given, standard *Value, diags *diag.List) *Value {
	if standard.Absent() || standard.Kind == Invalid || given.Kind == Invalid || given.Kind == standard.Kind {
		return given
	}
	switch {
	case standard.Kind == String && given.Kind <= Float && given.FromSet():
		return textOf(given)
	case standard.Kind == Float && given.Kind == Int, standard.Kind == Int && given.Kind == List, standard.Kind == List && given.Kind == Int:
		return given
	}
	diags.Add(given.Pos, BadParam, "the parameter %s: %s is needed, as is its default %s; this is %s", p.name, standard.Kind, brief(standard), describe(given))
	return &Value{Kind: Invalid, Pos: given.Pos, origin: given.origin}
}

// textOf is a number or truth value read as the text that it was written as.
func textOf(v *Value) *Value {
	written := v.text
	if written == "" {
		written = v.Text()
	}
	return text(written, v.Pos, v.origin)
}
