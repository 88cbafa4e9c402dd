package worker

import (
	"fmt"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
	"github.com/cyborg-run/cyborg-run/internal/image"
)

// regions marks a record's regions in the map of its image, and counts those of which a part lies outside.
func (s *session) regions(r *row, regions []annotation.Region, m *annotation.Map) error {
	for _, region := range regions {
		runs := region.Runs
		other := runs != nil && (runs.W != m.W || runs.H != m.H)
		if s.job.Size == "exact" {
			if other {
				return fmt.Errorf("a mask in run lengths has %d x %d pixels, its image %d x %d; scale it, or allow other sizes by size: any", runs.W, runs.H, m.W, m.H)
			}
			if region.W != 0 && (region.W != m.W || region.H != m.H) {
				return fmt.Errorf("its image was of %d x %d pixels there, and is of %d x %d; mark it as it is, or allow other sizes by size: any", region.W, region.H, m.W, m.H)
			}
		}
		switch {
		case other: // as a drawing of another size
			mask := image.Grey{W: runs.W, H: runs.H, Pix: runs.Bytes()}
			m.Lay(mask.Resize(m.W, m.H, image.Bilinear).Pix)
			continue
		case runs == nil && region.W != 0:
			region = region.Scaled(m.W, m.H)
		}
		if region.Leaves(m.W, m.H) {
			r.outside++
		}
		m.Draw(region, 1)
	}
	return nil
}
