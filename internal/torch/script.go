package torch

/*
#include <stdlib.h>
#include "torch_script.h"
*/
import "C"

import (
	"runtime"
	"strings"
	"unsafe"
)

// Script is a network in TorchScript, as torch.jit.save wrote it. It serves one goroutine at a time and lives until Close.
type Script struct{ ref C.torch_ref }

// ScriptTensor is one entry of a script's state_dict.
type ScriptTensor struct {
	Name    string
	Learned bool // a parameter rather than a buffer
	Tensor  Tensor
}

// LoadScript reads the file at path onto a device. Parameters and buffers of floating point come in the type dtype.
// TorchScript is a program: its operators can read and write files. Load only what you would run.
func LoadScript(path string, on Device, dtype DType) (*Script, error) {
	start()
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	m := &Script{}
	return m, failure("load "+path, C.torch_script_load(name, C.uint64_t(on.word()), C.int(dtype.code()), &m.ref))
}

// Close frees the script. Tensors of State live on.
func (m *Script) Close() {
	if m.ref != 0 {
		C.torch_script_free(m.ref)
		m.ref = 0
	}
}

// State is the script's own parameters and buffers, in the order of state_dict: what is written to them it computes with.
func (m *Script) State(s *Scope) []ScriptTensor {
	s.alive("state")
	refs := make([]uint64, 1)
	for {
		var names *C.char
		r := C.torch_script_state(m.ref, (*C.uint64_t)(unsafe.Pointer(&refs[0])), C.int64_t(len(refs)), &names)
		must("state", r)
		text := C.GoString(names)
		C.free(unsafe.Pointer(names))
		if int(r.count) > len(refs) {
			free(refs)
			refs = make([]uint64, r.count)
			continue
		}
		var all []ScriptTensor
		for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n")[:r.count] {
			all = append(all, ScriptTensor{Name: line[1:], Learned: line[0] == 'p', Tensor: s.adopt(refs[i], "state "+line[1:])})
		}
		return all
	}
}

// Forward calls the script's forward with one tensor and returns the tensors that it gives: at most 8. Operators in it
// that draw random numbers take the device's DefaultGenerator.
func (m *Script) Forward(s *Scope, training bool, x Tensor) []Tensor {
	s.alive("forward")
	var refs [8]uint64
	r := C.torch_script_forward(m.ref, C.uint64_t(s.thread), C.torch_ref(x.live()), flag(training), (*C.uint64_t)(unsafe.Pointer(&refs[0])), C.int64_t(len(refs)))
	must("forward", r)
	runtime.KeepAlive(m)
	out := make([]Tensor, r.count)
	for i := range out {
		out[i] = s.adopt(refs[i], "forward")
	}
	return out
}
