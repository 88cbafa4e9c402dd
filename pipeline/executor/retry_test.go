package executor

import (
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// The wait doubles with each try, up to an hour; a longer one that a spec asks for stays as it is.
func TestWaitBefore(t *testing.T) {
	for _, c := range []struct {
		wait   time.Duration
		failed int
		want   time.Duration
	}{
		{10 * time.Second, 1, 10 * time.Second}, {10 * time.Second, 2, 20 * time.Second}, {10 * time.Second, 4, 80 * time.Second},
		{10 * time.Second, 10, time.Hour}, {10 * time.Second, 100, time.Hour}, {2 * time.Hour, 3, 2 * time.Hour}, {0, 50, 0},
	} {
		if got := waitBefore(spec.Retry{Wait: c.wait}, c.failed); got != c.want {
			t.Errorf("after %d failures with a wait of %s: %s, want %s", c.failed, c.wait, got, c.want)
		}
	}
}
