package worker

import (
	"fmt"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/internal/model"
	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// initial is what came of the checkpoint that the spec starts from; it stands in run.json.
type initial struct {
	From       string   `json:"from,omitempty"`   // its path, or
	SHA256     string   `json:"sha256,omitempty"` // its digest, if it was fetched
	Taken      int      `json:"taken"`            // tensors
	Excepted   []string `json:"excepted"`         // in the network; they keep the values that the seed gave them
	Missing    []string `json:"missing"`          // of these, not in the file
	Mismatched []string `json:"mismatched"`       // of these, of another shape in the file
	Unused     []string `json:"unused"`           // in the file, not in the network
}

// initialise draws the weights from the seed, then reads those of the checkpoint that the spec names.
func (tr *trainer) initialise() error {
	random := torch.NewGenerator(torch.CPU, tr.job.Seed)
	defer random.Close()
	if err := tr.net.Init(random); err != nil {
		return err
	}
	from := tr.job.Model.Init
	if !from.Given() {
		return nil
	}
	path, err := from.Path()
	if err != nil {
		return err
	}
	file, err := checkpoint.Read(path)
	if err != nil {
		return err
	}
	report, err := tr.net.Load(file.Tensors, model.LoadOptions{Except: from.Except})
	if err != nil {
		return fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	tr.initial = &initial{From: from.From, SHA256: from.SHA256,
		Taken:    len(file.Tensors) - len(report.Unused) - (len(report.Excepted) - len(report.Missing)),
		Excepted: listed(report.Excepted), Missing: listed(report.Missing), Unused: listed(report.Unused), Mismatched: []string{}}
	for _, m := range report.Mismatched {
		tr.initial.Mismatched = append(tr.initial.Mismatched, m.String())
	}
	tr.task.Emit(task.Event{Type: task.Log, Message: tr.initial.String()})
	return nil
}

// listed is an empty list in JSON where there are none.
func listed(names []string) []string { return append([]string{}, names...) }

// String is the line of the log.
func (i *initial) String() string {
	where := i.From
	if i.SHA256 != "" {
		where = "SHA-256 " + i.SHA256
	}
	out := fmt.Sprintf("first weights from %s: %d tensors", where, i.Taken)
	for _, part := range []struct {
		what  string
		names []string
	}{
		{"excepted, which keep random values", i.Excepted}, {"of them missing in the file", i.Missing},
		{"of them of another shape", i.Mismatched}, {"unused", i.Unused},
	} {
		if len(part.names) > 0 {
			out += fmt.Sprintf("; %d %s (%s)", len(part.names), part.what, strings.Join(part.names, ", "))
		}
	}
	return out
}
