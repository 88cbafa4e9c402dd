// Command cyborg-torch is the worker for stages that need tensors or exact images. cyborg-run starts it.
package main

import (
	"fmt"
	"os"

	"github.com/cyborg-run/cyborg-run/internal/version"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	annotate "github.com/cyborg-run/cyborg-run/stages/annotate/worker"
	cam "github.com/cyborg-run/cyborg-run/stages/cam/worker"
	evaluate "github.com/cyborg-run/cyborg-run/stages/evaluate/worker"
	leaks "github.com/cyborg-run/cyborg-run/stages/leaks/worker"
	prepare "github.com/cyborg-run/cyborg-run/stages/prepare/worker"
	pretrain "github.com/cyborg-run/cyborg-run/stages/pretrain/worker"
	saliency "github.com/cyborg-run/cyborg-run/stages/saliency/worker"
	train "github.com/cyborg-run/cyborg-run/stages/train/worker"
	weights "github.com/cyborg-run/cyborg-run/stages/weights/worker"
)

// works are the kinds of stage that this program does. A new kind is a folder and a line here.
var works = map[string]task.Work{
	"prepare":  prepare.Run,
	"saliency": saliency.Run,
	"train":    train.Run,
	"evaluate": evaluate.Run,
	"cam":      cam.Run,
	"annotate": annotate.Run,
	"pretrain": pretrain.Run,
	"weights":  weights.Run,
	"pixels":   leaks.Run,
}

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "work":
		os.Exit(task.Main(os.Args[2], works))
	case len(os.Args) == 2 && os.Args[1] == "info":
		os.Exit(printInfo())
	case len(os.Args) == 2 && os.Args[1] == "version":
		fmt.Println("cyborg-torch", version.Version)
	default:
		fmt.Fprintln(os.Stderr, "usage: cyborg-torch work ATTEMPT | info | version\ncyborg-run starts this program; you rarely need to.")
		os.Exit(2)
	}
}
