// Command cyborg-torch is the worker for stages that need tensors or exact images. cyborg-run starts it.
package main

import (
	"fmt"
	"os"

	"github.com/cyborg-run/cyborg-run/internal/version"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
	cam "github.com/cyborg-run/cyborg-run/stages/cam/worker"
	evaluate "github.com/cyborg-run/cyborg-run/stages/evaluate/worker"
	prepare "github.com/cyborg-run/cyborg-run/stages/prepare/worker"
	train "github.com/cyborg-run/cyborg-run/stages/train/worker"
	weights "github.com/cyborg-run/cyborg-run/stages/weights/worker"
)

// works are the kinds of stage that this program does. A new kind is a folder and a line here.
var works = map[string]task.Work{
	"prepare":  prepare.Run,
	"train":    train.Run,
	"evaluate": evaluate.Run,
	"cam":      cam.Run,
	"weights":  weights.Run,
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
