package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

func graphCommand() *cobra.Command {
	var f specFlags
	var format string
	writers := map[string]func(io.Writer, *graph.Graph){"text": graph.WriteText, "dot": graph.WriteDOT, "mermaid": graph.WriteMermaid, "svg": graph.WriteSVG}
	c := &cobra.Command{
		Use:   "graph SPEC",
		Short: "Draw the graph of a spec",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			write, ok := writers[format]
			if !ok {
				return wrong(fmt.Errorf("--format %s: take %s", format, strings.Join([]string{"text", "dot", "mermaid", "svg"}, ", ")))
			}
			_, g, err := f.load(args[0])
			if err != nil {
				return err
			}
			write(c.OutOrStdout(), g)
			return nil
		},
	}
	f.add(c)
	f.addNoFiles(c)
	c.Flags().StringVar(&format, "format", "text", "text, dot, mermaid or svg")
	return c
}
