package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// What a spec may not be larger than. No spec comes near; a mistake or an attack does.
const (
	maxBytes    = 4 << 20
	maxValues   = 100_000
	maxDepth    = 100
	maxFiles    = 100
	maxParams   = 1000
	maxProfiles = 100
	maxProblems = 100 // after which reading stops looking for more
)

// source is one text that values were read from.
type source struct {
	path string
	text string
}

// read opens a file as text. The place of what is wrong with it is asker, where that is known, else the file.
func read(path string, open func(string) ([]byte, error), asker *diag.Pos, diags *diag.List) *source {
	if open == nil {
		open = readFile
	}
	raw, err := open(path)
	if err != nil {
		pos, who := diag.Pos{File: path}, ""
		if asker != nil {
			pos, who = *asker, "extends "
		}
		diags.Add(pos, Unreadable, "%s%s: %s", who, path, reason(err))
		return nil
	}
	if len(raw) > maxBytes {
		diags.Add(diag.Pos{File: path}, TooLarge, "the file has more than %d MiB; a spec is never that large", maxBytes>>20)
		return nil
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	s := &source{path: path, text: string(raw)}
	if pos, what := s.unreadable(); what != "" {
		diags.Add(pos, NotASpec, "%s: this is no text file", what)
		return nil
	}
	return s
}

// readFile reads regular files only: a device or a pipe may never end.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening: to open a pipe may wait for ever
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("this is a folder")
	case !info.Mode().IsRegular():
		return nil, errors.New("this is no regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxBytes+1))
}

func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file"
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// unreadable finds the first byte that is no text.
func (s *source) unreadable() (diag.Pos, string) {
	line, start := 1, 0
	for i := 0; i < len(s.text); {
		r, size := utf8.DecodeRuneInString(s.text[i:])
		what := ""
		switch {
		case r == utf8.RuneError && size == 1:
			what = fmt.Sprintf("byte 0x%02x is not UTF-8", s.text[i])
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r >= 0x7f && r < 0xa0 && r != 0x85, masked(r), r == '\ufffe', r == '\uffff':
			what = fmt.Sprintf("the control character U+%04X", r)
		}
		if what != "" {
			return diag.Pos{File: s.path, Line: line, Column: utf8.RuneCountInString(s.text[start:i]) + 1}, what
		}
		i += size
		if r == '\n' {
			line, start = line+1, i
		}
	}
	return diag.Pos{}, ""
}

// In a flow collection, YAML ends a plain value at a brace, a bracket or a comma, so `{seed: ${seeds}}` would not be
// YAML. Before parsing, such characters inside ${...} are exchanged, one for one, for characters that mean nothing to
// YAML; each value gets its own back afterwards. Places stay true, and so does the text.
const (
	yamlMarks = "{}[],:#?"
	maskFirst = '\U0010ff00'
)

func masked(r rune) bool { return r >= maskFirst && r < maskFirst+rune(len(yamlMarks)) }

func mask(s string) string {
	if !strings.Contains(s, "${") {
		return s
	}
	var out strings.Builder
	for {
		start := strings.Index(s, "${")
		if start < 0 {
			break
		}
		end := closing(s, start+2)
		out.WriteString(s[:start+1])
		if end < 0 {
			s = s[start+1:]
			continue
		}
		for _, r := range s[start+1 : end+1] {
			if i := strings.IndexRune(yamlMarks, r); i >= 0 {
				r = maskFirst + rune(i)
			}
			out.WriteRune(r)
		}
		s = s[end+1:]
	}
	out.WriteString(s)
	return out.String()
}

// closing is the index of the brace that closes an expression on its line, or -1. Quotes are left out of account: in
// YAML text they may be escaped in several ways, and to mask too little does no harm there.
func closing(s string, from int) int {
	depth := 1
	for i := from; i < len(s) && s[i] != '\n'; i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func unmask(s string) string {
	if !strings.ContainsFunc(s, masked) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if masked(r) {
			return rune(yamlMarks[r-maskFirst])
		}
		return r
	}, s)
}
