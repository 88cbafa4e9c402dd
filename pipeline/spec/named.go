package spec

import (
	"reflect"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Named is a map whose keys are the user's, in file order: `losses: {cyborg: [...], cross_entropy: [...]}`.
type Named[T any] []Entry[T]

// Entry is one entry of a Named.
type Entry[T any] struct {
	Name  string
	Pos   diag.Pos // of the name
	Value T
	From  *Value // what it was read from
}

// Get is the entry of that name, or nil.
func (n Named[T]) Get(name string) *T {
	for i := range n {
		if n[i].Name == name {
			return &n[i].Value
		}
	}
	return nil
}

// Names is the names in file order.
func (n Named[T]) Names() []string {
	names := make([]string, len(n))
	for i := range n {
		names[i] = n[i].Name
	}
	return names
}

// DecodeSpec reads the entries of a map.
func (n *Named[T]) DecodeSpec(v *Value, diags *diag.List) { n.decodeEntries(v, rules{}, diags) }

func (n *Named[T]) decodeEntries(v *Value, r rules, diags *diag.List) {
	if v.Kind != Map {
		wrong(v, "a map", diags)
		return
	}
	r.count(v, diags)
	*n = make(Named[T], v.Len())
	for i, key := range v.Keys {
		e := &(*n)[i]
		e.Name, e.Pos, e.From = key.Name, key.Pos, v.items[i]
		decode(e.From, reflect.ValueOf(&e.Value).Elem(), r.entry(), diags)
	}
}

func (n *Named[T]) entryType() reflect.Type { return reflect.TypeFor[T]() }

// OneOrMany is a list for which a single entry may stand alone: `needs: fit` or `needs: [fit, score]`.
type OneOrMany[T any] []T

// DecodeSpec reads one entry or a list of them.
func (m *OneOrMany[T]) DecodeSpec(v *Value, diags *diag.List) { m.decodeEntries(v, rules{}, diags) }

func (m *OneOrMany[T]) decodeEntries(v *Value, r rules, diags *diag.List) {
	if v.Kind == List {
		decodeList(v, reflect.ValueOf((*[]T)(m)).Elem(), r, diags)
		return
	}
	*m = make([]T, 1)
	decode(v, reflect.ValueOf(&(*m)[0]).Elem(), r.entry(), diags)
}

// entries is a Decoder of this package that hands the rules of its field on to its entries.
type entries interface {
	Decoder
	decodeEntries(v *Value, r rules, diags *diag.List)
}

// named is any Named.
type named interface{ entryType() reflect.Type }
