// Package stages lists the kinds of stage that specs may use. A new kind is a folder and a line here.
package stages

//go:generate go run ../internal/build/specdoc

import (
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	"github.com/cyborg-run/cyborg-run/stages/agreement"
	"github.com/cyborg-run/cyborg-run/stages/annotate"
	"github.com/cyborg-run/cyborg-run/stages/cam"
	"github.com/cyborg-run/cyborg-run/stages/check"
	"github.com/cyborg-run/cyborg-run/stages/earlier"
	"github.com/cyborg-run/cyborg-run/stages/evaluate"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
	"github.com/cyborg-run/cyborg-run/stages/generate"
	"github.com/cyborg-run/cyborg-run/stages/human"
	"github.com/cyborg-run/cyborg-run/stages/leaks"
	"github.com/cyborg-run/cyborg-run/stages/pretrain"
	"github.com/cyborg-run/cyborg-run/stages/saliency"
	"github.com/cyborg-run/cyborg-run/stages/summary"
	"github.com/cyborg-run/cyborg-run/stages/train"
	"github.com/cyborg-run/cyborg-run/stages/weights"
)

// Kinds are the kinds that a spec's stages may use.
func Kinds() []experiment.Kind {
	return []experiment.Kind{
		saliency.Kind,
		train.Kind,
		pretrain.Kind,
		weights.Kind,
		earlier.LogKind,
		evaluate.Kind,
		earlier.ScoresKind,
		cam.Kind,
		annotate.Kind,
		agreement.Kind,
		human.Kind,
		summary.Spec,
		check.Spec,
	}
}

// Sections are the top-level keys that specs may have, with their Go types.
func Sections() map[string]any { return experiment.Sections(Kinds()) }

// Works are the kinds that the runner's own program does, in a worker process like any other.
func Works() map[string]task.Work {
	return map[string]task.Work{
		"generate":  generate.Run,
		"train_log": earlier.RunLog,
		"scores":    earlier.RunScores,
		"agreement": agreement.Run,
		"human":     human.Run,
		"heads":     leaks.RunHeads,
		"summary":   summary.Run,
		"check":     check.Run,
	}
}
