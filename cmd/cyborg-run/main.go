// Command cyborg-run runs, checks and reports the experiments that a YAML spec declares.
package main

import (
	"os"
	"runtime/debug"

	"github.com/cyborg-run/cyborg-run/internal/cli"
)

func main() {
	if os.Getenv("GOGC") == "" { // a plan makes much at once and ends: collected half as often, it is there a tenth sooner
		debug.SetGCPercent(200)
	}
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
