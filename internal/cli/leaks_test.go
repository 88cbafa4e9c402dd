package cli_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/cli"
	"github.com/cyborg-run/cyborg-run/internal/leaks"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// In the authors' list of seven times the data, the names of 2,532 StyleGAN2 images are in training and in validation.
func TestLeaksOfTheAuthorsList(t *testing.T) {
	t.Setenv("CYBORG_DATA", testenv.Shared(t, "data/cyborg"))
	path := filepath.Join(testenv.Root(t), "specs", "paper", "resnet50_7x.yaml")
	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	if status := cli.Main([]string{"data", "leaks", path, "--no-files", "--json", "--fail-over", "0.75"}, &stdout, &stderr); status != cli.ExitCheck {
		t.Fatalf("exit status %d\n%s", status, &stderr)
	}
	var r leaks.Report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) == 0 {
		t.Fatal("nothing was found")
	}
	if f := r.Findings[0]; f.Kind != leaks.NameKind || f.Count != 2532 || f.Sets[0] != "train_7x" || f.Sets[1] != "validation" {
		t.Errorf("%+v", f)
	}
}
