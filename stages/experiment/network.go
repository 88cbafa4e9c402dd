package experiment

import (
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/nn"
)

// Network is a resolved model's network of its own, for a worker; Builder.Network is the one that binders share.
func Network(m Model) (*nn.Network, error) {
	n, ok := m.Arch.network()
	if !ok {
		return nil, fmt.Errorf("there is no network %q in this worker; run `make build`", m.Arch)
	}
	n.Input.Side = m.Side
	return n, nil
}
