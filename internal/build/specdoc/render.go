package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"reflect"
	"strings"
	"text/template"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
	"github.com/cyborg-run/cyborg-run/stages"
	"github.com/cyborg-run/cyborg-run/stages/experiment"
)

//go:embed spec.md.tmpl
var layout string

// module is the import path above all packages of the project.
const module = "github.com/cyborg-run/cyborg-run"

// render is the text of the page.
func render(root string) ([]byte, error) {
	s := newSource(root, module)
	parsed, err := template.New("spec.md").Funcs(template.FuncMap{
		"section":  s.section,
		"handling": s.handling,
		"stage":    s.stage,
		"about":    func(folder string) (string, error) { return s.stageDoc(module + "/" + folder) },
		"kinds":    stages.Kinds,
		"networks": func() string { return code(nn.Names()) },
		"metrics":  func() string { return code(metrics.Names) },
	}).Parse(layout)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, nil); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// section is the heading and the tables of a top-level key that belongs to no kind of stage.
func (s *source) section(name string) (string, error) {
	into, ok := stages.Sections()[name]
	if !ok {
		return "", fmt.Errorf("specs have no section %q", name)
	}
	tables, err := s.tables(name, reflect.TypeOf(into).Elem())
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, t := range tables {
		fmt.Fprintf(&out, "### %s\n\n%s\n\n%s\n", t.Path, t.Doc, t.markdown())
	}
	return strings.TrimSpace(out.String()), nil
}

// handling is the rows of what any stage may say of how its nodes are run.
func (s *source) handling() (string, error) {
	tables, err := s.tables("stage", reflect.TypeFor[spec.Handling]())
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(tables[0].markdown()), nil
}

// stage describes one kind of stage: what it does, what it needs and leaves, and its parameters.
func (s *source) stage(k experiment.Kind) (string, error) {
	params := reflect.TypeOf(k.Params()).Elem()
	what, err := s.stageDoc(params.PkgPath())
	if err != nil {
		return "", err
	}
	tables, err := s.tables(k.Kind, params)
	if err != nil {
		return "", err
	}
	if len(tables) > 1 {
		return "", fmt.Errorf("%s: a table of its own below a stage has no place on the page yet", tables[1].Path)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "### %s\n\n%s\n\n", k.Kind, what)
	fmt.Fprintf(&out, "Needs %s. Makes %s.", needs(k), nodes(k))
	if len(k.Publish) > 0 {
		var left []string
		for _, p := range k.Publish {
			left = append(left, "`"+strings.ReplaceAll(p.To, "{node}", "NODE")+"`")
		}
		fmt.Fprintf(&out, " Leaves in the run's folder: %s.", strings.Join(left, ", "))
	}
	return out.String() + "\n\n" + tables[0].markdown(), nil
}

func nodes(k experiment.Kind) string {
	if k.Each {
		return "a node for each combination of its matrix, for each node of the stage that it needs"
	}
	return "a node for each combination of its matrix"
}

func needs(k experiment.Kind) string {
	if len(k.Needs) == 0 {
		return "no other stage"
	}
	return "a stage of the kind " + code(k.Needs)
}

// markdown is the table without its heading.
func (t table) markdown() string {
	var out strings.Builder
	fmt.Fprintln(&out, "| key | type | default | limits | what it is |\n|---|---|---|---|---|")
	for _, r := range t.Rows {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s |\n", r.Key, r.Type, r.Default, r.Limits, cell(r.Doc))
	}
	return out.String()
}

// cell is text that stands in a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", "&lt;").Replace(text)
}

func code(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }
