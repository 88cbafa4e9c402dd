package experiment_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/weights"
	"github.com/cyborg-run/cyborg-run/stages/train"
)

// TestInit: the ways to name first weights. What is elsewhere is in the key by its digest alone, and nothing is fetched.
func TestInit(t *testing.T) {
	t.Setenv("CYBORG_CACHE", "/cache")
	digest := strings.Repeat("0123456789abcdef", 4)
	published := weights.Source{URL: "https://download.pytorch.org/models/resnet18-f37072fd.pth", SHA256: "f37072fd"}
	elsewhere := weights.Source{URL: "https://example.org/r18.pth", SHA256: digest}
	for name, c := range map[string]struct {
		init   string
		source weights.Source
		path   string
		want   string // the mistake
	}{
		"path":          {init: "w/r18.pth", path: "w/r18.pth"},
		"from":          {init: "{from: w/r18.pth, except: [fc.*]}", path: "w/r18.pth"},
		"url":           {init: "{url: 'https://example.org/r18.pth', sha256: " + digest + "}", source: elsewhere, path: "/cache/weights/sha256-" + digest},
		"name":          {init: "{name: torchvision/resnet18-f37072fd, except: [fc.*]}", source: published, path: "/cache/weights/sha256-f37072fd"},
		"name_alone":    {init: "torchvision/resnet18-f37072fd", source: published, path: "/cache/weights/sha256-f37072fd"},
		"name_as_from":  {init: "{from: torchvision/resnet18-f37072fd}", source: published, path: "/cache/weights/sha256-f37072fd"},
		"empty":         {init: "{from: '', except: [fc.*]}"},
		"path_like_one": {init: "torchvision/mine.pth", path: "torchvision/mine.pth"},

		"nothing":       {init: "{except: [fc.*]}", want: "model.init: one of from (a path), url (an address, with sha256), name (a published file) and stage is needed"},
		"two":           {init: "{from: w/r18.pth, name: torchvision/resnet18-f37072fd}", want: "model.init: one of from"},
		"unknown_key":   {init: "{form: w/r18.pth}", want: `unknown key "form"`},
		"unknown_name":  {init: "{name: torchvision/resnet18-f37072fe}", want: `there are no published weights "torchvision/resnet18-f37072fe", did you mean "torchvision/resnet18-f37072fd"?; there are: torchvision/resnet18-f37072fd, torchvision/resnet34-`},
		"no_digits":     {init: "torchvision/resnet18", want: `there are no published weights "torchvision/resnet18"`},
		"no_digest":     {init: "{url: 'https://example.org/r18.pth'}", want: `model.init: "" is no SHA-256: 64 lower-case hexadecimal digits are needed (sha256sum FILE prints them)`},
		"half_a_digest": {init: "{url: 'https://example.org/r18.pth', sha256: " + digest[:32] + "}", want: "is a part of a SHA-256: all 64 digits are needed"},
		"no_address":    {init: "{url: r18.pth, sha256: " + digest + "}", want: `model.init: "r18.pth" is no address of a file: https://... is needed`},
		"idle_digest":   {init: "{from: w/r18.pth, sha256: " + digest + "}", want: "model.init: sha256 is of a file from a url, and there is none"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "mine.yaml")
			text := strings.Replace(right, "{arch: resnet_small}", "{arch: resnet_small, init: "+c.init+"}", 1)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			g, err := build(t, path, true)
			if c.want != "" {
				if err == nil || strings.Count(err.Error(), "[E") != 1 || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v\nwant  ... %s", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			node, _ := g.Find("fit[loss=cyborg,seed=2]")
			job := node.Params.(train.Job)
			if source, ok := job.Source(); ok != (c.source != weights.Source{}) || ok && source != c.source {
				t.Errorf("source %v, want %v", source, c.source)
			}
			want := c.path
			if want != "" && !filepath.IsAbs(want) {
				want = filepath.Join(dir, want)
			}
			if got, err := job.Model.Init.Path(); err != nil || got != want {
				t.Errorf("path %s, want %s (%v)", got, want, err)
			}
			if said := describe(t, g); strings.Contains(said, "https:") || c.source.SHA256 != "" && !strings.Contains(said, `"sha256":"`+c.source.SHA256+`"`) {
				t.Errorf("the key holds the address, or no digest:\n%s", said)
			}
		})
	}
}
