package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// describe prints what the figures depend on.
func (b *bench) describe() {
	fmt.Printf("%s, %d cores; load %s\n", processor(), runtime.NumCPU(), load())
	fmt.Println(output(filepath.Join(b.bin, "cyborg-run"), "version"))
	if b.python != "" {
		fmt.Println(output(b.python, "-c", `import platform, torch; print("Python", platform.python_version() + ", PyTorch", torch.__version__)`))
	}
	if first, _, _ := strings.Cut(load(), " "); number(first) > 0.3*float64(runtime.NumCPU()) {
		fmt.Println("WARNING: the machine does other work: these figures are disturbed")
	}
}

// load is the kernel's load average over 1, 5 and 15 minutes.
func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(raw))
	if err != nil || len(fields) < 3 {
		return "unknown"
	}
	return strings.Join(fields[:3], " ")
}

// processor is the CPU's name as the kernel gives it.
func processor() string {
	raw, _ := os.ReadFile("/proc/cpuinfo")
	for text := range strings.Lines(string(raw)) {
		if key, value, ok := strings.Cut(text, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// output is what a program prints, on one line.
func output(program string, args ...string) string {
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		return fmt.Sprintf("%s: %v", filepath.Base(program), err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func number(text string) float64 {
	v, _ := strconv.ParseFloat(text, 64)
	return v
}
