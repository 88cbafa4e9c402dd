package executor

import (
	"os"
	"strings"
)

const (
	tailBytes = 2000    // of a worker's standard error that a message shows
	logBytes  = 1 << 20 // of it that are kept in the attempt folder
)

// tail keeps the beginning of what a worker prints in a file and the end in memory. It never fails: a full disk must not
// stop a worker from saying that the disk is full.
type tail struct {
	path string
	file *os.File // nil before anything was printed
	room int
	end  []byte
}

func newTail(path string) *tail { return &tail{path: path, room: logBytes} }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	n := min(len(p), t.room)
	if t.file == nil && n > 0 {
		t.file, _ = os.OpenFile(t.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	}
	_, _ = t.file.Write(p[:n]) // of no file: an error
	t.room -= n
	t.end = append(t.end, p[max(0, len(p)-tailBytes):]...)
	t.end = t.end[max(0, len(t.end)-tailBytes):]
	return len(p), nil
}

// String is the end of what was printed, from the beginning of a line where it was cut.
func (t *tail) String() string {
	text := string(t.end)
	if len(t.end) == tailBytes {
		if _, rest, ok := strings.Cut(text, "\n"); ok && strings.TrimSpace(rest) != "" {
			text = rest
		}
	}
	return strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))
}

func (t *tail) close() { _ = t.file.Close() } // of no file: an error
