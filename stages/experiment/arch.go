package experiment

import (
	"encoding/json"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// Arch is a network: one of this program by its name, or one from Python in TorchScript.
type Arch struct {
	// Name is that of one of the networks that `cyborg-run init --list-architectures` lists; the text alone means the same.
	Name string `yaml:"name" json:"name,omitempty"`
	// TorchScript is a file of torch.jit.save in its place: a module whose forward takes images and returns logits, or logits
	// and the feature map that is averaged and classified. Training starts from the weights in it. It is a program: run only
	// those that you trust.
	TorchScript string `yaml:"torchscript" json:"torchscript,omitempty"`
	// Head is the full name of its linear head's weight, which CAMs need: fc.weight.
	Head string `yaml:"head" json:"head,omitempty"`
	// Map is the height and width of its feature map in cells, which CAMs need.
	Map int `yaml:"map" json:"map,omitempty" min:"0" max:"2048"`
	// Side is the height and width of its images in pixels.
	Side int `yaml:"side" json:"side,omitempty" default:"224" min:"1" max:"2048"`
	// Mean is that of its images' channels, of 1; without it, ImageNet's.
	Mean []float64 `yaml:"mean" json:"mean,omitempty"`
	// Std is their deviation; without it, ImageNet's.
	Std []float64 `yaml:"std" json:"std,omitempty"`
}

// String is the name, or the file.
func (a Arch) String() string {
	if a.TorchScript != "" {
		return a.TorchScript
	}
	return a.Name
}

// PlainJSON implements store.Plain; it keeps what belongs to TorchScript out where there is none.
func (a Arch) PlainJSON() any {
	if a.TorchScript == "" {
		return struct {
			Name string `json:"name"`
		}{a.Name}
	}
	type plain Arch
	return plain(a)
}

// MarshalJSON implements json.Marshaler.
func (a Arch) MarshalJSON() ([]byte, error) { return json.Marshal(a.PlainJSON()) }

// DecodeSpec implements spec.Decoder: a name alone, or a map.
func (a *Arch) DecodeSpec(v *spec.Value, diags *diag.List) {
	if v.Kind == spec.String {
		a.Name = v.Text()
		return
	}
	type plain Arch
	before := diags.Len()
	spec.Decode(v, (*plain)(a), diags)
	if diags.Len() > before {
		return
	}
	wrong := func(format string, args ...any) {
		diags.Add(v.Pos, spec.NotAllowed, "arch: "+format, args...)
		*a = Arch{} // so that nobody goes on to complain of its parts
	}
	if file := v.Get("torchscript"); file != nil {
		a.TorchScript = file.Resolve()
	}
	switch {
	case (a.Name == "") == (a.TorchScript == ""):
		wrong("give a name or torchscript: net.pt")
	case a.Name != "" && len(v.Names()) > 1:
		wrong("the other keys are for torchscript: %s says them itself", a.Name)
	case (a.Head == "") != (a.Map == 0):
		wrong("CAMs need both head, the name of the linear head's weight, and map, the cells of the feature map's side")
	case len(a.Mean) != 0 && len(a.Mean) != 3, len(a.Std) != 0 && len(a.Std) != 3:
		wrong("mean and std are three numbers each, for red, green and blue")
	}
}

// network builds the described network; ok is false where there is none of that name.
func (a Arch) network() (n *nn.Network, ok bool) {
	if a.TorchScript == "" {
		build, ok := nn.Lookup(a.Name)
		if !ok {
			return nil, false
		}
		return build(Classes), true
	}
	input := nn.ImageNet(a.Side)
	copy(input.Mean[:], a.Mean)
	copy(input.Std[:], a.Std)
	return nn.Scripted(nn.Script{Path: a.TorchScript, Map: a.Map}, input, a.Head, Classes), true
}
