// Command cyborg-run runs, checks and reports the experiments that a YAML spec declares.
package main

import (
	"os"

	"github.com/cyborg-run/cyborg-run/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
