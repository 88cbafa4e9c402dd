package executor

import (
	"context"
	"fmt"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// longestWait bounds the wait between two tries, which doubles each time.
const longestWait = time.Hour

// waitBefore is how long to wait when the given try, counted from 1, has failed. There is no chance in it: what keeps the
// nodes of one machine apart is what they ask for.
func waitBefore(r spec.Retry, failed int) time.Duration {
	wait := r.Wait
	for range failed - 1 {
		if wait >= longestWait {
			break
		}
		wait = min(2*wait, longestWait)
	}
	return wait
}

// retry puts a node that failed back on the queue after a while, in which it holds nothing.
func (s *scheduler) retry(ctx context.Context, t *turn, err error) {
	r := t.step.Node.Retry
	wait := waitBefore(r, t.try)
	e := event(task.NodeRetries, t.step.Node.Name, err.Error())
	e.Facts = map[string]float64{"try": float64(t.try), "of": float64(r.Times + 1), "wait": wait.Seconds()}
	s.emit(e)
	again := &turn{step: t.step, asks: t.asks, try: t.try + 1}
	s.retrying[again] = err
	time.AfterFunc(wait, func() {
		select {
		case s.again <- again:
		case <-ctx.Done():
		}
	})
}

// reason is why a node failed in the end; t is its last try, or the one that it did not get any more.
func (s *scheduler) reason(t *turn, err error) string {
	tries := t.try
	if _, waits := s.retrying[t]; waits {
		tries--
	}
	if tries == 1 {
		return err.Error()
	}
	return fmt.Sprintf("failed %d times, last: %v", tries, err)
}
