// Package checkpoint reads and writes network weights in the files that PyTorch users exchange, without PyTorch:
//
//   - .pth in the zip format (torch.save since 1.6) and in the stream format before it, called legacy;
//   - safetensors.
//
// The format is told by a file's content, never by its name. A .pth is a pickle, which in Python may run any program
// when it is loaded; here it may only rebuild tensors and plain containers. Whatever else it names is refused by that
// name and nothing is run. What a file claims to hold is believed only as far as its size allows, so that reading takes
// about as much memory as the file is long.
//
// A state dict is the ordered list of a network's named tensors. Names are torchvision's where the network is.
//
// All functions may be called from any goroutine. The tensors of a File may share memory, with each other where they
// shared a storage in the file: do not write into their Data.
package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// DType names the type of a tensor's elements as PyTorch does, without the "torch." before it.
type DType string

// The element types that networks are saved in. A file may hold others (see Size).
const (
	Float32  DType = "float32"
	Float64  DType = "float64"
	Float16  DType = "float16"
	BFloat16 DType = "bfloat16"
	Int64    DType = "int64"
	Int32    DType = "int32"
	Int16    DType = "int16"
	Int8     DType = "int8"
	Uint8    DType = "uint8"
	Bool     DType = "bool"
)

// Size is the number of bytes of one element; 0 says that the type is not known.
func (d DType) Size() int {
	switch d {
	case Uint8, Int8, Bool, "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz":
		return 1
	case Float16, BFloat16, Int16, "uint16":
		return 2
	case Float32, Int32, "uint32":
		return 4
	case Float64, Int64, "uint64", "complex64":
		return 8
	case "complex128":
		return 16
	}
	return 0
}

// Tensor is one array of a state dict.
type Tensor struct {
	Name  string // of the parameter or buffer, such as layer1.0.conv1.weight; empty in an optimizer's buffers
	DType DType
	Shape []int  // empty for a scalar
	Data  []byte // the elements in row-major order, little-endian; len = product of Shape times DType.Size()
}

// File is what a checkpoint holds.
type File struct {
	// Tensors is the state dict in the file's order, by offset in safetensors. What wrappers leave before all names is taken
	// away (see Prefix).
	Tensors []Tensor

	// Nested is the entry that the state dict stood under, such as "state_dict", or "state_dict.model" two deep; empty where
	// the file is the state dict itself. Write ignores it.
	Nested string

	// Prefix is what stood before all names and was taken away: "module." of torch.nn.DataParallel, "model." of a module
	// around the network, "_orig_mod." of torch.compile, or several of them. Write ignores it.
	Prefix string

	// Epoch is the entry "epoch", in safetensors a text of the metadata; 0 where there is none.
	Epoch int

	// Optimizer is the state of torch.optim.SGD from the entry "optimizer"; nil where there is none or it is of
	// another optimizer.
	Optimizer *Optimizer

	// Format is "zip", "legacy" or "safetensors". Write ignores it.
	Format string

	// Metadata is the text beside the tensors of safetensors; in a .pth, the entry "metadata" where it is a dict of texts.
	Metadata map[string]string

	// Extra holds the other entries beside a nested state dict, as nil, bool, int64, float64, string, Tensor, []any and
	// map[string]any of these. Write also takes int.
	Extra map[string]any

	// Unread names the entries beside the state dict that were left out when it was read: another optimizer, and values
	// that Extra has no form for. Write ignores it.
	Unread []string
}

// Optimizer is the state of torch.optim.SGD with one group of parameters. Of a file with several groups, the first
// one's settings are read and the buffers of all.
type Optimizer struct {
	LR          float64
	InitialLR   float64 // the rate that a schedule started from; 0 where there is no schedule
	Momentum    float64
	Dampening   float64
	WeightDecay float64
	Nesterov    bool
	Maximize    bool

	// Buffers has one momentum buffer per parameter, in the order of the optimizer's parameters; the zero Tensor where
	// a parameter has none yet.
	Buffers []Tensor
}

// Read reads the checkpoint at path. An error says what is wrong with the file and what to do about it:
//
//	read checkpoint weights/r50.pth: the zip archive is cut off or damaged (zip: not a valid zip file): copy or download it again
func Read(path string) (*File, error) {
	f, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	return f, nil
}

func open(path string) (*File, error) {
	info, err := os.Stat(path) // before it is opened: that of a pipe waits for a writer
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, bare(err)
	}
	return read(f, info.Size())
}

// bare is an error without the path, which stands before it already.
func bare(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// damaged says that bytes are not what they should be, which a new copy mends.
func damaged(format string, args ...any) error {
	return fmt.Errorf(format+": copy or download it again", args...)
}

func read(r io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, min(size, 512))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	is := func(prefix string) bool { return bytes.HasPrefix(head, []byte(prefix)) }
	switch {
	case size == 0:
		return nil, damaged("the file is empty")
	case is("PK"):
		return readZip(r, size)
	case is("\x80\x02" + legacyMagic):
		return readLegacy(r, size)
	case len(head) > 8 && head[8] == '{':
		return readSafetensors(r, size)
	case is("version https://git-lfs"):
		return nil, errors.New("a Git LFS pointer stands in the weights' place: run `git lfs pull`")
	case is("<"):
		return nil, errors.New("a web page, not a checkpoint: the download went wrong, get it again")
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return nil, errors.New("a tar archive of PyTorch 0.1: load it in PyTorch and save it again")
	case is("\x80"):
		return nil, errors.New("a pickle that torch.save did not write: load it in Python and save its state_dict() by torch.save")
	}
	return nil, errors.New("neither a .pth of torch.save nor safetensors: save the model's state_dict() by torch.save")
}
