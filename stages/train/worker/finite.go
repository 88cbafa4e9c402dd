package worker

import (
	"fmt"
	"math"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// finite stops a training whose loss is no number before the step spoils the weights.
func (tr *trainer) finite(figures []float64, index []int64) error {
	if isFinite(figures[0]) {
		return nil
	}
	term := "the total"
	for i, name := range tr.terms.Columns() {
		if !isFinite(figures[2+i]) {
			term = "the term " + name
			break
		}
	}
	rows := tr.data.Set.Rows()
	var images []string
	for _, i := range index[:min(len(index), 5)] {
		images = append(images, rows[i].Path)
	}
	if more := len(index) - len(images); more > 0 {
		images = append(images, fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("step %d (epoch %d): the loss is %v because of %s; images of the step: %s. %s",
		tr.at.Step, tr.at.Epoch+1, figures[0], term, strings.Join(images, ", "), tr.cure())
}

// cure ends the message of a training that went astray.
func (tr *trainer) cure() string {
	kept := "no checkpoint was made yet"
	if path := tr.keeper.Kept(); path != "" {
		kept = "the last good checkpoint is kept: " + path
	}
	return fmt.Sprintf("The training stops here; %s. A lower train.optimizer.sgd.lr (now %g) is the usual cure", kept, tr.sgd.LR)
}

// sound tells whether all weights are numbers. A step can spoil them before any loss shows it.
func (tr *trainer) sound() (bool, error) {
	total := 0.0
	err := tr.scope.Do(func(s *torch.Scope) error {
		s.NoGrad(func() {
			var sums []torch.Tensor
			for _, p := range tr.net.Parameters() {
				sums = append(sums, s.Sum(p))
			}
			for _, sum := range tr.read(s, sums) {
				total += sum
			}
		})
		return nil
	})
	return isFinite(total), err
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
