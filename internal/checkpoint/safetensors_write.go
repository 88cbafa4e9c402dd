package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// WriteSafetensors writes the tensors, the metadata and the epoch (as the metadata "epoch") of f to path as safetensors,
// which safetensors.torch.load_file opens. The format has no place for the optimizer and Extra: they are left out. The
// file appears whole or not at all, as by Write, and the same f gives the same bytes.
//
// Tensors of wider types come first, as PyTorch needs each at a multiple of its element's size; else their order stays.
func WriteSafetensors(path string, f *File) error {
	return write(path, func(w io.Writer) error { return encodeSafetensors(w, f) })
}

func encodeSafetensors(w io.Writer, f *File) error {
	tensors := slices.Clone(f.Tensors)
	slices.SortStableFunc(tensors, func(a, b Tensor) int { return b.DType.Size() - a.DType.Size() })
	header, err := safetensorsHeader(tensors, f)
	if err != nil {
		return err
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range tensors {
		if _, err := w.Write(t.Data); err != nil {
			return err
		}
	}
	return nil
}

// safetensorsHeader is the JSON of the header in the order of the tensors, filled with spaces to a multiple of 8 bytes.
func safetensorsHeader(tensors []Tensor, f *File) ([]byte, error) {
	metadata := map[string]string{"format": "pt"} // without which transformers refuses the file
	maps.Copy(metadata, f.Metadata)
	if f.Epoch != 0 {
		metadata["epoch"] = strconv.Itoa(f.Epoch)
	}
	var out bytes.Buffer
	out.WriteString(`{"__metadata__":`)
	if err := appendJSON(&out, metadata); err != nil {
		return nil, err
	}
	names := map[string]bool{"__metadata__": true}
	at := int64(0)
	for _, t := range tensors {
		entry, err := safetensorOf(t, at)
		if err == nil && names[t.Name] {
			err = fmt.Errorf("tensor %s: the name is taken", t.Name)
		}
		if err != nil {
			return nil, err
		}
		names[t.Name] = true
		at += int64(len(t.Data))
		out.WriteByte(',')
		if err := appendJSON(&out, t.Name); err != nil {
			return nil, err
		}
		out.WriteByte(':')
		if err := appendJSON(&out, entry); err != nil {
			return nil, err
		}
	}
	out.WriteByte('}')
	for out.Len()%8 != 0 {
		out.WriteByte(' ')
	}
	return out.Bytes(), nil
}

func appendJSON(out *bytes.Buffer, value any) error {
	text, err := json.Marshal(value)
	out.Write(text)
	return err
}

func safetensorOf(t Tensor, at int64) (safetensor, error) {
	count, ok := numel(t.Shape)
	if !ok || len(t.Data) != count*t.DType.Size() {
		return safetensor{}, fmt.Errorf("tensor %s: %d bytes for shape %s of %s", t.Name, len(t.Data), shapeText(t.Shape), t.DType)
	}
	e := safetensor{Shape: append([]int{}, t.Shape...), Offsets: [2]int64{at, at + int64(len(t.Data))}}
	for name, d := range safetensorTypes {
		if d == t.DType {
			e.DType = name
		}
	}
	if e.DType == "" {
		return safetensor{}, fmt.Errorf("tensor %s: safetensors has no elements of type %q", t.Name, t.DType)
	}
	return e, nil
}
