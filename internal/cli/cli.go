// Package cli is the command line of cyborg-run: one file a command. Results go to standard output, everything else to
// standard error.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// Exit statuses of cyborg-run.
const (
	ExitDone        = 0
	ExitFailed      = 1 // a node failed, or the machine did: a full disk, a folder that may not be written
	ExitSpec        = 2 // the spec, a list that it names, or the command line is wrong, or asks for what is not there yet
	ExitCheck       = 3 // a check did not hold
	ExitInterrupted = 130
)

// exit is an error with a status of its own. Its message is printed; an empty one is not.
type exit struct {
	status int
	err    error
}

func (e exit) Error() string { return e.err.Error() }
func (e exit) Unwrap() error { return e.err }

// wrong marks an error as one of the spec or the command line.
func wrong(err error) error { return exit{ExitSpec, err} }

// failed marks an error of the files around a run: of the command line where a file is named as a folder.
func failed(err error) error {
	if errors.Is(err, syscall.ENOTDIR) {
		return wrong(err)
	}
	return exit{ExitFailed, err}
}

// silent ends with a status when all has been said.
func silent(status int) error { return exit{status, errors.New("")} }

// Main runs a command line and returns the exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	root := command()
	root.SetArgs(withRun(root, args))
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return ExitDone
	}
	status := ExitSpec // what cobra itself complains of is the command line
	var e exit
	if errors.As(err, &e) {
		status = e.status
	}
	var mistakes diag.Error
	switch {
	case errors.As(err, &mistakes):
		diag.Write(stderr, mistakes.Diagnostics)
	case err.Error() != "":
		fmt.Fprintln(stderr, "cyborg-run:", err)
	}
	return status
}

// withRun makes `cyborg-run SPEC` short for `cyborg-run run SPEC`.
func withRun(root *cobra.Command, args []string) []string {
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			if arg == "-h" || arg == "--help" || arg == "--version" {
				return args
			}
			continue
		}
		if found, _, err := root.Find([]string{arg}); err == nil && found != root || arg == "help" || strings.HasPrefix(arg, "__complete") {
			return args
		}
		if strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml") || isFile(arg) {
			return append([]string{"run"}, args...)
		}
		if len(args) > 1 && args[0] != arg { // a flag's value
			continue
		}
		return args
	}
	return args
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "cyborg-run SPEC",
		Short: "Run, check and report the experiments that a YAML spec declares",
		Long: "cyborg-run turns one YAML spec into a graph of stages, runs what is not done yet, and leaves a folder with scores,\n" +
			"tables, figures and a report. `cyborg-run SPEC` is short for `cyborg-run run SPEC`.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(runCommand(), dataCommand(), humanCommand(), validateCommand(), schemaCommand(), planCommand(), graphCommand(), reportCommand(), lockCommand(), checkCommand(), diffCommand(), initCommand(), importCommand(), exportCommand(), doctorCommand(), whyCommand(), gcCommand(),
		versionCommand(), workCommand(), guardCommand())
	return root
}
