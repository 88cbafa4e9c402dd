package cli

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

//go:embed init.yaml
var starter string

func initCommand() *cobra.Command {
	var list bool
	var arch string
	c := &cobra.Command{
		Use:   "init [SPEC]",
		Short: "Write a spec to start from, or list the networks",
		Long: "init writes a short, commented spec that trains a network on your own lists of images; edit it, then run it.\n" +
			"It never writes over a file.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if list {
				return listArchitectures(c.OutOrStdout())
			}
			if _, ok := nn.Lookup(arch); !ok {
				return wrong(fmt.Errorf("--arch: there is no network %q%s; there are: %s", arch, spec.Suggest(arch, nn.Names()), strings.Join(nn.Names(), ", ")))
			}
			path := "cyborg.yaml"
			if len(args) > 0 {
				path = args[0]
			}
			if err := writeStarter(path, arch); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "wrote %s: name your lists of images in it, look at it with `cyborg-run validate %s`, then run `cyborg-run %s`\n", path, path, path)
			return nil
		},
	}
	c.Flags().BoolVar(&list, "list-architectures", false, "list the networks with their inputs, taps and maps, and write nothing")
	c.Flags().StringVar(&arch, "arch", "resnet50", "the network of the spec")
	return c
}

var notName = regexp.MustCompile(`[^a-z0-9_-]+`)

func writeStarter(path, arch string) error {
	name := strings.Trim(notName.ReplaceAllString(strings.ToLower(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))), "-"), "-")
	if name == "" {
		name = "mine"
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return wrong(fmt.Errorf("%s is there already: name another file, or take it away first", path))
	}
	if err == nil {
		_, err = io.WriteString(f, strings.NewReplacer("NAME", name, "ARCH", arch).Replace(starter))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return exit{ExitFailed, err}
	}
	return nil
}

// listArchitectures prints what each network declares of itself.
func listArchitectures(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NETWORK\tPIXELS\tMEAN\tSTD\tMAP\tTAP authors\tTAP pooled\tPARAMETERS")
	for _, name := range nn.Names() {
		build, _ := nn.Lookup(name)
		n := build(2)
		h, w, err := n.Grid(n.Input.Side, "pooled")
		if err != nil {
			return exit{ExitFailed, err}
		}
		values := 0
		for _, p := range n.Parameters() {
			if p.Trainable() {
				values += p.Shape.Numel()
			}
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%dx%d\t%s\t%s\t%.2f million\n", name, n.Input.Side, list3(n.Input.Mean), list3(n.Input.Std),
			h, w, n.Taps.Authors, n.Taps.Pooled, float64(values)/1e6)
	}
	return table.Flush()
}

func list3(v [3]float64) string {
	if v[0] == v[1] && v[1] == v[2] {
		return fmt.Sprint(v[0])
	}
	return fmt.Sprintf("%v %v %v", v[0], v[1], v[2])
}
