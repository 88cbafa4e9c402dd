package loader_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/loader"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/pack/packtest"
	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// A batch is the rows that were asked for, in that order, however often each: images, labels and maps of the same row.
func TestBatch(t *testing.T) {
	const count, side, grid = 11, 8, 3
	set, err := pack.Open(packtest.Noise(t, 1, count, side, grid, "human", "control"))
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if err := torch.Do(func(outer *torch.Scope) error {
		l, err := loader.New(outer, torch.CPU, set, []string{"control"})
		if err != nil {
			return err
		}
		if l.Len() != count {
			t.Errorf("%d images, want %d", l.Len(), count)
		}
		cells, has, err := set.Map("control")
		if err != nil {
			return err
		}
		rapid.Check(t, func(t *rapid.T) {
			index := rapid.SliceOfN(rapid.Int64Range(0, count-1), 1, 7).Draw(t, "index")
			if err := outer.Do(func(s *torch.Scope) error {
				b := l.Batch(s, index)
				var pixels, maps []byte
				var labels []int64
				var have []bool
				for _, i := range index {
					pixels = append(pixels, set.Image(int(i))...)
					labels = append(labels, int64(set.Rows()[i].Class))
					maps = append(maps, cells[i*grid*grid:(i+1)*grid*grid]...)
					have = append(have, has[i])
				}
				n := len(index)
				for _, c := range []struct {
					what      string
					want, got any
				}{
					{"pixels", pixels, torch.Slice[uint8](b.Pixels)}, {"shape of the pixels", []int{n, side, side, 3}, b.Pixels.Shape()},
					{"labels", labels, torch.Slice[int64](b.Labels)},
					{"maps", maps, torch.Slice[uint8](b.Maps["control"].Values)}, {"shape of the maps", []int{n, grid, grid}, b.Maps["control"].Values.Shape()},
					{"which have maps", have, torch.Slice[bool](b.Maps["control"].Has)}, {"number of maps", 1, len(b.Maps)},
				} {
					if d := cmp.Diff(c.want, c.got); d != "" {
						t.Fatalf("%s of rows %v:\n%s", c.what, index, d)
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestUnknownMap(t *testing.T) {
	set, err := pack.Open(packtest.Noise(t, 1, 2, 8, 3, "human"))
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	err = torch.Do(func(s *torch.Scope) error {
		_, err := loader.New(s, torch.CPU, set, []string{"humane"})
		return err
	})
	if want := `no map is called "humane"; there are: human`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestRange(t *testing.T) {
	if d := cmp.Diff([]int64{3, 4, 5}, loader.Range(3, 6)); d != "" {
		t.Error(d)
	}
	if got := loader.Range(3, 3); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
