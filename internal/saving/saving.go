// Package saving keeps where a training is, so that a kill at any moment costs no more than what was done since.
//
// Terms: a training's state is its last two checkpoints, named by the steps done, and the weights of the epochs that were the
// best ones then. A checkpoint holds all that decides what comes: weights, the optimiser's state, random states, place and
// tables. Its file appears by one rename, the selected weights before it, and what no checkpoint needs goes last; so at least
// the checkpoint before is whole, and checksums tell damage.
package saving

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// Rule says when to save, whichever comes first; at the end of an epoch too. Zeros ask for neither.
type Rule struct {
	Steps int           // from one checkpoint to the next
	Every time.Duration // the same
}

// Place is how far a training is.
type Place struct{ Step, Epoch int }

// Best is the epoch whose weights are selected.
type Best struct {
	Epoch  int
	Figure float64
	Sum    uint32 // CRC-32 of the file that holds them in the state; 0 while none does
}

// Nothing is what Best is before the first epoch.
var Nothing = Best{Epoch: -1}

// Keeper saves one training. It serves one goroutine.
type Keeper struct {
	Best Best

	task     *task.Task
	rule     Rule
	selected *checkpoint.File // the weights of the best epoch, while no file of the state holds them

	at   Place         // where the training was when it was last saved ...
	when time.Time     // ... and when; or when it began or failed to save
	took time.Duration // what it cost
	ok   bool          // whether it succeeded

	kept   []kept          // the last two checkpoints that are known to be good, the older one first
	failed map[string]bool // causes of failure that were told
}

// kept is a checkpoint, and the epoch whose weights it goes with.
type kept struct {
	name  string
	epoch int
}

// New is the keeper of a task's training that begins or goes on now.
func New(t *task.Task, rule Rule) *Keeper {
	return &Keeper{Best: Nothing, task: t, rule: rule, when: time.Now()}
}

// CheckpointName is the file of the state that was saved after so many steps.
func CheckpointName(step int) string { return fmt.Sprintf("checkpoint-%09d.pth", step) }

// SelectedName is the file of the state with an epoch's weights.
func SelectedName(epoch int) string { return fmt.Sprintf("selected-%06d.pth", epoch) }

// Select makes an epoch the best one. Its weights must not change afterwards.
func (k *Keeper) Select(epoch int, figure float64, weights *checkpoint.File) {
	k.Best, k.selected = Best{Epoch: epoch, Figure: figure}, weights
}

// seldom is how many times longer than the last saving the work between two must be: saving takes at most 2 % of the time.
const seldom = 50

// Due tells whether it is time to save. Steps that the rule asks for are saved whatever that takes.
func (k *Keeper) Due(at Place, epochEnds bool) bool {
	if k.rule.Steps > 0 && at.Step-k.at.Step >= k.rule.Steps {
		return true
	}
	since := time.Since(k.when)
	return since >= seldom*k.took && (epochEnds || k.rule.Every > 0 && since >= k.rule.Every)
}

// Saved tells whether the newest checkpoint is of that place.
func (k *Keeper) Saved(at Place) bool { return k.ok && k.at == at }

// Save writes a checkpoint, which file makes. One that cannot be written is a warning, once for each cause, and the training
// goes on without; the error is file's.
func (k *Keeper) Save(at Place, file func() (*checkpoint.File, error)) error {
	began := time.Now()
	f, err := file()
	if err != nil {
		return err
	}
	err = k.keep(at, f)
	k.ok = err == nil
	if err != nil {
		k.warn(err)
	}
	k.at, k.when, k.took = at, time.Now(), time.Since(began)
	return nil
}

// keep writes the selected weights, where no file holds them yet, then the checkpoint that goes with them, and removes what is
// no longer needed.
func (k *Keeper) keep(at Place, file *checkpoint.File) error {
	if k.selected != nil {
		path := k.task.State(SelectedName(k.Best.Epoch))
		if err := checkpoint.Write(path, k.selected); err != nil {
			return err
		}
		sum, err := sumOf(path)
		if err != nil {
			return err
		}
		k.selected, k.Best.Sum = nil, sum
	}
	raw, err := json.Marshal(state{at, k.Best})
	if err != nil {
		return err
	}
	if file.Extra == nil {
		file.Extra = map[string]any{}
	}
	file.Extra["saved"] = string(raw)
	name := CheckpointName(at.Step)
	if err := checkpoint.Write(k.task.State(name), file); err != nil {
		return err
	}
	if n := len(k.kept); n > 0 && k.kept[n-1].name == name {
		k.kept = k.kept[:n-1]
	}
	k.kept = append(k.kept, kept{name, k.Best.Epoch})
	k.kept = k.kept[max(0, len(k.kept)-2):]
	k.tidy()
	return nil
}

// state is what a checkpoint holds of the keeper.
type state struct {
	At   Place
	Best Best
}

// Resume goes back to where an attempt that was cut off last saved: load gets its checkpoint, or after a failure the one
// before. resumed is false where there is none of use, with a warning where there was one; load may then have left a part of
// it done.
func (k *Keeper) Resume(load func(*checkpoint.File) error) (resumed, touched bool, err error) {
	names, err := filepath.Glob(filepath.Join(k.task.State(""), "checkpoint-*.pth"))
	if err != nil {
		return false, false, err
	}
	slices.Sort(names)
	slices.Reverse(names)
	for i, path := range names {
		err := k.takeUp(path, load)
		if err == nil {
			k.kept, k.ok = []kept{{filepath.Base(path), k.Best.Epoch}}, true
			k.task.Emit(task.Event{Type: task.Log, Message: fmt.Sprintf("goes on from step %d, in epoch %d", k.at.Step, k.at.Epoch+1)})
			return true, true, nil
		}
		then := "tries the one before"
		if i == len(names)-1 {
			then = "starts again from the beginning"
		}
		k.task.Warn(fmt.Sprintf("%s, because its last checkpoint is of no use: %v", then, err))
	}
	k.Best, k.at = Nothing, Place{}
	return false, len(names) > 0, nil
}

func (k *Keeper) takeUp(path string, load func(*checkpoint.File) error) error {
	file, err := checkpoint.Read(path)
	if err != nil {
		return err
	}
	var s state
	text, _ := file.Extra["saved"].(string)
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return fmt.Errorf("read checkpoint %s: where it is: %w", path, err)
	}
	if s.Best != Nothing {
		if err := whole(k.task.State(SelectedName(s.Best.Epoch)), s.Best.Sum); err != nil {
			return err
		}
	}
	if err := load(file); err != nil {
		return fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	k.at, k.Best = s.At, s.Best
	return nil
}

// Final writes the weights of the best epoch to path.
func (k *Keeper) Final(path string) error {
	if k.selected != nil {
		return checkpoint.Write(path, k.selected)
	}
	return copyFile(k.task.State(SelectedName(k.Best.Epoch)), path)
}

// Kept is the path of the newest good checkpoint; "" where there is none.
func (k *Keeper) Kept() string {
	if len(k.kept) == 0 {
		return ""
	}
	return k.task.State(k.kept[len(k.kept)-1].name)
}

// warn tells a failure to save once for each cause.
func (k *Keeper) warn(err error) {
	cause := err
	for next := errors.Unwrap(cause); next != nil; next = errors.Unwrap(cause) {
		cause = next
	}
	if k.failed == nil {
		k.failed = map[string]bool{}
	}
	if k.failed[cause.Error()] {
		return
	}
	k.failed[cause.Error()] = true
	from := "the beginning"
	if n := len(k.kept); n > 0 {
		from = k.kept[n-1].name
	}
	k.task.Warn(fmt.Sprintf("the training goes on, but was not saved: %v; cut off now, it would go on from %s", err, from))
}

// tidy removes what the kept checkpoints do not need, and what killed attempts left half written. What cannot be removed does
// no harm.
func (k *Keeper) tidy() {
	needed := map[string]bool{}
	for _, c := range k.kept {
		needed[c.name], needed[SelectedName(c.epoch)] = true, true
	}
	entries, _ := os.ReadDir(k.task.State(""))
	for _, e := range entries {
		if !needed[e.Name()] {
			_ = os.Remove(k.task.State(e.Name()))
		}
	}
}

// whole sees that the selected weights which belong to a checkpoint are there as they were written.
func whole(path string, want uint32) error {
	sum, err := sumOf(path)
	if err != nil {
		return fmt.Errorf("the selected weights that go with it: %w", err)
	}
	if sum != want {
		return errors.New("the selected weights that go with it are damaged: " + path)
	}
	return nil
}

// sumOf is a file's checksum: CRC-32, as in the checkpoints themselves. It guards against damage, not against intent.
func sumOf(path string) (uint32, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	sum := crc32.NewIEEE()
	_, err = io.Copy(sum, file)
	return sum.Sum32(), err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if closing := out.Close(); err == nil {
		err = closing
	}
	return err
}
