package expression

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/file"
)

// Reason is what kind of mistake an Error is.
type Reason int

// The reasons.
const (
	Bad     Reason = iota // it is no expression, or has not the type that it should have
	Unknown               // a name that is not there
	TooMuch               // it is too large, or does too much
	Fails                 // it is well formed, and cannot be evaluated with these values
)

// Error is why an expression cannot be compiled or run.
type Error struct {
	Offset, Width int // of the part that is wrong, in bytes of the expression's text; all of it where no part is to blame
	Reason        Reason
	Name          string // of Unknown
	Message       string
}

func (e *Error) Error() string { return e.Message }

var (
	unknownName = regexp.MustCompile(`^unknown name (\S+)`)
	unexpected  = regexp.MustCompile(`^unexpected token \w+\((".*")\)`)
)

// Explain is what an error of expr-lang about this text means.
func Explain(text string, err error) *Error {
	e := &Error{Width: len(text), Message: err.Error()}
	var at *file.Error
	if errors.As(err, &at) {
		e.Offset, e.Message = byteOffset(text, at.From), at.Message
		e.Width = max(1, byteOffset(text, at.To)-e.Offset)
	}
	e.Message, _, _ = strings.Cut(e.Message, "\n")
	switch name := unknownName.FindStringSubmatch(e.Message); {
	case errors.Is(err, errBudget), strings.Contains(e.Message, "memory budget"), strings.Contains(e.Message, "exceeds maximum allowed nodes"):
		e.Offset, e.Width, e.Reason, e.Message = 0, len(text), TooMuch, errBudget.Error()
	case name != nil:
		e.Width, e.Reason, e.Name, e.Message = len(name[1]), Unknown, name[1], fmt.Sprintf("unknown name %q", name[1])
	case strings.HasPrefix(e.Message, "unexpected token EOF"):
		e.Message = "it ends too early"
	}
	e.Message = unexpected.ReplaceAllString(e.Message, "unexpected $1")
	return e
}

func byteOffset(s string, runes int) int {
	for i := range s {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(s)
}
