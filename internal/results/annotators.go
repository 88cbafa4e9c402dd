package results

import "encoding/json"

// Annotators is agreement.json of a stage that makes maps of annotations: how far annotators agree, and how many were left
// out. A value is null where it is not defined.
type Annotators struct {
	Images     int          `json:"images"`     // with two or more annotators
	CC         *json.Number `json:"cc"`         // Pearson's correlation of two annotators' maps: the mean over the images' means
	IoU        *json.Number `json:"iou"`        // intersection over union of what two annotators marked: the same
	Answers    int          `json:"answers"`    // on images of the list
	Rated      int          `json:"rated"`      // images with two or more answers
	Kappa      *json.Number `json:"kappa"`      // Fleiss' kappa of the answers
	Listed     int          `json:"listed"`     // images of the list
	Maps       int          `json:"maps"`       // images that got a map
	Names      int          `json:"annotators"` // of those whose marks are in a map; 0: the files name nobody
	Wrong      int          `json:"wrong"`      // an annotator of an image, left out for the answer
	Unanswered int          `json:"unanswered"` // the same, left out for want of an answer
}
