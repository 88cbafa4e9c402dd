package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// attempt makes one try at a step in an attempt folder and commits it.
func (s *scheduler) attempt(ctx context.Context, t *turn) error {
	step, node := t.step, t.step.Node
	unlock, err := s.store.Lock(ctx, step.Key, func() {
		s.events <- event(task.NodeWaits, node.Name, "another run works on it")
	})
	if err != nil {
		return s.explain(err, "")
	}
	defer unlock()
	if _, err := s.store.Find(step.Key); err == nil {
		return nil // the other run did it
	}
	try, err := s.store.Begin(step.Key)
	if err != nil {
		return s.explain(err, "")
	}
	if err := s.write(t, try.Dir); err != nil {
		return s.explain(err, try.Dir)
	}
	log, err := follow(try.Dir, node.Name, func(e task.Event) { s.events <- e })
	if err != nil {
		return s.explain(err, try.Dir)
	}
	s.events <- started(t)
	limited, end := within(ctx, node.Limits, log)
	err = s.executor.Execute(limited, node.Stage.Program, try.Dir)
	log.end()
	cause := context.Cause(limited)
	end()
	if err == nil {
		s.ended <- t
		_, err = try.Commit(store.Manifest{Node: node.Name, Kind: node.Stage.Kind, Parts: step.Parts,
			Environment: log.environment}, node.Stage.Outputs)
		return s.explain(err, try.Dir)
	}
	var over *OverLimit
	var said *failed
	switch {
	case ctx.Err() == nil && errors.As(cause, &over):
		return over
	case errors.As(err, &said) && log.failed != "":
		err = errors.New(log.failed)
	}
	return s.explain(err, try.Dir)
}

// explain names the cause where the folder that a node works in is gone, which shows in many ways.
func (s *scheduler) explain(err error, attempt string) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	for _, dir := range append(s.store.Folders(), attempt) {
		if _, gone := os.Stat(dir); dir != "" && errors.Is(gone, fs.ErrNotExist) {
			return fmt.Errorf("the folder %s was removed while the node was at work; the same command makes again what is gone (%w)", dir, err)
		}
	}
	return err
}

// started is the event of a try that begins.
func started(t *turn) task.Event {
	e := event(task.NodeStarted, t.step.Node.Name, "")
	if len(t.step.Reasons) > 0 {
		e.Message = t.step.Reasons[0]
	}
	if t.try > 1 {
		e.Message = fmt.Sprintf("try %d of %d", t.try, t.step.Node.Retry.Times+1)
		e.Facts = map[string]float64{"try": float64(t.try), "of": float64(t.step.Node.Retry.Times + 1)}
	}
	return e
}

// write makes the task file.
func (s *scheduler) write(turn *turn, attempt string) error {
	step := turn.step
	params, err := json.Marshal(step.Node.Params)
	if err != nil {
		return fmt.Errorf("write task: %w", err)
	}
	t := task.Task{Node: step.Node.Name, Kind: step.Node.Stage.Kind, Axes: step.Node.AxisMap(), Params: params,
		Inputs: map[string][]task.Input{}, Device: s.device(turn), Threads: max(1, step.Node.CPUs)} // as the key says, however few there are
	if how := step.Node.How; how != nil {
		if t.How, err = json.Marshal(how); err != nil {
			return fmt.Errorf("write task: %w", err)
		}
	}
	for i, edge := range step.Node.Needs {
		from := step.Inputs()[i]
		t.Inputs[edge.Port] = append(t.Inputs[edge.Port], task.Input{Node: edge.From.Name, Axes: edge.From.AxisMap(),
			Path: from.Artifact.Path(edge.Output)})
	}
	raw, err := json.MarshalIndent(t, "", " ")
	if err != nil {
		return fmt.Errorf("write task: %w", err)
	}
	return os.WriteFile(filepath.Join(attempt, "task.json"), raw, 0o644) // nothing reads it after a crash
}
