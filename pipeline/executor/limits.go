package executor

import (
	"context"
	"fmt"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// OverLimit is a worker that was ended because it took longer than its stage allows.
type OverLimit struct {
	Limit  string // limits.time, limits.silence
	Allows time.Duration
}

func (o *OverLimit) Error() string {
	what := "worked for longer than"
	if o.Limit == "limits.silence" {
		what = "reported nothing for"
	}
	return fmt.Sprintf("the worker was ended: it %s %s (%s); the next try goes on from its last checkpoint", what, o.Allows, o.Limit)
}

// within is a context for one worker, which begins now and is done when a limit is passed; context.Cause then says which.
// All times are of the clock that only goes forward.
func within(ctx context.Context, l spec.Limits, log *follower) (context.Context, context.CancelFunc) {
	end := []context.CancelFunc{}
	if l.Time > 0 {
		timed, cancel := context.WithTimeoutCause(ctx, l.Time, &OverLimit{"limits.time", l.Time})
		ctx, end = timed, append(end, cancel)
	}
	if l.Silence > 0 {
		heard, cancel := context.WithCancelCause(ctx)
		ctx, end = heard, append(end, func() { cancel(nil) })
		go func() {
			for {
				left := l.Silence - log.silence()
				if left <= 0 {
					cancel(&OverLimit{"limits.silence", l.Silence})
					return
				}
				select {
				case <-heard.Done():
					return
				case <-time.After(left):
				}
			}
		}()
	}
	return ctx, func() {
		for _, cancel := range end {
			cancel()
		}
	}
}
