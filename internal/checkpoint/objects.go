package checkpoint

import (
	"errors"
	"fmt"
	"strings"
)

// fromObjects finds state dict, epoch and optimizer in what a .pth of that size unpickled to.
func fromObjects(root any, size int64) (*File, error) {
	all, ok := root.(*dict)
	if !ok {
		if _, single := root.(*view); single {
			return nil, errors.New("it holds one tensor: save the model's state_dict()")
		}
		return nil, errors.New("it holds no dict: save the model's state_dict()")
	}
	o := objects{tensors: tensors{budget: size}, extras: 1 << 16}
	f := &File{}
	state, nestedAs := all, ""
	for _, key := range []string{"state_dict", "model_state_dict", "model"} {
		if inner, ok := all.get(key).(*dict); ok {
			state, nestedAs = inner, key
			break
		}
	}
	for i, key := range state.keys {
		name, ok1 := key.(string)
		v, ok2 := state.values[i].(*view)
		if !ok1 || !ok2 {
			continue
		}
		t, err := o.tensors.of(name, v)
		if err != nil {
			return nil, err
		}
		f.Tensors = append(f.Tensors, t)
	}
	if len(f.Tensors) == 0 {
		return nil, fmt.Errorf("it holds no tensors in a state dict (it has %s): save the model's state_dict()", all.keyText())
	}
	stripModule(f.Tensors)
	if nestedAs == "" {
		return f, nil
	}
	return f, o.beside(f, all, nestedAs)
}

// objects turns what stands beside the state dict into a File's other fields.
type objects struct {
	tensors tensors
	extras  int // values that may still be made: lists that hold a list many times over do not multiply the file
}

func (o *objects) beside(f *File, all *dict, nestedAs string) error {
	for i, key := range all.keys {
		name, ok := key.(string)
		switch {
		case !ok || name == nestedAs:
			continue
		case name == "epoch":
			if epoch, ok := all.values[i].(int64); ok {
				f.Epoch = int(epoch)
				continue
			}
		case name == "optimizer" || name == "optimizer_state_dict":
			var err error
			if f.Optimizer, err = o.optimizer(all.values[i]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		value, ok, err := o.plain(all.values[i], 0)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if ok {
			if f.Extra == nil {
				f.Extra = map[string]any{}
			}
			f.Extra[name] = value
		}
	}
	return nil
}

// optimizer reads the state_dict() of torch.optim.SGD; nil where it is not one.
func (o *objects) optimizer(value any) (*Optimizer, error) {
	all, ok := value.(*dict)
	if !ok {
		return nil, nil
	}
	groups, ok := all.get("param_groups").(*list)
	if !ok || len(groups.items) == 0 {
		return nil, nil
	}
	state, _ := all.get("state").(*dict)
	if state == nil {
		state = &dict{}
	}
	var out *Optimizer
	for _, item := range groups.items {
		group, ok := item.(*dict)
		if !ok {
			return nil, nil
		}
		if _, sgd := group.index["momentum"]; !sgd {
			return nil, nil
		}
		if out == nil {
			out = settings(group)
		}
		params, ok := group.get("params").(*list)
		if !ok {
			return nil, damaged("a group without parameters")
		}
		for _, param := range params.items {
			var buffer Tensor
			if index, ok := param.(int64); ok {
				if entry, ok := state.get(index).(*dict); ok {
					if v, ok := entry.get("momentum_buffer").(*view); ok {
						var err error
						if buffer, err = o.tensors.of("", v); err != nil {
							return nil, err
						}
					}
				}
			}
			out.Buffers = append(out.Buffers, buffer)
		}
	}
	return out, nil
}

func settings(group *dict) *Optimizer {
	number := func(key string) float64 {
		switch v := group.get(key).(type) {
		case float64:
			return v
		case int64:
			return float64(v)
		}
		return 0
	}
	return &Optimizer{
		LR: number("lr"), InitialLR: number("initial_lr"), Momentum: number("momentum"), Dampening: number("dampening"),
		WeightDecay: number("weight_decay"), Nesterov: group.get("nesterov") == true, Maximize: group.get("maximize") == true,
	}
}

// plain turns an unpickled value into one of Extra; false where it has no such form.
func (o *objects) plain(value any, depth int) (any, bool, error) {
	if o.extras--; o.extras < 0 || depth > 32 {
		return nil, false, errors.New("too many or too deeply nested values beside the state dict: save it alone")
	}
	switch v := value.(type) {
	case nil, bool, int64, float64, string:
		return v, true, nil
	case *view:
		t, err := o.tensors.of("", v)
		return t, true, err
	case tuple:
		return o.plain(&list{v}, depth)
	case *list:
		out := make([]any, 0, len(v.items))
		for _, item := range v.items {
			p, ok, err := o.plain(item, depth+1)
			if err != nil || !ok {
				return nil, false, err
			}
			out = append(out, p)
		}
		return out, true, nil
	case *dict:
		out := map[string]any{}
		for i, key := range v.keys {
			name, text := key.(string)
			p, ok, err := o.plain(v.values[i], depth+1)
			if err != nil || !ok || !text {
				return nil, false, err
			}
			out[name] = p
		}
		return out, true, nil
	}
	return nil, false, nil
}

// stripModule takes "module." away where all names begin so, as they do behind torch.nn.DataParallel.
func stripModule(tensors []Tensor) {
	const prefix = "module."
	for _, t := range tensors {
		if !strings.HasPrefix(t.Name, prefix) {
			return
		}
	}
	for i := range tensors {
		tensors[i].Name = tensors[i].Name[len(prefix):]
	}
}

// keyText names the first keys of a dict for a message.
func (d *dict) keyText() string {
	var names []string
	for _, key := range d.keys {
		if name, ok := key.(string); ok && len(names) < 5 {
			names = append(names, fmt.Sprintf("%.40q", name))
		}
	}
	if len(names) == 0 {
		return "no named entries"
	}
	return strings.Join(names, ", ")
}
