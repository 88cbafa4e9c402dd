package nn

import "fmt"

// Add is the sum of two tensors of one shape: what a Sum does.
type Add struct{ stateless }

// Shape is that of both inputs.
func (a Add) Shape(in ...Shape) (Shape, error) {
	if !in[0].Equal(in[1]) {
		return nil, fmt.Errorf("a sum gets %s and %s", in[0], in[1])
	}
	return in[0], nil
}

// Join puts the channels of tensors of one height and width one after the other: what a Concat does.
type Join struct{ stateless }

// Shape is [C1+C2+...,H,W].
func (j Join) Shape(in ...Shape) (Shape, error) {
	out := Shape{0, 0, 0}
	for i, s := range in {
		if len(s) != 3 || i > 0 && !s[1:].Equal(in[0][1:]) {
			return nil, fmt.Errorf("a concatenation gets %s and %s", in[0], s)
		}
		out = Shape{out[0] + s[0], s[1], s[2]}
	}
	return out, nil
}

// Multiply is the product of [C,H,W] with one factor a channel, [C,1,1]: what a Gate does.
type Multiply struct{ stateless }

// Shape is that of the first input.
func (m Multiply) Shape(in ...Shape) (Shape, error) {
	if len(in[0]) != 3 || !in[1].Equal(Shape{in[0][0], 1, 1}) {
		return nil, fmt.Errorf("a gate gets %s and %s", in[0], in[1])
	}
	return in[0], nil
}
