package checkpoint

import (
	"fmt"
	"unsafe"
)

// tensors turns views into tensors. Views that lie in order share the storage's memory; the others are copied, and the
// copies together may be as large as the file (a small file can claim a huge view by strides of zero).
type tensors struct{ budget int64 }

func (t *tensors) of(name string, v *view) (Tensor, error) {
	size := v.dtype.Size()
	count, ok := numel(v.shape)
	tensor := Tensor{Name: name, DType: v.dtype, Shape: v.shape}
	switch {
	case ok && count == 0:
		tensor.Data = []byte{}
	case ok && v.contiguous():
		tensor.Data = v.storage.data[v.offset*size : (v.offset+count)*size : (v.offset+count)*size]
	default:
		if t.budget -= int64(count) * int64(size); !ok || t.budget < 0 {
			return Tensor{}, fmt.Errorf("tensor %s: a view of shape %s repeats a storage of %d bytes: call .clone() on it before saving",
				name, shapeText(v.shape), len(v.storage.data))
		}
		tensor.Data = make([]byte, count*size)
		source := v.storage.data
		switch {
		case size == 4 && aligned(source, 4):
			gather(as[uint32](tensor.Data), as[uint32](source), v.offset, v.shape, v.stride)
		case size == 2 && aligned(source, 2):
			gather(as[uint16](tensor.Data), as[uint16](source), v.offset, v.shape, v.stride)
		case size == 8 && aligned(source, 8):
			gather(as[uint64](tensor.Data), as[uint64](source), v.offset, v.shape, v.stride)
		case size == 16 && aligned(source, 8):
			gather(as[[2]uint64](tensor.Data), as[[2]uint64](source), v.offset, v.shape, v.stride)
		case size == 1:
			gather(tensor.Data, source, v.offset, v.shape, v.stride)
		default:
			return Tensor{}, fmt.Errorf("tensor %s: its storage is not aligned", name)
		}
	}
	return tensor, nil
}

// contiguous says whether the elements lie in row-major order.
func (v *view) contiguous() bool {
	next := 1
	for i := len(v.shape) - 1; i >= 0; i-- {
		if v.shape[i] != 1 && v.stride[i] != next {
			return false
		}
		next *= v.shape[i]
	}
	return true
}

// gather fills to with the view's elements in row-major order and returns the rest of to.
func gather[T any](to, from []T, offset int, shape, stride []int) []T {
	if len(shape) == 0 {
		to[0] = from[offset]
		return to[1:]
	}
	if len(shape) == 1 {
		for i := range shape[0] {
			to[i] = from[offset+i*stride[0]]
		}
		return to[shape[0]:]
	}
	for i := range shape[0] {
		to = gather(to, from, offset+i*stride[0], shape[1:], stride[1:])
	}
	return to
}

// as looks at bytes as elements of another type.
func as[T any](b []byte) []T {
	var zero T
	n := len(b) / int(unsafe.Sizeof(zero))
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}

func aligned(b []byte, to uintptr) bool {
	return len(b) == 0 || uintptr(unsafe.Pointer(&b[0]))%to == 0
}
