package checkpoint

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// pickle writes objects as torch.save does under protocol 2, and enters their storages.
func pickle(storages *storageTable, objects func(*pickler)) ([]byte, error) {
	p := &pickler{storages: storages}
	p.op("\x80\x02") // PROTO
	objects(p)
	p.op(".") // STOP
	return p.out, p.err
}

// file writes the dict of a checkpoint.
func (p *pickler) file(f *File) {
	p.open()
	p.text("epoch")
	p.integer(int64(f.Epoch))
	p.text("state_dict")
	p.stateDict(f.Tensors)
	if f.Optimizer != nil {
		p.text("optimizer")
		p.optimizer(f.Optimizer)
	}
	if f.Metadata != nil {
		p.text("metadata")
		p.texts(f.Metadata)
	}
	for _, key := range slices.Sorted(maps.Keys(f.Extra)) {
		if p.err == nil && (slices.Contains(taken, key) || key == "metadata" && f.Metadata != nil) {
			p.err = fmt.Errorf("extra entry %q: the name is taken", key)
		}
		p.text(key)
		p.value(key, f.Extra[key])
	}
	p.close()
}

// taken are the names that mean something to those who read the file; nothing else is written under them.
var taken = []string{"epoch", "state_dict", "optimizer", "optimizer_state_dict", "model_state_dict"}

type pickler struct {
	out      []byte
	storages *storageTable
	err      error
}

func (p *pickler) op(code string) { p.out = append(p.out, code...) }

// open and close stand around the items of a dict.
func (p *pickler) open()  { p.op("}(") } // EMPTY_DICT, MARK
func (p *pickler) close() { p.op("u") }  // SETITEMS

func (p *pickler) text(s string) {
	p.op("X") // BINUNICODE
	p.out = binary.LittleEndian.AppendUint32(p.out, uint32(len(s)))
	p.op(s)
}

func (p *pickler) integer(v int64) {
	if v == int64(int32(v)) {
		p.op("J") // BININT
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(v))
		return
	}
	p.op("\x8a\x08") // LONG1 of 8 bytes
	p.out = binary.LittleEndian.AppendUint64(p.out, uint64(v))
}

func (p *pickler) float(v float64) {
	p.op("G") // BINFLOAT
	p.out = binary.BigEndian.AppendUint64(p.out, math.Float64bits(v))
}

func (p *pickler) bool(v bool) {
	if v {
		p.op("\x88") // NEWTRUE
	} else {
		p.op("\x89") // NEWFALSE
	}
}

func (p *pickler) texts(m map[string]string) {
	p.open()
	for _, key := range slices.Sorted(maps.Keys(m)) {
		p.text(key)
		p.text(m[key])
	}
	p.close()
}

func (p *pickler) none() { p.op("N") }

func (p *pickler) orderedDict() { p.op("ccollections\nOrderedDict\n)R") } // GLOBAL, EMPTY_TUPLE, REDUCE

func (p *pickler) stateDict(tensors []Tensor) {
	p.orderedDict()
	p.op("(")
	for _, t := range tensors {
		p.text(t.Name)
		p.tensor(t.Name, t)
	}
	p.close()
}

// tensor writes a call of _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks).
func (p *pickler) tensor(name string, t Tensor) {
	count, ok := numel(t.Shape)
	class := storageClasses[t.DType]
	switch {
	case p.err != nil:
		return
	case class == "":
		p.err = fmt.Errorf("tensor %s: elements of type %q cannot be written", name, t.DType)
		return
	case !ok || len(t.Data) != count*t.DType.Size():
		p.err = fmt.Errorf("tensor %s: %d bytes for shape %s of %s", name, len(t.Data), shapeText(t.Shape), t.DType)
		return
	}
	p.op("ctorch._utils\n_rebuild_tensor_v2\n((") // GLOBAL, MARK, MARK
	p.text("storage")
	p.op("ctorch\n" + class + "\n")
	p.text(strconv.Itoa(p.storages.key(t)))
	p.text("cpu")
	p.integer(int64(count))
	p.op("tQ") // TUPLE, BINPERSID
	p.integer(0)
	stride := make([]int, len(t.Shape))
	for i, next := len(stride)-1, 1; i >= 0; i-- {
		stride[i] = next
		next *= max(t.Shape[i], 1)
	}
	p.integers("(", t.Shape, "t")
	p.integers("(", stride, "t")
	p.bool(false)
	p.orderedDict()
	p.op("tR") // TUPLE, REDUCE
}

func (p *pickler) integers(before string, values []int, behind string) {
	p.op(before)
	for _, v := range values {
		p.integer(int64(v))
	}
	p.op(behind)
}

// optimizer writes what torch.optim.SGD.state_dict() returns, with all settings of PyTorch 2.11.
func (p *pickler) optimizer(o *Optimizer) {
	p.open()
	p.text("state")
	p.open()
	for i, buffer := range o.Buffers {
		if buffer.DType == "" {
			continue
		}
		p.integer(int64(i))
		p.open()
		p.text("momentum_buffer")
		p.tensor("momentum_buffer "+strconv.Itoa(i), buffer)
		p.close()
	}
	p.close()
	p.text("param_groups")
	p.op("](") // EMPTY_LIST, MARK
	p.group(o)
	p.op("e") // APPENDS
	p.close()
}

func (p *pickler) group(o *Optimizer) {
	p.open()
	for _, s := range []struct {
		key   string
		value float64
	}{{"lr", o.LR}, {"momentum", o.Momentum}, {"dampening", o.Dampening}, {"weight_decay", o.WeightDecay}} {
		p.text(s.key)
		p.float(s.value)
	}
	for _, s := range []struct {
		key   string
		value bool
	}{{"nesterov", o.Nesterov}, {"maximize", o.Maximize}, {"differentiable", false}} {
		p.text(s.key)
		p.bool(s.value)
	}
	for _, key := range []string{"foreach", "fused"} { // PyTorch chooses
		p.text(key)
		p.none()
	}
	if o.InitialLR != 0 {
		p.text("initial_lr")
		p.float(o.InitialLR)
	}
	p.text("params")
	order := make([]int, len(o.Buffers))
	for i := range order {
		order[i] = i
	}
	p.integers("](", order, "e")
	p.close()
}

// value writes one of Extra's values; name says where it stands.
func (p *pickler) value(name string, value any) {
	switch v := value.(type) {
	case nil:
		p.none()
	case bool:
		p.bool(v)
	case int:
		p.integer(int64(v))
	case int64:
		p.integer(v)
	case float64:
		p.float(v)
	case string:
		p.text(v)
	case Tensor:
		p.tensor(name, v)
	case []any:
		p.op("](")
		for i, item := range v {
			p.value(name+"["+strconv.Itoa(i)+"]", item)
		}
		p.op("e")
	case map[string]any:
		p.open()
		for _, key := range slices.Sorted(maps.Keys(v)) {
			p.text(key)
			p.value(name+"."+key, v[key])
		}
		p.close()
	default:
		if p.err == nil {
			p.err = fmt.Errorf("entry %s: a value of type %T cannot be written", name, value)
		}
	}
}
