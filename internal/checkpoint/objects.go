package checkpoint

import (
	"errors"
	"fmt"
	"slices"
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
	o := objects{tensors: tensors{budget: size}, extras: 1 << 16, params: 1 << 16}
	f := &File{}
	state, path := nested(all)
	f.Nested = strings.Join(path, ".")
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
	f.unwrap()
	if path == nil {
		return f, nil
	}
	return f, o.beside(f, all, path[0])
}

// nested finds the state dict below the names that people keep them under, at most two deep, and the keys that lead to
// it; all itself where there is none.
func nested(all *dict) (state *dict, path []string) {
	if state, path = within(all, 2); state == nil {
		return all, nil
	}
	return state, path
}

func within(d *dict, depth int) (*dict, []string) {
	for _, key := range []string{"state_dict", "model_state_dict", "model", "net", "weights"} {
		inner, ok := d.get(key).(*dict)
		if !ok || depth == 0 {
			continue
		}
		if inner.holdsTensors() {
			return inner, []string{key}
		}
		if state, path := within(inner, depth-1); state != nil {
			return state, append([]string{key}, path...)
		}
	}
	return nil, nil
}

func (d *dict) holdsTensors() bool {
	return slices.ContainsFunc(d.values, func(v any) bool { _, ok := v.(*view); return ok })
}

// objects turns what stands beside the state dict into a File's other fields.
type objects struct {
	tensors tensors
	extras  int // values that may still be made: lists that hold a list many times over do not multiply the file
	params  int // the same for the parameters of the optimizer's groups
}

func (o *objects) beside(f *File, all *dict, nestedAs string) error {
	for i, key := range all.keys {
		name, ok := key.(string)
		if !ok || name == nestedAs {
			continue
		}
		read, err := o.entry(f, name, all.values[i])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !read {
			f.Unread = append(f.Unread, name)
		}
	}
	return nil
}

// entry reads what stands under one name beside the state dict; false where f has no place for it.
func (o *objects) entry(f *File, name string, value any) (bool, error) {
	switch name {
	case "epoch":
		epoch, ok := value.(int64)
		f.Epoch = int(epoch)
		return ok, nil
	case "metadata":
		if d, ok := value.(*dict); ok {
			if texts, ok := d.texts(); ok {
				f.Metadata = texts
				return true, nil
			}
		}
	case "optimizer", "optimizer_state_dict":
		sgd, err := o.optimizer(value)
		if sgd != nil {
			f.Optimizer = sgd
		}
		return sgd != nil, err
	case "state_dict", "model_state_dict": // which were seen, and hold no tensors
		return false, nil
	}
	v, ok, err := o.plain(value, 0)
	if err != nil || !ok {
		return false, err
	}
	if f.Extra == nil {
		f.Extra = map[string]any{}
	}
	f.Extra[name] = v
	return true, nil
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
		if o.params -= len(params.items) + 1; o.params < 0 {
			return nil, fmt.Errorf("more than %d parameters: save the state_dict() alone", 1<<16)
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
	o.extras--
	switch v := value.(type) { // charged before any room is made for them
	case *list:
		o.extras -= len(v.items)
	case *dict:
		o.extras -= len(v.keys)
	}
	if o.extras < 0 || depth > 32 {
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

// texts is a dict of nothing but texts as a map.
func (d *dict) texts() (map[string]string, bool) {
	out := map[string]string{}
	for i, key := range d.keys {
		name, ok1 := key.(string)
		text, ok2 := d.values[i].(string)
		if !ok1 || !ok2 {
			return nil, false
		}
		out[name] = text
	}
	return out, true
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
