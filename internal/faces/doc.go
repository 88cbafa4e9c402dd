// Package faces draws a small world in which the claim of saliency-guided training can be tested in minutes: cartoon
// faces, some of them synthetic, with everything known about every pixel. All of it is simulated, the human maps too.
//
// # Terms
//
//   - A real face is a face without fault. A synthetic face comes from a generator (G0, U1, U2, U3), which leaves one
//     or two blots somewhere on the head: patches of a wrong colour with a pattern that tells the generators apart.
//   - The stamp is the shortcut: a cyan ellipse in the background. Where it goes with one class more often than with
//     the other, a classifier finds it more easily than the blots; it says nothing about other generators' faces.
//   - The clip is a shortcut on the head: a green ornament, away from all that annotators mark. Human maps leave it out
//     where the head mask takes it in.
//   - A human map is what four simulated annotators marked: the blots of a synthetic face, the eyes and the mouth of a
//     real one, with misses, strays and unsteady hands.
//   - The part mask covers eyes, brows, nose, mouth and ears; the head mask covers the whole head without the hair.
//
// # Lengths
//
// A face is described in face units: the head's half axes are about 17 and 21 units, +u is the viewer's right, +v is
// down, and (0,0) is the middle of the head. A picture is described in points, 96 a side whatever its size in pixels:
// the same face is drawn at 48 pixels and at 256. Only noise and blur belong to the pixels.
//
// # Rules of use
//
// A [Set] is fixed once made and may be drawn from by any number of goroutines; a [Picture] holds the memory of one
// drawing and belongs to one goroutine at a time. Picture i of a set depends on the set's seed, generator, split and i
// alone: not on the other pictures, nor on who draws it, nor on when. Whether it wears a stamp or a clip
// changes no pixel beside those.
package faces
