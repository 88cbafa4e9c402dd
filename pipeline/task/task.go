// Package task is the contract between the runner and a worker.
//
// The runner writes one task file, task.json, into an attempt folder and starts a worker process with its path. The
// worker does that one stage, writes its events to events.jsonl and its outputs below out/ in the same folder, and
// exits: 0 done, 1 failed (the last event says why), 130 interrupted. Nothing else passes between the two.
//
//	attempt/task.json      what to do
//	attempt/events.jsonl   what happens, one JSON object a line, only ever appended
//	attempt/out/           outputs by name; complete only when the worker has exited with 0
//	attempt/state/         what a later attempt at the same key may go on from (training checkpoints)
package task

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Task is one stage with its matrix values, ready to be done.
type Task struct {
	Node    string             `json:"node"` // fit[loss=cyborg,seed=3]
	Kind    string             `json:"kind"` // train
	Axes    map[string]string  `json:"axes,omitempty"`
	Params  json.RawMessage    `json:"params"`
	How     json.RawMessage    `json:"how,omitempty"` // what changes no result: when to save, for one
	Inputs  map[string][]Input `json:"inputs"`        // by port
	Device  string             `json:"device"`        // cpu, cuda:0
	Threads int                `json:"threads"`

	dir    string
	events *Events
}

// Input is one output of an earlier node, or one file of the user's.
type Input struct {
	Node string            `json:"node"`
	Axes map[string]string `json:"axes,omitempty"`
	Path string            `json:"path"` // absolute; a file or a folder
}

// Work does one task. It must return soon after ctx is done, with ctx.Err(), having saved in State what a later
// attempt can go on from.
type Work func(ctx context.Context, t *Task) error

// Read opens the task of an attempt folder.
func Read(dir string) (*Task, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "task.json"))
	if err != nil {
		return nil, fmt.Errorf("read task: %w", err)
	}
	t := &Task{dir: dir}
	if err := json.Unmarshal(raw, t); err != nil {
		return nil, fmt.Errorf("read task %s: %w", dir, err)
	}
	return t, nil
}

// In prepares a task that works in dir, for tests and for callers that are no runner.
func (t *Task) In(dir string) (*Task, error) {
	t.dir = dir
	for _, sub := range []string{"out", "state"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Decode reads the parameters into p, a pointer to the kind's Params.
func (t *Task) Decode(p any) error {
	if err := json.Unmarshal(t.Params, p); err != nil {
		return fmt.Errorf("parameters of %s: %w", t.Node, err)
	}
	return nil
}

// DecodeHow reads into p what the task says beside its parameters; p stays as it is where it says nothing.
func (t *Task) DecodeHow(p any) error {
	if len(t.How) == 0 {
		return nil
	}
	if err := json.Unmarshal(t.How, p); err != nil {
		return fmt.Errorf("how to do %s: %w", t.Node, err)
	}
	return nil
}

// Out is the path of the output with that name; its folder exists.
func (t *Task) Out(name string) string { return t.sub("out", name) }

// State is a path in the folder that outlives this attempt; its folder exists.
func (t *Task) State(name string) string { return t.sub("state", name) }

func (t *Task) sub(folder, name string) string {
	path := filepath.Join(t.dir, folder, filepath.FromSlash(name))
	_ = os.MkdirAll(filepath.Dir(path), 0o755) // the caller's write reports a folder that cannot be made
	return path
}

// One is the only input of a port.
func (t *Task) One(port string) (Input, error) {
	if got := len(t.Inputs[port]); got != 1 {
		return Input{}, fmt.Errorf("%s: input %q: %d given, 1 needed", t.Node, port, got)
	}
	return t.Inputs[port][0], nil
}
