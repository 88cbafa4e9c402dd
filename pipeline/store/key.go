package store

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/zeebo/blake3"
)

// Part is one named ingredient of a key. Parts are kept with the artifact, so that a plan can say which one changed.
type Part struct {
	Name  string `json:"name"` // params.train.lr, input.data, device
	Value string `json:"value"`
}

// Key identifies an artifact: BLAKE3 over the parts, in hexadecimal.
type Key string

// MakeKey hashes the parts. Names and values are length-prefixed, so that no two lists of parts hash alike.
func MakeKey(parts []Part) Key {
	h := blake3.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s%d:%s", len(p.Name), p.Name, len(p.Value), p.Value)
	}
	return Key(hex.EncodeToString(h.Sum(nil)[:20]))
}

// ParamParts flattens a JSON-marshalable value into one part for each leaf: params.optimizer.sgd.lr = 0.005.
func ParamParts(prefix string, params any) ([]Part, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("parameters: %w", err)
	}
	var tree any
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	var parts []Part
	flatten(prefix, tree, &parts)
	return parts, nil
}

func flatten(name string, v any, into *[]Part) {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			flatten(name+"."+k, v[k], into)
		}
	case []any:
		for i, item := range v {
			flatten(name+"."+strconv.Itoa(i), item, into)
		}
	case string:
		*into = append(*into, Part{name, strconv.Quote(v)})
	case json.Number:
		*into = append(*into, Part{name, v.String()})
	case bool:
		*into = append(*into, Part{name, strconv.FormatBool(v)})
	}
}

// Changes says in words how the parts differ from those of an earlier key; nil when they do not.
func Changes(before, now []Part) []string {
	old := make(map[string]string, len(before))
	for _, p := range before {
		old[p.Name] = p.Value
	}
	var out []string
	for _, p := range now {
		was, had := old[p.Name]
		delete(old, p.Name)
		name := strings.TrimPrefix(p.Name, "params.")
		switch {
		case !had:
			out = append(out, fmt.Sprintf("%s: %s is new", name, short(p.Value)))
		case was != p.Value && isDigest(p.Value):
			out = append(out, name+" changed")
		case was != p.Value:
			out = append(out, fmt.Sprintf("%s %s -> %s", name, was, p.Value))
		}
	}
	gone := make([]string, 0, len(old))
	for name := range old {
		gone = append(gone, strings.TrimPrefix(name, "params.")+" is gone")
	}
	sort.Strings(gone)
	return append(out, gone...)
}

func isDigest(value string) bool { return strings.HasPrefix(value, digestPrefix) }

func short(value string) string {
	if isDigest(value) {
		return "a file"
	}
	return value
}
