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

// Prefix is what wrappers left before all of these names, whatever the wrappers' order: "module.model.", or nothing.
func Prefix(names []string) string {
	prefix := ""
	for len(names) > 0 {
		i := slices.IndexFunc(wrappers, func(w string) bool {
			return !slices.ContainsFunc(names, func(name string) bool {
				rest, has := strings.CutPrefix(name, prefix+w)
				return !has || rest == ""
			})
		})
		if i < 0 {
			break
		}
		prefix += wrappers[i]
	}
	return prefix
}

// unwrap takes the wrappers' prefix away.
func (f *File) unwrap() {
	names := make([]string, len(f.Tensors))
	for i, t := range f.Tensors {
		names[i] = t.Name
	}
	f.Prefix = Prefix(names)
	for i := range f.Tensors {
		f.Tensors[i].Name = f.Tensors[i].Name[len(f.Prefix):]
	}
}
