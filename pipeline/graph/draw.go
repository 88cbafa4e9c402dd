package graph

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// WriteText lists every node with what it needs.
func WriteText(w io.Writer, g *Graph) {
	for _, n := range g.Nodes {
		fmt.Fprintln(w, n.Name)
		for _, from := range needs(n) {
			fmt.Fprintf(w, "  needs %s\n", from)
		}
	}
}

// WriteDOT writes the graph in Graphviz's language.
func WriteDOT(w io.Writer, g *Graph) {
	fmt.Fprintln(w, "digraph {\n  rankdir=LR\n  node [shape=box]")
	for _, n := range g.Nodes {
		fmt.Fprintf(w, "  %q\n", n.Name)
		for _, from := range needs(n) {
			fmt.Fprintf(w, "  %q -> %q\n", from, n.Name)
		}
	}
	fmt.Fprintln(w, "}")
}

// WriteMermaid writes the graph as Markdown hosts draw it.
func WriteMermaid(w io.Writer, g *Graph) {
	fmt.Fprintln(w, "graph LR")
	id := make(map[string]int, len(g.Nodes))
	for i, n := range g.Nodes {
		id[n.Name] = i
		fmt.Fprintf(w, "  n%d[\"%s\"]\n", i, strings.ReplaceAll(n.Name, `"`, "#quot;"))
		for _, from := range needs(n) {
			fmt.Fprintf(w, "  n%d --> n%d\n", id[from], i)
		}
	}
}

// WriteSVG draws the graph in columns: a node stands right of all that it needs.
func WriteSVG(w io.Writer, g *Graph) {
	const boxH, gapX, gapY, charW = 26, 70, 10, 7
	column := make(map[*Node]int)
	var columns [][]*Node
	for _, n := range g.Nodes {
		at := 0
		for _, e := range n.Needs {
			at = max(at, column[e.From]+1)
		}
		column[n] = at
		for len(columns) <= at {
			columns = append(columns, nil)
		}
		columns[at] = append(columns[at], n)
	}
	type box struct{ x, y, w int }
	place := make(map[*Node]box)
	x, height := gapY, 0
	for _, nodes := range columns {
		width := 0
		for _, n := range nodes {
			width = max(width, charW*len([]rune(n.Name))+16)
		}
		for i, n := range nodes {
			place[n] = box{x, gapY + i*(boxH+gapY), width}
		}
		x += width + gapX
		height = max(height, len(nodes)*(boxH+gapY)+gapY)
	}
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="monospace" font-size="12">`+"\n", x-gapX+gapY, height)
	for _, n := range g.Nodes {
		to := place[n]
		seen := map[*Node]bool{}
		for _, e := range n.Needs {
			if seen[e.From] {
				continue
			}
			seen[e.From] = true
			from := place[e.From]
			x0, y0, x1, y1 := from.x+from.w, from.y+boxH/2, to.x, to.y+boxH/2
			fmt.Fprintf(w, `<path d="M%d %dC%d %d %d %d %d %d" fill="none" stroke="#999"/>`+"\n", x0, y0, x0+gapX/2, y0, x1-gapX/2, y1, x1, y1)
		}
	}
	for _, n := range g.Nodes {
		b := place[n]
		fmt.Fprintf(w, `<rect x="%d" y="%d" width="%d" height="%d" rx="4" fill="#f4f6f8" stroke="#456"/><text x="%d" y="%d">%s</text>`+"\n",
			b.x, b.y, b.w, boxH, b.x+8, b.y+17, html.EscapeString(n.Name))
	}
	fmt.Fprintln(w, "</svg>")
}

func needs(n *Node) []string {
	var names []string
	seen := map[string]bool{}
	for _, e := range n.Needs {
		if !seen[e.From.Name] {
			seen[e.From.Name] = true
			names = append(names, e.From.Name)
		}
	}
	return names
}
