package torch

/*
#include "torch.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Tensor is one of libtorch's tensors, owned by a Scope. It is a small value to be passed by value; the zero Tensor is
// none, which optional arguments take.
type Tensor struct{ *handle }

type handle struct {
	ref   uint64 // libtorch's address of it; 0 after its end
	scope *Scope
	index int    // in scope.handles
	by    string // the operator that made it
}

// live is the tensor's address; a freed or zero tensor panics.
func (t Tensor) live() uint64 {
	if t.handle == nil {
		panic("torch: the zero Tensor is used")
	}
	if t.ref == 0 {
		panic(t.ended())
	}
	return t.ref
}

func (t Tensor) ended() string {
	if !t.scope.closed {
		return fmt.Sprintf("torch: the tensor made by %s is used after Free; its scope was opened at %s", t.by, t.scope.place())
	}
	return fmt.Sprintf("torch: the tensor made by %s is used after the end of its scope, which was opened at %s "+
		"(Scope.Move lets a tensor outlive its scope)", t.by, t.scope.place())
}

const maxDims = 16

type meta struct {
	dtype, device, requiresGrad, leaf, data, dims int64
	sizes                                         [2 * maxDims]int64 // then strides
}

func (t Tensor) meta() (m meta) {
	must("shape of the result of "+t.by, C.torch_meta(C.torch_ref(t.live()), (*C.int64_t)(unsafe.Pointer(&m)), 6+2*maxDims))
	return m
}

// Defined reports whether t is a tensor rather than none.
func (t Tensor) Defined() bool { return t.handle != nil }

// Shape is the size of every dimension; a scalar tensor has none.
func (t Tensor) Shape() []int {
	m := t.meta()
	shape := make([]int, m.dims)
	for i := range shape {
		shape[i] = int(m.sizes[i])
	}
	return shape
}

// Strides is the distance in elements between neighbours along every dimension.
func (t Tensor) Strides() []int {
	m := t.meta()
	strides := make([]int, m.dims)
	for i := range strides {
		strides[i] = int(m.sizes[int(m.dims)+i])
	}
	return strides
}

// Dims is the number of dimensions.
func (t Tensor) Dims() int { return int(t.meta().dims) }

// Dim is the size of dimension i; -1 is the last.
func (t Tensor) Dim(i int) int {
	m := t.meta()
	if i < 0 {
		i += int(m.dims)
	}
	if i < 0 || i >= int(m.dims) {
		panic(fmt.Sprintf("torch: the result of %s has %d dimensions, asked for the size of number %d", t.by, m.dims, i))
	}
	return int(m.sizes[i])
}

// Numel is the number of elements.
func (t Tensor) Numel() int {
	n, m := 1, t.meta()
	for _, size := range m.sizes[:m.dims] {
		n *= int(size)
	}
	return n
}

// DType is the type of an element.
func (t Tensor) DType() DType { return dtypeOf(t.meta().dtype) }

// Device is where the elements lie.
func (t Tensor) Device() Device { return deviceOf(uint64(t.meta().device)) }

// RequiresGrad reports whether operators on t are recorded for Backward.
func (t Tensor) RequiresGrad() bool { return t.meta().requiresGrad != 0 }

// IsLeaf reports whether t is not the result of a recorded operator; Backward leaves gradients at leaves.
func (t Tensor) IsLeaf() bool { return t.meta().leaf != 0 }

// String describes t: its type, shape and device, not its elements.
func (t Tensor) String() string {
	if t.handle == nil {
		return "no tensor"
	}
	if t.ref == 0 {
		return "freed tensor of " + t.by
	}
	return fmt.Sprintf("%v%v on %v", t.DType(), t.Shape(), t.Device())
}
