package spec

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// describe is a value in words for a message: `"many" is text` reads `this is text ("many")`.
func describe(v *Value) string {
	switch v.Kind {
	case Map, List, Null, Invalid:
		return v.Kind.String()
	}
	return fmt.Sprintf("%s (%s)", v.Kind, brief(v))
}

// brief is a value as it may stand in a message.
func brief(v *Value) string {
	switch v.Kind {
	case String:
		return quote(v.text)
	case Map, List, Null, Invalid:
		return v.Kind.String()
	}
	return v.Text()
}

func quote(s string) string {
	if utf8.RuneCountInString(s) > 40 {
		s = string([]rune(s)[:40]) + "..."
	}
	return strconv.Quote(s)
}

// identifier tells whether expressions can use s as a name.
func identifier(s string) bool {
	for i, r := range s {
		if r != '_' && (r > unicode.MaxASCII || !unicode.IsLetter(r)) && (i == 0 || !unicode.IsDigit(r) || r > unicode.MaxASCII) {
			return false
		}
	}
	return s != ""
}

// What the name of a file may not be longer than: no file system takes more than 255 bytes, and other words stand beside it.
const (
	maxName      = 100 // characters
	maxNameBytes = 200
)

// notFileName is why s cannot stand in the name of a file or folder, on any system; empty where it can.
func notFileName(s string) string {
	const only = "letters, digits, and - _ . + only"
	wrong := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.+", r)
	}
	at := strings.IndexFunc(s, wrong)
	n := utf8.RuneCountInString(s)
	switch {
	case s == "", s == ".", s == "..", strings.ContainsFunc(s, func(r rune) bool { return r <= unicode.MaxASCII && wrong(r) }):
		return only
	case at >= 0:
		r, _ := utf8.DecodeRuneInString(s[at:])
		return fmt.Sprintf("%s; %q (%U) is neither letter nor digit", only, r, r)
	case n > maxName:
		return fmt.Sprintf("at most %d characters, and these are %d", maxName, n)
	case len(s) > maxNameBytes:
		return fmt.Sprintf("at most %d bytes in UTF-8, and these are %d", maxNameBytes, len(s))
	}
	return ""
}
