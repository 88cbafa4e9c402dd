package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/study"
)

func humanCommand() *cobra.Command {
	c := &cobra.Command{Use: "human", Short: "Show images to people, and keep what they answer and draw", Args: cobra.NoArgs}
	c.AddCommand(humanServeCommand(), humanExportCommand())
	return c
}

func humanExportCommand() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use:   "export DIR",
		Short: "Write the drawings and answers of a study for the stages saliency and human",
		Long: "export reads the study in DIR, which may be going on, and writes trials.csv (for the stage human), answers.csv and\n" +
			"drawings/PARTICIPANT/IMAGE.png (for the stage saliency). Doing it again writes the same files anew.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if to == "" {
				to = filepath.Join(args[0], "export")
			}
			done, err := study.Export(args[0], to)
			if err != nil {
				return exit{ExitFailed, fmt.Errorf("export: %w", err)}
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d participants, %d trials, %d drawings\n", to, done.Participants, done.Trials, done.Drawings)
			return nil
		},
	}
	c.Flags().StringVar(&to, "to", "", "the folder to write into (default DIR/export)")
	return c
}
