package testenv

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Random is a source of chance whose seed the test logs; CYBORG_SEED repeats a test with that seed.
func Random(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("CYBORG_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("CYBORG_SEED=%s: %v", text, err)
		}
	}
	t.Logf("CYBORG_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// KillAtRandom starts a command and sends it SIGKILL after a random time between 0 and within. killed is false where it had
// ended before; err is how it ended then.
func KillAtRandom(t testing.TB, random *rand.Rand, cmd *exec.Cmd, within time.Duration) (killed bool, err error) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Duration(random.Int64N(int64(within))), func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	timer.Stop()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL, err
}
