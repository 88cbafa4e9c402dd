// Package torch is the one door to libtorch: every tensor and every operator of the program passes through it.
//
// # Operators
//
// An operator is a method of Scope, generated from PyTorch's own schema (ops.txt lists them, `go generate` writes
// ops_gen.go): s.Conv2d, s.Add_, s.MeanDim. Arguments stand in the schema's order. Where the schema allows None, the
// zero Tensor, DType, Device and MemoryFormat, a nil slice or Scalar, an empty string and the zero Option mean it.
// Calls go through PyTorch's dispatcher, so autograd, autocast and CUDA apply as they do in Python.
//
// # Memory
//
// A tensor belongs to the Scope whose method made it and is freed when that scope closes; no finalizer frees anything.
// Scope.Move takes a tensor over from another scope, so that it outlives its own. Using a tensor after its end is a
// panic that names the operator that made it and the place where its scope was opened.
//
//	err := torch.Do(func(s *torch.Scope) error {
//		loss := s.CrossEntropyLoss(net.Forward(s, images), labels, torch.Tensor{}, torch.ReduceMean, -100, 0)
//		s.Backward(loss)
//		return nil
//	}) // everything made inside is freed here
//
// # Failures
//
// A failing operator panics with *Error, which holds libtorch's own words; Do, the usual way to open a scope, returns it
// as its error. Outside of Do (in a scope of NewScope) the panic is the caller's. Mistakes in the program, like the use of
// a freed tensor, are panics that Do lets pass.
//
// # Goroutines
//
// A scope belongs to one goroutine at a time. libtorch keeps grad mode, autocast and its thread pool for each OS thread,
// so Do holds the calling goroutine on its OS thread until it returns, and refuses calls on its scope from other
// goroutines. A program that computes for long opens one outer Do and an inner one for every step: then all steps use one
// pool of threads. Tensors may be read by several goroutines, each with a scope of its own; writing needs the callers'
// own order, as with any memory. NoGrad, InferenceMode and Autocast hold for the calling goroutine alone.
package torch

//go:generate go run ./gen

/*
#cgo CXXFLAGS: -std=c++20 -O2 -I${SRCDIR}/../../.libtorch/torch/include -I${SRCDIR}/../../.libtorch/torch/include/torch/csrc/api/include
#cgo LDFLAGS: -L${SRCDIR}/../../.libtorch/torch/lib -Wl,--no-as-needed -ltorch_cpu -lc10 -Wl,--allow-shlib-undefined -Wl,-rpath,${SRCDIR}/../../.libtorch/torch/lib
#cgo noescape torch_meta
#include "torch.h"
*/
import "C"
