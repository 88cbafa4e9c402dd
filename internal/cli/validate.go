package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/version"
	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

func validateCommand() *cobra.Command {
	var f specFlags
	var format string
	var asJSON bool
	c := &cobra.Command{
		Use:   "validate SPEC...",
		Short: "Report all that is wrong with specs, at once",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if asJSON {
				format = "json"
			}
			write, known := map[string]func(io.Writer, findings) error{"text": nil, "json": writeJSON, "sarif": writeSARIF}[format]
			if !known {
				return wrong(fmt.Errorf("--format %s: take text, json or sarif", format))
			}
			var found findings
			var failed error
			for _, path := range args {
				doc, g, err := f.loadAll(path)
				var mistakes diag.Error
				switch {
				case errors.As(err, &mistakes):
					for _, d := range mistakes.Diagnostics {
						found.all, found.specs = append(found.all, d), append(found.specs, path)
					}
				case err != nil:
					failed = err
					fmt.Fprintf(c.ErrOrStderr(), "%s: %v\n", path, err)
				default:
					found.good = append(found.good, goodSpec{path, doc.Profile, len(g.Nodes), f.lists})
					if write == nil {
						fmt.Fprintf(c.OutOrStdout(), "%s: good; %d nodes%s%s\n", path, len(g.Nodes), listsNote(f.lists), profileNote(doc))
					}
				}
			}
			if write == nil {
				diag.Write(c.ErrOrStderr(), found.all)
			} else if err := write(c.OutOrStdout(), found); err != nil {
				return exit{ExitFailed, err}
			}
			switch {
			case len(found.all) > 0:
				return silent(ExitSpec)
			case failed != nil:
				return silent(ExitFailed)
			}
			return nil
		},
	}
	f.add(c)
	f.addNoFiles(c)
	c.Flags().StringVar(&format, "format", "text", "text, json, or sarif for annotations in CI")
	c.Flags().BoolVar(&asJSON, "json", false, "short for --format json")
	return c
}

// findings are what validate has to say of all specs.
type findings struct {
	all   []diag.Diagnostic
	specs []string // whose each of them is
	good  []goodSpec
}

// goodSpec is a spec without mistakes. Its lists may not be there, if files are not looked for.
type goodSpec struct {
	Spec    string `json:"spec"`
	Profile string `json:"profile,omitempty"`
	Nodes   int    `json:"nodes"`
	experiment.Lists
}

func listsNote(l experiment.Lists) string {
	if text := l.String(); text != "" {
		return "; " + text
	}
	return ""
}

func profileNote(doc *spec.Document) string {
	if doc.Profile == "" {
		return ""
	}
	return fmt.Sprintf("; profile %s, chosen by %s", doc.Profile, doc.ProfileOrigin)
}

// writeJSON prints diagnostics with the titles of their codes and the columns behind their ends, and which specs are good.
func writeJSON(w io.Writer, found findings) error {
	type place struct {
		diag.Pos
		EndColumn int `json:"end_column,omitempty"`
	}
	type diagnostic struct {
		Code    string `json:"code"`
		Title   string `json:"title,omitempty"`
		Pos     place  `json:"pos"`
		Message string `json:"message"`
	}
	titles := map[string]string{}
	for _, e := range spec.Explanations() {
		titles[e.Code] = e.Title
	}
	list := []diagnostic{}
	for _, d := range found.all {
		list = append(list, diagnostic{d.Code, titles[d.Code], place{d.Pos, d.Pos.EndColumn()}, d.Message})
	}
	return printJSON(w, struct {
		Diagnostics []diagnostic `json:"diagnostics"`
		Good        []goodSpec   `json:"good,omitempty"`
	}{list, found.good})
}

func writeSARIF(w io.Writer, found findings) error {
	tool := diag.Tool{Name: "cyborg-run", Version: version.Version, Home: version.Home}
	for _, e := range spec.Explanations() {
		tool.Rules = append(tool.Rules, diag.Rule{Code: e.Code, Title: e.Title, Help: e.Text, URI: version.Home + "/blob/main/docs/errors.md#" + anchor(e)})
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	return diag.WriteSARIF(w, tool, root, found.all, found.specs)
}

// anchor is the name that GitHub gives the heading of a code in docs/errors.md.
func anchor(e spec.Explanation) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, e.Code+": "+e.Title)
}
