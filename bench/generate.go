package main

import (
	"os"
	"path/filepath"
	"strconv"
)

// prototypeImages draws as many images as the quick start has, with the prototype's recipe (run.sh), and prints the
// seconds. It leaves them in memory.
const prototypeImages = `
import os, sys, time
os.environ["NPX"] = "96"
sys.path.insert(0, sys.argv[1])
import gen
share = float(sys.argv[2])
for g in (gen.G0, gen.U1, gen.U2, gen.U3):
    g["art"], g["sev"] = dict(blot=1), (.4, 1.)
gen.U1.update(bk=["wave"]); gen.U2.update(bk=["chk"], bw=(1.6, 2.4)); gen.U3.update(bk=["ring", "wave"], bw=(1., 1.5))
P = dict(gen.P0, tex="stamp", osat=(.3, .7), oval=(.4, .9), CS=4.5, tint=.9, bal=.9, bamp=.25, bq=(4.5, 6.5), BS=11., clip=3.6,
         sc=(.95, 1.15), jit=24, jity=22)
began = time.perf_counter()
for seed, n, style, synthetic, real in ((1, 600, gen.G0, .95, .05), (2, 100, gen.G0, .95, .05), (3, 400, gen.U1, 0, 0),
                                        (4, 400, gen.U2, 0, 0), (5, 400, gen.U3, .5, .5), (6, 200, gen.G0, .5, .5)):
    gen.split(seed, int(n * share), style, synthetic, real, P)
print((time.perf_counter() - began) / share)
`

// generate compares drawing the quick start's 2,100 images. Ours is the whole command, on all cores, with PNG files of
// images, maps and masks on the disk; the prototype draws in NumPy on one core and writes nothing.
func (b *bench) generate() error {
	spec, err := quickstartSpec()
	if err != nil {
		return err
	}
	ours := func(round int) (float64, error) {
		dir := filepath.Join(b.dir, "generate", strconv.Itoa(round))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return 0, err
		}
		return b.run(dir, "out", spec, "--only", "generate.*")
	}
	l := line{what: "2,100 images with maps and masks, as PNG files", unit: "s", limit: 4}
	script, err := b.needs("reference/quickstart/gen.py")
	if err != nil {
		figures, err := turns(b.rounds, ours)
		if err == nil {
			l.ours = figures[0]
			b.add(l)
		}
		return err
	}
	share := "0.2"
	figures, err := turns(b.rounds, ours, func(int) (float64, error) {
		printed, _, err := b.command(b.dir, nil, b.python, "-c", prototypeImages, filepath.Dir(script), share)
		return last(printed), err
	})
	if err != nil {
		return err
	}
	l.ours = figures[0]
	b.add(l)
	b.add(line{what: "the same; NumPy on one core, in memory", unit: "s", ours: figures[0], theirs: figures[1]})
	return nil
}
