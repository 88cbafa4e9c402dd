package nn

// Operation computes one tensor from one or more.
type Operation interface {
	// Shape is the output's shape for inputs of these shapes; an error says what does not fit.
	Shape(in ...Shape) (Shape, error)
	// Parameters lists what the operation learns or keeps, under names relative to its own.
	Parameters() []Param
}

// stateless is an operation that keeps nothing.
type stateless struct{}

// Parameters are none.
func (stateless) Parameters() []Param { return nil }

// elementwise is an operation that keeps nothing and leaves the shape.
type elementwise struct{ stateless }

// Shape is the input's.
func (elementwise) Shape(in ...Shape) (Shape, error) { return in[0], nil }
