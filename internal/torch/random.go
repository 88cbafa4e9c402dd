package torch

/*
#include "torch.h"
*/
import "C"

import "fmt"

// Generator draws the random numbers of the operators that it is given to. From one seed it draws on one kind of device
// what PyTorch draws there after manual_seed. It serves one goroutine at a time and lives until Close.
type Generator struct {
	ref    C.torch_ref
	device Device
}

// NewGenerator is a generator of its own for operators on that device. It panics with *Error where the device is not there.
func NewGenerator(device Device, seed uint64) *Generator {
	g := &Generator{device: device}
	must("generator", C.torch_generator(C.uint64_t(device.word()), C.uint64_t(seed), &g.ref))
	return g
}

// DefaultGenerator is the device's own generator: operators that are given none, such as dropout, draw from it.
func DefaultGenerator(device Device) *Generator {
	g := &Generator{device: device}
	must("generator", C.torch_default_generator(C.uint64_t(device.word()), &g.ref))
	return g
}

// Device is where the generator draws.
func (g *Generator) Device() Device { return g.device }

// Seed starts the generator anew.
func (g *Generator) Seed(seed uint64) {
	must("seed", C.torch_generator_seed(C.torch_ref(g.live()), C.uint64_t(seed)))
}

// State is all that decides the numbers to come: 5056 bytes on the CPU, 16 on CUDA.
func (g *Generator) State() []byte {
	var state []byte
	err := Do(func(s *Scope) error {
		var ref C.torch_ref
		must("generator state", C.torch_generator_state(C.torch_ref(g.live()), &ref))
		state = s.adopt(uint64(ref), "generator state").Bytes()
		return nil
	})
	if err != nil {
		panic(err)
	}
	return state
}

// SetState makes g go on as the generator whose State it was, of the same kind of device.
func (g *Generator) SetState(state []byte) error {
	if len(state) == 0 {
		return fmt.Errorf("torch: the state of a generator is empty")
	}
	return failure("generator state", C.torch_generator_restore(C.torch_ref(g.live()), (*C.uint8_t)(&state[0]), C.int64_t(len(state))))
}

// Close frees the generator; closing twice is harmless.
func (g *Generator) Close() {
	C.torch_generator_free(g.ref)
	g.ref = 0
}

func (g *Generator) live() uint64 {
	if g.ref == 0 {
		panic("torch: a generator is used after its Close")
	}
	return uint64(g.ref)
}
