package diag

import (
	"strings"
	"testing"
)

// The caret stands below its place wherever a terminal puts that: behind tabs, wide characters and accents of their
// own; of a long line, the part around the place is shown.
func TestExcerpt(t *testing.T) {
	long := strings.Repeat("a", 300) + "BAD" + strings.Repeat("z", 300)
	for _, test := range []struct {
		name, text      string
		column, columns int
		shown, carets   string
	}{
		{"plain", "epoch: 3", 1, 5, "epoch: 3", "^^^^^"},
		{"tab", "\tepoch", 2, 5, "\tepoch", "\t^^^^^"},
		{"wide before", "名前: x", 5, 1, "名前: x", "      ^"},
		{"wide below", "a: 名前", 4, 2, "a: 名前", "   ^^^^"},
		{"combining", "e\u0301: x", 5, 1, "e\u0301: x", "   ^"},
		{"commands to a terminal", "a\x1b[31mb\u009bc", 2, 1, "a\ufffd[31mb\ufffdc", " ^"},
		{"behind the end", "ab", 3, 1, "ab", "  ^"},
		{"long", long, 301, 3, "... " + strings.Repeat("a", 60) + "BAD" + strings.Repeat("z", 97) + " ...", strings.Repeat(" ", 64) + "^^^"},
		{"long, at its beginning", long, 1, 2, strings.Repeat("a", 160) + " ...", "^^"},
		{"long, all of it", long, 1, 603, strings.Repeat("a", 160) + " ...", strings.Repeat("^", 160)},
	} {
		shown, carets := excerpt(test.text, test.column, test.columns)
		if shown != test.shown || carets != test.carets {
			t.Errorf("%s:\n%q\n%q, want\n%q\n%q", test.name, shown, carets, test.shown, test.carets)
		}
	}
}
