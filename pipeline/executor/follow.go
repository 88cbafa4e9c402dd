package executor

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// follower hands on the events that a worker appends to its attempt's file.
type follower struct {
	stop, stopped chan struct{}
	failed        string            // the message of the last failed event
	environment   map[string]string // what the worker said of its surroundings
}

const lookEvery = 100 * time.Millisecond

func follow(attempt string, emit func(task.Event)) *follower {
	f := &follower{stop: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(f.stopped)
		var file *os.File
		var rest []byte
		path := filepath.Join(attempt, "events.jsonl")
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for ending := false; ; {
			if file == nil {
				file, _ = os.Open(path)
			}
			if file != nil {
				more, _ := io.ReadAll(file)
				rest = f.take(append(rest, more...), emit)
			}
			if ending {
				if file != nil {
					_ = file.Close()
				}
				return
			}
			select {
			case <-tick.C:
			case <-f.stop:
				ending = true
			}
		}
	}()
	return f
}

// end reads what is left; after it failed and environment are final.
func (f *follower) end() {
	close(f.stop)
	<-f.stopped
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
		emit(e)
	}
}
