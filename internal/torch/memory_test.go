package torch_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"weak"

	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// numbers rounds the trip of Go numbers through a tensor and a copy of it.
func numbers[T torch.Number](want torch.DType, data ...T) func(t *testing.T) {
	return func(t *testing.T) {
		do(t, func(s *torch.Scope) {
			x := torch.From(s, data, len(data))
			if x.DType() != want {
				t.Errorf("%T became %v, want %v", data[0], x.DType(), want)
			}
			if got := torch.Slice[T](s.Clone(x, 0)); !slices.Equal(got, data) {
				t.Errorf("got %v, want %v", got, data)
			}
		})
	}
}

func TestNumbersInAndOut(t *testing.T) {
	t.Run("uint8", numbers[uint8](torch.Uint8, 0, 1, 255))
	t.Run("int8", numbers[int8](torch.Int8, -128, 0, 127))
	t.Run("int16", numbers[int16](torch.Int16, -32768, 32767))
	t.Run("int32", numbers[int32](torch.Int32, -1<<31, 1<<31-1))
	t.Run("int64", numbers[int64](torch.Int64, -1<<63, 1<<63-1))
	t.Run("int", numbers(torch.Int64, -1, 1<<40))
	t.Run("float32", numbers[float32](torch.Float32, -1.5, 1e-45, 3e38))
	t.Run("float64", numbers(torch.Float64, -1.5, 5e-324, 1e308))
	t.Run("bool", numbers(torch.Bool, true, false, true))
}

func TestBytesInAndOut(t *testing.T) {
	for _, d := range torch.DTypes() {
		t.Run(d.String(), func(t *testing.T) {
			if parsed, err := torch.ParseDType(d.String()); parsed != d || err != nil {
				t.Errorf("%v is read as %v, %v", d, parsed, err)
			}
			rapid.Check(t, func(t *rapid.T) {
				shape := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 4).Draw(t, "shape")
				n := d.Size()
				for _, size := range shape {
					n *= size
				}
				top := byte(255)
				if d == torch.Bool {
					top = 1
				}
				data := rapid.SliceOfN(rapid.ByteRange(0, top), n, n).Draw(t, "bytes")
				err := torch.Do(func(s *torch.Scope) error {
					x := s.FromBytes(slices.Clone(data), d, shape...)
					if !slices.Equal(x.Shape(), shape) || x.DType() != d || x.Numel()*d.Size() != n || x.Device() != torch.CPU {
						return fmt.Errorf("made %v", x)
					}
					if got := s.Clone(x, torch.Contiguous).Bytes(); !bytes.Equal(got, data) {
						return fmt.Errorf("got %v, want %v", got, data)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		})
	}
	if _, err := torch.ParseDType("float33"); err == nil {
		t.Error("float33 is a type")
	}
}

func TestMemoryIsShared(t *testing.T) {
	data := []float32{1, 2, 3, 4}
	do(t, func(s *torch.Scope) {
		x := torch.From(s, data, 2, 2)
		data[0] = 10
		if got := s.Float(s.Max(x)); got != 10 {
			t.Errorf("the tensor does not see what Go wrote: %v", got)
		}
		s.MulScalar_(x, 2)
		if want := []float32{20, 4, 6, 8}; !slices.Equal(data, want) {
			t.Errorf("Go does not see what the operator wrote: %v", data)
		}
	})
}

// Whatever tensor still uses shared memory keeps it from the collector, and its end lets it go.
func TestSharedMemoryLivesAsLongAsItsLastTensor(t *testing.T) {
	outer := torch.NewScope()
	defer outer.Close()
	var view torch.Tensor
	var memory weak.Pointer[float32]
	do(t, func(s *torch.Scope) {
		data := make([]float32, 1<<16)
		data[1<<15] = 42
		memory = weak.Make(&data[0])
		view = outer.Move(s.Narrow(torch.From(s, data, 1<<16), 0, 1<<15, 1))
	})
	runtime.GC()
	if memory.Value() == nil {
		t.Fatal("the collector took memory that a tensor uses")
	}
	if got := torch.Slice[float32](view); got[0] != 42 {
		t.Errorf("the memory holds %v, want 42", got[0])
	}
	outer.Close()
	runtime.GC()
	if memory.Value() != nil {
		t.Error("the memory is held although no tensor uses it")
	}
}

func TestReadIsRowMajorInAnyLayout(t *testing.T) {
	data := make([]int32, 2*3*4*5)
	for i := range data {
		data[i] = int32(i)
	}
	do(t, func(s *torch.Scope) {
		x := torch.From(s, data, 2, 3, 4, 5)
		last := s.Contiguous(x, torch.ChannelsLast)
		if want := []int{60, 1, 15, 3}; !slices.Equal(last.Strides(), want) {
			t.Errorf("the strides of channels_last are %v, want %v", last.Strides(), want)
		}
		if got := torch.Slice[int32](last); !slices.Equal(got, data) {
			t.Errorf("channels_last reads as %v", got[:8])
		}
		if got := torch.Slice[int32](s.Permute(torch.From(s, data[:6], 2, 3), []int{1, 0})); !slices.Equal(got, []int32{0, 3, 1, 4, 2, 5}) {
			t.Errorf("the transpose reads as %v", got)
		}
		// packed images lie as H, W, C: permuted they are a channels_last batch without a copy
		images := s.Permute(s.FromBytes(make([]byte, 2*4*5*3), torch.Uint8, 2, 4, 5, 3), []int{0, 3, 1, 2})
		if got := s.Contiguous(images, torch.ChannelsLast); !slices.Equal(got.Strides(), images.Strides()) {
			t.Errorf("strides %v became %v", images.Strides(), got.Strides())
		}
	})
}

func TestMappedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mapped")
	if err := os.WriteFile(path, []byte{1, 2, 3, 4, 5, 6}, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	mapped, err := syscall.Mmap(int(file.Fd()), 0, 6, syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	do(t, func(s *torch.Scope) {
		if got := s.Int(s.Sum(s.FromBytes(mapped, torch.Uint8, 2, 3))); got != 21 {
			t.Errorf("the sum of a mapped file is %d, want 21", got)
		}
	})
	if err := syscall.Munmap(mapped); err != nil {
		t.Fatal(err)
	}
}

func TestItem(t *testing.T) {
	do(t, func(s *torch.Scope) {
		if got := s.Int(torch.From(s, []int64{1<<62 + 1}, 1)); got != 1<<62+1 {
			t.Errorf("an int64 reads as %d", got)
		}
		if got := s.Float(torch.From(s, []float64{0.1})); got != 0.1 {
			t.Errorf("a float64 reads as %v", got)
		}
		yes := torch.From(s, []bool{true})
		if s.Int(yes) != 1 || s.Float(yes) != 1 || s.Item(yes) != true {
			t.Error("true is not 1")
		}
	})
}
