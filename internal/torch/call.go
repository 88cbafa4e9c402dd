package torch

/*
#include <stdlib.h>
#include "torch.h"
*/
import "C"

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"unsafe"
)

// operator is one of PyTorch's operators, found in the dispatcher when it is first called.
type operator struct {
	name   string // for messages and errors: "conv2d"
	schema string // "aten::conv2d(Tensor input, ...) -> Tensor"
	args   int
	ref    atomic.Uint64
}

func (o *operator) find() uint64 {
	if ref := o.ref.Load(); ref != 0 {
		return ref
	}
	name, overload, _ := strings.Cut(o.schema[:strings.IndexByte(o.schema, '(')], ".")
	cname, coverload := C.CString(name), C.CString(overload)
	defer C.free(unsafe.Pointer(cname))
	defer C.free(unsafe.Pointer(coverload))
	var ref C.torch_ref
	must(o.name, C.torch_find(cname, coverload, C.int(o.args), &ref))
	o.ref.Store(uint64(ref))
	return uint64(ref)
}

// Option is a value that may be absent; its zero value is.
type Option[T any] struct {
	Value T
	Set   bool
}

// Some is the option that holds v.
func Some[T any](v T) Option[T] { return Option[T]{v, true} }

// Scalar is a number given to an operator: an int, int64, float64, float32 or bool; nil where none is wanted. As in
// Python, an integer tensor plus a float is a float tensor, plus an integer an integer tensor.
type Scalar any

// call is one operator call being written down: its arguments as words (torch.h says how), then its results. Words hold
// no Go pointers, so the garbage collector has no part in a call. The buffers are the scope's and are used again.
type call struct {
	scope   *Scope
	op      *operator
	words   []uint64
	results []uint64
	next    int // the next result
	args    int
}

func (s *Scope) begin(op *operator) *call {
	s.alive(op.name)
	c := &s.call
	c.scope, c.op, c.words, c.next, c.args = s, op, c.words[:0], 0, 0
	return c
}

func (c *call) put(tag uint64, payload ...uint64) *call {
	c.args++
	c.words = append(c.words, tag|uint64(len(payload))<<8)
	c.words = append(c.words, payload...)
	return c
}

func (c *call) head(tag uint64, count int) { c.args++; c.words = append(c.words, tag|uint64(count)<<8) }

func (c *call) none() *call { return c.put(C.TORCH_NONE) }

func (c *call) tensor(t Tensor) *call {
	if t.handle == nil {
		panic(&Error{c.op.name, fmt.Sprintf("argument %d is the zero Tensor: %s", c.args+1, c.op.schema)})
	}
	return c.put(C.TORCH_TENSOR, t.live())
}

func (c *call) optTensor(t Tensor) *call {
	if t.handle == nil {
		return c.none()
	}
	return c.put(C.TORCH_TENSOR, t.live())
}

func (c *call) int(v int) *call       { return c.put(C.TORCH_INT, uint64(v)) }
func (c *call) float(v float64) *call { return c.put(C.TORCH_FLOAT, math.Float64bits(v)) }

func (c *call) bool(v bool) *call {
	if v {
		return c.put(C.TORCH_BOOL, 1)
	}
	return c.put(C.TORCH_BOOL, 0)
}

func (c *call) optInt(v Option[int]) *call {
	if !v.Set {
		return c.none()
	}
	return c.int(v.Value)
}

func (c *call) optFloat(v Option[float64]) *call {
	if !v.Set {
		return c.none()
	}
	return c.float(v.Value)
}

func (c *call) optBool(v Option[bool]) *call {
	if !v.Set {
		return c.none()
	}
	return c.bool(v.Value)
}

func (c *call) scalar(v Scalar) *call {
	switch v := v.(type) {
	case int:
		return c.int(v)
	case int64:
		return c.int(int(v))
	case float64:
		return c.float(v)
	case float32:
		return c.float(float64(v))
	case bool:
		return c.bool(v)
	}
	panic(&Error{c.op.name, fmt.Sprintf("argument %d is a %T, not a number: %s", c.args+1, v, c.op.schema)})
}

func (c *call) optScalar(v Scalar) *call {
	if v == nil {
		return c.none()
	}
	return c.scalar(v)
}

func (c *call) string(v string) *call {
	c.head(C.TORCH_STRING, len(v))
	for ; len(v) > 0; v = v[min(8, len(v)):] {
		var word uint64
		for i := 0; i < 8 && i < len(v); i++ {
			word |= uint64(v[i]) << (8 * i)
		}
		c.words = append(c.words, word)
	}
	return c
}

func (c *call) optString(v string) *call {
	if v == "" {
		return c.none()
	}
	return c.string(v)
}

func (c *call) ints(v []int) *call {
	c.head(C.TORCH_INTS, len(v))
	for _, i := range v {
		c.words = append(c.words, uint64(i))
	}
	return c
}

func (c *call) optInts(v []int) *call {
	if v == nil {
		return c.none()
	}
	return c.ints(v)
}

func (c *call) floats(v []float64) *call {
	c.head(C.TORCH_FLOATS, len(v))
	for _, f := range v {
		c.words = append(c.words, math.Float64bits(f))
	}
	return c
}

func (c *call) optFloats(v []float64) *call {
	if v == nil {
		return c.none()
	}
	return c.floats(v)
}

func (c *call) bools(v []bool) *call {
	c.head(C.TORCH_BOOLS, len(v))
	for _, b := range v {
		c.words = append(c.words, 0)
		if b {
			c.words[len(c.words)-1] = 1
		}
	}
	return c
}

func (c *call) tensors(v []Tensor) *call {
	for i, t := range v {
		if t.handle == nil {
			panic(&Error{c.op.name, fmt.Sprintf("argument %d holds the zero Tensor at %d: %s", c.args+1, i, c.op.schema)})
		}
	}
	return c.list(C.TORCH_TENSORS, v)
}

func (c *call) optTensors(v []Tensor) *call { return c.list(C.TORCH_OPTIONAL_TENSORS, v) }

func (c *call) list(tag uint64, v []Tensor) *call {
	c.head(tag, len(v))
	for _, t := range v {
		var ref uint64
		if t.handle != nil {
			ref = t.live()
		}
		c.words = append(c.words, ref)
	}
	return c
}

func (c *call) dtype(v DType) *call { return c.int(v.code()) }

func (c *call) optDType(v DType) *call {
	if v == 0 {
		return c.none()
	}
	return c.dtype(v)
}

func (c *call) device(v Device) *call { return c.put(C.TORCH_DEVICE, v.word()) }

func (c *call) optDevice(v Device) *call {
	if v.Kind == "" {
		return c.none()
	}
	return c.device(v)
}

func (c *call) memoryFormat(v MemoryFormat) *call { return c.int(int(v) - 1) }

func (c *call) optMemoryFormat(v MemoryFormat) *call {
	if v == 0 {
		return c.none()
	}
	return c.memoryFormat(v)
}

func (c *call) optGenerator(v *Generator) *call {
	if v == nil {
		return c.none()
	}
	return c.put(C.TORCH_GENERATOR, v.live())
}

// run calls the operator; a failure panics with *Error.
func (c *call) run() *call {
	if c.results == nil {
		c.results = make([]uint64, 16)
	}
	r := c.send((*C.uint64_t)(&c.results[0]), len(c.results))
	if r.more != nil {
		c.results = append(c.results[:0], unsafe.Slice((*uint64)(r.more), int(r.count))...)
		C.free(unsafe.Pointer(r.more))
	}
	return c
}

// runInPlace calls an operator whose result is its first argument, or that has none.
func (c *call) runInPlace() { c.send(nil, 0) }

func (c *call) send(results *C.uint64_t, capacity int) C.torch_result {
	r := C.torch_call(C.torch_ref(c.op.find()), C.uint64_t(c.scope.thread),
		(*C.uint64_t)(&c.words[0]), C.int64_t(len(c.words)), results, C.int64_t(capacity))
	must(c.op.name, r)
	return r
}

func (c *call) word() uint64 {
	c.next++
	return c.results[c.next-1]
}

func (c *call) outTensor() Tensor { return c.scope.adopt(c.word(), c.op.name) }
func (c *call) outInt() int       { return int(c.word()) }
func (c *call) outBool() bool     { return c.word() != 0 }
func (c *call) outFloat() float64 { return math.Float64frombits(c.word()) }

func (c *call) outTensors() []Tensor {
	tensors := make([]Tensor, c.word())
	for i := range tensors {
		tensors[i] = c.outTensor()
	}
	return tensors
}

func (c *call) outScalar() Scalar {
	switch c.word() {
	case C.TORCH_INT:
		return c.outInt()
	case C.TORCH_BOOL:
		return c.outBool()
	}
	return c.outFloat()
}
