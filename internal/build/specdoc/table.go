package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/cyborg-run/cyborg-run/pipeline/spec"
)

// table is the keys of one map in a spec.
type table struct {
	Path string // datasets.NAME.saliency.NAME
	Doc  string
	Rows []row
}

// row is one key.
type row struct{ Key, Type, Default, Limits, Doc string }

// tables describes a section: the table of its own keys, then those of the maps inside of it that have names of the
// user's or are optional as a whole.
func (s *source) tables(path string, t reflect.Type) ([]table, error) {
	path, t = entries(path, t)
	doc, err := s.typeDoc(t)
	if err != nil {
		return nil, err
	}
	own := table{Path: path, Doc: doc}
	all := []table{{}}
	if err := s.rows(&own, &all, "", t); err != nil {
		return nil, err
	}
	all[0] = own
	return all, nil
}

// entries goes to the struct that a section holds: by names of the user's (Named), as a list, or as a pointer.
func entries(path string, t reflect.Type) (string, reflect.Type) {
	for {
		value, isNamed := named(t)
		switch {
		case isNamed:
			path, t = path+".NAME", value
		case t.Kind() == reflect.Slice:
			path, t = path+"[]", t.Elem()
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
		default:
			return path, t
		}
	}
}

// named is T of a spec.Named[T].
func named(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() != reflect.Slice || t.PkgPath() != reflect.TypeFor[spec.Value]().PkgPath() || !strings.HasPrefix(t.Name(), "Named[") {
		return nil, false
	}
	value, _ := t.Elem().FieldByName("Value")
	return value.Type, true
}

var decoder = reflect.TypeFor[spec.Decoder]()

// rows adds the keys of a struct. Those of a struct inside of it follow with a dot; what has a table of its own goes to
// more.
func (s *source) rows(to *table, more *[]table, prefix string, t reflect.Type) error {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Tag.Get("yaml") == "-" { // no key
			continue
		}
		if f.Anonymous { // lends its keys
			if err := s.rows(to, more, prefix, f.Type); err != nil {
				return err
			}
			continue
		}
		doc, err := s.fieldDoc(t, f)
		if err != nil {
			return err
		}
		key := prefix + keyOf(f)
		_, inner := entries("", f.Type)
		held := f.Type
		if held.Kind() == reflect.Pointer && held.Implements(decoder) { // which tells what is not given from what is empty
			held = held.Elem()
		}
		isDecoder := reflect.PointerTo(held).Implements(decoder)
		if _, isNamed := named(f.Type); isNamed || inner.Kind() == reflect.Struct && held.Kind() != reflect.Struct {
			tables, err := s.tables(to.Path+"."+key, f.Type)
			if err != nil {
				return err
			}
			*more = append(*more, tables...)
			kind := "map"
			switch {
			case isNamed:
				kind = "map by names of yours"
			case f.Type.Kind() == reflect.Slice:
				kind = "list of maps"
			}
			to.Rows = append(to.Rows, row{Key: key, Type: kind, Doc: doc + " See [below](#" + anchor(tables[0].Path) + ")."})
			continue
		}
		if held.Kind() == reflect.Struct {
			kind := "map"
			if isDecoder {
				kind = "text or map"
			}
			if own, ok := reflect.New(held).Interface().(interface{ SpecWords() string }); ok {
				kind = own.SpecWords()
			}
			made := row{Key: key, Type: kind, Doc: doc}
			if _, ok := f.Tag.Lookup("default"); ok {
				made.Default = standard(f)
			}
			to.Rows = append(to.Rows, made)
			if err := s.rows(to, more, key+".", held); err != nil {
				return err
			}
			continue
		}
		kind, err := typeName(f.Type)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", to.Path, key, err)
		}
		to.Rows = append(to.Rows, row{Key: key, Type: kind, Default: standard(f), Limits: limits(f), Doc: doc})
	}
	return nil
}

// keyOf is the key of a field in a spec.
func keyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "" {
		return strings.ToLower(f.Name)
	}
	return name
}

func typeName(t reflect.Type) (string, error) {
	if t == reflect.TypeFor[time.Duration]() {
		return "time", nil
	}
	if t == reflect.TypeFor[spec.Bytes]() {
		return "amount of memory", nil
	}
	switch t.Kind() {
	case reflect.String:
		return "text", nil
	case reflect.Bool:
		return "true or false", nil
	case reflect.Float64:
		return "number", nil
	case reflect.Int, reflect.Uint64:
		return "whole number", nil
	case reflect.Pointer: // which tells what is not given from 0
		return typeName(t.Elem())
	case reflect.Slice:
		entry, err := typeName(t.Elem())
		list := "list of " + entry + "s"
		if strings.HasPrefix(t.Name(), "OneOrMany[") {
			list = entry + " or " + list
		}
		return list, err
	case reflect.Map:
		entry, err := typeName(t.Elem())
		return "map of " + entry + "s", err
	}
	return "", fmt.Errorf("there are no words for the type %s", t)
}

// standard is what counts where the key is not given.
func standard(f reflect.StructField) string {
	if f.Tag.Get("required") == "true" {
		return "**required**"
	}
	if written, ok := f.Tag.Lookup("default"); ok {
		return "`" + written + "`"
	}
	switch f.Type.Kind() {
	case reflect.Bool:
		return "`false`"
	case reflect.Int, reflect.Uint64, reflect.Float64:
		return "`0`"
	}
	return "none"
}

// limits is what a value must keep to.
func limits(f reflect.StructField) string {
	if enum, ok := f.Tag.Lookup("enum"); ok {
		var choices []string
		for _, choice := range strings.Split(enum, "|") {
			if choice != "" { // stands for "not given"
				choices = append(choices, "`"+choice+"`")
			}
		}
		return strings.Join(choices, ", ")
	}
	low, high := bound(f, "min"), bound(f, "max")
	switch {
	case low != "" && high != "":
		return low + " to " + high
	case low != "":
		return "at least " + low
	case high != "":
		return "at most " + high
	case f.Type.Kind() == reflect.Uint64:
		return "at least 0"
	}
	return ""
}

// bound is a limit with its thousands apart.
func bound(f reflect.StructField, tag string) string {
	text := f.Tag.Get(tag)
	if _, err := strconv.Atoi(text); err != nil {
		return text
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// anchor is the name that GitHub gives a heading: small letters, hyphens for spaces, no punctuation.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
