package cli

import (
	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/specs"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of specs, for editors",
		Long: "schema prints what a spec may say as JSON Schema (draft 2020-12). With it in a file beside a spec,\n" +
			"\n  cyborg-run schema > cyborg-run.schema.json\n\n" +
			"and `# yaml-language-server: $schema=cyborg-run.schema.json` as the spec's first line, an editor with\n" +
			"yaml-language-server (VS Code, Neovim, Emacs, ...) completes keys, shows what they are, and marks mistakes.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(specs.Schema)
			return err
		},
	}
}
