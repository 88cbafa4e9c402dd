package executor

import (
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Machine is what there is to share out among nodes.
type Machine struct {
	CPUs    int      // cores
	Memory  int64    // bytes of main memory; 0: unknown, and not counted
	Devices []string // cpu; or one or several CUDA devices: cuda:0, cuda:1
}

// ThisMachine is what this process may use: cores by affinity and by the quota of its control groups, memory by what
// there is and by their limit. Devices are the caller's to fill in.
func ThisMachine() Machine { return limited(os.DirFS("/"), runtime.NumCPU()) }

// limited reads the limits of the process that the folder proc/self of a file system describes.
func limited(root fs.FS, cpus int) Machine {
	m := Machine{CPUs: cpus, Memory: memTotal(root)}
	for _, dir := range groups(root, "cpu") {
		if quota := dir.quota(); quota > 0 {
			m.CPUs = min(m.CPUs, max(1, int(quota)))
		}
	}
	for _, dir := range groups(root, "memory") {
		if limit := dir.memory(); limit > 0 && (m.Memory == 0 || limit < m.Memory) {
			m.Memory = limit
		}
	}
	return m
}

func memTotal(root fs.FS) int64 {
	for line := range strings.SplitSeq(read(root, "proc/meminfo"), "\n") {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// group is the folder of one control group.
type group struct {
	root    fs.FS
	dir     string
	version int
}

// groups are those that limit a controller of this process, from its own up to the topmost that can be seen.
func groups(root fs.FS, controller string) []group {
	version, own := 0, ""
	for line := range strings.SplitSeq(read(root, "proc/self/cgroup"), "\n") { // 4:cpu,cpuacct:/a or 0::/a
		fields := strings.SplitN(line, ":", 3)
		switch {
		case len(fields) < 3:
		case slices.Contains(strings.Split(fields[1], ","), controller):
			version, own = 1, fields[2]
		case fields[0] == "0" && version == 0:
			version, own = 2, fields[2]
		}
	}
	var all []group
	for line := range strings.SplitSeq(read(root, "proc/self/mountinfo"), "\n") { // 31 23 0:26 ROOT POINT rw - cgroup cgroup rw,memory
		before, after, _ := strings.Cut(line, " - ")
		mount, kind := strings.Fields(before), strings.Fields(after)
		if len(mount) < 5 || len(kind) < 3 {
			continue
		}
		if version != 2 && !(version == 1 && kind[0] == "cgroup" && slices.Contains(strings.Split(kind[2], ","), controller)) ||
			version == 2 && kind[0] != "cgroup2" {
			continue
		}
		top := strings.TrimPrefix(mount[4], "/")
		below, inside := strings.CutPrefix(own, strings.TrimSuffix(mount[3], "/"))
		if !inside { // the mount shows another part of the tree, as in a container: its root is what limits us
			below = ""
		}
		for dir := path.Join(top, below); ; dir = path.Dir(dir) {
			all = append(all, group{root, dir, version})
			if len(dir) <= len(top) {
				return all
			}
		}
	}
	return nil
}

// quota is how many cores the group may keep busy; 0: no limit.
func (g group) quota() float64 {
	limit, period := g.number("cpu.cfs_quota_us"), g.number("cpu.cfs_period_us")
	if g.version == 2 {
		fields := strings.Fields(read(g.root, path.Join(g.dir, "cpu.max"))) // "max 100000" or "150000 100000"
		if len(fields) != 2 {
			return 0
		}
		limit, _ = strconv.ParseInt(fields[0], 10, 64)
		period, _ = strconv.ParseInt(fields[1], 10, 64)
	}
	if limit <= 0 || period <= 0 {
		return 0
	}
	return float64(limit) / float64(period)
}

// memory is the most that the group may hold, in bytes; 0: no limit.
func (g group) memory() int64 {
	if g.version == 2 {
		return g.number("memory.max")
	}
	return g.number("memory.limit_in_bytes") // no limit is written as one that no machine reaches
}

func (g group) number(file string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(read(g.root, path.Join(g.dir, file))), 10, 64)
	return n
}

// read is a file's text; "" where there is none.
func read(root fs.FS, name string) string {
	raw, _ := fs.ReadFile(root, name)
	return string(raw)
}
