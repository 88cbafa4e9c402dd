package experiment

import (
	"path/filepath"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/weights"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Init is where a network's first weights come from. Exactly one of from, url, name and stage is given. A file from elsewhere
// is part of a node's key by its SHA-256 alone: the same bytes at another address change nothing.
type Init struct {
	// From is the path of the checkpoint, or a published name in its place.
	From string `yaml:"from" json:"from,omitempty"`
	// URL is the address of a checkpoint. A run that needs it fetches it once into a cache that all projects share:
	// cyborg-run/weights in the user's cache folder, or weights below the folder that CYBORG_CACHE names.
	URL string `yaml:"url" json:"-"`
	// SHA256 is the digest of what is at that address, 64 hexadecimal digits; other bytes are refused.
	SHA256 string `yaml:"sha256" json:"sha256,omitempty"`
	// Name is one of torchvision's published ImageNet files, such as torchvision/resnet50-0676ba61, fetched in the same way.
	Name string `yaml:"name" json:"-"`
	// Stage names a stage of this spec that uses train or pretrain: its node with the same values on the axes that both have.
	// A pretrained encoder has no head: leave it out by except.
	Stage string `yaml:"stage" json:"-"`
	// Except lists parameters that are not taken from it, with * for any text: [fc.*] for a head of another size. All others
	// must be there, in their shapes.
	Except []string `yaml:"except" json:"except,omitempty"`
}

// Given tells whether there is a file of first weights to read.
func (i Init) Given() bool { return i.From != "" || i.SHA256 != "" }

// Source is what has to be fetched before a node runs; ok is false where nothing has.
func (i Init) Source() (s weights.Source, ok bool) {
	return weights.Source{URL: i.URL, SHA256: i.SHA256}, i.SHA256 != ""
}

// Path is the checkpoint's path; of one that has to be fetched, its place in the cache.
func (i Init) Path() (string, error) {
	if i.SHA256 != "" {
		return weights.Path(i.SHA256)
	}
	return i.From, nil
}

// DecodeSpec implements spec.Decoder: a path or a published name alone, or a map.
func (i *Init) DecodeSpec(v *spec.Value, diags *diag.List) {
	if v.Kind == spec.String {
		i.from(v, diags)
		return
	}
	type plain Init
	before := diags.Len()
	spec.Decode(v, (*plain)(i), diags)
	if diags.Len() == before {
		i.check(v, diags)
	}
}

// check looks for what does not go together. A way that is given and empty, as from '${init}' may be, is none.
func (i *Init) check(v *spec.Value, diags *diag.List) {
	ways, given := 0, 0
	for _, way := range []string{"from", "url", "name", "stage"} {
		if at := v.Get(way); !at.Absent() {
			ways++
			if at.Text() != "" {
				given++
			}
		}
	}
	switch {
	case ways == 0 || given > 1:
		diags.Add(v.Pos, spec.Missing, "model.init: one of from (a path), url (an address, with sha256), name (a published file) and stage is needed")
	case i.SHA256 != "" && i.URL == "":
		diags.Add(v.Get("sha256").Pos, spec.Missing, "model.init: sha256 is of a file from a url, and there is none")
	case i.From != "":
		i.from(v.Get("from"), diags)
	case i.Name != "":
		i.lookup(v.Get("name"), diags)
	case i.URL != "":
		if err := (weights.Source{URL: i.URL, SHA256: i.SHA256}).Check(); err != nil {
			diags.Add(v.Pos, spec.NotAllowed, "model.init: %v", err)
		} else if len(i.SHA256) != 64 {
			diags.Add(v.Get("sha256").Pos, spec.NotAllowed, "model.init: %q is a part of a SHA-256: all 64 digits are needed", i.SHA256)
		}
	}
}

// from takes a path, or a published name in its place.
func (i *Init) from(v *spec.Value, diags *diag.List) {
	if strings.HasPrefix(v.Text(), "torchvision/") && filepath.Ext(v.Text()) == "" {
		i.From, i.Name = "", v.Text()
		i.lookup(v, diags)
		return
	}
	i.From = v.Resolve()
}

// lookup finds the source of a published file.
func (i *Init) lookup(v *spec.Value, diags *diag.List) {
	source, ok := weights.Lookup(i.Name)
	if !ok {
		diags.Add(v.Pos, spec.NotAllowed, "model.init: there are no published weights %q%s; there are: %s",
			i.Name, spec.Suggest(i.Name, weights.Names()), strings.Join(weights.Names(), ", "))
		return
	}
	i.URL, i.SHA256 = source.URL, source.SHA256
}
