package cli

import (
	"slices"
	"testing"
)

func TestWorkerEnvironment(t *testing.T) {
	for _, c := range []struct {
		name string
		set  map[string]string
		want []string
	}{
		{"nothing set", nil, []string{"GOMP_SPINCOUNT=10000", "GLIBC_TUNABLES=glibc.malloc.hugetlb=1"}},
		{"the user's waiting", map[string]string{"OMP_WAIT_POLICY": "ACTIVE"}, []string{"GLIBC_TUNABLES=glibc.malloc.hugetlb=1"}},
		{"the user's spinning", map[string]string{"GOMP_SPINCOUNT": "0"}, []string{"GLIBC_TUNABLES=glibc.malloc.hugetlb=1"}},
		{"the user's heap", map[string]string{"GLIBC_TUNABLES": "glibc.malloc.check=1"}, []string{"GOMP_SPINCOUNT=10000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "GLIBC_TUNABLES"} {
				t.Setenv(name, c.set[name])
			}
			if got := workerEnvironment(); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
