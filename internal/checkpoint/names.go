package checkpoint

import (
	"slices"
	"strings"
)

// wrappers are the modules that people put around a network: its parameters then have their names before their own.
var wrappers = []string{
	"module.",    // torch.nn.DataParallel and DistributedDataParallel
	"model.",     // a class of one's own with self.model = network, Lightning's among them
	"_orig_mod.", // torch.compile
}

// unwrap takes away what wrappers left before all names, whatever their order.
func (f *File) unwrap() {
	for {
		i := slices.IndexFunc(wrappers, func(w string) bool {
			return len(f.Tensors) > 0 && !slices.ContainsFunc(f.Tensors, func(t Tensor) bool {
				rest, has := strings.CutPrefix(t.Name, w)
				return !has || rest == ""
			})
		})
		if i < 0 {
			break
		}
		for j := range f.Tensors {
			f.Tensors[j].Name = f.Tensors[j].Name[len(wrappers[i]):]
		}
		f.Prefix += wrappers[i]
	}
}
