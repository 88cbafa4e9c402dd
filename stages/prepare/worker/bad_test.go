package worker_test

import (
	"context"
	"errors"
	"fmt"
	stdimage "image"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// Files that cannot be used are named with the line of the list and what is wrong; nothing is left of the attempt.
func TestBadData(t *testing.T) {
	human := prepare.Saliency{Name: "human", Maps: "maps/{stem}.png"}
	parts := prepare.Saliency{Name: "parts", Masks: "masks/{part}/{stem}.png", Parts: []string{"eyes", "nose"}}
	for name, c := range map[string]struct {
		spoil    func(dir string)
		saliency prepare.Saliency
		allow    func(s *prepare.Saliency) // what the message says makes it work
		want     string                    // DIR stands for the folder
	}{
		"images": {
			spoil: func(dir string) {
				cut, _ := os.ReadFile(dir + "/images/3.png")
				write(t, dir+"/images/3.png", string(cut[:len(cut)/2]))
				write(t, dir+"/images/1.png", "")
				write(t, dir+"/images/5.png", "GIF89a")
			},
			want: "DIR/data.csv:2: read image DIR/images/1.png: empty file (0 bytes)\n" +
				"DIR/data.csv:4: read image DIR/images/3.png: PNG: truncated: the file ends before the picture does\n" +
				"DIR/data.csv:6: read image DIR/images/5.png: unsupported kind of image: GIF; JPEG, PNG, BMP, TIFF and WebP are read, convert it to PNG",
		},
		"map_of_another_size": {
			spoil:    func(dir string) { save(t, dir+"/maps/2.png", drawing(10, 8, 1)) },
			saliency: human,
			allow:    func(s *prepare.Saliency) { s.Size = "any" },
			want:     "DIR/data.csv:3: map human of image /images/2.png: DIR/maps/2.png has 10 x 8 pixels, its image 20 x 16; scale it, or allow other sizes by size: any",
		},
		"map_in_colours": {
			spoil:    func(dir string) { save(t, dir+"/maps/2.png", photo(20, 16, 1)) },
			saliency: human,
			allow:    func(s *prepare.Saliency) { s.Mode = "convert" },
			want:     "DIR/data.csv:3: map human of image /images/2.png: DIR/maps/2.png holds colours (mode RGB), grey of at most 8 bits is needed; save it so, or allow Pillow's conversion by mode: convert",
		},
		"map_of_16_bits": {
			spoil:    func(dir string) { save(t, dir+"/maps/2.png", stdimage.NewGray16(stdimage.Rect(0, 0, 20, 16))) },
			saliency: human,
			allow:    func(s *prepare.Saliency) { s.Mode = "convert" },
			want:     "DIR/data.csv:3: map human of image /images/2.png: DIR/maps/2.png holds grey of 16 bits (mode I;16), grey of at most 8 bits is needed; save it so, or allow Pillow's conversion by mode: convert",
		},
		"mask_in_colours": {
			spoil:    func(dir string) { save(t, dir+"/masks/nose/1.png", photo(20, 16, 1)) },
			saliency: parts,
			allow:    func(s *prepare.Saliency) { s.Mode = "convert" },
			want:     "DIR/data.csv:2: map parts of image /images/1.png: DIR/masks/nose/1.png holds colours (mode RGB), one channel is needed; save it so, or allow Pillow's conversion by mode: convert",
		},
		"parts_of_different_size": {
			spoil:    func(dir string) { save(t, dir+"/masks/nose/1.png", half(10, 8, true)) },
			saliency: prepare.Saliency{Name: "parts", Masks: parts.Masks, Parts: parts.Parts, Size: "any"},
			want:     "DIR/data.csv:2: map parts of image /images/1.png: DIR/masks/nose/1.png has 10 x 8 pixels, the mask DIR/masks/eyes/1.png of another part 20 x 16; they must have the same size",
		},
		"truncated_map": {
			spoil:    func(dir string) { write(t, dir+"/maps/0.png", "\x89PNG\r\n\x1a\n") },
			saliency: human,
			want:     "DIR/data.csv:1: map human of image /images/0.png: read image DIR/maps/0.png: PNG: truncated: 8 bytes, the header alone needs 33",
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := small(t)
			c.spoil(data)
			p := params(data)
			if c.saliency.Name != "" {
				p = params(data, c.saliency)
			}
			dir, err := run(t.Context(), t, p, 2, nil)
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(c.want, strings.ReplaceAll(err.Error(), data, "DIR")); d != "" {
				t.Error(d)
			}
			empty(t, dir)
			if c.allow != nil {
				c.allow(&p.Saliency[0])
				if _, err := run(t.Context(), t, p, 2, nil); err != nil {
					t.Errorf("with what the message says: %v", err)
				}
			}
		})
	}
}

// Of many bad files the first ten are named, whatever the number of threads.
func TestFirstTenBadFiles(t *testing.T) {
	data := t.TempDir()
	list := ""
	for i := range 60 {
		list += fmt.Sprintf("train,Real,%d.png\n", i)
		write(t, fmt.Sprintf("%s/%d.png", data, i), "")
	}
	write(t, data+"/data.csv", list)
	for _, threads := range []int{1, 8} {
		_, err := run(t.Context(), t, params(data), threads, nil)
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != 11 || lines[10] != "stopped after 10 bad files; there may be more" {
			t.Fatalf("%d lines: %v", len(lines), err)
		}
		for i, line := range lines[:10] {
			if !strings.HasPrefix(line, fmt.Sprintf("%s/data.csv:%d: ", data, i+1)) {
				t.Errorf("%d threads: line %d is %s", threads, i, line)
			}
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir, err := run(ctx, t, params(small(t)), 2, nil)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	empty(t, dir)
}

func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir + "/out")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
