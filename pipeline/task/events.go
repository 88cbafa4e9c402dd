package task

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Event is one thing that happened in an attempt or, as the runner hands it on, in a run.
type Event struct {
	Time time.Time `json:"time"`
	Type Type      `json:"type"`
	Node string    `json:"node,omitempty"`

	Message string `json:"message,omitempty"` // log, warning, failed

	Done  int                `json:"done,omitempty"`   // progress: units finished ...
	Of    int                `json:"of,omitempty"`     // ... of so many
	Unit  string             `json:"unit,omitempty"`   // "steps", "images"
	Facts map[string]float64 `json:"values,omitempty"` // progress: loss, accuracy, ...
	Words map[string]string  `json:"facts,omitempty"`  // environment, reasons
}

// Type says what kind of thing happened.
type Type string

// The types that a worker emits.
const (
	Progress    Type = "progress"
	Log         Type = "log"
	Warning     Type = "warning"
	Environment Type = "environment" // Words: versions, device name; part of the lock
	Failed      Type = "failed"      // Message: why
)

// The types that the runner emits.
const (
	RunStarted   Type = "run started"  // Words: spec, profile, device; Of: nodes
	NodeStarted  Type = "node started" // Message: why it runs; Facts: try, of, where it is not the first
	NodeRetries  Type = "node retries" // Message: why a try failed; Facts: try, of, wait (seconds)
	NodeWaits    Type = "node waits"   // another run works on the same node
	NodeDone     Type = "node done"    // Facts: seconds
	NodeFailed   Type = "node failed"  // Message: why
	NodeSkipped  Type = "node skipped" // Message: what it needs and does not get
	RunWaits     Type = "run waits"    // Of: nodes that wait, Message: for what besides cores; 0: none any more
	RunFinished  Type = "run finished" // Facts: seconds, done, failed, skipped
	RunInterrupt Type = "interrupted"  // the user asked to stop
)

// Events appends to the attempt's events.jsonl. It is safe for concurrent use.
type Events struct {
	mu   sync.Mutex
	file *os.File
	node string
	last time.Time
}

// Open starts the event file of the task's attempt.
func (t *Task) Open() error {
	file, err := os.OpenFile(filepath.Join(t.dir, "events.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	t.events = &Events{file: file, node: t.Node}
	return nil
}

// Emit appends one event; time and node are filled in. A task without an open event file drops it.
func (t *Task) Emit(e Event) {
	if t.events == nil {
		return
	}
	t.events.emit(e)
}

// Progress reports done of so many units, at most ten times a second; the last unit is always reported.
func (t *Task) Progress(done, of int, unit string, values map[string]float64) {
	if t.events == nil || (done < of && !t.events.due()) {
		return
	}
	t.events.emit(Event{Type: Progress, Done: done, Of: of, Unit: unit, Facts: values})
}

// Warn reports what the user should know although the work goes on.
func (t *Task) Warn(message string) { t.Emit(Event{Type: Warning, Message: message}) }

func (e *Events) due() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Since(e.last) < 100*time.Millisecond {
		return false
	}
	e.last = time.Now()
	return true
}

func (e *Events) emit(event Event) {
	event.Time, event.Node = time.Now().UTC(), e.node
	raw, err := json.Marshal(event)
	if err != nil {
		return // not a number in a progress value: an event must never fail the work
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, _ = e.file.Write(append(raw, '\n'))
}
