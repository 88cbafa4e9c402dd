// Command fetch puts libtorch where the build looks for it: the folder .libtorch of the checkout, laid out as Python's
// site-packages is (torch/lib, torch/include, nvidia/...), which the libraries' own rpaths rely on.
//
//	go run ./internal/build/fetch              the CPU set: 543 MB to get, 0.3.7 GB on the disk
//	go run ./internal/build/fetch -set cuda    the CUDA set: 2.5 GB to get, 3.7 GB on the disk
//	go run ./internal/build/fetch -from DIR    nothing to get: links to an installed PyTorch
//
// The libraries come out of PyTorch's wheels, which pip downloads from wherever the user's pip is set up to look; each
// is pinned by its SHA-256. A wheel is deleted once unpacked, and a stamp then lists its files. What a stamp lists and
// the disk does not hold is got again, wheel by wheel, so that an interrupted fetch goes on where it stopped.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	folder := flag.String("to", ".libtorch", "folder to put libtorch into")
	set := flag.String("set", "cpu", "cpu, or cuda for the CUDA libraries as well")
	from := flag.String("from", "", "folder of an installed PyTorch (the one that holds torch/) to use instead")
	deep := flag.Bool("deep", false, "compare the files' checksums too, not only their sizes")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *folder, *set, *from, *deep); err != nil {
		fmt.Fprintln(os.Stderr, "libtorch:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, folder, set, from string, deep bool) error {
	s, known := map[string]selection{"cpu": cpu, "cuda": cuda}[set]
	if !known {
		return fmt.Errorf("no set %q: there are cpu and cuda", set)
	}
	if from != "" {
		return link(folder, from, s, os.Stdout)
	}
	if target, err := os.Readlink(folder); err == nil {
		return useLink(folder, target, s, os.Stdout)
	}
	f := fetcher{folder: folder, pins: pins, download: pip, log: os.Stdout, deep: deep}
	return f.ensure(ctx, s)
}
