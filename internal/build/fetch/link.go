package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

// link makes folder a link to an installed PyTorch. A fetched set that stands there is kept beside it.
func link(folder, from string, s selection, log io.Writer) error {
	target, err := filepath.Abs(from)
	if err != nil {
		return err
	}
	if filepath.Base(target) == "torch" && exists(filepath.Join(target, "lib")) {
		target = filepath.Dir(target) // the package itself was named
	}
	if err := usable(target, s); err != nil {
		return fmt.Errorf("LIBTORCH=%s: %w: name the folder that holds torch/, as this prints it: "+
			"python3 -c 'import torch, os; print(os.path.dirname(os.path.dirname(torch.__file__)))'", from, err)
	}
	info, err := os.Lstat(folder)
	switch {
	case err == nil && info.Mode()&os.ModeSymlink != 0:
		err = os.Remove(folder)
	case err == nil:
		err = os.Rename(folder, folder+".fetched")
	case errors.Is(err, os.ErrNotExist):
		err = nil
	}
	if err != nil {
		return err
	}
	if err := os.Symlink(target, folder); err != nil {
		return err
	}
	fmt.Fprintf(log, "libtorch: using PyTorch %s in %s\n", version(target), target)
	return nil
}

// useLink keeps a link that an earlier build with LIBTORCH= made.
func useLink(folder, target string, s selection, log io.Writer) error {
	if err := usable(folder, s); err != nil {
		return fmt.Errorf("%s links to %s: %w: remove the link to fetch the pinned libtorch, or name another by LIBTORCH=", folder, target, err)
	}
	fmt.Fprintf(log, "libtorch: using PyTorch %s in %s (remove %s to fetch the pinned one)\n", version(folder), target, folder)
	return nil
}

// usable says what an installed PyTorch lacks.
func usable(root string, s selection) error {
	needed := []string{"torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/include/ATen/core/dispatch/Dispatcher.h"}
	if s == cuda {
		needed = append(needed, "torch/lib/libtorch_cuda.so", "torch/lib/libc10_cuda.so")
	}
	for _, name := range needed {
		if !exists(filepath.Join(root, name)) {
			return fmt.Errorf("%s is not there", name)
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

var versionLine = regexp.MustCompile(`__version__ = '([^']+)'`)

// version is what PyTorch calls itself, "of unknown version" where it does not say.
func version(root string) string {
	text, _ := os.ReadFile(filepath.Join(root, "torch", "version.py"))
	if m := versionLine.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return "of unknown version"
}
