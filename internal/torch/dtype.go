package torch

/*
#include "torch.h"
*/
import "C"

import "fmt"

// DType is the type of a tensor's elements; the zero DType is none, which leaves the choice to the operator.
type DType int8

// The element types, numbered one above libtorch's ScalarType.
const (
	Uint8    DType = 1
	Int8     DType = 2
	Int16    DType = 3
	Int32    DType = 4
	Int64    DType = 5
	Float16  DType = 6
	Float32  DType = 7
	Float64  DType = 8
	Bool     DType = 12
	BFloat16 DType = 16
)

// DTypes are all element types that this package knows.
func DTypes() []DType {
	return []DType{Uint8, Int8, Int16, Int32, Int64, Float16, Float32, Float64, Bool, BFloat16}
}

func (d DType) code() int { return int(d) - 1 }

func dtypeOf(code int64) DType { return DType(code + 1) }

// Size is the bytes of one element.
func (d DType) Size() int { return int(C.torch_dtype_size(C.int(d.code()))) }

// Floating reports whether d is a floating-point type: such tensors can require gradients.
func (d DType) Floating() bool { return d == Float16 || d == Float32 || d == Float64 || d == BFloat16 }

// String is PyTorch's name of d: "float32", "bfloat16", "int64", "uint8", "bool".
func (d DType) String() string {
	switch d {
	case 0:
		return "none"
	case Uint8:
		return "uint8"
	case Int8:
		return "int8"
	case Int16:
		return "int16"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Float16:
		return "float16"
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	case Bool:
		return "bool"
	case BFloat16:
		return "bfloat16"
	}
	return fmt.Sprintf("dtype(%d)", d.code())
}

// ParseDType is the type of that name, as String writes it.
func ParseDType(name string) (DType, error) {
	for _, d := range DTypes() {
		if d.String() == name {
			return d, nil
		}
	}
	return 0, fmt.Errorf("torch: unknown element type %q; there are %v", name, DTypes())
}

// MemoryFormat is the order of an image tensor's elements in memory; zero leaves the choice to the operator.
type MemoryFormat int8

// The memory formats, numbered one above libtorch's.
const (
	Contiguous   MemoryFormat = 1 // N, C, H, W: the last dimension is dense
	Preserve     MemoryFormat = 2 // as the argument
	ChannelsLast MemoryFormat = 3 // N, H, W, C: the channels of a pixel are dense
)

// Reduction says what a loss makes of the losses of single samples.
type Reduction int

// The reductions, numbered as in libtorch.
const (
	ReduceNone Reduction = 0 // one loss a sample
	ReduceMean Reduction = 1
	ReduceSum  Reduction = 2
)
