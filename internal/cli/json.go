package cli

import (
	"encoding/json"
	"io"
)

// printJSON prints what --json asks for, for programs and for people.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // people read it too: 0.02 -> 0.01
	return encoder.Encode(v)
}
