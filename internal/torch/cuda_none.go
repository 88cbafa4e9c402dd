//go:build !cuda

package torch

func cudaCount() (int, error) { return 0, errNoCUDA }

func cudaProperties(int) (CUDAProperties, error) { return CUDAProperties{}, errNoCUDA }

func cudaMemory(int) (CUDAMemory, error) { return CUDAMemory{}, errNoCUDA }

func cudaResetPeak(int) error { return errNoCUDA }

func cudaEmptyCache() error { return errNoCUDA }

func cudaSynchronize(int) error { return errNoCUDA }
