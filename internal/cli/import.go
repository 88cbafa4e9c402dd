package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/checkpoint"
)

func importCommand() *cobra.Command {
	return convertCommand(&cobra.Command{
		Use:   "import FILE [OUT]",
		Short: "Read someone's checkpoint, say what is in it, and convert it",
		Long: "Reads a checkpoint (.pth of any PyTorch, legacy ones too, or safetensors, told by their content), says what is in it,\n" +
			"and writes it to OUT, if given, in the format of its extension: .pth or .safetensors. Names lose what wrappers leave\n" +
			"before them (module., model.). Nothing that a .pth may hold is ever run.",
	})
}

func exportCommand() *cobra.Command {
	return convertCommand(&cobra.Command{
		Use:   "export FILE [OUT]",
		Short: "Write a checkpoint for others: .pth for torch.load, or safetensors",
		Long: "Writes a checkpoint to OUT in the format of its extension: .pth, which torch.load(OUT, weights_only=True) opens, or\n" +
			".safetensors, which safetensors.torch.load_file opens; and says what was in FILE. A .pth holds {epoch, state_dict,\n" +
			"optimizer}, from which torch.optim.SGD resumes; with --weights-only it is the state dict, for model.load_state_dict.",
	})
}

// conversion is what import and export do.
type conversion struct {
	dtype       string
	weightsOnly bool
	names       bool
	asJSON      bool
}

func convertCommand(c *cobra.Command) *cobra.Command {
	var v conversion
	c.Args = cobra.RangeArgs(1, 2)
	c.RunE = func(c *cobra.Command, args []string) error { return v.run(c, args) }
	c.Flags().StringVar(&v.dtype, "dtype", "", "write floating-point tensors as float32, float16, bfloat16 or float64")
	c.Flags().BoolVar(&v.weightsOnly, "weights-only", false, "write the state dict alone")
	c.Flags().BoolVar(&v.names, "names", false, "list all tensors")
	c.Flags().BoolVar(&v.asJSON, "json", false, "print JSON")
	return c
}

func (v *conversion) run(c *cobra.Command, args []string) error {
	write, err := v.writer(args)
	if err != nil {
		return wrong(err)
	}
	file, err := checkpoint.Read(args[0])
	if err != nil {
		return exit{ExitFailed, err}
	}
	found, err := describe(args[0], file, v.names)
	if err != nil {
		return exit{ExitFailed, err}
	}
	if write != nil {
		if found.Written, err = v.convert(file, args[1], write); err != nil {
			return exit{ExitFailed, err}
		}
	}
	if v.asJSON {
		return printJSON(c.OutOrStdout(), found)
	}
	found.print(c.OutOrStdout())
	return nil
}

// writer writes a checkpoint in one format, and says what of it the format has no place for.
type writer func(path string, f *checkpoint.File) (leftOut []string, err error)

// writer is that of the output's extension; nil where there is no output.
func (v *conversion) writer(args []string) (writer, error) {
	if len(args) == 1 {
		if v.dtype != "" || v.weightsOnly {
			return nil, errors.New("--dtype and --weights-only say how to write: name the file to write, too")
		}
		return nil, nil
	}
	if v.dtype != "" {
		if _, err := checkpoint.Convert(&checkpoint.File{}, checkpoint.DType(v.dtype)); err != nil {
			return nil, fmt.Errorf("--dtype: %w", err)
		}
	}
	switch extension := strings.ToLower(filepath.Ext(args[1])); extension {
	case ".safetensors":
		return func(path string, f *checkpoint.File) ([]string, error) {
			return beside(f, f.Optimizer != nil), checkpoint.WriteSafetensors(path, f)
		}, nil
	case ".pth", ".pt":
		if v.weightsOnly {
			return func(path string, f *checkpoint.File) ([]string, error) {
				leftOut := beside(f, f.Optimizer != nil)
				if f.Epoch != 0 {
					leftOut = append([]string{"epoch"}, leftOut...)
				}
				return leftOut, checkpoint.WriteState(path, f.Tensors)
			}, nil
		}
		return func(path string, f *checkpoint.File) ([]string, error) { return []string{}, checkpoint.Write(path, f) }, nil
	default:
		return nil, fmt.Errorf("%s: an output's extension says its format: take .pth or .safetensors", args[1])
	}
}

// convert writes the file as the flags say.
func (v *conversion) convert(f *checkpoint.File, path string, write writer) (*written, error) {
	if v.dtype != "" {
		var err error
		if f, err = checkpoint.Convert(f, checkpoint.DType(v.dtype)); err != nil {
			return nil, fmt.Errorf("write checkpoint %s: %w", path, err)
		}
	}
	leftOut, err := write(path, f)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return &written{File: path, Bytes: info.Size(), LeftOut: leftOut}, nil
}
