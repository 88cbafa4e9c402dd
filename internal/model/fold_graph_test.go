package model

import (
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// The batch norms that stay after Fold are those that no convolution comes right before: DenseNet's first of each layer,
// of each transition and the last, and none elsewhere. The auxiliary classifier's two are for training alone.
func TestFoldTakesAllThatFollowConvolutions(t *testing.T) {
	remain := map[string]int{"densenet121": 58 + 3 + 1, "densenet161": 78 + 3 + 1, "densenet169": 82 + 3 + 1, "densenet201": 98 + 3 + 1}
	for _, name := range nn.Names() {
		build, _ := nn.Lookup(name)
		m, err := New(build(2), torch.CPU, torch.Float32, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Fold(); err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, step := range m.graph.Steps {
			if _, ok := step.Operation.(nn.BatchNorm2d); ok && !step.Training {
				got++
			}
		}
		if got != remain[name] {
			t.Errorf("%s: %d batch norms remain, want %d", name, got, remain[name])
		}
		m.Close()
	}
}
