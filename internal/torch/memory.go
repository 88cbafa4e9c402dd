package torch

/*
#include "torch.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"
)

// Number is a Go type that tensors share with Go; an int is an int64 here.
type Number interface {
	uint8 | int8 | int16 | int32 | int64 | int | float32 | float64 | bool
}

func dtypeFor[T Number]() DType {
	switch any(*new(T)).(type) {
	case uint8:
		return Uint8
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64, int:
		return Int64
	case float32:
		return Float32
	case float64:
		return Float64
	}
	return Bool
}

// From is data as a tensor of that shape on the CPU, without a copy: both see what the other writes. The memory stays
// pinned until the last tensor that uses it is freed. len(data) must be the product of shape.
func From[T Number](s *Scope, data []T, shape ...int) Tensor {
	var bytes []byte
	if len(data) > 0 {
		bytes = unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), len(data)*int(unsafe.Sizeof(data[0])))
	}
	return s.FromBytes(bytes, dtypeFor[T](), shape...)
}

// FromBytes is data, little-endian elements of type d, as a tensor of that shape on the CPU, without a copy. data may be
// Go memory, which stays pinned as in From, or a mapped file, which must stay mapped as long as a tensor uses it (and
// must not be written to where the mapping is read-only). data must start at a multiple of the element's size.
func (s *Scope) FromBytes(data []byte, d DType, shape ...int) Tensor {
	s.alive("FromBytes")
	count := d.Size()
	sizes := make([]C.int64_t, len(shape)+1) // one more, so that there is a first
	for i, n := range shape {
		sizes[i] = C.int64_t(n)
		count *= n
	}
	if count != len(data) {
		panic(&Error{"from memory", fmt.Sprintf("a %v tensor of shape %v has %d bytes, the memory %d", d, shape, count, len(data))})
	}
	var first unsafe.Pointer
	var pin C.uintptr_t
	if len(data) > 0 {
		first = unsafe.Pointer(&data[0])
		if uintptr(first)%uintptr(d.Size()) != 0 {
			panic(&Error{"from memory", fmt.Sprintf("the memory starts in the middle of a %v; copy it to its own slice", d)})
		}
		pinner := new(runtime.Pinner)
		pinner.Pin(first)
		pin = C.uintptr_t(cgo.NewHandle(pinner))
	}
	var ref C.torch_ref
	r := C.torch_from(first, &sizes[0], C.int64_t(len(shape)), C.int(d.code()), pin, &ref)
	if r.error != nil && pin != 0 {
		goRelease(pin)
	}
	must("from memory", r)
	return s.adopt(uint64(ref), "from memory")
}

// goRelease is called by libtorch, from any thread, when nothing uses the pinned memory any more.
//
//export goRelease
func goRelease(pin C.uintptr_t) {
	h := cgo.Handle(pin)
	h.Value().(*runtime.Pinner).Unpin()
	h.Delete()
}

// Into copies the elements of t, on whatever device and in whatever layout, to out in row-major order: one copy. It
// converts nothing: T must be t's element type and len(out) the number of its elements, else it panics with *Error.
func Into[T Number](t Tensor, out []T) {
	if want := dtypeFor[T](); t.DType() != want {
		panic(&Error{"read", fmt.Sprintf("the elements of the result of %s are %v, asked for as %v", t.by, t.DType(), want)})
	}
	if len(out) == 0 {
		t.Read(nil)
		return
	}
	t.Read(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), len(out)*int(unsafe.Sizeof(out[0]))))
}

// Slice is a copy of t's elements in row-major order, as Into makes it.
func Slice[T Number](t Tensor) []T {
	out := make([]T, t.Numel())
	Into(t, out)
	return out
}

// Read copies t's elements to out in row-major order, as little-endian bytes; len(out) must be exactly their size.
func (t Tensor) Read(out []byte) {
	var first unsafe.Pointer
	if len(out) > 0 {
		first = unsafe.Pointer(&out[0])
	}
	must("read", C.torch_read(C.torch_ref(t.live()), first, C.int64_t(len(out))))
}

// Bytes is a copy of t's elements in row-major order, as little-endian bytes.
func (t Tensor) Bytes() []byte {
	out := make([]byte, t.Numel()*t.DType().Size())
	t.Read(out)
	return out
}

// Float is the one element of t as a float64; it waits for the device.
func (s *Scope) Float(t Tensor) float64 {
	switch v := s.Item(t).(type) {
	case int:
		return float64(v)
	case bool:
		if v {
			return 1
		}
		return 0
	default:
		return v.(float64)
	}
}

// Int is the one element of t, an integer or a bool, as an int64; it waits for the device.
func (s *Scope) Int(t Tensor) int64 {
	switch v := s.Item(t).(type) {
	case int:
		return int64(v)
	case bool:
		if v {
			return 1
		}
		return 0
	}
	panic(&Error{"item", fmt.Sprintf("the element of the result of %s is a %v, not an integer", t.by, t.DType())})
}

// Upload is t on that device. From the CPU to CUDA it goes through page-locked memory, and returns while the copy is
// under way; operators queued after it wait for it.
func (s *Scope) Upload(t Tensor, to Device) Tensor {
	if !to.IsCUDA() || t.Device().IsCUDA() {
		return s.ToDevice(t, to, false)
	}
	return s.ToDevice(s.PinMemory(t), to, true)
}
