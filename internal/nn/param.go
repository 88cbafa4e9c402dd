package nn

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Shape is a tensor's shape; without the batch where it is an activation's.
type Shape []int

// String is 64x3x7x7, or "one number" for the shape of a scalar.
func (s Shape) String() string {
	if len(s) == 0 {
		return "one number"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]int(s)), " ", "x"), "[]")
}

// Equal says whether both are the same shape.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// Numel is the number of values.
func (s Shape) Numel() int {
	n := 1
	for _, size := range s {
		n *= size
	}
	return n
}

// Param is one tensor that a network keeps.
type Param struct {
	Name  string // layer4.2.conv3.weight
	Shape Shape
	Kind  Kind
	Init  Init
}

// Kind says what a kept tensor is for.
type Kind int

// The kinds.
const (
	Weight  Kind = iota // learned
	Bias                // learned
	Buffer              // kept while training, not learned: running statistics
	Counter             // a 64-bit integer: num_batches_tracked
)

// Trainable says whether the optimiser moves the tensor.
func (p Param) Trainable() bool { return p.Kind == Weight || p.Kind == Bias }

// Init is the distribution from which a tensor's first values are drawn.
type Init struct {
	Distribution Distribution
	Scale        float64 // Constant: the value; Normal: the standard deviation; Uniform: the bound of (-Scale, Scale)
}

// Distribution is a family of initial values.
type Distribution int

// The distributions.
const (
	Constant Distribution = iota
	Normal                // mean 0
	Uniform               // between -Scale and Scale
)

// Zeros and Ones are constant tensors.
var (
	Zeros = Init{Constant, 0}
	Ones  = Init{Constant, 1}
)

// KaimingNormal is the normal distribution of variance 2/fan (He et al., 2015, arXiv:1502.01852): for a convolution
// followed by a ReLU, torchvision takes fan = output channels x kernel area.
func KaimingNormal(fan int) Init { return Init{Normal, math.Sqrt(2 / float64(fan))} }

// FanInUniform is PyTorch's default for linear layers and for biases, uniform in +-1/sqrt(fanIn); PyTorch writes it
// kaiming_uniform(a = sqrt 5).
func FanInUniform(fanIn int) Init { return Init{Uniform, 1 / math.Sqrt(float64(fanIn))} }

// KaimingNormalIn is the normal distribution of variance 2/fanIn, for the inputs of one output value.
func KaimingNormalIn(shape Shape) Init { return KaimingNormal(shape[1:].Numel()) }
