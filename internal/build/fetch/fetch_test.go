package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// server makes wheels and counts how often each is downloaded.
type server struct {
	wheels map[string][]byte
	served []string
	fail   bool
}

func (s *server) download(_ context.Context, p pin, folder string) (string, error) {
	if s.fail {
		return "", errors.New("the network is down")
	}
	s.served = append(s.served, p.name)
	path := filepath.Join(folder, p.name+"-1.whl")
	return path, os.WriteFile(path, s.wheels[p.name], 0o666)
}

// add makes a wheel of (path, content) pairs and returns its pin.
func (s *server) add(name string, cpu, cuda []string, pairs ...string) pin {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(pairs); i += 2 {
		e, _ := w.Create(pairs[i])
		e.Write([]byte(pairs[i+1])) //nolint:errcheck // to memory
	}
	w.Close()
	s.wheels[name] = out.Bytes()
	sum := sha256.Sum256(out.Bytes())
	return pin{name: name, version: "1", sha256: hex.EncodeToString(sum[:]), cpu: cpu, cuda: cuda}
}

func newFetcher(t *testing.T) (*server, fetcher, *bytes.Buffer) {
	s := &server{wheels: map[string][]byte{}}
	pins := []pin{
		s.add("runtime", []string{"nvidia/lib/cudart.so"}, []string{"nvidia/"}, "nvidia/lib/cudart.so", "cudart", "nvidia/include/cuda.h", "header", "nvidia/__init__.py", ""),
		s.add("torch", []string{"torch/lib/cpu.so", "torch/include/"}, []string{"torch/lib/"},
			"torch/lib/cpu.so", "cpu", "torch/lib/cuda.so", "cuda", "torch/include/a.h", "a", "torch/include/b/c.h", "c", "torch/nn.py", "python"),
		s.add("cublas", nil, []string{"nvidia/"}, "nvidia/lib/cublas.so", "cublas"),
	}
	var log bytes.Buffer
	return s, fetcher{folder: filepath.Join(t.TempDir(), "libtorch"), pins: pins, download: s.download, log: &log}, &log
}

// tree lists the files below folder, without the fetcher's own.
func tree(t *testing.T, folder string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.IsDir() {
			name, _ := filepath.Rel(folder, path)
			out = append(out, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func ensure(t *testing.T, f fetcher, s selection) {
	t.Helper()
	if err := f.ensure(context.Background(), s); err != nil {
		t.Fatal(err)
	}
}

func TestEnsure(t *testing.T) {
	const cpuFiles = "nvidia/lib/cudart.so torch/include/a.h torch/include/b/c.h torch/lib/cpu.so"
	const cudaFiles = "nvidia/include/cuda.h nvidia/lib/cublas.so nvidia/lib/cudart.so torch/include/a.h torch/include/b/c.h torch/lib/cpu.so torch/lib/cuda.so"
	steps := []struct {
		name   string
		change func(f fetcher, s *server) // what happens before
		set    selection
		served string // what is downloaded then
		files  string
	}{
		{"an_empty_folder_is_filled", nil, cpu, "runtime torch", cpuFiles},
		{"a_whole_folder_is_left_alone", nil, cpu, "", cpuFiles},
		{"a_lost_file_is_got_again", func(f fetcher, _ *server) { os.Remove(filepath.Join(f.folder, "nvidia/lib/cudart.so")) }, cpu, "runtime", cpuFiles},
		{"a_short_file_is_got_again", func(f fetcher, _ *server) { os.Truncate(filepath.Join(f.folder, "torch/include/a.h"), 0) }, cpu, "torch", cpuFiles},
		{"the_CUDA_set_adds_to_it", nil, cuda, "runtime torch cublas", cudaFiles},
		{"the_CUDA_set_serves_the_CPU_build", nil, cpu, "", cudaFiles},
		{"a_lost_stamp_is_made_again", func(f fetcher, _ *server) { os.Remove(filepath.Join(f.folder, ".stamps/cublas.json")) }, cuda, "cublas", cudaFiles},
		{"another_version_takes_the_place", func(f fetcher, s *server) {
			f.pins[2] = s.add("cublas", nil, []string{"nvidia/"}, "nvidia/lib/cublas2.so", "cublas2")
		}, cuda, "cublas", strings.ReplaceAll(cudaFiles, "cublas.so", "cublas2.so")},
	}
	s, f, _ := newFetcher(t)
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			if step.change != nil {
				step.change(f, s)
			}
			s.served = nil
			ensure(t, f, step.set)
			if got := strings.Join(s.served, " "); got != step.served {
				t.Errorf("downloaded %q, want %q", got, step.served)
			}
			if got := tree(t, f.folder); got != step.files {
				t.Errorf("files %s\nwant  %s", got, step.files)
			}
			if _, err := os.Stat(filepath.Join(f.folder, ".wheels")); err == nil {
				t.Error("the wheels are still there")
			}
		})
	}
}

// TestEnsureDeep finds a change that leaves the size alone.
func TestEnsureDeep(t *testing.T) {
	s, f, _ := newFetcher(t)
	ensure(t, f, cpu)
	if err := os.WriteFile(filepath.Join(f.folder, "torch/lib/cpu.so"), []byte("CPU"), 0o666); err != nil {
		t.Fatal(err)
	}
	f.deep, s.served = true, nil
	ensure(t, f, cpu)
	if len(s.served) != 1 || s.served[0] != "torch" {
		t.Errorf("downloaded %v", s.served)
	}
}

// TestEnsureGoesOn: what an interrupted fetch has whole is not got again, be it unpacked or still a wheel.
func TestEnsureGoesOn(t *testing.T) {
	s, f, _ := newFetcher(t)
	wheels := filepath.Join(f.folder, ".wheels")
	for name, content := range map[string][]byte{"runtime": s.wheels["runtime"], "torch": s.wheels["torch"][:20]} {
		if err := os.MkdirAll(filepath.Join(wheels, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(wheels, name, name+"-1.whl"), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ensure(t, f, cpu)
	if len(s.served) != 1 || s.served[0] != "torch" {
		t.Errorf("downloaded %v, want the torn wheel alone", s.served)
	}
}

func TestEnsureFails(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *server, f *fetcher)
		want   string
	}{
		"no_network":           {func(s *server, _ *fetcher) { s.fail = true }, "the network is down"},
		"another_wheel":        {func(s *server, _ *fetcher) { s.wheels["torch"] = append(s.wheels["torch"], 0) }, "torch-1.whl: SHA-256 "},
		"a_path_that_is_gone":  {func(_ *server, f *fetcher) { f.pins[1].cpu = []string{"torch/lib/gpu.so"} }, "unpack torch-1.whl: torch/lib/gpu.so is not in it"},
		"a_path_that_leads_up": {func(s *server, f *fetcher) { f.pins[1] = s.add("torch", []string{"../"}, nil, "../evil", "x") }, "../evil: a path that leaves the folder"},
	} {
		t.Run(name, func(t *testing.T) {
			s, f, _ := newFetcher(t)
			c.change(s, &f)
			err := f.ensure(context.Background(), cpu)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant  ... %s", err, c.want)
			}
			if f.holds(f.pins[1], cpu) {
				t.Error("the failed wheel counts as there")
			}
		})
	}
}

// install makes what an installed PyTorch looks like.
func install(t *testing.T, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("__version__ = '2.12.1+cpu'\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

var installed = []string{"torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/include/ATen/core/dispatch/Dispatcher.h", "torch/version.py"}

// TestLink: LIBTORCH= makes a link, which later builds keep, and a fetched set is not lost by it.
func TestLink(t *testing.T) {
	s, f, log := newFetcher(t)
	ensure(t, f, cpu)
	theirs := install(t, installed...)
	for _, named := range []string{theirs, filepath.Join(theirs, "torch")} {
		if err := link(f.folder, named, cpu, log); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.Readlink(f.folder); got != theirs {
			t.Errorf("links to %s, want %s", got, theirs)
		}
	}
	if !strings.Contains(log.String(), "using PyTorch 2.12.1+cpu in "+theirs) {
		t.Errorf("said %q", log)
	}
	if got := tree(t, f.folder+".fetched"); !strings.Contains(got, "torch/lib/cpu.so") {
		t.Errorf("the fetched set holds %q", got)
	}
	s.served = nil
	if err := run(context.Background(), f.folder, "cpu", "", false); err != nil {
		t.Error(err)
	}
	if err := run(context.Background(), f.folder, "cuda", "", false); err == nil || !strings.Contains(err.Error(), "torch/lib/libtorch_cuda.so is not there: remove the link") {
		t.Errorf("error %v", err)
	}
}

func TestLinkRefuses(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "libtorch")
	err := link(folder, install(t, "torch/version.py"), cpu, os.Stdout)
	if err == nil || !strings.Contains(err.Error(), "torch/lib/libtorch_cpu.so is not there: name the folder that holds torch/") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(folder); err == nil {
		t.Error("a link was left")
	}
}

// TestPins: each wheel is pinned once, by a version and a whole SHA-256, and the CPU set is three of them.
func TestPins(t *testing.T) {
	names, onCPU := map[string]bool{}, 0
	for _, p := range pins {
		if names[p.name] || p.version == "" || p.megabytes == 0 || !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(p.sha256) {
			t.Errorf("pin %v", p)
		}
		names[p.name] = true
		if len(p.files(cpu)) > 0 {
			onCPU++
		}
		if len(p.files(cuda)) < len(p.files(cpu)) {
			t.Errorf("%s: the CUDA set lacks what the CPU set has", p.name)
		}
	}
	if onCPU != 3 || len(pins) != 17 {
		t.Errorf("%d wheels, %d of them for the CPU", len(pins), onCPU)
	}
}
