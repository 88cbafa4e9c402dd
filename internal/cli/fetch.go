package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/cyborg-run/cyborg-run/internal/weights"
	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

// sourced is the parameters of a node that reads weights from elsewhere.
type sourced interface {
	Source() (s weights.Source, ok bool)
}

// fetch brings the weights that the nodes to run read and that are elsewhere. Workers find them in the cache.
func fetch(ctx context.Context, p *graph.Plan, log io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	fetcher := weights.Fetcher{Log: func(line string) { fmt.Fprintln(log, line) }}
	done := map[weights.Source]bool{}
	for _, step := range p.Steps {
		node, ok := step.Node.Params.(sourced)
		if !ok || step.State == graph.Done {
			continue
		}
		source, ok := node.Source()
		if !ok || done[source] {
			continue
		}
		if _, err := fetcher.Fetch(ctx, source); errors.Is(err, context.Canceled) {
			fmt.Fprintln(log, "stopped: what has come of the weights is kept, and the same command goes on from here")
			return silent(ExitInterrupted)
		} else if err != nil {
			return exit{ExitFailed, err}
		}
		done[source] = true
	}
	return nil
}
