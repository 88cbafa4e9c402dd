package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

func validateCommand() *cobra.Command {
	var f specFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "validate SPEC...",
		Short: "Report all that is wrong with specs, at once",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			all := []diag.Diagnostic{}
			var failed error
			for _, path := range args {
				doc, g, err := f.load(path)
				var mistakes diag.Error
				switch {
				case errors.As(err, &mistakes):
					all = append(all, mistakes.Diagnostics...)
				case err != nil:
					failed = err
					fmt.Fprintf(c.ErrOrStderr(), "%s: %v\n", path, err)
				case !asJSON:
					fmt.Fprintf(c.OutOrStdout(), "%s: good; %d nodes%s\n", path, len(g.Nodes), profileNote(doc))
				}
			}
			if asJSON {
				encoder := json.NewEncoder(c.OutOrStdout())
				encoder.SetIndent("", "  ")
				if err := encoder.Encode(map[string]any{"diagnostics": all}); err != nil {
					return err
				}
			} else {
				diag.Write(c.ErrOrStderr(), all)
			}
			switch {
			case len(all) > 0:
				return silent(ExitSpec)
			case failed != nil:
				return silent(ExitFailed)
			}
			return nil
		},
	}
	f.add(c)
	f.addNoFiles(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print the diagnostics as JSON")
	return c
}

func profileNote(doc *spec.Document) string {
	if doc.Profile == "" {
		return ""
	}
	return fmt.Sprintf("; profile %s, chosen by %s", doc.Profile, doc.ProfileOrigin)
}
