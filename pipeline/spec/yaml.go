package spec

import (
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/cyborg-run/cyborg-run/pipeline/diag"
)

// parse turns the text of a file into a Map, or reports why it cannot and returns nil.
func parse(s *source, from *origin, diags *diag.List) *Value {
	node, more, err := decodeYAML(mask(s.text))
	if err != nil {
		reportSyntax(s, err, diags)
		return nil
	}
	if more > 0 {
		diags.Add(diag.Pos{File: s.path, Line: more, Column: 1}, NotASpec, "a second document begins here; a spec is one document, without ---")
		return nil
	}
	c := converter{source: s, origin: from, diags: diags}
	if node == nil || node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" {
		diags.Add(diag.Pos{File: s.path}, NotASpec, "the file is empty")
		return nil
	}
	if node.Kind != yaml.MappingNode {
		diags.Add(c.pos(node), NotASpec, "a spec is a map of keys (version, name, stages, ...), this is %s", c.kindOf(node))
		return nil
	}
	if v := c.value(node, 0); v.Kind == Map {
		return v
	}
	return nil
}

// decodeYAML parses one document. more is the line of a second one.
func decodeYAML(text string) (root *yaml.Node, more int, err error) {
	defer func() { // the parser is foreign code that reads foreign bytes
		if p := recover(); p != nil {
			root, err = nil, parserPanic{p}
		}
	}()
	var doc yaml.Node
	stream := yaml.NewDecoder(strings.NewReader(text))
	if err := stream.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, 0, nil
		}
		return nil, 0, err
	}
	var second yaml.Node
	switch err := stream.Decode(&second); {
	case err == nil:
		more = max(1, second.Line)
	case !errors.Is(err, io.EOF):
		return nil, 0, err
	}
	if len(doc.Content) == 0 {
		return nil, more, nil
	}
	return doc.Content[0], more, nil
}

// converter makes Values of one file's YAML nodes.
type converter struct {
	source *source
	origin *origin
	diags  *diag.List
	count  int
	open   map[*yaml.Node]bool // aliases being followed
}

func (c *converter) pos(n *yaml.Node) diag.Pos {
	p := diag.Pos{File: c.source.path, Line: n.Line, Column: n.Column, Width: 1}
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		p.Width = max(1, utf8.RuneCountInString(n.Value))
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			p.Width += 2
		}
	}
	if c.origin.set { // of --set, or a default: not in a file
		p.Line, p.Column = 0, p.Column+c.origin.shift
		if n.Line > 1 || c.origin.shift == 0 {
			return diag.Pos{File: c.source.path}
		}
	}
	return p
}

func (c *converter) kindOf(n *yaml.Node) Kind {
	switch n.Kind {
	case yaml.MappingNode:
		return Map
	case yaml.SequenceNode:
		return List
	}
	return String
}

func (c *converter) value(n *yaml.Node, depth int) *Value {
	v := &Value{Kind: Invalid, Pos: c.pos(n), origin: c.origin}
	c.count++
	if c.count == maxValues+1 {
		c.diags.Add(v.Pos, TooLarge, "more than %d values; aliases count each time", maxValues)
	}
	if depth == maxDepth {
		c.diags.Add(v.Pos, TooLarge, "nested deeper than %d levels", maxDepth)
	}
	if c.count > maxValues || depth >= maxDepth || c.diags.Len() > maxProblems {
		return v
	}
	switch n.Kind {
	case yaml.ScalarNode:
		c.scalar(v, n)
	case yaml.SequenceNode:
		if c.tagged(n, "!!seq") {
			v.Kind = List
			for _, item := range n.Content {
				v.items = append(v.items, c.value(item, depth+1))
			}
		}
	case yaml.MappingNode:
		if c.tagged(n, "!!map") {
			v.Kind = Map
			c.mapping(v, n, depth)
		}
	case yaml.AliasNode:
		if c.open[n.Alias] {
			c.diags.Add(v.Pos, BadYAML, "the alias *%s stands inside of what it means", n.Value)
			return v
		}
		if c.open == nil {
			c.open = map[*yaml.Node]bool{}
		}
		c.open[n.Alias] = true
		v = c.value(n.Alias, depth+1)
		delete(c.open, n.Alias)
	}
	return v
}

func (c *converter) tagged(n *yaml.Node, want string) bool {
	if tag := n.ShortTag(); tag != want && tag != "!" {
		c.diags.Add(c.pos(n), BadYAML, "the tag %s is not for specs", n.Tag)
		return false
	}
	return true
}

func (c *converter) mapping(v *Value, n *yaml.Node, depth int) {
	var merges []*yaml.Node
	places := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, item := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.AliasNode && k.Alias != nil {
			k = k.Alias
		}
		if k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" {
			merges = append(merges, item)
			continue
		}
		if k.Kind != yaml.ScalarNode {
			c.diags.Add(c.pos(n.Content[i]), BadYAML, "a key must be a word, this is %s", c.kindOf(k))
			continue
		}
		c.entry(v, places, Key{Name: unmask(k.Value), Pos: c.pos(n.Content[i])}, c.value(item, depth+1))
	}
	for _, m := range merges { // keys of the map itself win over merged ones
		c.merged(v, places, m, depth)
	}
}

// entry adds a key; `name+` and `name!` carry a merge rule. places is where the keys of v are.
func (c *converter) entry(v *Value, places map[string]int, key Key, item *Value) {
	written := key.Name
	if n := len(key.Name); n > 1 {
		switch rule := mergeRule(key.Name[n-1]); rule {
		case appending, replacing:
			key.Name, key.rule = key.Name[:n-1], rule
		}
	}
	if !keyName(key.Name) {
		c.diags.Add(key.Pos, BadYAML, "the key %s: a key is not empty and ends in at most one + or !", quote(written))
		return
	}
	if i, there := places[key.Name]; there {
		if key.rule == appending && v.Keys[i].rule != appending { // key: and key+: side by side
			v.items[i] = appendTo(v.items[i], item, key, c.diags)
			return
		}
		c.diags.Add(key.Pos, DuplicateKey, "the key %q is given twice, first in line %d", key.Name, v.Keys[i].Pos.Line)
		return
	}
	if key.rule == appending && item.Kind != List && item.Kind != Invalid {
		c.diags.Add(item.Pos, BadAppend, "%s+ appends a list, this is %s", key.Name, item.Kind)
		item = &Value{Kind: Invalid, Pos: item.Pos, origin: c.origin}
	}
	places[key.Name] = len(v.Keys)
	v.Keys, v.items = append(v.Keys, key), append(v.items, item)
}

// merged is `<<: *anchor` and `<<: [*a, *b]`: the keys of other maps, the first that has one wins.
func (c *converter) merged(v *Value, places map[string]int, n *yaml.Node, depth int) {
	from := c.value(n, depth+1)
	maps := []*Value{from}
	if from.Kind == List {
		maps = from.items
	}
	for _, m := range maps {
		switch m.Kind {
		case Map:
			for i, key := range m.Keys {
				if _, there := places[key.Name]; !there {
					places[key.Name] = len(v.Keys)
					v.Keys, v.items = append(v.Keys, key), append(v.items, m.items[i])
				}
			}
		case Invalid:
		default:
			c.diags.Add(m.Pos, BadYAML, "<< takes a map or a list of maps, this is %s", m.Kind)
		}
	}
}

func (c *converter) scalar(v *Value, n *yaml.Node) {
	v.text = unmask(n.Value)
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp", "!":
		v.Kind = String
	case "!!null":
		v.Kind = Null
	case "!!bool":
		v.Kind = Bool
		v.truth = n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
	case "!!int":
		var whole int
		if err := n.Decode(&whole); err != nil {
			c.diags.Add(v.Pos, OutOfRange, "%s is no whole number of at most 64 bits", n.Value)
			return
		}
		v.Kind, v.whole = Int, whole
	case "!!float":
		f := math.NaN()
		if err := n.Decode(&f); err != nil {
			c.diags.Add(v.Pos, OutOfRange, "%s is no number", n.Value)
			return
		}
		v.Kind, v.float = Float, f
		if _, err := strconv.ParseFloat(n.Value, 64); err != nil {
			v.text = floatText(f)
		}
	default:
		c.diags.Add(v.Pos, BadYAML, "the tag %s is not for specs", n.Tag)
	}
}

// keyName tells whether a key can be written without meaning a merge rule.
func keyName(name string) bool {
	return name != "" && !strings.HasSuffix(name, string(appending)) && !strings.HasSuffix(name, string(replacing))
}
