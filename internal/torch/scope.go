package torch

/*
#include "torch.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

// Scope owns the tensors that its methods make and frees them when it closes. One goroutine uses it at a time.
type Scope struct {
	opened  uintptr // program counter of the opener, for messages
	thread  uint64  // the OS thread it is bound to, 0 if none
	closed  bool
	handles []*handle
	call    call
}

// NewScope opens a scope that lives until Close: the owner of what outlives a step, such as a network's weights.
// It is bound to no goroutine; a failing operator in it panics with *Error.
func NewScope() *Scope { return open(3) }

// Do opens a scope, runs f and closes it. It returns f's error, or the *Error of the operator that failed in f; every
// other panic passes. The goroutine stays on its OS thread meanwhile.
func Do(f func(s *Scope) error) error { return do(f) }

// Do runs f in a scope inside s, for what should be freed before s closes.
func (s *Scope) Do(f func(inner *Scope) error) error {
	s.alive("Do")
	return do(f)
}

func do(f func(s *Scope) error) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s := open(4)
	s.thread = uint64(C.torch_thread())
	defer s.Close()
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			err = r
		default:
			panic(r)
		}
	}()
	return f(s)
}

var start = sync.OnceFunc(func() { C.torch_start() })

func open(skip int) *Scope {
	start()
	var pc [1]uintptr
	runtime.Callers(skip, pc[:])
	return &Scope{opened: pc[0]}
}

// Close frees every tensor that s owns. Closing twice is harmless.
func (s *Scope) Close() {
	s.closed = true
	refs := s.call.words[:0]
	for _, h := range s.handles {
		refs = append(refs, h.ref)
		h.ref = 0
	}
	free(refs)
	s.handles, s.call = nil, call{}
}

// Free frees tensors of s before it closes, to keep memory low within a long step.
func (s *Scope) Free(tensors ...Tensor) {
	for _, t := range tensors {
		if t.handle == nil {
			continue
		}
		ref := t.live()
		if t.scope != s {
			panic("torch: Free of the tensor made by " + t.by + ", which belongs to another scope")
		}
		s.release(t.handle)
		t.ref = 0
		free([]uint64{ref})
	}
}

// Move makes s the owner of t, which belonged to another scope, and returns t. All copies of the value t stay usable.
func (s *Scope) Move(t Tensor) Tensor {
	s.alive("Move")
	if t.handle == nil || t.scope == s {
		return t
	}
	t.live()
	t.scope.release(t.handle)
	s.own(t.handle)
	return t
}

// MoveAll moves every one of the tensors to s.
func (s *Scope) MoveAll(tensors []Tensor) []Tensor {
	for _, t := range tensors {
		s.Move(t)
	}
	return tensors
}

// Len is the number of tensors that s owns.
func (s *Scope) Len() int { return len(s.handles) }

// adopt gives s a new reference from libtorch; 0 becomes the zero Tensor.
func (s *Scope) adopt(ref uint64, by string) Tensor {
	if ref == 0 {
		return Tensor{}
	}
	h := &handle{ref: ref, by: by}
	s.own(h)
	return Tensor{h}
}

func (s *Scope) own(h *handle) {
	h.scope, h.index = s, len(s.handles)
	s.handles = append(s.handles, h)
}

func (s *Scope) release(h *handle) {
	last := s.handles[len(s.handles)-1]
	s.handles[h.index], last.index = last, h.index
	s.handles[len(s.handles)-1] = nil
	s.handles = s.handles[:len(s.handles)-1]
}

func (s *Scope) alive(op string) {
	if s.closed {
		panic(fmt.Sprintf("torch: %s on a scope that is closed; it was opened at %s", op, s.place()))
	}
}

// place says where the scope was opened, as file:line.
func (s *Scope) place() string {
	frame, _ := runtime.CallersFrames([]uintptr{s.opened}).Next()
	return fmt.Sprintf("%s:%d", frame.File, frame.Line)
}

func free(refs []uint64) {
	if len(refs) > 0 {
		C.torch_free((*C.torch_ref)(unsafe.Pointer(&refs[0])), C.int64_t(len(refs)))
	}
}
