package model

import "github.com/cyborg-run/cyborg-run/internal/torch"

// Normalise turns images as bytes into what Forward takes: (pixel/255 - mean) / std of the network's input.
//
//	pixels [B,H,W,3], uint8, on any device    result [B,3,H,W] on the model's device, in the weights' type
func (m *Model) Normalise(s *torch.Scope, pixels torch.Tensor) torch.Tensor {
	x := s.Upload(pixels, m.device)
	x = s.ToDType(s.Permute(x, []int{0, 3, 1, 2}), m.weights) // the bytes' order is channels last already
	if !m.options.ChannelsLast {
		x = s.Contiguous(x, torch.Contiguous)
	}
	x = s.DivScalar_(x, 255)
	x = s.Sub_(x, m.mean)
	return s.Div_(x, m.std)
}

// perChannel is three numbers in the shape that meets [B,3,H,W].
func (m *Model) perChannel(s *torch.Scope, v [3]float64) torch.Tensor {
	return m.scope.Move(s.ToDevice(s.ToDType(torch.From(s, []float64{v[0], v[1], v[2]}, 1, 3, 1, 1), m.weights), m.device, false))
}
