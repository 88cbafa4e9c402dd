package spec

import (
	"bytes"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// YAML is the document as a file, resolved.yaml: without extends, profiles and expressions, in the order of the spec.
// It loads again to the same document. Relative paths stay as they were written.
func (d *Document) YAML() []byte {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	root := node(d.Root)
	if params := d.Root.Get("params"); params != nil {
		for i, p := range d.Parameters {
			at := &root.Content[2*d.Root.index("params")+1].Content[2*i+1]
			*at = p.node()
		}
	}
	_ = encoder.Encode(root) // the writer cannot fail, and the tree is well formed
	_ = encoder.Close()
	return out.Bytes()
}

// node is a parameter as it is declared: a bare value where that says all.
func (p Parameter) node() *yaml.Node {
	value := node(p.Value)
	if p.Help == "" && p.Value.Kind != Map {
		return value
	}
	pairs := []*yaml.Node{scalar("default", "!!str"), value}
	if p.Help != "" {
		pairs = append(pairs, scalar("help", "!!str"), scalar(p.Help, "!!str"))
	}
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle, Content: pairs}
}

func node(v *Value) *yaml.Node {
	switch v.Kind {
	case Map:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for i, key := range v.Keys {
			n.Content = append(n.Content, scalar(key.Name, "!!str"), node(v.items[i]))
		}
		return n
	case List:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v.items {
			n.Content = append(n.Content, node(item))
		}
		if flat(v) {
			n.Style = yaml.FlowStyle
		}
		return n
	case String:
		return scalar(strings.ReplaceAll(v.text, "${", "$${"), "!!str")
	case Bool:
		return scalar(v.Text(), "!!bool")
	case Int:
		return scalar(v.Text(), "!!int")
	case Float:
		return scalar(v.text, "!!float")
	}
	return scalar("null", "!!null")
}

func scalar(text, tag string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
	if tag == "!!str" && !simple(text) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// simple tells whether text may be left to the encoder, which writes some texts so that they do not read back.
func simple(text string) bool {
	return text != "" && strings.TrimSpace(text) == text && !strings.ContainsFunc(text, func(r rune) bool {
		return r > unicode.MaxASCII && !unicode.IsPrint(r) || r < ' '
	}) && !strings.Contains(text, "${")
}

// flat tells whether a list reads well in one line.
func flat(v *Value) bool {
	length := 0
	for _, item := range v.items {
		if item.Kind == List || item.Kind == Map {
			return false
		}
		length += len(item.Text()) + 2
	}
	return length < 100
}
