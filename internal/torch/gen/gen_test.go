package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const schemas = "../../../.libtorch/torchgen/packaged/ATen/native/native_functions.yaml"

func TestGeneratedFileIsUpToDate(t *testing.T) {
	if _, err := os.Stat(schemas); err != nil {
		t.Skip("PyTorch's schemas are not there (.libtorch): `make build` fetches them")
	}
	want, err := generate(schemas, "../ops.txt")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../ops_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go generate ./internal/torch; ops_gen.go differs from ops.txt:\n%s", diff)
	}
}

func TestMethods(t *testing.T) {
	tests := []struct{ name, schema, line, want string }{
		{
			"fixed_arguments", "add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)", "Add_ aten::add_.Tensor alpha=1",
			"func (s *Scope) Add_(self, other Tensor) Tensor {\n\ts.begin(&opAdd_).tensor(self).tensor(other).int(1).runInPlace()\n\treturn self\n}",
		},
		{
			"several_results", "max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", "MaxDim aten::max.dim",
			"func (s *Scope) MaxDim(self Tensor, dim int, keepdim bool) (values Tensor, indices Tensor) {\n" +
				"\tc := s.begin(&opMaxDim).tensor(self).int(dim).bool(keepdim).run()\n\treturn c.outTensor(), c.outTensor()\n}",
		},
		{
			"views", "split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]", "Split aten::split.Tensor dim=1",
			"func (s *Scope) Split(self Tensor, splitSize int) []Tensor {\n\treturn s.begin(&opSplit).tensor(self).int(splitSize).int(1).run().outTensors()\n}",
		},
		{
			"no_result", "zero_all(Tensor(a!)[] self, str how=\"a, b\", float range=.5) -> ()", "ZeroAll aten::zero_all how=fast",
			"func (s *Scope) ZeroAll(self []Tensor, range_ float64) {\n\ts.begin(&opZeroAll).tensors(self).string(\"fast\").float(range_).runInPlace()\n}",
		},
		{
			"reduction", "loss(Tensor self, int reduction=Mean) -> Tensor", "Loss aten::loss",
			"func (s *Scope) Loss(self Tensor, reduction Reduction) Tensor {\n\treturn s.begin(&opLoss).tensor(self).int(int(reduction)).run().outTensor()\n}",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := generate(write(t, "- func: "+test.schema+"\n  variants: method\n"), write(t, "# a list\n"+test.line+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got), test.want) {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// The list may declare what PyTorch's file does not.
func TestOwnSchemas(t *testing.T) {
	got, err := generate(write(t, ""), write(t, "- func: mkldnn::twice_(Tensor(a!) x) -> Tensor(a!)\nTwice_ mkldnn::twice_\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := `name: "twice_", schema: "mkldnn::twice_(Tensor(a!) x) -> Tensor(a!)"`; !strings.Contains(string(got), want) {
		t.Errorf("got\n%s\nwant %s", got, want)
	}
}

func TestMistakesInTheList(t *testing.T) {
	const known = "- func: f(Tensor self, Dimname name, int n=1) -> Tensor\n"
	for _, test := range []struct{ name, list, want string }{
		{"unknown_operator", "G aten::g", "PyTorch has no operator aten::g"},
		{"no_operator", "G", "want a Go name and aten::operator"},
		{"twice", "F aten::f name=none\nF aten::f name=none", ":2: F is there already"},
		{"no_value", "F aten::f name", "want argument=value"},
		{"unknown_argument", "F aten::f name=none size=1", "it has no argument size"},
		{"unreadable_value", "F aten::f name=a-b", `cannot read the value "a-b"`},
		{"type_without_a_go_type", "F aten::f", "argument name has the type Dimname"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := generate(write(t, known), write(t, test.list))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
