package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pip downloads the wheel of p into folder by the user's pip, with its settings and certificates, and returns its path.
// PYTHON names another interpreter than python3. pip compares the SHA-256 itself.
func pip(ctx context.Context, p pin, folder string) (string, error) {
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	requirement := filepath.Join(folder, "requirement.txt")
	line := fmt.Sprintf("%s==%s --hash=sha256:%s\n", p.name, p.version, p.sha256)
	if err := os.WriteFile(requirement, []byte(line), 0o666); err != nil {
		return "", err
	}
	defer os.Remove(requirement) //nolint:errcheck // it goes with the folder

	args := []string{"-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:",
		"--no-cache-dir", // the wheel is needed once; a second copy of 0.5 GB is not
		"--dest", folder, "--requirement", requirement,
		"--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"}
	if !terminal(os.Stderr) {
		args = append(args, "--quiet") // no progress bar in a log
	}
	for _, platform := range platforms() {
		args = append(args, "--platform", platform)
	}
	cmd := exec.CommandContext(ctx, python, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Env = append(os.Environ(), "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_RESUME_RETRIES=5") // pip before 25.1 ignores the latter
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return "", fmt.Errorf("%s is not there: apt-get install python3-pip, or name a Python by PYTHON=", python)
		}
		return "", fmt.Errorf("%s -m pip download %s==%s: %w (its own words stand above; a next try goes on with this wheel)", python, p.name, p.version, err)
	}
	wheels, err := filepath.Glob(filepath.Join(folder, strings.ReplaceAll(p.name, "-", "_")+"-*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("pip left %d wheels of %s", len(wheels), p.name)
	}
	return wheels[0], nil
}

// platforms are the tags that the wheels carry: glibc 2.17 to 2.28, all on x86-64.
func platforms() []string {
	tags := []string{"manylinux2014_x86_64"}
	for minor := 17; minor <= 28; minor++ {
		tags = append(tags, fmt.Sprintf("manylinux_2_%d_x86_64", minor))
	}
	return tags
}

func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
