package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/stages"
)

func graphCommand() *cobra.Command {
	var f specFlags
	var format string
	var origins, asJSON bool
	writers := map[string]func(io.Writer, *graph.Graph){"text": graph.WriteText, "dot": graph.WriteDOT, "mermaid": graph.WriteMermaid, "svg": graph.WriteSVG}
	c := &cobra.Command{
		Use:   "graph SPEC",
		Short: "Draw the graph of a spec, or list where its values come from",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			write, ok := writers[format]
			if !ok {
				return wrong(fmt.Errorf("--format %s: take %s", format, strings.Join([]string{"text", "dot", "mermaid", "svg"}, ", ")))
			}
			if asJSON && !origins {
				return wrong(errors.New("--json is for --origins"))
			}
			doc, g, err := f.load(args[0])
			if err != nil {
				return err
			}
			out := bufio.NewWriter(c.OutOrStdout())
			switch {
			case asJSON:
				err = writeOriginsJSON(out, doc.Origins(stages.Sections()))
			case origins:
				writeOrigins(out, doc.Origins(stages.Sections()))
			default:
				write(out, g)
			}
			return errors.Join(err, out.Flush())
		},
	}
	f.add(c)
	f.addNoFiles(c)
	c.Flags().StringVar(&format, "format", "text", "text, dot, mermaid or svg")
	c.Flags().BoolVar(&origins, "origins", false, "list every value of the resolved spec with the place it comes from")
	c.Flags().BoolVar(&asJSON, "json", false, "write --origins as JSON")
	return c
}
