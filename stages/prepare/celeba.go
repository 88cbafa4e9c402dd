package prepare

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// CelebAMaskHQ is the layout of the set of that name (Lee et al., CVPR 2020): of image 12345.jpg, 6/12345_nose.png is the mask
// of the nose, white on black, of 512 x 512 pixels. There are 2,000 images to a folder, and five digits to a mask's number.
const CelebAMaskHQ = "celebamask-hq"

// CelebAParts are the parts that CelebAMask-HQ has masks of; l and r are the person's left and right, eye_g are glasses,
// ear_r is an earring, neck_l a necklace, u_lip and l_lip are the upper and the lower lip.
var CelebAParts = []string{
	"skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear", "mouth", "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth",
}

// celebA is the file of a part of an image, below the folder of masks.
func celebA(image, part string) (string, error) {
	stem := strings.TrimSuffix(path.Base(image), path.Ext(image))
	number, err := strconv.ParseUint(stem, 10, 31)
	if err != nil {
		return "", fmt.Errorf("image %s: layout %s needs images that are called by their number, such as 12345.jpg", image, CelebAMaskHQ)
	}
	return filepath.Join(strconv.FormatUint(number/2000, 10), fmt.Sprintf("%05d_%s.png", number, part)), nil
}

func validateCelebA(at string, parts []string) (wrong []error) {
	if len(parts) == 0 {
		wrong = append(wrong, fmt.Errorf("%s: parts names none; there are: %s", at, strings.Join(CelebAParts, ", ")))
	}
	for _, part := range parts {
		if !slices.Contains(CelebAParts, part) {
			wrong = append(wrong, fmt.Errorf("%s: parts: %q; there are: %s", at, part, strings.Join(CelebAParts, ", ")))
		}
	}
	return wrong
}
