package executor_test

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/executor"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

// BenchmarkNodes is what a node costs whose work is next to nothing: process, files, hashes, commit.
//
//	go test -bench Nodes -benchtime 1000x -cpuprofile cpu.out ./pipeline/executor
func BenchmarkNodes(b *testing.B) {
	nodes := make([]*graph.Node, b.N)
	for i := range nodes {
		nodes[i] = node(fmt.Sprint("n", i), "succeeds")
	}
	h := newHouse(b, b.TempDir(), nodes...)
	self, workers := used(syscall.RUSAGE_SELF), used(syscall.RUSAGE_CHILDREN)
	b.ResetTimer()
	if outcome := h.run(b.Context(), executor.Options{}); outcome.Done != b.N {
		b.Fatalf("%+v", outcome)
	}
	b.ReportMetric((used(syscall.RUSAGE_SELF)-self)/float64(b.N), "runner-ms/op") // of processor time
	b.ReportMetric((used(syscall.RUSAGE_CHILDREN)-workers)/float64(b.N), "workers-ms/op")
}

// used is processor time in milliseconds.
func used(who int) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
