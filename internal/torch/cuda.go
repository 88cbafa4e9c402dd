//go:build cuda

package torch

/*
#cgo CXXFLAGS: -I${SRCDIR}/../../.libtorch/nvidia/cu13/include
#cgo CFLAGS: -I${SRCDIR}/../../.libtorch/nvidia/cu13/include
#cgo LDFLAGS: -L${SRCDIR}/../../.libtorch/nvidia/cu13/lib -Wl,--no-as-needed -ltorch_cuda -lc10_cuda -l:libcudart.so.13 -Wl,-rpath,${SRCDIR}/../../.libtorch/nvidia/cu13/lib
#include "torch_cuda.h"
*/
import "C"

import "fmt"

func cudaCount() (int, error) {
	start()
	var n C.int
	err := failure("cuda", C.torch_cuda_count(&n))
	return int(n), err
}

func cudaProperties(index int) (CUDAProperties, error) {
	var info C.torch_cuda_info
	err := failure("cuda", C.torch_cuda_device(C.int(index), &info))
	return CUDAProperties{
		Name:    C.GoString(&info.name[0]),
		Major:   int(info.major),
		Minor:   int(info.minor),
		Driver:  cudaVersion(int(info.driver)),
		Runtime: cudaVersion(int(info.runtime)),
	}, err
}

func cudaMemory(index int) (CUDAMemory, error) {
	var b C.torch_cuda_bytes
	err := failure("cuda", C.torch_cuda_memory(C.int(index), &b))
	return CUDAMemory{int(b.allocated), int(b.peak), int(b.reserved), int(b.free), int(b.total)}, err
}

func cudaResetPeak(index int) error { return failure("cuda", C.torch_cuda_reset_peak(C.int(index))) }

func cudaEmptyCache() error { return failure("cuda", C.torch_cuda_empty_cache()) }

func cudaSynchronize(index int) error {
	return failure("cuda", C.torch_cuda_synchronize(C.int(index)))
}

// cudaVersion writes CUDA's number of a version, 13020, as "13.2".
func cudaVersion(n int) string { return fmt.Sprintf("%d.%d", n/1000, n%1000/10) }
