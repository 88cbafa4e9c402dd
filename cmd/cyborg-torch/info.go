package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/cyborg-run/cyborg-run/internal/torch"
	"github.com/cyborg-run/cyborg-run/internal/workerinfo"
)

// printInfo says what this worker is and which devices it can use.
func printInfo() int {
	info := workerinfo.Info{Libtorch: torch.Version(), Devices: []string{}}
	count, err := torch.CUDACount()
	info.NoCUDA = reason(err)
	for i := range count {
		p, err := torch.CUDA(i).Properties()
		if err != nil {
			info.NoCUDA = err.Error()
			break
		}
		info.CUDA = p.Runtime
		info.Devices = append(info.Devices, p.Name)
	}
	if err := json.NewEncoder(os.Stdout).Encode(info); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
