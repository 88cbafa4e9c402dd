package worker_test

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// spoil makes images 0, 2, 3, 5 and 6 of small unreadable, each in another way: 1 and 4 are left.
func spoil(t *testing.T, dir string) {
	t.Helper()
	cut, err := os.ReadFile(dir + "/images/0.png")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/images/0.png", string(cut[:len(cut)/2]))
	save(t, dir+"/images/2.png", photo(200, 160, 1)) // larger than the limit of the test
	if err := os.Remove(dir + "/images/3.png"); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/images/5.png", "GIF89a")
	write(t, dir+"/images/6.png", "no image")
}

const skippedList = `path,reason
/images/0.png,PNG: truncated: the file ends before the picture does
/images/2.png,PNG: too large: 200 x 160 pixels are more than the limit of 1000; raise max_pixels if the file is to be trusted
/images/3.png,no such file or directory
/images/5.png,"unsupported kind of image: GIF; JPEG, PNG, BMP, TIFF and WebP are read, convert it to PNG"
/images/6.png,"not an image: it begins with ""no image"""
`

// A pack of a list with bad images is that of the list without them, and they are listed.
func TestSkip(t *testing.T) {
	data := small(t)
	spoil(t, data)
	p := params(data, all...)
	p.OnBadImage, p.MaxPixels = prepare.Skip, 1000
	var packs [][]byte
	for _, threads := range []int{1, 4} {
		dir, err := run(t.Context(), t, p, threads, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(skippedList, read(t, dir+"/out/"+prepare.Skipped)); d != "" {
			t.Error(d)
		}
		for _, want := range []string{
			`"type":"log","node":"data.train","message":"2 images: 1 Real, 1 Synthetic; map human: 2 (simulated)`,
			`"type":"warning","node":"data.train","message":"5 of 7 images cannot be read and are skipped:\n/images/0.png (line 1): PNG: truncated`,
		} {
			if events := read(t, dir+"/events.jsonl"); !strings.Contains(events, want) {
				t.Errorf("no event %s in\n%s", want, events)
			}
		}
		packs = append(packs, []byte(read(t, dir+"/out/"+prepare.Output)))
	}
	write(t, data+"/data.csv", "train,Synthetic,/images/1.png\ntrain,Real,/images/4.png\n")
	p.OnBadImage = prepare.Fail
	dir, err := run(t.Context(), t, p, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("path,reason\n", read(t, dir+"/out/"+prepare.Skipped)); d != "" {
		t.Error(d)
	}
	packs = append(packs, []byte(read(t, dir+"/out/"+prepare.Output)))
	if !bytes.Equal(packs[0], packs[2]) || !bytes.Equal(packs[1], packs[2]) {
		t.Error("the pack is not that of the good images alone")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// An image whose map cannot be read is skipped; one whose map has another size is a mistake in the spec.
func TestSkipForMap(t *testing.T) {
	data := small(t)
	write(t, data+"/maps/1.png", "")
	p := params(data, all[0])
	p.OnBadImage = prepare.Skip
	dir, err := run(t.Context(), t, p, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("path,reason\n/images/1.png,map human: empty file (0 bytes)\n", read(t, dir+"/out/"+prepare.Skipped)); d != "" {
		t.Error(d)
	}
	if n := open(t, dir).Len(); n != 6 {
		t.Errorf("%d images", n)
	}
	save(t, data+"/maps/2.png", drawing(10, 8, 1))
	dir, err = run(t.Context(), t, p, 2, nil)
	if err == nil || !strings.Contains(err.Error(), "10 x 8 pixels, its image 20 x 16") {
		t.Errorf("%v", err)
	}
	empty(t, dir)
}

func TestNothingLeft(t *testing.T) {
	data := t.TempDir()
	list := ""
	for i := range 12 {
		list += fmt.Sprintf("train,Real,%d.png\n", i)
		write(t, fmt.Sprintf("%s/%d.png", data, i), "")
	}
	write(t, data+"/data.csv", list)
	p := params(data)
	p.OnBadImage = prepare.Skip
	dir, err := run(t.Context(), t, p, 2, nil)
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(strings.ReplaceAll(err.Error(), data, "DIR"), "\n")
	if len(lines) != 11 || lines[0] != "DIR/data.csv: none of its 12 images can be read" || lines[1] != "DIR/data.csv:1: 0.png: empty file (0 bytes)" {
		t.Error(err)
	}
	empty(t, dir)
}

// EXIF's orientation is ignored, and said once for the whole data set.
func TestTurned(t *testing.T) {
	data := small(t)
	for _, i := range []int{2, 5} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, photo(20, 16, i), nil); err != nil {
			t.Fatal(err)
		}
		exif := "\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
		write(t, filepath.Join(data, "images", fmt.Sprintf("%d.png", i)), b.String()[:2]+exif+b.String()[2:])
	}
	dir, err := run(t.Context(), t, params(data), 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `"message":"2 of 7 images say by EXIF that they are to be turned, the first is /images/2.png: they are taken as they are stored, as Pillow takes them"`
	if events := read(t, dir+"/events.jsonl"); strings.Count(events, want) != 1 {
		t.Errorf("no event %s in\n%s", want, events)
	}
}
