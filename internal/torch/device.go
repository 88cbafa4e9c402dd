package torch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Device is where a tensor lies and operators on it run. The zero Device is none, which leaves the choice to the operator.
type Device struct {
	Kind  string // "cpu" or "cuda"
	Index int    // which CUDA device, from 0; 0 for the CPU
}

// CPU is the processor.
var CPU = Device{Kind: "cpu"}

// CUDA is the CUDA device of that number.
func CUDA(index int) Device { return Device{Kind: "cuda", Index: index} }

// IsCUDA reports whether d is a CUDA device.
func (d Device) IsCUDA() bool { return d.Kind == "cuda" }

// String is the name that ParseDevice reads: "cpu", "cuda:0".
func (d Device) String() string {
	if d.IsCUDA() {
		return fmt.Sprintf("cuda:%d", d.Index)
	}
	return d.Kind
}

// ParseDevice reads "cpu", "cuda" (the first one), "cuda:N" or "auto" (the first CUDA device where there is one, else the
// processor). A CUDA device that is not there is an error that says what is.
func ParseDevice(name string) (Device, error) {
	kind, number, numbered := strings.Cut(name, ":")
	switch {
	case name == "cpu":
		return CPU, nil
	case name == "auto":
		if CUDAAvailable() {
			return CUDA(0), nil
		}
		return CPU, nil
	case kind != "cuda":
		return Device{}, fmt.Errorf("unknown device %q; there are auto, cpu, cuda and cuda:N", name)
	}
	index := 0
	if numbered {
		n, err := strconv.ParseUint(number, 10, 6)
		if err != nil {
			return Device{}, fmt.Errorf("unknown device %q: after cuda: stands the number of the device, from 0", name)
		}
		index = int(n)
	}
	count, err := CUDACount()
	if failed, ok := errors.AsType[*Error](err); ok {
		return Device{}, fmt.Errorf("device %s: %s", name, failed.Text)
	}
	if err != nil {
		return Device{}, fmt.Errorf("device %s: %w", name, err)
	}
	if index >= count {
		return Device{}, fmt.Errorf("device %s is not there: this machine has %d CUDA devices, numbered from 0", name, count)
	}
	return CUDA(index), nil
}

// libtorch's numbers of the kinds of device.
const (
	kindCPU  = 0
	kindCUDA = 1
)

// word is d as torch.h has it: kind << 8 | index + 1, where index -1 is "the only one".
func (d Device) word() uint64 {
	switch d.Kind {
	case "cpu":
		return kindCPU << 8
	case "cuda":
		return kindCUDA<<8 | uint64(d.Index+1)
	}
	panic(fmt.Sprintf("torch: unknown kind of device %q", d.Kind))
}

func deviceOf(word uint64) Device {
	if word>>8 == kindCUDA {
		return CUDA(int(word&0xff) - 1)
	}
	if word>>8 == kindCPU {
		return CPU
	}
	return Device{Kind: fmt.Sprintf("device(%d)", word>>8)}
}
