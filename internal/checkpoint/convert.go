package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Convert is f with all floating-point tensors, the optimizer's buffers among them, in another such type: Float64,
// Float32, Float16 or BFloat16. Values are rounded to the nearest, ties to even, as PyTorch does; one that is finite and
// too large for the type is an error. Other tensors stay.
func Convert(f *File, to DType) (*File, error) {
	if floatBits(to) == nil {
		return nil, fmt.Errorf("%q is no type of floating-point numbers: take float32, float16, bfloat16 or float64", to)
	}
	out := *f
	var err error
	if out.Tensors, err = convertAll(f.Tensors, to); err != nil {
		return nil, err
	}
	if f.Optimizer != nil {
		o := *f.Optimizer
		if o.Buffers, err = convertAll(o.Buffers, to); err != nil {
			return nil, fmt.Errorf("optimizer: %w", err)
		}
		out.Optimizer = &o
	}
	return &out, nil
}

func convertAll(tensors []Tensor, to DType) ([]Tensor, error) {
	out := make([]Tensor, len(tensors))
	for i, t := range tensors {
		var err error
		if out[i], err = convert(t, to); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func convert(t Tensor, to DType) (Tensor, error) {
	from, bits := floatValue(t.DType), floatBits(to)
	if from == nil || t.DType == to {
		return t, nil
	}
	n, wide, narrow := len(t.Data)/t.DType.Size(), t.DType.Size(), to.Size()
	data := make([]byte, 0, n*narrow)
	for i := range n {
		v := from(t.Data[i*wide:])
		var finite bool
		if data, finite = bits(data, v); !finite && !math.IsInf(v, 0) && !math.IsNaN(v) {
			return Tensor{}, fmt.Errorf("tensor %s: its value %g is too large for %s", t.Name, v, to)
		}
	}
	t.DType, t.Data = to, data
	return t, nil
}

// floatValue reads one element of a type; nil where it is not of floating point.
func floatValue(d DType) func([]byte) float64 {
	switch d {
	case Float64:
		return func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
	case Float32:
		return func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }
	case BFloat16:
		return func(b []byte) float64 {
			return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
		}
	case Float16:
		return func(b []byte) float64 { return halfValue(binary.LittleEndian.Uint16(b)) }
	}
	return nil
}

// floatBits appends one element of a type and says whether it is finite; nil where the type is not of floating point.
func floatBits(d DType) func([]byte, float64) ([]byte, bool) {
	switch d {
	case Float64:
		return func(to []byte, v float64) ([]byte, bool) {
			return binary.LittleEndian.AppendUint64(to, math.Float64bits(v)), !math.IsInf(v, 0)
		}
	case Float32:
		return func(to []byte, v float64) ([]byte, bool) {
			f := float32(v)
			return binary.LittleEndian.AppendUint32(to, math.Float32bits(f)), !math.IsInf(float64(f), 0)
		}
	case BFloat16:
		return func(to []byte, v float64) ([]byte, bool) {
			b := narrow(float32(v), 8, 7)
			return binary.LittleEndian.AppendUint16(to, b), b&0x7fff != 0x7f80
		}
	case Float16:
		return func(to []byte, v float64) ([]byte, bool) {
			b := narrow(float32(v), 5, 10)
			return binary.LittleEndian.AppendUint16(to, b), b&0x7fff != 0x7c00
		}
	}
	return nil
}

// narrow is v in 16 bits: a sign, so many bits of exponent and of mantissa. Float64 goes by way of float32, as in PyTorch.
func narrow(v float32, exponent, mantissa int) uint16 {
	sign := uint16(math.Float32bits(v) >> 16 & 0x8000)
	a := math.Abs(float64(v))
	infinite := uint16(1<<exponent-1) << mantissa
	switch {
	case math.IsNaN(a):
		return sign | infinite | 1<<(mantissa-1)
	case a == 0:
		return sign
	case math.IsInf(a, 0):
		return sign | infinite
	}
	bias := 1<<(exponent-1) - 1
	_, e := math.Frexp(a) // a = f * 2^e, f in [0.5, 1)
	e = max(e-1, 1-bias)  // below the least normal number the steps stay as they are
	steps := uint32(math.RoundToEven(math.Ldexp(a, mantissa-e)))
	// A carry out of the mantissa raises the exponent by itself, up to infinity.
	b := uint32(e+bias-1)<<mantissa + steps
	return sign | uint16(min(b, uint32(infinite)))
}

func halfValue(b uint16) float64 {
	sign, e, m := 1.0, int(b>>10&0x1f), float64(b&0x3ff)
	if b&0x8000 != 0 {
		sign = -1
	}
	switch e {
	case 0:
		return math.Copysign(math.Ldexp(m, -24), sign)
	case 31:
		if m != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+m, e-25)
}
