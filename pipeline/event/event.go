// Package event shows a run to those who watch it. A Sink gets every event of the run, in order, from one goroutine.
package event

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Sink gets the events of a run.
type Sink interface {
	Emit(task.Event)
	Close() error
}

// All hands every event to each sink.
type All []Sink

// Emit implements Sink.
func (a All) Emit(e task.Event) {
	for _, s := range a {
		s.Emit(e)
	}
}

// Close implements Sink and returns the first error.
func (a All) Close() (err error) {
	for _, s := range a {
		if closing := s.Close(); err == nil {
			err = closing
		}
	}
	return err
}

// JSON writes one object a line.
type JSON struct{ W io.Writer }

// Emit implements Sink.
func (j JSON) Emit(e task.Event) {
	encoder := json.NewEncoder(j.W)
	encoder.SetEscapeHTML(false) // people read it too: 0.02 -> 0.01
	_ = encoder.Encode(e)
}

// Close implements Sink.
func (j JSON) Close() error { return nil }

// File appends to events.jsonl, the run's own record.
type File struct {
	JSON
	f *os.File
}

// NewFile opens the record for appending.
func NewFile(path string) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &File{JSON{f}, f}, nil
}

// Close implements Sink.
func (f *File) Close() error { return f.f.Close() }

// Plain logs what happens as lines for a person or a log file; of progress it shows a line a node every ten seconds.
type Plain struct {
	log  zerolog.Logger
	last map[string]time.Time
}

// NewPlain writes to w, in colour where that is a terminal.
func NewPlain(w io.Writer, colour bool) *Plain {
	console := zerolog.ConsoleWriter{Out: w, TimeFormat: "15:04:05", NoColor: !colour}
	return &Plain{log: zerolog.New(console).With().Timestamp().Logger(), last: map[string]time.Time{}}
}

const plainEvery = 10 * time.Second

// Emit implements Sink.
func (p *Plain) Emit(e task.Event) {
	switch e.Type {
	case task.Progress:
		if time.Since(p.last[e.Node]) < plainEvery {
			return
		}
		p.last[e.Node] = time.Now()
		line := p.log.Info()
		for _, name := range sortedNames(e.Facts) {
			line = line.Float64(name, round(e.Facts[name]))
		}
		line.Msgf("%s: %d of %d %s", e.Node, e.Done, e.Of, e.Unit)
	case task.NodeStarted:
		p.last[e.Node] = time.Now()
		p.log.Info().Str("because", e.Message).Msgf("%s starts", e.Node)
	case task.NodeDone:
		p.log.Info().Str("took", Duration(e.Facts["seconds"])).Msgf("%s is done", e.Node)
	case task.NodeFailed:
		p.log.Error().Msgf("%s failed: %s", e.Node, e.Message)
	case task.NodeRetries:
		p.log.Warn().Msgf("%s failed at try %g of %g: %s", e.Node, e.Facts["try"], e.Facts["of"], e.Message)
		p.log.Info().Msgf("%s is tried again in %s", e.Node, Duration(e.Facts["wait"]))
	case task.RunWaits:
		if e.Of > 0 {
			p.log.Info().Msg(e.Message)
		}
	case task.NodeWaits:
		p.log.Info().Msgf("%s waits: %s", e.Node, e.Message)
	case task.Warning:
		p.log.Warn().Msg(nodePrefix(e) + e.Message)
	case task.Log, task.RunStarted, task.RunInterrupt:
		p.log.Info().Msg(nodePrefix(e) + e.Message)
	}
}

// Close implements Sink.
func (p *Plain) Close() error { return nil }

func nodePrefix(e task.Event) string {
	if e.Node == "" {
		return ""
	}
	return e.Node + ": "
}

func sortedNames(values map[string]float64) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func round(v float64) float64 {
	var r float64
	if _, err := fmt.Sscanf(fmt.Sprintf("%.4g", v), "%g", &r); err != nil {
		return v
	}
	return r
}

// Duration is a number of seconds as people say it: 0.4s, 12s, 3m20s.
func Duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < 10*time.Second {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", seconds), ".0") + "s"
	}
	return d.Round(time.Second).String()
}
