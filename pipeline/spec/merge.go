package spec

import "github.com/cyborg-run/cyborg-run/pipeline/diag"

// mergeRule is what a key's suffix says of the value below it: merge (none), append to a list, or put in place.
type mergeRule byte

const (
	merging   mergeRule = 0
	appending mergeRule = '+'
	replacing mergeRule = '!'
)

// merge lays over on base and returns the result; neither is changed. Rules that could not act yet (an append with
// nothing below it) stay in the result, so that it does not matter in which order three layers are put together.
func merge(base, over *Value, diags *diag.List) *Value {
	if base.Kind != Map || over.Kind != Map {
		return over
	}
	out := *over
	out.Keys = append([]Key(nil), base.Keys...)
	out.items = append([]*Value(nil), base.items...)
	places := make(map[string]int, len(out.Keys))
	for i, key := range out.Keys {
		places[key.Name] = i
	}
	for i, key := range over.Keys {
		item := over.items[i]
		at, there := places[key.Name]
		if !there {
			out.Keys, out.items = append(out.Keys, key), append(out.items, item)
			continue
		}
		below := out.Keys[at].rule
		switch {
		case item.Kind == Null && (out.items[at].Kind != Null || out.items[at].gone):
			away := *item
			away.gone = true
			item = &away
		case key.rule == replacing:
		case key.rule == appending:
			key.rule = below
			item = appendTo(out.items[at], item, key, diags)
		case below == appending:
		default:
			key.rule = below
			item = merge(out.items[at], item, diags)
		}
		out.Keys[at], out.items[at] = key, item
	}
	return &out
}

// appendTo is the list base with the entries of more behind it.
func appendTo(base, more *Value, key Key, diags *diag.List) *Value {
	if base.Kind == Invalid || more.Kind == Invalid {
		return &Value{Kind: Invalid, Pos: more.Pos, origin: more.origin}
	}
	if base.Kind != List || more.Kind != List {
		wrong, what := base, "appends to a list, but what is there is"
		if more.Kind != List {
			wrong, what = more, "appends a list, this is"
		}
		diags.Add(key.Pos, BadAppend, "%s+ %s %s (%s)", key.Name, what, wrong.Kind, wrong.Pos)
		return &Value{Kind: Invalid, Pos: more.Pos, origin: more.origin}
	}
	out := *base
	out.items = append(append([]*Value(nil), base.items...), more.items...)
	return &out
}

// settle forgets the rules of keys, and what was taken away: nothing will be merged any more.
func settle(v *Value) *Value {
	out := *v
	out.Keys, out.items = nil, nil
	for i, item := range v.items {
		if item.gone {
			continue
		}
		if v.Kind == Map {
			key := v.Keys[i]
			key.rule = merging
			out.Keys = append(out.Keys, key)
		}
		out.items = append(out.items, settle(item))
	}
	return &out
}
