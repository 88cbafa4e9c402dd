package store

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type partsInner struct {
	LR   float64  `json:"lr"`
	Name string   `json:"name,omitempty"`
	List []string `json:"list"`
}

type partsBase struct {
	Batch  int    `json:"batch"`
	Set    string `json:"-"`
	Hidden bool   `json:"hidden"`
}

type partsText int

func (p partsText) MarshalText() ([]byte, error) { return []byte{'t', byte('a' + p)}, nil }

type partsPlain struct{ n int }

func (p partsPlain) PlainJSON() any {
	if p.n%2 == 0 {
		return p.n
	}
	return partsInner{LR: float64(p.n), List: []string{"odd"}}
}

func (p partsPlain) MarshalJSON() ([]byte, error) { return json.Marshal(p.PlainJSON()) }

type partsOuter struct {
	partsUnexported
	partsBaseAlias
	Hidden string             `json:"hidden"` // hides the embedded one
	Inner  partsInner         `json:"inner"`
	To     *partsInner        `json:"to"`
	Maybe  *partsInner        `json:"maybe,omitempty"`
	Any    any                `json:"any"`
	Map    map[string]float32 `json:"map"`
	Text   partsText          `json:"text"`
	Bytes  []byte             `json:"bytes"`
	Zero   partsInner         `json:"zero,omitzero"`
	Raw    json.RawMessage    `json:"raw"`
	Keyed  map[partsText]int8 `json:"keyed"`
	Quoted struct{ N uint64 } `json:"quoted"`
	Strung struct {
		N int `json:",string"`
	} `json:"strung"`
	NoTag string
	Plain partsPlain
	Some  []*partsPlain
}

type partsUnexported struct {
	Deep string `json:"deep"`
}

type partsBaseAlias = partsBase

// Walking a struct gives the parts that its JSON gives: keys made by either are the same.
func TestParamPartsAreThoseOfJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		float := rapid.OneOf(rapid.Float64Range(-1e25, 1e25), rapid.Float64Range(-1e-5, 1e-5), rapid.SampledFrom([]float64{0, 1e21, 1e-6, 1e-7, 123456789, math.Copysign(0, -1)}))
		inner := rapid.Custom(func(t *rapid.T) partsInner {
			return partsInner{float.Draw(t, "lr"), rapid.String().Draw(t, "name"), rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "list")}
		})
		v := partsOuter{Hidden: "h", Inner: inner.Draw(t, "inner"), Text: partsText(rapid.IntRange(0, 9).Draw(t, "text")),
			Bytes: rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"), Map: rapid.MapOf(rapid.String(), rapid.Float32Range(-9, 9)).Draw(t, "map"),
			Any: rapid.OneOf(rapid.Just[any](nil), float.AsAny(), inner.AsAny(), rapid.String().AsAny(), rapid.Int64().AsAny()).Draw(t, "any"),
			Raw: json.RawMessage(`{"z": [1, {"a": null}], "b": 1.50}`), Keyed: map[partsText]int8{2: 1, 1: 2}, NoTag: "x",
			Plain: partsPlain{rapid.IntRange(0, 9).Draw(t, "plain")}, Some: []*partsPlain{{1}, nil, {2}}}
		v.Batch, v.Deep = rapid.Int().Draw(t, "batch"), "d"
		if rapid.Bool().Draw(t, "to") {
			to := inner.Draw(t, "pointed")
			v.To, v.Maybe = &to, &to
		}
		for _, params := range []any{v, &v, []partsOuter{v}, map[string]any{"v": v}} {
			got, err := ParamParts("params", params)
			if err != nil {
				t.Fatal(err)
			}
			var w walk
			w.marshaled("params", reflect.ValueOf(params))
			if w.err != nil {
				t.Fatal(w.err)
			}
			if d := cmp.Diff(w.parts, got); d != "" {
				t.Fatal(d)
			}
		}
	})
}

func BenchmarkParamParts(b *testing.B) {
	v := partsOuter{Inner: partsInner{LR: 0.1, List: []string{"a", "b"}}}
	for b.Loop() {
		if _, err := ParamParts("params", v.Inner); err != nil {
			b.Fatal(err)
		}
	}
}
