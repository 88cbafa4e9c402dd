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

// fileName tells whether s can stand in the name of a file or folder, on any system.
func fileName(s string) bool {
	if s == "" || s == "." || s == ".." || len(s) > 100 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.+", r)
	})
}
