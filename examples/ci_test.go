//go:build slow

package examples_test

import (
	"bytes"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// TestCICheck is the job of examples/ci: the spec, run from an empty cache, is held to the lock that is committed. By bytes
// where this machine is as the lock's, else by the spec's tolerances. Then a metric of the lock is altered, and the job fails
// and says which.
func TestCICheck(t *testing.T) {
	root, dir := testenv.Root(t), t.TempDir()
	check := func(status int, args ...string) string {
		t.Helper()
		cmd := exec.Command(filepath.Join(root, "bin", "cyborg-run"), append([]string{"check", "examples/ci/spec.yaml", "--store", filepath.Join(dir, "store"),
			"--out", filepath.Join(dir, "out"), "--progress", "none"}, args...)...)
		cmd.Dir = root
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if got := cmd.ProcessState.ExitCode(); got != status {
			t.Fatalf("exit status %d (%v), want %d\n%s%s", got, err, status, out, &stderr)
		}
		return string(out)
	}
	junit := filepath.Join(dir, "junit.xml")
	text := check(0, "--junit", junit)
	if !strings.Contains(text, "ci reproduces examples/ci/spec.lock.yaml: ") || !strings.Contains(text, "19 of 19 nodes were run for this check") {
		t.Error(text)
	}
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	raw, err := os.ReadFile(junit)
	if err == nil {
		err = xml.Unmarshal(raw, &suites)
	}
	if err != nil || suites.Tests < 36 || suites.Failures != 0 { // 6 evaluations of 6 metrics at least
		t.Errorf("junit: %+v %v", suites, err)
	}

	lock, err := os.ReadFile(filepath.Join(root, "examples", "ci", "spec.lock.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	first := regexp.MustCompile(`auc: [0-9.e-]+, bpcer`).FindIndex(lock)
	if first == nil {
		t.Fatal("the lock has no AUC")
	}
	altered := filepath.Join(dir, "altered.lock.yaml")
	if err := os.WriteFile(altered, append(append(append([]byte{}, lock[:first[0]]...), "auc: 0.125, bpcer"...), lock[first[1]:]...), 0o644); err != nil {
		t.Fatal(err)
	}
	text = check(3, "--lock", altered)
	if want := regexp.MustCompile(`score\[loss=cross_entropy,seed=1,set=test\] +auc +0\.125 -> [0-9.]+ +differs by \+[0-9.]+ +allowed: `); !want.MatchString(text) {
		t.Errorf("it does not say %s:\n%s", want, text)
	}
}

// The files for CI services are YAML, and call what there is.
func TestCIFiles(t *testing.T) {
	for _, name := range []string{"github.yml", "gitlab-ci.yml"} {
		raw, err := os.ReadFile(filepath.Join(testenv.Root(t), "examples", "ci", name))
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := yaml.Unmarshal(raw, &doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range []string{"bin/cyborg-run check examples/ci/spec.yaml", "--junit out/junit.xml", "validate --format sarif"} {
			if !strings.Contains(string(raw), want) {
				t.Errorf("%s does not call %s", name, want)
			}
		}
	}
}
