package faces_test

import (
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/faces"
)

// BenchmarkDraw is one picture with its map and masks, on one core.
func BenchmarkDraw(b *testing.B) {
	set, err := faces.New(faces.Options{Generator: "G0", Split: "train", Count: 1000, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	p := faces.NewPicture(set.Side())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		set.Draw(i%set.Len(), p)
	}
}
