package checkpoint

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"io"
	"slices"
	"strconv"
)

// readSafetensors reads the safetensors format: the length of a JSON header (8 bytes), the header, and the tensors'
// bytes without gaps.
func readSafetensors(r io.ReaderAt, size int64) (*File, error) {
	var prefix [8]byte
	if _, err := r.ReadAt(prefix[:], 0); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length > uint64(size-8) || length > maxPickle {
		return nil, damaged("safetensors: a header of %d bytes in a file of %d", length, size)
	}
	text := make([]byte, length)
	if n, err := r.ReadAt(text, 8); n < len(text) {
		return nil, err
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(text, &header); err != nil {
		return nil, damaged("safetensors header: %w", err)
	}
	f := &File{Format: "safetensors"}
	if err := f.metadata(header["__metadata__"]); err != nil {
		return nil, err
	}
	delete(header, "__metadata__")

	entries := make([]safetensor, 0, len(header))
	for name, raw := range header {
		e := safetensor{name: name}
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, damaged("safetensors header: tensor %.80q: %w", name, err)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b safetensor) int {
		return cmp.Or(cmp.Compare(a.Offsets[0], b.Offsets[0]), cmp.Compare(a.Offsets[1], b.Offsets[1]), cmp.Compare(a.name, b.name))
	})
	data := int64(8 + length)
	next := int64(0)
	for _, e := range entries {
		t, err := e.tensor()
		if err != nil {
			return nil, err
		}
		if e.Offsets[0] != next || e.Offsets[1] > size-data {
			return nil, damaged("tensor %.80q: bytes %d to %d of %d, where %d comes next", e.name, e.Offsets[0], e.Offsets[1], size-data, next)
		}
		next = e.Offsets[1]
		t.Data = make([]byte, e.Offsets[1]-e.Offsets[0])
		if n, err := r.ReadAt(t.Data, data+e.Offsets[0]); n < len(t.Data) {
			return nil, damaged("tensor %.80q: %w", e.name, err)
		}
		f.Tensors = append(f.Tensors, t)
	}
	if next != size-data {
		return nil, damaged("safetensors: %d bytes of tensors, where the header names %d", size-data, next)
	}
	f.unwrap()
	return f, nil
}

func (f *File) metadata(raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, &f.Metadata); err != nil {
		return damaged("safetensors metadata: %w", err)
	}
	if epoch, err := strconv.Atoi(f.Metadata["epoch"]); err == nil {
		f.Epoch = epoch
		delete(f.Metadata, "epoch")
	}
	return nil
}

type safetensor struct {
	name    string
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

var safetensorTypes = map[string]DType{
	"F32": Float32, "F64": Float64, "F16": Float16, "BF16": BFloat16, "I64": Int64, "I32": Int32, "I16": Int16, "I8": Int8,
	"U8": Uint8, "BOOL": Bool, "U16": "uint16", "U32": "uint32", "U64": "uint64", "C64": "complex64",
	"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
}

func (e safetensor) tensor() (Tensor, error) {
	dtype, known := safetensorTypes[e.DType]
	if !known {
		return Tensor{}, damaged("tensor %.80q: element type %.20q is not known", e.name, e.DType)
	}
	count, ok := numel(e.Shape)
	if !ok || e.Offsets[0] < 0 || e.Offsets[1]-e.Offsets[0] != int64(count)*int64(dtype.Size()) {
		return Tensor{}, damaged("tensor %.80q: %d bytes for shape %s of %s", e.name, e.Offsets[1]-e.Offsets[0], shapeText(e.Shape), dtype)
	}
	if e.Shape == nil {
		e.Shape = []int{}
	}
	return Tensor{Name: e.name, DType: dtype, Shape: e.Shape}, nil
}
