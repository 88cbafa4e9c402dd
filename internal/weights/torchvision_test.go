package weights

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// TestNamesAreTorchvisions compares the addresses with those that torchvision has, and looks for what it has of these
// networks and is not here.
func TestNamesAreTorchvisions(t *testing.T) {
	out := testenv.RunPython(t, `
import json, sys, torchvision
urls = []
for name in torchvision.models.list_models(torchvision.models):
    if name in sys.argv[1:]:
        urls += [w.url for w in torchvision.models.get_model_weights(name)]
print(json.dumps(urls))`, nn.Names()...)
	var want, got []string
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		s, ok := Lookup(name)
		if err := s.Check(); !ok || err != nil || !strings.HasSuffix(s.URL, "-"+s.SHA256+".pth") {
			t.Errorf("%s: %v, %v", name, s, err)
		}
		got = append(got, s.URL)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("here       %q\ntorchvision %q", got, want)
	}
}

func TestLookup(t *testing.T) {
	s, ok := Lookup("torchvision/resnet50-0676ba61")
	if want := (Source{"https://download.pytorch.org/models/resnet50-0676ba61.pth", "0676ba61"}); !ok || s != want {
		t.Errorf("%v, %v", s, ok)
	}
	if _, ok := Lookup("torchvision/resnet50"); ok {
		t.Error("which of the two?")
	}
}
