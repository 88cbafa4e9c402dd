package results

// Human is human.json: what people made of images, and how that stands to what networks made of them.
//
// Terms: a condition is free (the answer was all that was asked for) or annotated (the region had to be drawn too). A group
// is a generator, or whatever the images are told apart by.
type Human struct {
	Node         string `json:"node"`
	Pairs        bool   `json:"pairs"` // people chose the synthetic one of two images
	Participants int    `json:"participants"`
	Images       int    `json:"images"` // or pairs
	Trials       int    `json:"trials"` // that count

	Conditions []string `json:"conditions"` // that there are: free, annotated
	Groups     []string `json:"groups"`
	Models     []string `json:"models"` // settings; their repeats are averaged

	Measures  []HumanMeasure   `json:"measures"`
	Paired    *HumanPaired     `json:"paired,omitempty"` // annotated against free over participants, who did both
	Agreement []HumanAgreement `json:"agreement"`        // of each model
	People    []Participant    `json:"people"`           // all who took part
	Excluded  []HumanExclusion `json:"excluded"`

	Resamples int      `json:"resamples"`
	Seed      uint64   `json:"seed"`
	Notes     []string `json:"notes"`
}

// Conditions of measures beside free and annotated.
const (
	HumanAll        = "all"
	HumanDifference = "annotated - free"
)

// HumanMeasure is one number of a human study. Low and High are its 95 % interval; nil: there is none.
type HumanMeasure struct {
	Name      string   `json:"name"`      // accuracy, dprime, ...: see package human
	Condition string   `json:"condition"` // free, annotated, HumanAll or HumanDifference
	Group     string   `json:"group,omitempty"`
	Model     string   `json:"model,omitempty"`
	Value     float64  `json:"value"`
	Low       *float64 `json:"low,omitempty"`
	High      *float64 `json:"high,omitempty"`
	Trials    int      `json:"trials"`
}

// Find is the measure of that name, condition, group and model; nil: it is not defined.
func (h *Human) Find(name, condition, group, model string) *HumanMeasure {
	for i, m := range h.Measures {
		if m.Name == name && m.Condition == condition && m.Group == group && m.Model == model {
			return &h.Measures[i]
		}
	}
	return nil
}

// HumanPaired is a paired t-test of annotated against free accuracy, one pair a participant.
type HumanPaired struct {
	N          int     `json:"n"`
	Difference float64 `json:"difference"`
	Low        float64 `json:"low"` // 95 % interval
	High       float64 `json:"high"`
	P          float64 `json:"p"` // two-sided
}

// HumanAgreement is how a model and people go together image by image.
type HumanAgreement struct {
	Model       string   `json:"model"`
	Images      int      `json:"images"`      // with answers and scores
	Majority    float64  `json:"majority"`    // share of images on which the model says what most people say; ties count half
	Correlation *float64 `json:"correlation"` // Pearson's, of the share of people who say Synthetic and the mean score; nil: not defined
}

// Participant is one participant.
type Participant struct {
	Participant string   `json:"participant"`
	Trials      int      `json:"trials"` // that count
	Accuracy    *float64 `json:"accuracy"`
	Free        *float64 `json:"free"` // accuracy in that condition
	Annotated   *float64 `json:"annotated"`
	MedianTime  *float64 `json:"median_time"` // seconds
	Checks      int      `json:"checks"`      // attention checks
	Failed      int      `json:"failed"`      // ... of which were failed
	Excluded    string   `json:"excluded,omitempty"`
}

// HumanExclusion is a rule and what it left out.
type HumanExclusion struct {
	Rule         string `json:"rule"`
	Participants int    `json:"participants"`
	Trials       int    `json:"trials"`
}
