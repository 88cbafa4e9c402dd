package executor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// A worker may write what it likes, as much as it likes. What the runner keeps of it is bounded.
const (
	lookEvery = 100 * time.Millisecond
	readBytes = 64 << 10 // at a time
	lineBytes = 1 << 20  // of one event; a longer line is passed over
	fileBytes = 16 << 20 // of an attempt's events.jsonl; of what comes behind, only the last is read and nothing kept
	lastBytes = 1 << 20  // of a flood, what is read
)

// follower hands on the events that a worker appends to its attempt's file.
type follower struct {
	stop, stopped chan struct{}
	heard         atomic.Int64 // when the last event was handed on, since began
	began         time.Time
	node          string

	failed      string            // the message of the last failed event
	environment map[string]string // what the worker said of its surroundings

	file  *os.File
	at    int64  // how far the file was read
	rest  []byte // the beginning of a line
	skips bool   // until the end of a line that is too long

	flood  bool
	latest *task.Event // of a flood
}

// follow makes the attempt's file of events and reads it from then on. It holds the file open: whatever takes its name
// afterwards is not read.
func follow(attempt, node string, emit func(task.Event)) (*follower, error) {
	file, err := os.OpenFile(filepath.Join(attempt, "events.jsonl"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("begin attempt: %w", err)
	}
	f := &follower{stop: make(chan struct{}), stopped: make(chan struct{}), began: time.Now(), node: node, file: file}
	go func() {
		defer close(f.stopped)
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for ending := false; !ending; {
			select {
			case <-tick.C:
			case <-f.stop:
				ending = true
			}
			f.read(emit)
		}
		_ = file.Close()
	}()
	return f, nil
}

// end reads what is left; after it failed and environment are final.
func (f *follower) end() {
	close(f.stop)
	<-f.stopped
}

// silence is how long ago the last event came, or the follower began.
func (f *follower) silence() time.Duration {
	return time.Since(f.began) - time.Duration(f.heard.Load())
}

// read takes what the file has grown by.
func (f *follower) read(emit func(task.Event)) {
	info, err := f.file.Stat()
	if err != nil {
		return
	}
	size := info.Size()
	if size < f.at { // it was cut, by whomever
		f.at, f.rest, f.skips = 0, nil, false
	}
	if size > fileBytes && !f.flood {
		f.flood = true
		emit(task.Event{Time: time.Now().UTC(), Type: task.Warning, Node: f.node,
			Message: fmt.Sprintf("its worker reports more than %d MiB; little of what comes now is shown, and none kept", fileBytes>>20)})
	}
	if f.flood && size-f.at > lastBytes {
		f.at, f.rest, f.skips = size-lastBytes, nil, true
	}
	for piece := make([]byte, readBytes); f.at < size; {
		n, err := f.file.ReadAt(piece[:min(readBytes, size-f.at)], f.at)
		f.at += int64(n)
		f.add(piece[:n], emit)
		if err != nil && err != io.EOF || n == 0 {
			break
		}
	}
	if f.flood && f.file.Truncate(fileBytes) == nil { // the worker appends: it goes on behind
		f.at = fileBytes
	}
	if f.latest != nil {
		emit(*f.latest)
		f.latest = nil
	}
}

// add takes a piece of the file. Lines that are too long are passed over.
func (f *follower) add(piece []byte, emit func(task.Event)) {
	if f.skips {
		_, after, whole := bytes.Cut(piece, []byte("\n"))
		if !whole {
			return
		}
		f.skips, piece = false, after
	}
	f.rest = f.take(append(f.rest, piece...), emit)
	if len(f.rest) > lineBytes {
		f.rest, f.skips = nil, true
	}
	if len(f.rest) == 0 {
		f.rest = nil
	}
}

// take hands on whole lines and returns what is behind the last one. A line that is no event of a worker is passed over:
// a worker may have been killed while writing it.
func (f *follower) take(raw []byte, emit func(task.Event)) []byte {
	for {
		line, after, whole := bytes.Cut(raw, []byte("\n"))
		if !whole {
			return raw
		}
		raw = after
		var e task.Event
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		switch e.Type {
		case task.Failed:
			f.failed = e.Message
			continue
		case task.Environment:
			f.environment = e.Words
		case task.Progress, task.Log, task.Warning:
		default:
			continue
		}
		f.heard.Store(int64(time.Since(f.began)))
		if f.node != "" {
			e.Node = f.node
		}
		if f.flood && e.Type != task.Environment {
			f.latest = &e
			continue
		}
		emit(e)
	}
}
