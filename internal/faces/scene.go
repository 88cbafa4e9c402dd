package faces

import "math"

// scene is all that chance decides about one picture, but for its backdrop and its noise.
type scene struct {
	face   frame // from face units to points
	head   head
	eyes   eyes
	mouth  mouth
	blots  []blot // none on a real face
	stamp  stamp  // placed always, drawn where the picture wears it
	camera photometry
	people [][]mark // by annotator
}

func compose(d dice, s style) scene {
	const jitterX, jitterY, tilt = 24, 22, 15 * math.Pi / 180
	face := place(
		points/2+d.between(-jitterX, jitterX), points/2+d.between(-jitterY, jitterY),
		d.between(-tilt, tilt), d.between(0.95, 1.15))
	sc := scene{face: face, head: newHead(d), eyes: newEyes(d), mouth: newMouth(d)}
	sc.stamp = newStamp(d, face, sc.head)
	if len(s.patterns) > 0 {
		sc.blots = newBlots(d, s, sc.head)
	}
	sc.camera = newPhotometry(d, s)
	sc.people = annotate(d, face, features(sc.eyes, sc.mouth), sc.blots)
	return sc
}

// draw paints everything but the backdrop.
func (sc scene) draw(c *canvas, stamped bool) {
	if stamped {
		sc.stamp.draw(c)
	}
	sc.head.draw(c, sc.face)
	sc.eyes.draw(c, sc.face, sc.head)
	sc.mouth.draw(c, sc.face, sc.head)
	for _, b := range sc.blots {
		b.draw(c, sc.face)
	}
}

// mask writes the part mask and the head mask.
func (sc scene) mask(parts, head []byte, side int) {
	clear(parts)
	clear(head)
	h := sc.head
	cover(parts, side, sc.face, h.ear(-1), h.ear(1), h.noseArea(), sc.mouth.lips())
	cover(parts, side, sc.face, sc.eyes.areas()...)
	cover(head, side, sc.face, h.outline())
}
