package store_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// Two lists of parts have the same key only if they are the same list.
func TestMakeKey(t *testing.T) {
	part := rapid.Custom(func(t *rapid.T) store.Part {
		text := rapid.StringMatching(`[a1:]{0,4}`) // characters of the encoding itself
		return store.Part{Name: text.Draw(t, "name"), Value: text.Draw(t, "value")}
	})
	rapid.Check(t, func(t *rapid.T) {
		one, two := rapid.SliceOfN(part, 0, 3).Draw(t, "one"), rapid.SliceOfN(part, 0, 3).Draw(t, "two")
		if same := cmp.Equal(one, two); same != (store.MakeKey(one) == store.MakeKey(two)) {
			t.Fatalf("equal %v, keys %s and %s", same, store.MakeKey(one), store.MakeKey(two))
		}
	})
}

// The key of a fixed list is fixed: a change of it would throw every user's cache away.
func TestMakeKeyIsStable(t *testing.T) {
	got := store.MakeKey([]store.Part{{Name: "stage", Value: "train revision 1"}, {Name: "params.optimizer.sgd.lr", Value: "0.005"}})
	if want := store.Key("b0d8f40a7775c6ecc97127fb2d61d5be09433aee"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestParamParts(t *testing.T) {
	type inner struct {
		LR float64 `json:"lr"`
	}
	got, err := store.ParamParts("params", struct {
		SGD    inner             `json:"sgd"`
		Seed   uint64            `json:"seed"`
		Name   string            `json:"name"`
		Last   bool              `json:"last"`
		Terms  []inner           `json:"terms"`
		Labels map[string]string `json:"labels"`
		None   *inner            `json:"none"`
		Skip   int               `json:"-"`
	}{SGD: inner{1e-6}, Seed: 1<<64 - 1, Name: `a "b"`, Terms: []inner{{0.5}, {2}}, Labels: map[string]string{"z": "Real", "a": "Synthetic"}, Skip: 3})
	if err != nil {
		t.Fatal(err)
	}
	want := []store.Part{
		{Name: "params.labels.a", Value: `"Synthetic"`},
		{Name: "params.labels.z", Value: `"Real"`},
		{Name: "params.last", Value: "false"},
		{Name: "params.name", Value: `"a \"b\""`},
		{Name: "params.seed", Value: "18446744073709551615"}, // not by way of a float64
		{Name: "params.sgd.lr", Value: "0.000001"},
		{Name: "params.terms.0.lr", Value: "0.5"},
		{Name: "params.terms.1.lr", Value: "2"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := store.ParamParts("params", func() {}); err == nil {
		t.Error("a function was flattened")
	}
}

// Every leaf of the parameters is in the parts: a value that changes changes the key.
func TestParamPartsSeeEveryLeaf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaf := rapid.OneOf(rapid.Int().AsAny(), rapid.Bool().AsAny(), rapid.StringN(0, 3, -1).AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny())
		tree := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,3}`), rapid.OneOf(leaf,
			rapid.SliceOfN(leaf, 1, 3).AsAny(), rapid.MapOfN(rapid.StringMatching(`[a-z]{1,3}`), leaf, 1, 3).AsAny()), 1, 4)
		one, two := tree.Draw(t, "one"), tree.Draw(t, "two")
		key := func(v any) store.Key {
			parts, err := store.ParamParts("params", v)
			if err != nil {
				t.Fatal(err)
			}
			return store.MakeKey(parts)
		}
		// Whether they are the same is what JSON says of them.
		first, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		second, err := json.Marshal(two)
		if err != nil {
			t.Fatal(err)
		}
		if same := string(first) == string(second); same != (key(one) == key(two)) {
			t.Fatalf("%s and %s: equal %v, keys %s and %s", first, second, same, key(one), key(two))
		}
	})
}

func TestChanges(t *testing.T) {
	before := []store.Part{
		{Name: "stage", Value: "train revision 1"}, {Name: "params.lr", Value: "0.02"}, {Name: "params.old", Value: "1"},
		{Name: "file weights.pth", Value: "blake3:aa"}, {Name: "input data from data.train", Value: "blake3:cc"},
	}
	now := []store.Part{
		{Name: "stage", Value: "train revision 1"}, {Name: "params.lr", Value: "0.01"}, {Name: "params.new", Value: "true"},
		{Name: "file weights.pth", Value: "blake3:bb"}, {Name: "file other.pth", Value: "blake3:dd"}, {Name: "input data from data.train", Value: "blake3:ee"},
	}
	want := []store.Change{
		{Name: "params.lr", Before: "0.02", After: "0.01"},
		{Name: "params.new", After: "true", New: true},
		{Name: "file weights.pth", Before: "blake3:aa", After: "blake3:bb"},
		{Name: "file other.pth", After: "blake3:dd", New: true},
		{Name: "input data from data.train", Before: "blake3:cc", After: "blake3:ee"},
		{Name: "params.old", Before: "1", Gone: true},
	}
	if d := cmp.Diff(want, store.Changes(before, now)); d != "" {
		t.Error(d)
	}
	if got := store.Changes(now, now); got != nil {
		t.Errorf("of itself: %v", got)
	}
}
