package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
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
			if stages["fit"] != 4*3*10 || stages["fit_7x"]+stages["fit_7x_xception"] != 4*10 || stages["score"] != 4*4*10*7 || stages["maps"] != 4*4*10 {
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

// Lists that are not there are not taken for the paper's.
func TestPaperSpecsNameTheListsThatHold(t *testing.T) {
	const generators = "progan, stargan2, stylegan, stylegan2, stylegan2-ada, stylegan3"
	path := filepath.Join(testenv.Root(t), "specs", "paper", "resnet50_cyborg.yaml")
	for data, want := range map[string]string{
		"/nonexist":                      "good; 112 nodes; no list: train, validation, " + generators + ", celeba-hq, ffhq; profile paper",
		testenv.Shared(t, "data/cyborg"): "good; 112 nodes; counts hold: train, validation, celeba-hq, ffhq; no list: " + generators + "; profile paper",
	} {
		t.Setenv("CYBORG_DATA", data)
		var stdout, stderr bytes.Buffer
		if status := cli.Main([]string{"validate", "--no-files", path}, &stdout, &stderr); status != cli.ExitDone || !strings.Contains(stdout.String(), want) {
			t.Errorf("%s: exit status %d: %s%s, want %s", data, status, &stdout, &stderr, want)
		}
	}
}

// A list that is not the paper's is told from it.
func TestPaperSpecsCountTheirImages(t *testing.T) {
	t.Setenv("CYBORG_DATA", testenv.Shared(t, "data/cyborg"))
	var stdout, stderr bytes.Buffer
	path := filepath.Join(testenv.Root(t), "specs", "paper", "resnet50_7x.yaml")
	status := cli.Main([]string{"validate", "--no-files", path, "--set", "datasets.train_7x.where=split == 'train' && label == 'Real'"}, &stdout, &stderr)
	if status != cli.ExitSpec || !strings.Contains(stderr.String(), `the data set "train_7x" has 0 Synthetic images`) || !strings.Contains(stderr.String(), "6314 are declared") {
		t.Errorf("exit status %d: %s", status, &stderr)
	}
	if slices.Contains(strings.Split(stderr.String(), " "), "Real") {
		t.Errorf("its 6,433 real ones are right: %s", &stderr)
	}
}

// On a folder laid out as the authors' is, a spec asks for what its own network and loss need, and for nothing else: not for
// another network's first weights, and not for masks where no loss reads them.
func TestPaperSpecsOnAFolder(t *testing.T) {
	data := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(data, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	list := "split,label,path\n"
	for _, split := range []string{"train", "test"} {
		for _, image := range []string{"Real,/" + split + "/0_real/r.jpg", "Synthetic,/" + split + "/1_fake/s.jpg"} {
			list += split + "," + image + "\n"
			write(strings.SplitN(image, "/", 2)[1], "")
		}
	}
	write("csvs/original.csv", list)
	for _, set := range []string{"progan", "stargan", "stylegan1", "stylegan2", "stylegan-ada", "stylegan3", "celeba-hq", "ffhq"} {
		class := "Synthetic"
		if set == "ffhq" || set == "celeba-hq" {
			class = "Real"
		}
		write("csvs/gan_test_sets/"+set+".csv", "split,label,path\ntest,"+class+",/"+set+"/1.png\n")
		write(set+"/1.png", "")
	}
	var flags []string
	for _, set := range []string{"train", "validation", "progan", "stargan2", "stylegan", "stylegan2", "stylegan2-ada", "stylegan3", "celeba-hq", "ffhq"} {
		flags = append(flags, "--set", "datasets."+set+".counts={}")
	}
	for _, name := range []string{"r.jpg", "s.jpg"} {
		write("train/heatmaps/"+name, "")
		write("train/masks/"+name, "")
	}
	t.Setenv("CYBORG_DATA", data)
	t.Setenv("CYBORG_TORCH", "")
	validate := func(spec, complaint string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		status := cli.Main(append([]string{"validate", filepath.Join(testenv.Root(t), "specs", "paper", spec+".yaml")}, flags...), &stdout, &stderr)
		if complaint == "" && status != cli.ExitDone || complaint != "" && (status != cli.ExitSpec || strings.Count(stderr.String(), "[E") != 1) ||
			!strings.Contains(strings.Join(strings.Fields(stderr.String()), " "), complaint) {
			t.Errorf("%s: exit status %d, want %q\n%s%s", spec, status, complaint, &stdout, &stderr)
		}
	}
	for _, spec := range []string{"resnet50_cyborg", "resnet50_segmentation", "densenet121_cross_entropy", "inception_v3_cyborg", "resnet50_taps"} {
		validate(spec, "")
	}
	validate("xception_cyborg", "there is no file "+filepath.Join(data, "xception-b5690688.pth"))

	if err := os.RemoveAll(filepath.Join(data, "train", "masks")); err != nil {
		t.Fatal(err)
	}
	validate("resnet50_cyborg", "")
	validate("resnet50_segmentation", `none of the 2 images of the data set "train" has the map "segmentation", which the loss "segmentation" reads; `+
		"there is no file "+filepath.Join(data, "train", "masks", "r.jpg"))
	if err := os.Rename(filepath.Join(data, "train", "heatmaps"), filepath.Join(data, "train", "maps")); err != nil {
		t.Fatal(err)
	}
	validate("resnet50_cyborg", `none of the 2 images of the data set "train" has the map "human", which the loss "cyborg" reads`)
	validate("resnet50_cross_entropy", "")
}
