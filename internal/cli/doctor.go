package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/version"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

func doctorCommand() *cobra.Command {
	var place placeFlags
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is here and what is missing",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			w := c.OutOrStdout()
			fmt.Fprintf(w, "cyborg-run    %s, %s/%s, %d cores\n", version.Version, runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
			temp, err := os.MkdirTemp("", "cyborg-doctor-*")
			if err != nil {
				return exit{ExitFailed, err}
			}
			defer func() { _ = os.RemoveAll(temp) }()
			st, err := store.Open(filepath.Join(temp, "store"))
			if err != nil {
				return exit{ExitFailed, err}
			}
			defer st.Close()
			found, err := findWorker(st, place.device)
			if err != nil {
				return exit{ExitFailed, err}
			}
			if found.path == "" {
				return exit{ExitFailed, fmt.Errorf("there is no cyborg-torch beside %s: specs can be checked and planned here, not run; build it with `make build` or name it by CYBORG_TORCH", executable())}
			}
			fmt.Fprintf(w, "cyborg-torch  %s, libtorch %s\n", found.path, found.Libtorch)
			fmt.Fprintf(w, "device        %s %s\n", found.device, found.why)
			return nil
		},
	}
	c.Flags().StringVar(&place.device, "device", "auto", "auto, cpu, cuda or cuda:N")
	return c
}
