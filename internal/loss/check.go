package loss

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Check says what is wrong with a loss: no terms, an unknown name, class, method or distance, no map or tap where a term
// needs them, adaptive weights without two sides.
func (l Loss) Check() error {
	if len(l) == 0 {
		return fmt.Errorf("the loss has no terms; there are: %s", strings.Join(Names(), ", "))
	}
	for i, term := range l {
		if find(term.Name) < 0 {
			return fmt.Errorf("term %d of the loss: unknown term %q; there are: %s", i+1, term.Name, strings.Join(Names(), ", "))
		}
		if err := term.check(); err != nil {
			return fmt.Errorf("term %d of the loss (%s): %w", i+1, term.Name, err)
		}
	}
	return l.checkAdaptive()
}

func (t Term) check() error {
	reads := terms[find(t.Name)]
	return errors.Join(
		known("class", t.Class, Classes()), known("method", t.Method, Methods()), known("distance", t.Distance, Distances()),
		must(!reads.mapped || t.Map != "" && t.Tap != "", "it compares CAMs with maps: name a map and a tap"),
		must(!reads.cam || reads.mapped || t.Tap != "", "it reads CAMs: name a tap"),
		must(t.Keep == nil || *t.Keep >= 0 && *t.Keep <= 1, "keep is a share, from 0 to 1"),
		must(reads.cam || t.Keep == nil && !t.Log, "keep and log are for terms that read CAMs"),
	)
}

// checkAdaptive sees that adaptive weights have two sides: one cross-entropy, and saliency terms.
func (l Loss) checkAdaptive() error {
	entropies, others := 0, 0
	for i, term := range l {
		switch {
		case !term.Adaptive:
		case term.Name == crossEntropyName:
			entropies++
		case !terms[find(term.Name)].cam || term.Log:
			return fmt.Errorf("term %d of the loss (%s): adaptive weighs cross_entropy against terms that read CAMs and are not in log", i+1, term.Name)
		default:
			others++
		}
	}
	return must(entropies+others == 0 || entropies == 1 && others > 0,
		"adaptive weighs one cross_entropy against terms that read CAMs: both sides must say it")
}

func known[T ~string](what string, value T, all []T) error {
	if value == "" || slices.Contains(all, value) {
		return nil
	}
	names := make([]string, len(all))
	for i, name := range all {
		names[i] = string(name)
	}
	return fmt.Errorf("unknown %s %q; there are: %s", what, value, strings.Join(names, ", "))
}

func must(holds bool, otherwise string) error {
	if holds {
		return nil
	}
	return errors.New(otherwise)
}
