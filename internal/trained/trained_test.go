package trained_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/internal/trained/trainedtest"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

var small = trainedtest.Small()

// What a training saved is what comes out, in either memory order.
func TestOpen(t *testing.T) {
	path, want := trainedtest.Save(t)
	for _, channelsLast := range []bool{false, true} {
		net, err := trained.Open(path, experiment.Trained{Model: small, Precision: "float32", ChannelsLast: channelsLast}, torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		got, err := net.State()
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i].Name != want[i].Name || string(got[i].Data) != string(want[i].Data) {
				t.Errorf("channels_last %v: %s is not what was saved", channelsLast, want[i].Name)
			}
		}
		net.Close()
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	path, _ := trainedtest.Save(t)
	for name, c := range map[string]struct {
		path, precision string
		model           experiment.Model
		want            string
	}{
		"no_file":         {filepath.Join(t.TempDir(), "gone.pth"), "float32", small, "gone.pth"},
		"another_network": {path, "float32", experiment.Model{Arch: experiment.Arch{Name: "resnet18"}, Side: 32}, "read checkpoint " + path + ": tensor "},
		"no_network":      {path, "float32", experiment.Model{Arch: experiment.Arch{Name: "resnet9"}}, `there is no network "resnet9"`},
		"no_precision":    {path, "float8", small, "float8"},
	} {
		t.Run(name, func(t *testing.T) {
			net, err := trained.Open(c.path, experiment.Trained{Model: c.model, Precision: c.precision}, torch.CPU)
			if err == nil {
				net.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}
