package checkpoint

import (
	"errors"
	"fmt"
	"strings"
)

// storage is a one-dimensional array of the file; tensors are views of it. Its bytes come after the pickle is run.
type storage struct {
	key   string
	dtype DType
	numel int // elements
	data  []byte
}

// view is a tensor of the pickle: element (i, j, ...) lies at offset + i*stride[0] + j*stride[1] + ... of the storage.
type view struct {
	storage *storage
	dtype   DType
	offset  int // in elements of dtype
	shape   []int
	stride  []int
}

// lookup is the whole of what a pickle may name: the functions that rebuild tensors, plain containers, and types. The
// list is that of torch.load(weights_only=True), without what holds no weights (sparse and quantized tensors).
func lookup(name string) (any, error) {
	switch name {
	case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3":
		return constructor{call: rebuildTensor, tensor: true}, nil
	case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
		return constructor{call: firstArgument}, nil // a parameter is its tensor
	case "torch._tensor._rebuild_from_type_v2":
		return constructor{call: rebuildFromType}, nil
	case "torch.Tensor", "torch.nn.parameter.Parameter":
		return DType(""), nil // an argument of the one above
	case "collections.OrderedDict", "collections.Counter": // MultiStepLR counts its milestones
		return constructor{call: newDict}, nil
	case "torch.Size", "torch.device", "builtins.set", "__builtin__.set":
		return constructor{call: firstArgument}, nil
	case "_codecs.encode": // bytes under protocol 2
		return constructor{call: firstArgument}, nil
	case "torch.storage.UntypedStorage", "torch.storage._UntypedStorage":
		return Uint8, nil
	}
	if class, found := strings.CutPrefix(name, "torch."); found {
		class = strings.TrimPrefix(class, "cuda.")
		if d := storageType(class); d != "" {
			return d, nil
		}
		if d := DType(class); d.Size() > 0 {
			return d, nil
		}
	}
	return nil, fmt.Errorf("it names %s, and a checkpoint may only rebuild tensors and plain containers; nothing was run: "+
		"if you trust the file, load it in Python and save the model's state_dict() alone", name)
}

// storageType is the element type of PyTorch's storage class of that name, "" where there is none.
func storageType(class string) DType {
	for d, c := range storageClasses {
		if c == class {
			return d
		}
	}
	return ""
}

var storageClasses = map[DType]string{
	Float32: "FloatStorage", Float64: "DoubleStorage", Float16: "HalfStorage", BFloat16: "BFloat16Storage",
	Int64: "LongStorage", Int32: "IntStorage", Int16: "ShortStorage", Int8: "CharStorage", Uint8: "ByteStorage",
	Bool: "BoolStorage", "complex64": "ComplexFloatStorage", "complex128": "ComplexDoubleStorage",
}

func firstArgument(args tuple) (any, error) {
	if len(args) == 0 {
		return tuple{}, nil
	}
	return args[0], nil
}

// rebuildFromType takes (function, type, arguments, state).
func rebuildFromType(args tuple) (any, error) {
	if len(args) >= 3 {
		f, ok1 := args[0].(constructor)
		inner, ok2 := args[2].(tuple)
		if ok1 && ok2 && f.tensor {
			return f.call(inner)
		}
	}
	return nil, errors.New("_rebuild_from_type_v2 with arguments that PyTorch does not write")
}

// newDict takes nothing, a dict, or a list of pairs as Python 2 wrote them.
func newDict(args tuple) (any, error) {
	d := &dict{}
	if len(args) == 0 {
		return d, nil
	}
	if from, ok := args[0].(*dict); ok {
		for i, key := range from.keys {
			d.set(key, from.values[i])
		}
		return d, nil
	}
	pairs, ok := args[0].(*list)
	if !ok {
		return nil, errors.New("OrderedDict with arguments that PyTorch does not write")
	}
	for _, p := range pairs.items {
		var pair []any
		switch p := p.(type) {
		case *list:
			pair = p.items
		case tuple:
			pair = p
		}
		if len(pair) != 2 {
			return nil, errors.New("OrderedDict of what are not pairs")
		}
		d.set(pair[0], pair[1])
	}
	return d, nil
}

// rebuildTensor takes (storage, offset, size, stride), and then requires_grad, backward_hooks (v2), the element type
// (v3) and a dict of the bits conj and neg.
func rebuildTensor(args tuple) (any, error) {
	if len(args) < 4 {
		return nil, errors.New("_rebuild_tensor with too few arguments")
	}
	s, ok := args[0].(*storage)
	if !ok {
		return nil, errors.New("_rebuild_tensor of what is not a storage")
	}
	offset, ok := args[1].(int64)
	shape, ok1 := sizes(args[2])
	stride, ok2 := sizes(args[3])
	if !ok || !ok1 || !ok2 || offset < 0 || len(shape) != len(stride) {
		return nil, fmt.Errorf("storage %s: a tensor without a size", s.key)
	}
	v := &view{storage: s, dtype: s.dtype, shape: shape, stride: stride}
	for _, a := range args[4:] {
		switch a := a.(type) {
		case DType:
			v.dtype = a
		case *dict:
			if a.get("conj") == true || a.get("neg") == true {
				return nil, fmt.Errorf("storage %s: a conjugated or negated view: call resolve_conj().resolve_neg() before saving", s.key)
			}
		}
	}
	if v.dtype.Size() == 0 {
		return nil, fmt.Errorf("storage %s: a tensor without an element type", s.key)
	}
	v.offset = int(offset)
	return v, v.check()
}

// sizes reads a tuple of numbers that are zero or more.
func sizes(value any) ([]int, bool) {
	items, ok := value.(tuple)
	if !ok || len(items) > 64 {
		return nil, false
	}
	out := make([]int, len(items))
	for i, item := range items {
		n, ok := item.(int64)
		if !ok || n < 0 {
			return nil, false
		}
		out[i] = int(n)
	}
	return out, true
}

// check proves that all elements lie inside the storage.
func (v *view) check() error {
	have := v.storage.numel * v.storage.dtype.Size() / v.dtype.Size()
	last, err := v.last()
	if err != nil || last >= have {
		return damaged("storage %s: it has %d elements, too few for a tensor of shape %s", v.storage.key, have, shapeText(v.shape))
	}
	return nil
}

var errHuge = errors.New("too large")

// last is the highest index that the view reaches, -1 where it has no elements.
func (v *view) last() (int, error) {
	const most = 1 << 48
	last := v.offset
	if last > most {
		return 0, errHuge
	}
	for _, n := range v.shape {
		if n == 0 {
			return -1, nil
		}
	}
	for i, n := range v.shape {
		if n > 1 && (n > most || v.stride[i] > most/n) {
			return 0, errHuge
		}
		if last += (n - 1) * v.stride[i]; last > most {
			return 0, errHuge
		}
	}
	return last, nil
}

// numel is the number of elements; false where it is absurd.
func numel(shape []int) (int, bool) {
	n := 1
	for _, s := range shape {
		if s == 0 {
			return 0, true
		}
	}
	for _, s := range shape {
		if s < 0 || s > (1<<48)/n {
			return 0, false
		}
		n *= s
	}
	return n, true
}

// shapeText writes a shape as 64x3x7x7.
func shapeText(shape []int) string {
	if len(shape) == 0 {
		return "scalar"
	}
	var b strings.Builder
	for i, n := range shape {
		if i > 0 {
			b.WriteByte('x')
		}
		fmt.Fprint(&b, n)
	}
	return b.String()
}
