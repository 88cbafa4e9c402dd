package annotation_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
)

// picture shows a map as text: . for 0, # for 1, a digit for tenths between.
func picture(m *annotation.Map) string {
	var out strings.Builder
	for i, v := range m.V {
		switch {
		case v <= 0:
			out.WriteByte('.')
		case v >= 1:
			out.WriteByte('#')
		default:
			fmt.Fprintf(&out, "%d", int(math.Round(10*v)))
		}
		if (i+1)%m.W == 0 {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// of is the map that a picture shows.
func of(rows ...string) *annotation.Map {
	m := annotation.NewMap(len(rows[0]), len(rows))
	for i, c := range strings.Join(rows, "") {
		if c == '#' {
			m.V[i] = 1
		} else if c != '.' {
			m.V[i] = float64(c-'0') / 10
		}
	}
	return m
}

func show(t *testing.T, m *annotation.Map, want ...string) {
	t.Helper()
	if d := cmp.Diff(strings.Join(want, "\n")+"\n", picture(m)); d != "" {
		t.Error(d)
	}
}

func TestDraw(t *testing.T) {
	for name, c := range map[string]struct {
		region annotation.Region
		want   []string
	}{
		"box":            {annotation.Box(1, 1, 2, 2), []string{".....", ".##..", ".##..", "....."}},
		"half_covered":   {annotation.Box(0.5, 1.5, 2, 1), []string{".....", "353..", "353..", "....."}},
		"over_the_edge":  {annotation.Box(3, -5, 50, 7), []string{"...##", "...##", ".....", "....."}},
		"outside":        {annotation.Box(-9, 0, 5, 5), []string{".....", ".....", ".....", "....."}},
		"empty":          {annotation.Box(1, 1, 0, 3), []string{".....", ".....", ".....", "....."}},
		"the_other_way":  {annotation.Region{Lines: [][]annotation.Vec{{{1, 1}, {1, 3}, {3, 3}, {3, 1}}}}, []string{".....", ".##..", ".##..", "....."}},
		"non_zero_union": {annotation.Region{Lines: [][]annotation.Vec{annotation.Box(0, 0, 3, 2).Lines[0], annotation.Box(2, 0, 3, 2).Lines[0]}}, []string{"#####", "#####", ".....", "....."}},
		"even_odd":       {annotation.Region{EvenOdd: true, Lines: [][]annotation.Vec{annotation.Box(0, 0, 3, 2).Lines[0], annotation.Box(2, 0, 3, 2).Lines[0]}}, []string{"##.##", "##.##", ".....", "....."}},
		"runs":           {annotation.Region{Runs: &annotation.Runs{W: 3, H: 4, Counts: []int{1, 2, 5, 4}}}, []string{"..#..", "#.#..", "#.#..", "..#.."}},
	} {
		t.Run(name, func(t *testing.T) {
			m := annotation.NewMap(5, 4)
			m.Draw(c.region, 1)
			show(t, m, c.want...)
		})
	}
}

// A region that touches the edge is within; rounding of what a file says is not counted.
func TestLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		region annotation.Region
		want   bool
	}{
		"whole":    {annotation.Box(0, 0, 5, 4), false},
		"rounding": {annotation.Box(-0.01, 0.1, 5.02, 3.9001), false},
		"left":     {annotation.Box(-0.1, 0, 2, 2), true},
		"right":    {annotation.Box(4, 0, 1.1, 2), true},
		"below":    {annotation.Box(0, 3, 1, 2), true},
		"beyond":   {annotation.Box(9, 9, 1, 1), true},
		"scaled":   {annotation.Region{Lines: annotation.Box(0, 0, 3, 7).Lines, W: 3, H: 7}.Scaled(5, 4), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.region.Leaves(5, 4); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestAverage(t *testing.T) {
	maps := []*annotation.Map{of("##.5"), of("#..."), of("#.4#")}
	show(t, annotation.Average(maps, annotation.Mean), "#315")
	show(t, annotation.Average(maps, annotation.Any), "##4#")
	show(t, annotation.Average(maps, annotation.Majority), "#..#")
	show(t, annotation.Average(maps[:2], annotation.Majority), "#...") // one of two is no majority
}

func TestGrain(t *testing.T) {
	m := of(
		"........",
		".####...",
		".#..#.3.",
		".####...",
		"......6.",
		"........")
	for name, c := range map[string]struct {
		granularity string
		level       float64
		want        []string
	}{
		"features":           {annotation.Features, 0.5, strings.Split(strings.TrimSpace(picture(m)), "\n")},
		"area":               {annotation.Area, 0, []string{"........", ".####...", ".####...", ".####...", "......#.", "........"}},
		"area_at_a_level":    {annotation.Area, 0.2, []string{"........", ".####...", ".####.#.", ".####...", "......#.", "........"}},
		"boundary":           {annotation.Boundary, 0, []string{"........", ".######.", ".######.", ".######.", ".######.", "........"}},
		"boundary_at_level":  {annotation.Boundary, 0.9, []string{"........", ".####...", ".####...", ".####...", "........", "........"}},
		"above_all_of_it":    {annotation.Boundary, 1.1, []string{"........", "........", "........", "........", "........", "........"}},
		"area_above_all_too": {annotation.Area, 1.1, []string{"........", "........", "........", "........", "........", "........"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := m.Grain(c.granularity, c.level)
			if err != nil {
				t.Fatal(err)
			}
			show(t, got, c.want...)
		})
	}
	if empty, err := annotation.NewMap(3, 1).Grain(annotation.Boundary, 0); err != nil || !empty.Empty() {
		t.Errorf("of an empty map: %v, %v", empty, err)
	}
	if _, err := m.Grain("grains", 0); err == nil {
		t.Error("a granularity that there is not was taken")
	}
}

// Values of statsmodels 0.14 (inter_rater.fleiss_kappa); the first table is the usual example, of 14 raters.
func TestKappa(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		counts [][]int
		kappa  float64
		images int
	}{
		"fourteen_raters": {[][]int{{0, 0, 0, 0, 14}, {0, 2, 6, 4, 2}, {0, 0, 3, 5, 6}, {0, 3, 9, 2, 0}, {2, 2, 8, 1, 1}, {7, 7, 0, 0, 0}, {3, 2, 6, 3, 0}, {2, 5, 3, 2, 2}, {6, 5, 2, 1, 0}, {0, 2, 2, 3, 7}}, 0.20993070442195522, 10},
		"three_raters":    {[][]int{{3, 0}, {0, 3}, {2, 1}, {1, 2}, {3, 0}}, 0.44444444444444453, 5},
		"six_raters":      {[][]int{{6, 0}, {5, 1}, {2, 4}, {3, 3}}, 0.17499999999999988, 4},
		"lone_answers":    {[][]int{{6, 0}, {1, 0}, {5, 1}, nil, {2, 4}, {3, 3}}, 0.17499999999999988, 4},
		"unequal":         {[][]int{{2, 0}, {0, 3}}, 1, 2},
		"one_answer_only": {[][]int{{3, 0}, {4, 0}}, nan, 2},
		"none":            {nil, nan, 0},
	} {
		t.Run(name, func(t *testing.T) {
			kappa, images := annotation.Kappa(c.counts)
			if images != c.images || math.IsNaN(kappa) != math.IsNaN(c.kappa) || math.Abs(kappa-c.kappa) > 1e-12 {
				t.Errorf("%v of %d images, want %v of %d", kappa, images, c.kappa, c.images)
			}
		})
	}
}

func TestPairsWithoutValue(t *testing.T) {
	empty, full, half := annotation.NewMap(2, 1), of("##"), of("#.")
	pairs := annotation.Pairs([]*annotation.Map{empty, full, half, empty})
	if len(pairs) != 6 || !math.IsNaN(pairs[0].CC) || pairs[0].IoU != 0 || !math.IsNaN(pairs[2].IoU) || pairs[3].IoU != 0.5 {
		t.Errorf("%v", pairs)
	}
	if mean := annotation.MeanPair(pairs); !math.IsNaN(mean.CC) || mean.IoU != 0.1 {
		t.Errorf("mean %v", mean)
	}
}

func TestPixelsPerDegree(t *testing.T) {
	// OSIE's screen: 22 inches of 4:3, 44.7 cm and 800 pixels of the image across, 57 cm away, where a degree is one centimetre.
	got := annotation.Degrees{ScreenWidth: 800, ScreenCM: 44.7, DistanceCM: 57}.PixelsPerDegree()
	if want := 2 * 57 * math.Tan(0.5*math.Pi/180) * 800 / 44.7; math.Abs(got-want) > 1e-12 || math.Abs(got-17.8) > 0.01 {
		t.Errorf("%v pixels", got)
	}
	if got := (annotation.Degrees{ScreenWidth: 800, DistanceCM: 57}).PixelsPerDegree(); got != 0 {
		t.Errorf("%v pixels of a screen without width", got)
	}
}
