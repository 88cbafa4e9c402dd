package diag_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// What GitHub code scanning requires of SARIF 2.1.0 is there, and each place is where a reader finds it.
func TestWriteSARIF(t *testing.T) {
	root := t.TempDir()
	tool := diag.Tool{Name: "cyborg-run", Version: "1", Home: "https://example.org", Rules: []diag.Rule{
		{Code: "E103", Title: "unknown key", Help: "There is no such key.", URI: "https://example.org/errors#e103"},
		{Code: "E112", Title: "--set cannot be applied", Help: "The path leads to nothing.", URI: "https://example.org/errors#e112"},
	}}
	all := []diag.Diagnostic{
		{Code: "E103", Message: `unknown key "epoch" <&>`, Pos: diag.Pos{File: "specs/my spec#1.yaml", Line: 3, Column: 2, Width: 5}},
		{Code: "E103", Message: "below the root", Pos: diag.Pos{File: filepath.Join(root, "a.yaml"), Line: 4}},
		{Code: "E103", Message: "elsewhere", Pos: diag.Pos{File: "/elsewhere/b.yaml", Line: 1, Column: 1}},
		{Code: "E112", Message: "an argument", Pos: diag.Pos{File: "--set x", Column: 7}},
		{Code: "E112", Message: "no place at all"},
		{Code: "E999", Message: "without a page", Pos: diag.Pos{File: "c.yaml"}},
	}
	specs := []string{"", "", "", "d.yaml", "e.yaml", ""}
	var out bytes.Buffer
	if err := diag.WriteSARIF(&out, tool, root, all, specs); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			ColumnKind string
			Tool       struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID, HelpURI      string
						ShortDescription struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID, Level string
				RuleIndex     *int
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn, EndColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || log.Schema == "" || len(log.Runs) != 1 {
		t.Fatalf("no SARIF 2.1.0 of one run:\n%s", out.String())
	}
	run := log.Runs[0]
	if run.Tool.Driver.Name != "cyborg-run" || len(run.Tool.Driver.Rules) != 2 || run.ColumnKind != "unicodeCodePoints" {
		t.Errorf("the driver is %+v, columns are %s", run.Tool.Driver, run.ColumnKind)
	}
	want := []struct {
		uri              string
		line, start, end int
	}{{"specs/my%20spec%231.yaml", 3, 2, 7}, {"a.yaml", 4, 0, 0}, {"file:///elsewhere/b.yaml", 1, 1, 2}, {"d.yaml", 1, 0, 0}, {"e.yaml", 1, 0, 0}, {"c.yaml", 1, 0, 0}}
	if len(run.Results) != len(want) {
		t.Fatalf("%d results, want %d", len(run.Results), len(want))
	}
	for i, r := range run.Results {
		place := r.Locations[0].PhysicalLocation
		got := want[i]
		got.uri, got.line, got.start, got.end = place.ArtifactLocation.URI, place.Region.StartLine, place.Region.StartColumn, place.Region.EndColumn
		if got != want[i] || r.Level != "error" || r.Message.Text != all[i].Message || r.RuleID != all[i].Code {
			t.Errorf("result %d: %+v, want %+v of %+v", i, r, want[i], all[i])
		}
		if known := r.RuleID != "E999"; known != (r.RuleIndex != nil) || known && run.Tool.Driver.Rules[*r.RuleIndex].ID != r.RuleID {
			t.Errorf("result %d refers to the wrong rule", i)
		}
	}
}
