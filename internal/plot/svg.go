package plot

import (
	"bytes"
	"fmt"
	"html"
	"strconv"
	"strings"
)

// svg is a canvas that writes SVG 1.1.
type svg struct {
	body bytes.Buffer
}

func renderSVG(f figure) []byte {
	width, height := f.size()
	c := &svg{}
	fmt.Fprintf(&c.body, `<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 %s %s" width="%[1]s" height="%[2]s" role="img"`+
		` font-family="Inter,'Helvetica Neue',Helvetica,Arial,'Liberation Sans',sans-serif">`+"\n",
		number(width), number(height))
	fmt.Fprintf(&c.body, "<title>%s</title>\n", escape(f.title()))
	c.area([]point{{0, 0}, {width, 0}, {width, height}, {0, height}}, paper, 1)
	f.draw(c)
	c.body.WriteString("</svg>\n")
	return c.body.Bytes()
}

// Marker is series n's sign alone, as a small SVG for a line of text.
func Marker(n int) []byte {
	c := &svg{}
	c.body.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" class="plot-marker" viewBox="0 0 14 14" width="12" height="12" aria-hidden="true">`)
	marker(c, n, point{7, 7}, 4.8, 1)
	c.body.WriteString("</svg>")
	return c.body.Bytes()
}

func (c *svg) line(points []point, s stroke) {
	fmt.Fprintf(&c.body, `<path class="%s-line" d="%s" fill="none" stroke="%s" stroke-width="%s" stroke-linejoin="round"`,
		s.class, path(points), s.hex, number(s.width))
	if len(s.dash) > 0 {
		dashes := make([]string, len(s.dash))
		for i, d := range s.dash {
			dashes[i] = number(d)
		}
		fmt.Fprintf(&c.body, ` stroke-dasharray="%s"`, strings.Join(dashes, " "))
	}
	c.body.WriteString("/>\n")
}

func (c *svg) area(points []point, fill paint, opacity float64) {
	fmt.Fprintf(&c.body, `<path class="%s" d="%sZ" fill="%s"`, fill.class, path(points), fill.hex)
	if opacity < 1 {
		fmt.Fprintf(&c.body, ` fill-opacity="%s"`, number(opacity))
	}
	c.body.WriteString("/>\n")
}

func (c *svg) text(l label) {
	fmt.Fprintf(&c.body, `<text class="%s" x="%s" y="%s" font-size="%s" fill="%s"`,
		l.class, number(l.at.x), number(l.at.y), number(l.size), l.hex)
	if l.bold {
		c.body.WriteString(` font-weight="600"`)
	}
	switch l.anchor {
	case middle:
		c.body.WriteString(` text-anchor="middle"`)
	case end:
		c.body.WriteString(` text-anchor="end"`)
	}
	if l.upright {
		fmt.Fprintf(&c.body, ` transform="rotate(-90 %s %s)"`, number(l.at.x), number(l.at.y))
	}
	fmt.Fprintf(&c.body, ">%s</text>\n", escape(l.text))
}

func path(points []point) string {
	var b strings.Builder
	for i, p := range points {
		b.WriteByte("ML"[min(i, 1)])
		b.WriteString(number(p.x))
		b.WriteByte(' ')
		b.WriteString(number(p.y))
	}
	return b.String()
}

// number has two decimals at most: enough for a pixel, and the same on every machine.
func number(v float64) string {
	text := strconv.FormatFloat(v, 'f', 2, 64)
	text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	if text == "-0" || text == "" {
		return "0"
	}
	return text
}

func escape(text string) string {
	return html.EscapeString(strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text), "\uFFFD"))
}
