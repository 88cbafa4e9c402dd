package cli_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/cli"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// The paper's specs are held to the authors' own lists, at their real sizes: every list that is there is read, its rows
// counted. The images are not.
func TestPaperSpecsAgainstTheAuthorsLists(t *testing.T) {
	data := testenv.Shared(t, "data/cyborg")
	for _, name := range []string{"CYBORG_DATA", "CYBORG_IRIS", "CYBORG_XRAY"} {
		t.Setenv(name, data)
	}
	t.Setenv("CYBORG_TORCH", "")
	specs, err := filepath.Glob(filepath.Join(testenv.Root(t), "specs", "paper", "*.yaml"))
	if err != nil || len(specs) < 20 {
		t.Fatalf("%d specs, %v", len(specs), err)
	}
	nodes := map[string]int{} // by the first letters of the file, all of its nodes
	for _, path := range specs {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := cli.Main([]string{"plan", "--no-files", "--json", "--device", "cpu", "--store", t.TempDir(), "--profile", "paper", path}, &stdout, &stderr)
			if status != cli.ExitDone {
				t.Fatalf("exit status %d\n%s", status, &stderr)
			}
			var plan struct{ Nodes []struct{ Stage string } }
			if err := json.Unmarshal(stdout.Bytes(), &plan); err != nil {
				t.Fatal(err)
			}
			nodes[filepath.Base(path)] = len(plan.Nodes)
			if filepath.Base(path) != "all.yaml" {
				return
			}
			stages := map[string]int{}
			for _, n := range plan.Nodes {
				stages[n.Stage]++
			}
			if stages["fit"] != 4*3*10 || stages["fit_7x"]+stages["fit_7x_xception"] != 4*10 || stages["score"] != 4*4*10*6 || stages["maps"] != 4*4*10 {
				t.Errorf("nodes of each stage: %v", stages)
			}
		})
	}
	for _, network := range []string{"resnet50", "densenet121", "inception_v3", "xception"} {
		for _, setting := range []string{"cross_entropy", "cyborg", "segmentation", "7x"} {
			if nodes[network+"_"+setting+".yaml"] == 0 {
				t.Errorf("there is no spec of %s, %s", network, setting)
			}
		}
	}
}

// A list that is not the paper's is told from it.
func TestPaperSpecsCountTheirImages(t *testing.T) {
	t.Setenv("CYBORG_DATA", testenv.Shared(t, "data/cyborg"))
	var stdout, stderr bytes.Buffer
	path := filepath.Join(testenv.Root(t), "specs", "paper", "resnet50_7x.yaml")
	status := cli.Main([]string{"validate", "--no-files", path, "--set", "datasets.train.where=split == 'train' && label == 'Real'"}, &stdout, &stderr)
	if status != cli.ExitSpec || !strings.Contains(stderr.String(), `the data set "train" has 0 Synthetic images`) || !strings.Contains(stderr.String(), "6314 are declared") {
		t.Errorf("exit status %d: %s", status, &stderr)
	}
	if slices.Contains(strings.Split(stderr.String(), " "), "Real") {
		t.Errorf("its 6,433 real ones are right: %s", &stderr)
	}
}
