package torch

import "errors"

// This file is what callers see of CUDA devices; cuda.go does it, in a build with the tag cuda, and cuda_none.go says in
// one without that it cannot.

var errNoCUDA = errors.New("this worker was built without CUDA (`make cuda` builds one with it)")

// CUDAAvailable reports whether operators can run on a CUDA device here.
func CUDAAvailable() bool {
	n, err := CUDACount()
	return err == nil && n > 0
}

// CUDACount is the number of CUDA devices. An error says why there is none: no driver, no device, a worker built without.
func CUDACount() (int, error) { return cudaCount() }

// CUDAProperties describes a device and the software that drives it.
type CUDAProperties struct {
	Name         string // "NVIDIA H100 80GB HBM3"
	Major, Minor int    // compute capability
	Driver       string // the newest CUDA version that the driver can run, "13.0"
	Runtime      string // the CUDA version that this worker uses
}

// Properties describes a CUDA device.
func (d Device) Properties() (CUDAProperties, error) { return cudaProperties(d.Index) }

// CUDAMemory is the bytes in use on a device: by tensors now and at their peak since ResetPeak, held by libtorch for
// tensors to come, and the device's own free and total memory.
type CUDAMemory struct{ Allocated, Peak, Reserved, Free, Total int }

// Memory is what is in use on a CUDA device.
func (d Device) Memory() (CUDAMemory, error) { return cudaMemory(d.Index) }

// ResetPeak starts the peak of Memory anew.
func (d Device) ResetPeak() error { return cudaResetPeak(d.Index) }

// EmptyCache gives the CUDA memory that no tensor uses back to the devices.
func EmptyCache() error { return cudaEmptyCache() }

// Synchronize waits until all that was queued on a CUDA device is done, and returns an error that came up on the way. On
// the CPU nothing is queued.
func (d Device) Synchronize() error {
	if !d.IsCUDA() {
		return nil
	}
	return cudaSynchronize(d.Index)
}
