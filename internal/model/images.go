package model

import "github.com/cyborg-run/cyborg-run/internal/torch"

// Normalise turns images as bytes into what Forward takes: (pixel/255 - mean) / std of the network's input.
//
//	pixels [B,H,W,3], uint8, on any device    result [B,3,H,W] on the model's device, in the weights' type
func (m *Model) Normalise(s *torch.Scope, pixels torch.Tensor) torch.Tensor {
	x := s.ToDType(s.Upload(pixels, m.device), m.weights)
	b, h, w := x.Dim(0), x.Dim(1), x.Dim(2)
	x = s.View(x, []int{b, h, w * 3}) // rows of pixels, on which the arithmetic is many times faster than on threes
	x = s.DivScalar_(x, 255)
	x = s.Sub_(x, s.Repeat(m.mean, []int{w}))
	x = s.Div_(x, s.Repeat(m.std, []int{w}))
	x = s.Permute(s.View(x, []int{b, h, w, 3}), []int{0, 3, 1, 2}) // the order of the bytes is channels last already
	if m.options.ChannelsLast {
		return x
	}
	return s.Contiguous(x, torch.Contiguous)
}

// perChannel is three numbers as a tensor of the model's.
func (m *Model) perChannel(s *torch.Scope, v [3]float64) torch.Tensor {
	return m.scope.Move(s.ToDevice(s.ToDType(torch.From(s, v[:], 3), m.weights), m.device, false))
}
