package torch

/*
#include <stdlib.h>
#include "torch.h"
*/
import "C"

import (
	"os"
	"unsafe"
)

// SetThreads sets how many threads an operator on the CPU may use, for the whole process; at least 1.
func SetThreads(n int) { C.torch_set_threads(C.int(max(1, n))) }

// Threads is how many threads an operator on the CPU uses.
func Threads() int { return int(C.torch_threads()) }

// SetDeterministic chooses, for the whole process, between operators that give the same bits at every run on the same
// machine with the same number of threads (and fail where libtorch has none), and those that are merely fast (cuDNN then
// tries its algorithms and keeps the fastest). It belongs before the first use of CUDA.
func SetDeterministic(on bool) error {
	const workspace = "CUBLAS_WORKSPACE_CONFIG" // cuBLAS reads it when it starts
	if on && os.Getenv(workspace) == "" {
		if err := os.Setenv(workspace, ":4096:8"); err != nil {
			return err
		}
	}
	return failure("deterministic", C.torch_set_deterministic(flag(on)))
}

// SetTF32 lets CUDA compute float32 products and convolutions in TF32 (10 bits of mantissa), or forbids it.
func SetTF32(on bool) { C.torch_set_tf32(flag(on)) }

// Version is libtorch's version, "2.11.0".
func Version() string { return C.GoString(C.torch_version()) }

// Instructions are the CPU instructions that libtorch uses here, "AVX512", "AVX2" or "DEFAULT"; they change the last bits of
// sums.
func Instructions() string {
	var name *C.char
	must("cpu capability", C.torch_cpu(&name))
	defer C.free(unsafe.Pointer(name))
	return C.GoString(name)
}

// Live is the number of tensors that scopes hold now, for tests of leaks.
func Live() int { return int(C.torch_live()) }

// Allocated is the bytes of C memory in use now, as malloc counts them, for tests of leaks.
func Allocated() int { return int(C.torch_malloc_bytes()) }
