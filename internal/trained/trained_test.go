package trained_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/trained"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

var small = experiment.Model{Arch: experiment.Arch{Name: "resnet_small"}, Side: 32}

// saved is a checkpoint of small with weights drawn from a seed, and those weights.
func saved(t *testing.T) (path string, state []checkpoint.Tensor) {
	t.Helper()
	network, err := experiment.Network(small)
	if err != nil {
		t.Fatal(err)
	}
	net, err := model.New(network, torch.CPU, torch.Float32, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	random := torch.NewGenerator(torch.CPU, 7)
	defer random.Close()
	if err := net.Init(random); err != nil {
		t.Fatal(err)
	}
	if state, err = net.State(); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "final.pth")
	if err := checkpoint.Write(path, &checkpoint.File{Tensors: state}); err != nil {
		t.Fatal(err)
	}
	return path, state
}

// What a training saved is what comes out, in either memory order.
func TestOpen(t *testing.T) {
	path, want := saved(t)
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
	path, _ := saved(t)
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
