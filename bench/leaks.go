package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// drawnImages draws noisy pictures of 224 x 224, half of them as JPEG and half as PNG, with their list.
const drawnImages = `
import os, sys, numpy
from PIL import Image
out, n = sys.argv[1], int(sys.argv[2])
random, rows = numpy.random.default_rng(1), []
for i in range(n):
    coarse = Image.fromarray(random.integers(0, 256, (9, 9, 3), dtype=numpy.uint8)).resize((224, 224), Image.BICUBIC)
    pixels = numpy.asarray(coarse).astype(numpy.int16) + random.integers(-6, 7, (224, 224, 1))
    name = "%06d.%s" % (i, "jpg" if i % 2 else "png")
    Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8)).save(os.path.join(out, name), **(dict(quality=90) if i % 2 else {}))
    rows.append("train,%s,%s\n" % (("Real", "Synthetic")[i // 2 % 2], name))
open(os.path.join(out, "list.csv"), "w").writelines(rows)`

// pillowLeaks reads the same facts by Pillow on two cores, with ImageHash and mean colours where the last argument is
// pixels, and prints the images a second.
const pillowLeaks = `
import os, sys, time, multiprocessing
import numpy, imagehash
from PIL import Image, JpegImagePlugin
def look(path):
    with Image.open(path) as image:
        facts = [image.format, image.mode, image.size, bool(image.info.get("exif")), os.path.getsize(path)]
        if image.format == "JPEG": facts += [image.quantization, JpegImagePlugin.get_sampling(image)]
        if sys.argv[2] == "pixels":
            facts += [imagehash.phash(image), imagehash.dhash(image), numpy.asarray(image.convert("RGB")).reshape(-1, 3).mean(0)]
    return len(facts)
if __name__ == "__main__":
    paths = [os.path.join(sys.argv[1], name) for name in sorted(os.listdir(sys.argv[1])) if name != "list.csv"]
    with multiprocessing.Pool(2) as pool:
        began = time.perf_counter()
        pool.map(look, paths, chunksize=16)
        print(len(paths) / (time.perf_counter() - began))`

const leaksSpec = `version: 1
name: leaks
datasets: {train: {csv: images/list.csv}}
model: {arch: resnet_small, side: 32}
losses: {cross_entropy: [{term: cross_entropy}]}
train: {select: {on: train}, loss: cross_entropy}
stages: {fit: {uses: train}}
`

// leaks measures the scan of a data set for leaks, the whole command with its digests, search and report, beside Pillow and
// ImageHash reading the same facts and nothing else. Figures are milliseconds for 100 images.
func (b *bench) leaks() error {
	if b.python == "" {
		return errSkip{"CYBORG_PYTHON names no Python with Pillow and ImageHash"}
	}
	if _, _, err := b.command(b.dir, nil, b.python, "-c", "import imagehash"); err != nil {
		return errSkip{"there is no ImageHash in CYBORG_PYTHON"}
	}
	n := 6000
	if b.quick {
		n = 300
	}
	dir := filepath.Join(b.dir, "leaks")
	images := filepath.Join(dir, "images")
	if err := os.MkdirAll(images, 0o755); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "leaks.yaml"), []byte(leaksSpec), 0o644); err != nil {
		return err
	}
	if _, _, err := b.command(dir, nil, b.python, "-c", drawnImages, images, strconv.Itoa(n)); err != nil {
		return err
	}
	script := filepath.Join(dir, "pillow.py") // a file: multiprocessing starts it again
	if err := os.WriteFile(script, []byte(pillowLeaks), 0o644); err != nil {
		return err
	}
	for _, scan := range []struct {
		what, with string
		args       []string
		least      float64 // images a second
	}{
		{"heads of files", "heads", []string{"--no-pixels"}, 3000},
		{"perceptual hashes and mean colours too", "pixels", nil, 500},
	} {
		figures, err := turns(b.rounds,
			func(round int) (float64, error) {
				args := append([]string{"data", "leaks", "leaks.yaml", "--store", fmt.Sprintf("store-%s-%d", scan.with, round)}, scan.args...)
				_, seconds, err := b.command(dir, nil, filepath.Join(b.bin, "cyborg-run"), args...)
				return 1000 * seconds * 100 / float64(n), err
			},
			func(int) (float64, error) {
				printed, _, err := b.command(dir, nil, b.python, script, images, scan.with)
				return 1000 * 100 / last(printed), err
			})
		if err != nil {
			return err
		}
		what := fmt.Sprintf("100 of %d images looked over for leaks: %s", n, scan.what)
		b.add(line{what: what, unit: "ms", ours: figures[0], limit: 1000 * 100 / scan.least})
		b.add(line{what: "  the same; other: Pillow and ImageHash on two cores", unit: "ms", ours: figures[0], theirs: figures[1]})
	}
	return nil
}
