package study

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // reads the size of JPEG files
	_ "image/png"  // ... and of PNG files
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/table"
)

// Images are those of a list, whose files lie below root. Only PNG and JPEG files can be shown, which every browser
// does; the error names the first file that is none. group is a column of the list, such as generator; empty: none.
func Images(list *table.Table, root, group string) ([]Image, error) {
	if group != "" && !slices.Contains(list.Columns, group) {
		return nil, fmt.Errorf("%s has no column %q; there are: %s", list.File, group, strings.Join(list.Columns, ", "))
	}
	images := make([]Image, len(list.Rows))
	for i, row := range list.Rows {
		images[i] = Image{Path: CleanPath(row.Path), File: filepath.Join(root, filepath.FromSlash(CleanPath(row.Path)))}
		if row.Class != table.Unlabelled {
			images[i].Label = table.ClassNames[row.Class]
		}
		images[i].Group, _ = list.Value(row, group)
		if err := images[i].look(); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", list.File, row.Line, err)
		}
	}
	return images, nil
}

// CleanPath is a path of a list as it is used for names of files below a folder: it never leads out of it.
func CleanPath(p string) string { return strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(p)), "/") }

// maxPixels of an image, as in Pillow.
const maxPixels = 178956970

// look reads what kind of file an image is, and its size.
func (i *Image) look() error {
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer file.Close()
	size, kind, err := image.DecodeConfig(file)
	if err != nil {
		return fmt.Errorf("%s: no PNG and no JPEG file: %w", i.File, err)
	}
	if size.Width*size.Height > maxPixels {
		return fmt.Errorf("%s: %d x %d pixels are more than %d", i.File, size.Width, size.Height, maxPixels)
	}
	i.Type, i.Width, i.Height = "image/"+kind, size.Width, size.Height
	return nil
}

// Singles makes each image a stimulus.
func Singles(images []Image) [][]int {
	stimuli := make([][]int, len(images))
	for i := range images {
		stimuli[i] = []int{i}
	}
	return stimuli
}

// RandomPairs pairs each real image with a synthetic one by lot, as far as there are enough of both.
func RandomPairs(images []Image, seed uint64) ([][]int, error) {
	byLabel := map[string][]int{}
	for i, image := range images {
		byLabel[image.Label] = append(byLabel[image.Label], i)
	}
	chance := rand.New(rand.NewPCG(seed, 0x70616972))
	for _, label := range []string{Real, Synthetic} {
		list := byLabel[label]
		chance.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
	}
	var pairs [][]int
	for i := range min(len(byLabel[Real]), len(byLabel[Synthetic])) {
		pairs = append(pairs, []int{byLabel[Real][i], byLabel[Synthetic][i]})
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("pairs need real and synthetic images: the list has %d and %d", len(byLabel[Real]), len(byLabel[Synthetic]))
	}
	return pairs, nil
}

// PairsBy pairs the real and the synthetic image of the same key, and leaves out the images of keys that lack either. A
// key with two images of one class is a mistake.
func PairsBy(images []Image, key func(i int) string) ([][]int, error) {
	type both struct{ of [2]int }
	found := map[string]*both{}
	var order []string
	for i, image := range images {
		side := slices.Index(table.ClassNames, image.Label)
		if side < 0 {
			continue
		}
		k := key(i)
		if found[k] == nil {
			found[k] = &both{[2]int{-1, -1}}
			order = append(order, k)
		}
		if other := found[k].of[side]; other >= 0 {
			return nil, fmt.Errorf("pairs: %s and %s are both %s and of the same pair %q", images[other].Path, image.Path, image.Label, k)
		}
		found[k].of[side] = i
	}
	var pairs [][]int
	for _, k := range order {
		if b := found[k].of; b[0] >= 0 && b[1] >= 0 {
			pairs = append(pairs, b[:])
		}
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("pairs: none of the %d keys has both a real and a synthetic image", len(order))
	}
	return pairs, nil
}

// PairName is the key of an image in the CYBORG lists: its file name without the word for its class, so that
// p1_100_real.png and p1_100_fake.png are a pair.
func PairName(p string) string {
	stem := strings.TrimSuffix(path.Base(p), path.Ext(p))
	words := strings.FieldsFunc(stem, func(r rune) bool { return r == '_' || r == '-' })
	words = slices.DeleteFunc(words, func(w string) bool {
		return slices.Contains([]string{"real", "fake", "synthetic"}, strings.ToLower(w))
	})
	return strings.Join(words, "_")
}

// Bytes is the image's file, if it is still the kind of file that it was.
func (i *Image) Bytes() ([]byte, error) {
	raw, err := os.ReadFile(i.File)
	if err != nil {
		return nil, err
	}
	if _, kind, err := image.DecodeConfig(bytes.NewReader(raw)); err != nil || "image/"+kind != i.Type {
		return nil, fmt.Errorf("%s is no longer a file of type %s", i.File, i.Type)
	}
	return raw, nil
}
