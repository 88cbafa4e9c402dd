package torch

/*
#include "torch.h"
*/
import "C"

import "runtime"

// Backward adds the gradient of loss, a tensor of one element, to the Grad of every leaf that requires one, and frees what
// was recorded.
func (s *Scope) Backward(loss Tensor) { s.BackwardFrom(loss, Tensor{}, false) }

// BackwardFrom is Backward for a tensor of any shape, given the gradient of what follows it, of the same shape. With keep
// the record stays for another backward pass.
func (s *Scope) BackwardFrom(t, gradient Tensor, keep bool) {
	s.alive("backward")
	var g C.torch_ref
	if t.handle == nil {
		panic(&Error{"backward", "of the zero Tensor"})
	}
	if gradient.handle != nil {
		g = C.torch_ref(gradient.live())
	}
	must("backward", C.torch_backward(C.uint64_t(s.thread), C.torch_ref(t.live()), g, flag(keep)))
}

// Gradients is the gradient of the sum of outputs, each a tensor of one element, with respect to every input, and leaves
// every Grad as it was. An input that no output depends on gets the zero Tensor. With keep the record stays.
func (s *Scope) Gradients(outputs, inputs []Tensor, keep bool) []Tensor {
	return s.gradients(outputs, inputs, keep, false)
}

// RecordedGradients is Gradients that are recorded themselves, for what is computed from them to be differentiated again
// (create_graph in PyTorch). The record stays.
func (s *Scope) RecordedGradients(outputs, inputs []Tensor) []Tensor {
	return s.gradients(outputs, inputs, true, true)
}

func (s *Scope) gradients(outputs, inputs []Tensor, keep, record bool) []Tensor {
	s.alive("gradients")
	out, in, refs := liveRefs(outputs), liveRefs(inputs), make([]C.torch_ref, len(inputs)+1)
	must("gradients", C.torch_gradients(C.uint64_t(s.thread), &out[0], C.int64_t(len(outputs)), &in[0], C.int64_t(len(inputs)),
		flag(keep), flag(record), &refs[0]))
	return s.adoptAll(refs[:len(inputs)], "gradients")
}

// Grad is the gradient that Backward left at t, as a tensor of s; the zero Tensor if there is none. It shares t's
// gradient: writing to it changes that.
func (s *Scope) Grad(t Tensor) Tensor { return s.Grads([]Tensor{t})[0] }

// Grads is the Grad of every tensor.
func (s *Scope) Grads(tensors []Tensor) []Tensor {
	s.alive("grad")
	in, refs := liveRefs(tensors), make([]C.torch_ref, len(tensors)+1)
	must("grad", C.torch_grads(&in[0], C.int64_t(len(tensors)), &refs[0]))
	return s.adoptAll(refs[:len(tensors)], "grad")
}

// ZeroGrads sets the gradient of every tensor to none.
func ZeroGrads(tensors []Tensor) {
	refs := liveRefs(tensors)
	C.torch_zero_grads(&refs[0], C.int64_t(len(tensors)))
}

// ZeroGrad sets t's gradient to none.
func (t Tensor) ZeroGrad() { ZeroGrads([]Tensor{t}) }

// SetRequiresGrad switches the recording of operators on t, a leaf of floating point, and returns t.
func (t Tensor) SetRequiresGrad(on bool) Tensor {
	must("requires_grad", C.torch_requires_grad(C.torch_ref(t.live()), flag(on)))
	return t
}

// NoGrad runs f without recording for Backward.
func (s *Scope) NoGrad(f func()) { s.within("no_grad", C.TORCH_NO_GRAD, 0, f) }

// InferenceMode runs f without recording, and faster than NoGrad; the tensors made in it never take part in a recording.
func (s *Scope) InferenceMode(f func()) { s.within("inference_mode", C.TORCH_INFERENCE, 0, f) }

// Autocast runs f with the operators that gain from it computing in to, BFloat16 or Float16, on either kind of device;
// with any other type autocast is off within f. Backward belongs outside of f. Weights cast on the way are kept until
// the outermost Autocast ends.
func (s *Scope) Autocast(to DType, f func()) { s.within("autocast", C.TORCH_AUTOCAST, to.code(), f) }

// within holds the goroutine on its OS thread, to which the mode belongs, while f runs.
func (s *Scope) within(name string, mode, dtype int, f func()) {
	s.alive(name)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ref C.torch_ref
	must(name, C.torch_enter(C.int(mode), C.int(dtype), &ref))
	defer C.torch_leave(ref)
	f()
}

func liveRefs(tensors []Tensor) []C.torch_ref {
	refs := make([]C.torch_ref, len(tensors)+1) // one more, so that there is a first
	for i, t := range tensors {
		refs[i] = C.torch_ref(t.live())
	}
	return refs
}

func (s *Scope) adoptAll(refs []C.torch_ref, by string) []Tensor {
	tensors := make([]Tensor, len(refs))
	for i, ref := range refs {
		tensors[i] = s.adopt(uint64(ref), by)
	}
	return tensors
}

func flag(on bool) C.int {
	if on {
		return 1
	}
	return 0
}
