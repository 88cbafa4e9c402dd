package stages_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/specs"
)

// Names are held to the same rule by both: characters count, not bytes, as long as a file system takes them.
func TestSchemaAndLoaderAgreeOnNames(t *testing.T) {
	j := newJudge(t)
	for name, want := range map[string]verdict{
		strings.Repeat("é", 60): accepted, strings.Repeat("é", 100): accepted, strings.Repeat("é", 101): refused,
		strings.Repeat("x", 100): accepted, strings.Repeat("x", 101): refused, strings.Repeat("名", 66): accepted,
		strings.Repeat("名", 67): beyond, "日本語": accepted, "٣": accepted, "a-b_c.d": accepted, "a+b": accepted,
		"a/b": refused, "a b": refused, "a:b": refused, `a\\b`: refused, "..": refused, "a\\tb": refused, "a\\nb": refused, "a\\x7fb": refused,
		"a[b": refused, "a^b": refused, "a`b": refused, "a{b": refused, "a~b": refused, "a*b": refused, "a,b": refused, "a@b": refused,
		"a…b": beyond, "e\\u0301": beyond, "a\\u00a0b": beyond,
	} {
		for _, place := range []struct{ old, with string }{
			{"name: everything", `name: "NAME"`},
			{"  fit:\n", "  \"NAME\": {uses: train, loss: plain}\n  fit:\n"},
			{"loss: [plain, maps], seed: [1, 2], batch: [10, 20], zip: [seed, batch], exclude: [{loss: maps, seed: [2]}], include: [{loss: maps, seed: 9, batch: 5}]",
				`loss: ["NAME"]`},
		} {
			text := strings.Replace(everything, place.old, strings.ReplaceAll(place.with, "NAME", name), 1)
			if strings.HasPrefix(place.with, "loss") {
				text = strings.Replace(text, "  plain: [", "  \""+name+"\": [{term: cross_entropy}]\n  plain: [", 1)
			}
			if text == everything {
				t.Fatalf("%q is not there", place.old)
			}
			if got, explanation := j.judge("in.yaml", text); got != want {
				mistakes, _ := load("in.yaml", text)
				t.Errorf("%s: %d %s, want %d\n%v", strings.ReplaceAll(place.with, "NAME", name), got, explanation, want, mistakes)
			}
		}
	}
	for version, want := range map[string]verdict{"1": accepted, "1.0": accepted, "1e0": accepted, "2": refused, "1.5": refused, "'1'": refused, "true": refused, "null": refused} {
		text := strings.Replace(everything, "version: 1\n", "version: "+version+"\n", 1)
		if got, explanation := j.judge("in.yaml", text); got != want {
			t.Errorf("version: %s: %d %s, want %d", version, got, explanation, want)
		}
	}
}

// The patterns are of the part that the regular expressions of Go, Python and JavaScript have in common.
func TestSchemaPatternsArePortable(t *testing.T) {
	portable := regexp.MustCompile(`^([^\\]|\\([\^$.*+?()\[\]{}|/sS]|x[0-9a-f]{2}))*$`)
	count := 0
	check := func(pattern string) {
		count++
		if _, err := regexp.Compile(pattern); err != nil || !portable.MatchString(pattern) || strings.Contains(pattern, "(?") || strings.Contains(pattern, "[[") {
			t.Errorf("%s: not portable, %v", pattern, err)
		}
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, item := range v {
				if text, ok := item.(string); ok && key == "pattern" {
					check(text)
				}
				if patterns, ok := item.(map[string]any); ok && key == "patternProperties" {
					for pattern := range patterns {
						check(pattern)
					}
				}
				walk(item)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	var schema any
	if err := json.Unmarshal(specs.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	walk(schema)
	if count < 100 {
		t.Errorf("%d patterns were found: the walk has lost some", count)
	}
}

// Python's jsonschema takes the schema, and judges every spec of the repository as we do.
func TestSchemaInPython(t *testing.T) {
	python := os.Getenv("CYBORG_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import jsonschema").Run(); err != nil {
		t.Skipf("%s has no jsonschema: %v", python, err)
	}
	type instance struct {
		Name string `json:"name"`
		Spec any    `json:"spec"`
		Good bool   `json:"good"`
	}
	j := newJudge(t)
	var all []instance
	for _, file := range corpus(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := plain(string(text))
		if _, asJSON := json.Marshal(spec); err != nil || asJSON != nil {
			continue
		}
		all = append(all, instance{file, spec, j.schema.Validate(spec) == nil})
	}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"schema.json": specs.Schema, "specs.json": raw} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(python, "-W", "error::FutureWarning", "-c", `
import json, jsonschema
schema = json.load(open("schema.json", encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(schema)
judge = jsonschema.Draft202012Validator(schema)
specs = json.load(open("specs.json", encoding="utf-8"))
for spec in specs:
    if judge.is_valid(spec["spec"]) != spec["good"]:
        print(spec["name"], "is good to one of the two:", [e.message[:200] for e in judge.iter_errors(spec["spec"])])
print(len(specs), "specs")
`)
	cmd.Dir = dir
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		t.Fatalf("%v\n%s", err, failed.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(string(out)), "\n"); len(lines) != 1 || len(all) < 100 {
		t.Errorf("%s", out)
	}
}
