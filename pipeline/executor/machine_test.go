package executor

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// What a process may use is the least of what there is and what each of its control groups allows, of either version.
func TestMachine(t *testing.T) {
	const (
		meminfo = "MemTotal:       16384 kB\nMemFree:        1000 kB\n"
		v2      = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
		v1      = "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		inside  = "31 30 0:27 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n33 30 0:29 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	)
	for name, c := range map[string]struct {
		files map[string]string
		want  Machine
	}{
		"nothing is known": {nil, Machine{CPUs: 8}},
		"no groups":        {map[string]string{"proc/meminfo": meminfo}, Machine{CPUs: 8, Memory: 16 << 20}},
		"version 2, a limit above": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/user/job\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/user/job/cpu.max": "max 100000\n", "sys/fs/cgroup/user/cpu.max": "250000 100000\n",
			"sys/fs/cgroup/user/job/memory.max": "4194304\n", "sys/fs/cgroup/user/memory.max": "max\n"}, Machine{CPUs: 2, Memory: 4 << 20}},
		"version 2, less than a core": {map[string]string{"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/cpu.max": "50000 100000\n"}, Machine{CPUs: 1}},
		"version 1": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/a/b\n2:cpu,cpuacct:/a\n0::/\n", "proc/self/mountinfo": v1,
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "300000\n", "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":     "-1\n",
			"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "8388608\n"}, Machine{CPUs: 3, Memory: 8 << 20}},
		"version 1 in a container": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/docker/abc\n2:cpu:/docker/abc\n", "proc/self/mountinfo": inside,
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "50000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "1048576\n"}, Machine{CPUs: 2, Memory: 1 << 20}},
		"damaged": {map[string]string{"proc/meminfo": "MemTotal: much\n", "proc/self/cgroup": "0::\n:\n\x00", "proc/self/mountinfo": "- \n1 2 3 4 5 - cgroup2 x y\n" + v2,
			"sys/fs/cgroup/cpu.max": "a b c\n", "sys/fs/cgroup/memory.max": "-3\n"}, Machine{CPUs: 8}},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{}
			for path, text := range c.files {
				root[path] = &fstest.MapFile{Data: []byte(text)}
			}
			if d := cmp.Diff(c.want, limited(root, 8)); d != "" {
				t.Error(d)
			}
		})
	}
}
