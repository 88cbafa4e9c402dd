package torch

/*
#include <stdlib.h>
#include "torch.h"
*/
import "C"

import (
	"sync/atomic"
	"unsafe"
)

// Error is a failure inside libtorch.
type Error struct {
	Op   string // the operator or call that failed: "conv2d", "backward"
	Text string // libtorch's own words
}

func (e *Error) Error() string { return "torch: " + e.Op + ": " + e.Text }

// must panics with an *Error if the call op failed.
func must(op string, r C.torch_result) {
	if r.error != nil {
		panic(failure(op, r))
	}
}

// failure is the call's error, or nil, and frees libtorch's text.
func failure(op string, r C.torch_result) error {
	if r.error == nil {
		return nil
	}
	e := &Error{Op: op, Text: C.GoString(r.error)}
	C.free(unsafe.Pointer(r.error))
	if r.trace != nil {
		trace := C.GoString(r.trace)
		C.free(unsafe.Pointer(r.trace))
		if hook := traceHook.Load(); hook != nil {
			(*hook)(e, trace)
		}
	}
	return e
}

var traceHook atomic.Pointer[func(e *Error, trace string)]

// OnFailure has hook called with libtorch's C++ backtrace at every failure, before the error returns; nil ends it.
// Making a backtrace is slow (a second the first time): for debugging.
func OnFailure(hook func(e *Error, trace string)) {
	if hook == nil {
		C.torch_set_trace(0)
		traceHook.Store(nil)
		return
	}
	traceHook.Store(&hook)
	C.torch_set_trace(1)
}
