package main

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// source reads the comments of the module's packages.
type source struct {
	root, module string
	packages     map[string]*packageDoc // by import path
}

// packageDoc is what is written about one package.
type packageDoc struct {
	text   string
	types  map[string]string            // by type
	fields map[string]map[string]string // by type and field
}

func newSource(root, module string) *source {
	return &source{root: root, module: module, packages: map[string]*packageDoc{}}
}

// of is the comments of a package of the module.
func (s *source) of(importPath string) (*packageDoc, error) {
	if have := s.packages[importPath]; have != nil {
		return have, nil
	}
	below, ours := strings.CutPrefix(importPath, s.module+"/")
	if !ours {
		return nil, fmt.Errorf("%s is no package of this module", importPath)
	}
	d := &packageDoc{types: map[string]string{}, fields: map[string]map[string]string{}}
	files, err := filepath.Glob(filepath.Join(s.root, filepath.FromSlash(below), "*.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		d.read(tree)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: %w", importPath, fs.ErrNotExist)
	}
	s.packages[importPath] = d
	return d, nil
}

func (d *packageDoc) read(file *ast.File) {
	d.text += file.Doc.Text()
	for _, decl := range file.Decls {
		types, ok := decl.(*ast.GenDecl)
		if !ok || types.Tok != token.TYPE {
			continue
		}
		for _, spec := range types.Specs {
			declared := spec.(*ast.TypeSpec)
			text := declared.Doc.Text()
			if text == "" {
				text = types.Doc.Text()
			}
			d.types[declared.Name.Name] = text
			if body, ok := declared.Type.(*ast.StructType); ok {
				d.fields[declared.Name.Name] = fieldComments(body)
			}
		}
	}
}

func fieldComments(body *ast.StructType) map[string]string {
	comments := map[string]string{}
	for _, field := range body.Fields.List {
		text := field.Doc.Text()
		if text == "" {
			text = field.Comment.Text()
		}
		for _, name := range field.Names {
			comments[name.Name] = text
		}
	}
	return comments
}

// typeDoc is the comment of a type, without its Go name in front.
func (s *source) typeDoc(t reflect.Type) (string, error) {
	d, err := s.of(t.PkgPath())
	if err != nil {
		return "", err
	}
	if d.types[t.Name()] == "" {
		return "", fmt.Errorf("the type %s has no comment", t)
	}
	return nameless(t.Name(), d.types[t.Name()]), nil
}

// fieldDoc is the comment of a field as a reader of specs needs it: without its Go name in front, and with the names of
// the fields beside it as the keys that they are in a spec.
func (s *source) fieldDoc(t reflect.Type, f reflect.StructField) (string, error) {
	d, err := s.of(t.PkgPath())
	if err != nil {
		return "", err
	}
	text := d.fields[t.Name()][f.Name]
	if text == "" {
		return "", fmt.Errorf("the field %s of %s has no comment", f.Name, t)
	}
	text = nameless(f.Name, text)
	for i := range t.NumField() {
		beside := t.Field(i)
		inside := regexp.MustCompile(`([^.` + "`" + `]\s)` + beside.Name + `\b`)
		text = inside.ReplaceAllString(text, "${1}`"+keyOf(beside)+"`")
	}
	return text, nil
}

// stageDoc is what a package says of the stage that it declares, as Markdown. Paragraphs on ports are for those who
// write stages.
func (s *source) stageDoc(importPath string) (string, error) {
	d, err := s.of(importPath)
	if err != nil {
		return "", err
	}
	text := regexp.MustCompile(`^Package \w+ (is the stage that )?`).ReplaceAllString(d.text, "")
	var kept []string
	for _, paragraph := range strings.Split(text, "\n\n") {
		if !strings.HasPrefix(paragraph, "Port") {
			kept = append(kept, paragraph)
		}
	}
	var parser comment.Parser
	var printer comment.Printer
	return strings.TrimSpace(capital(string(printer.Markdown(parser.Parse(strings.Join(kept, "\n\n")))))), nil
}

// nameless takes the name away that Go's comments begin with: "Epochs is how often ..." reads "How often ...", and "Root
// names ..." reads "Names ...". A name that is part of the sentence stays: "Precision of the arithmetic".
func nameless(name, text string) string {
	text = strings.Join(strings.Fields(text), " ")
	rest, ok := strings.CutPrefix(text, name+" ")
	verb, object, _ := strings.Cut(rest, " ")
	switch {
	case !ok:
		return text
	case verb == "is" || verb == "are":
		return capital(object)
	case strings.HasSuffix(verb, "s"):
		return capital(rest)
	}
	return text
}

func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
