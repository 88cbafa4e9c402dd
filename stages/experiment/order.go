package experiment

import (
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// stageDecl is a stage whose kind is known.
type stageDecl struct {
	spec.Stage
	kind   *Kind
	values *spec.Value // of its parameters: those that all stages of the kind have in common, and its own laid over them
	whole  bool        // nothing of them was refused, for which a default would stand in
}

// ordered finds the kinds of the stages and sorts them so that a stage comes after those it needs.
func (b *Builder) ordered() []stageDecl {
	if len(b.doc.Stages) == 0 && b.Diags.Len() == 0 {
		b.Diags.Add(b.doc.Root.Pos, spec.Missing, "a spec needs stages, such as stages: {fit: {uses: train}}")
	}
	all := map[string]stageDecl{}
	declared := map[string]bool{}
	var names []string
	for _, s := range b.doc.Stages {
		names = append(names, s.Name)
		declared[s.Name] = true
		if strings.HasPrefix(s.Name, "data.") || strings.HasPrefix(s.Name, "generate.") {
			b.Diags.Add(s.Pos, spec.BadName, "stage %q: names that begin with data. or generate. are those of the data sets' nodes", s.Name)
		}
		if kind := b.kind(s); kind != nil {
			all[s.Name] = stageDecl{Stage: s, kind: kind}
		}
	}
	var sorted []stageDecl
	state := map[string]int{} // 1: being visited, 2: placed
	var visit func(s stageDecl, chain []string)
	visit = func(s stageDecl, chain []string) {
		state[s.Name] = 1
		chain = append(chain, s.Name)
		for _, need := range s.Needs {
			name := need.Text()
			next, known := all[name]
			switch {
			case !declared[name]:
				b.Diags.Add(need.Pos, spec.UnknownStage, "stage %q needs %q, which is not a stage%s; there are: %s",
					s.Name, name, spec.Suggest(name, names), strings.Join(names, ", "))
			case state[name] == 1:
				loop := append(chain[slices.Index(chain, name):], name)
				b.Diags.Add(need.Pos, spec.StageCycle, "the stages need each other in a circle: %s", strings.Join(loop, " needs "))
			case known && state[name] == 0:
				visit(next, chain)
			}
		}
		state[s.Name] = 2
		sorted = append(sorted, s)
	}
	for _, name := range names {
		if s, known := all[name]; known && state[name] == 0 {
			visit(s, nil)
		}
	}
	return sorted
}

func (b *Builder) kind(s spec.Stage) *Kind {
	if s.Uses == nil {
		return nil // reported when the spec was read
	}
	var names []string
	for i, k := range b.kinds {
		if k.Kind == s.Uses.Text() {
			return &b.kinds[i]
		}
		names = append(names, k.Kind)
	}
	b.Diags.Add(s.Uses.Pos, spec.UnknownKind, "stage %q uses %q, which is not a kind of stage%s; there are: %s",
		s.Name, s.Uses.Text(), spec.Suggest(s.Uses.Text(), names), strings.Join(names, ", "))
	return nil
}

// The progress of a stage.
const (
	begun = iota + 1
	finished
)

// build makes the nodes of a stage after those of the stages that it needs. It returns false where the stage is being built
// already: it needs itself, by its needs or by the maps of a data set.
func (b *Builder) build(name string) bool {
	s, known := b.stages[name]
	if !known || b.progress[name] == finished {
		return true
	}
	if b.progress[name] == begun {
		return false
	}
	b.progress[name] = begun
	b.chain = append(b.chain, "the stage "+name)
	ready := true
	for _, need := range s.Needs {
		if !b.build(need.Text()) && b.circle(need.Pos, need.Text()) {
			ready = false
		}
	}
	if ready {
		b.stage(s)
	}
	b.chain = b.chain[:len(b.chain)-1]
	b.progress[name] = finished
	return true
}

// circle reports that a stage which is being built is needed by the innermost one through a data set. A circle of needs
// alone was reported by ordered.
func (b *Builder) circle(at diag.Pos, stage string) bool {
	loop := b.chain[slices.Index(b.chain, "the stage "+stage):]
	set := slices.IndexFunc(loop, func(part string) bool { return strings.HasPrefix(part, dataSet) })
	if set < 0 {
		return false
	}
	b.Diags.Add(at, spec.StageCycle, "%s needs the stage %s, a circle: make the maps from another entry of datasets over the same list, which has no maps of that stage",
		strings.Join(loop, " needs "), stage)
	return true
}

// dataSet begins the parts of a Builder's chain that are data sets.
const dataSet = "the data set "
