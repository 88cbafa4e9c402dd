package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
)

var update = flag.Bool("update", false, "write the golden files")

// small is a graph with a fork, a join and two edges between the same nodes.
func small(t *testing.T) *graph.Graph {
	t.Helper()
	node := func(stage string, axes []graph.Axis, from ...*graph.Node) *graph.Node {
		n := &graph.Node{Name: graph.Name(stage, axes), Stage: kind, Axes: axes}
		for _, f := range from {
			n.Needs = append(n.Needs, graph.Edge{Port: "in", From: f, Output: "result"})
		}
		return n
	}
	seed := func(value string) []graph.Axis { return []graph.Axis{{Name: "seed", Value: value}} }
	data := node("data.train", nil)
	one, two := node("fit", seed("1"), data, data), node("fit", seed("2"), data)
	g, err := graph.New([]*graph.Node{data, one, two, node("table", nil, one, two)})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestDraw(t *testing.T) {
	for name, write := range map[string]func(io.Writer, *graph.Graph){
		"text": graph.WriteText, "dot": graph.WriteDOT, "mermaid": graph.WriteMermaid, "svg": graph.WriteSVG,
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			write(&got, small(t))
			golden := filepath.Join("testdata", "draw", name+".golden")
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Errorf("other than %s (go test -update writes it):\n%s", golden, d)
			}
		})
	}
}

// A name with characters that XML keeps for itself is still a picture.
func TestSVGIsXML(t *testing.T) {
	g, err := graph.New([]*graph.Node{{Name: `fit[loss=<a&b>"]`, Stage: kind}})
	if err != nil {
		t.Fatal(err)
	}
	var svg bytes.Buffer
	graph.WriteSVG(&svg, g)
	text := ""
	for d := xml.NewDecoder(&svg); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if chars, ok := token.(xml.CharData); ok {
			text += string(chars)
		}
	}
	if !bytes.Contains([]byte(text), []byte(g.Nodes[0].Name)) {
		t.Errorf("the picture says %q", text)
	}
}
