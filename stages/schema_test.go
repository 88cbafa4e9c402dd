package stages_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// The published schema and the loader accept and refuse the same files: all specs of the repository, good and bad ones,
// among them those inside of scripts and pages.
func TestSchemaAndLoaderAgreeOnEverySpec(t *testing.T) {
	j := newJudge(t)
	counts := map[verdict]int{}
	for _, file := range corpus(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, explanation := j.judge(file, string(text))
		counts[v]++
		if v == disagree {
			t.Errorf("%s: %s", file, explanation)
		}
	}
	t.Logf("%d accepted and %d refused by both; %d refused by the loader for what no schema can say; %d are no YAML to an editor",
		counts[accepted], counts[refused], counts[beyond], counts[unread])
	if counts[accepted] < 10 || counts[refused] < 10 {
		t.Errorf("the corpus has shrunk: %v", counts)
	}
}

// Good specs with a few random mistakes in them.
func TestSchemaAndLoaderAgreeOnMistakes(t *testing.T) {
	j := newJudge(t)
	seeds := mutable(t, j)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(seeds.names).Draw(t, "spec")
		var tree any
		if err := yaml.Unmarshal([]byte(seeds.text[name]), &tree); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 3).Draw(t, "mistakes") {
			tree = mutate(t, tree, nil)
		}
		text, err := yaml.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		if v, explanation := j.judge("in.yaml", string(text)); v == disagree {
			t.Fatalf("%s\n%s", explanation, text)
		}
	})
}

// corpus is every spec below the repository, those of txtar scripts and of pages written out as files.
func corpus(t *testing.T) (files []string) {
	t.Helper()
	root := testenv.Root(t)
	for _, dir := range []string{"specs", "examples", "bench", "internal", "pipeline", "stages"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || d.IsDir():
			case strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, ".lock.yaml") && filepath.Base(path) != "out.yaml":
				files = append(files, path)
			case strings.HasSuffix(path, ".txtar"):
				files = append(files, unpack(t, path)...)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(version: .*?)```")
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range block.FindAllSubmatch(text, -1) {
			files = append(files, put(t, filepath.Join(t.TempDir(), fmt.Sprintf("%s.%d.yaml", filepath.Base(page), i)), m[1]))
		}
	}
	return files
}

func unpack(t *testing.T, script string) (specs []string) {
	archive, err := txtar.ParseFile(script)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), filepath.Base(script))
	for _, f := range archive.Files {
		path := put(t, filepath.Join(dir, f.Name), f.Data)
		if strings.HasSuffix(f.Name, ".yaml") && !strings.HasSuffix(f.Name, ".lock.yaml") {
			specs = append(specs, path)
		}
	}
	return specs
}

func put(t *testing.T, path string, text []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
