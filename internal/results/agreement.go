package results

// Agreement is agreement.json: how well the CAMs of a run's models agree with human maps, and with each other.
//
// Terms: the measures are metrics.MapNames, and human_entropy, the entropy of the human maps themselves. A run is one model
// (a setting at one repeat) on one data set.
type Agreement struct {
	Node     string `json:"node"`
	Compare  string `json:"compare"`  // the axis whose values are compared: loss
	Repeat   string `json:"repeat"`   // the axis over which mean and deviation are taken: seed
	Baseline string `json:"baseline"` // the setting that figures show in grey, if it is among the settings
	Metric   string `json:"metric"`   // the measure by which the sheets are sorted
	Map      string `json:"map"`      // the map compared with ("human (simulated)"); empty: no image has one

	Settings  []string         `json:"settings"` // in the spec's order
	Sets      []string         `json:"sets"`     // in the spec's order
	Runs      []AgreementRun   `json:"runs"`
	Cells     []AgreementCell  `json:"cells"`     // setting x set x measure, over the runs
	Stability []Stability      `json:"stability"` // setting x set; none with one repeat
	AUC       []AgreementCell  `json:"auc"`       // of each setting over its models, where scores are at hand; Set is "mean"
	Sheets    []AgreementSheet `json:"sheets"`
	Notes     []string         `json:"notes"` // which data are simulated; what could not be measured, and why
}

// AgreementRun is one model on one data set.
type AgreementRun struct {
	Node     string            `json:"node"` // maps[loss=cyborg,seed=1]
	Axes     map[string]string `json:"axes"`
	Setting  string            `json:"setting"`
	Set      string            `json:"set"`
	Repeat   string            `json:"repeat"` // the value of the repeated axis
	Images   int               `json:"images"`
	Cells    int               `json:"cells"`    // of a CAM; its entropy is at most their logarithm
	Points   float64           `json:"points"`   // the share of a map's range from which on a cell is a point
	Measures []Measure         `json:"measures"` // over all images, then over those of each label
}

// Measure is a measure over the images of one run.
type Measure struct {
	Images    string  `json:"images"` // "all", or the label of the images
	Metric    string  `json:"metric"`
	N         int     `json:"n"`         // images for which it is defined
	Undefined int     `json:"undefined"` // images for which it is not: no map, a constant map, a constant CAM
	Mean      float64 `json:"mean"`      // 0 where N is 0
	SD        float64 `json:"sd"`        // sample standard deviation over the images; 0 where N < 2
}

// AgreementCell is a measure over the runs of one setting on one data set; each run counts with its mean over all images.
type AgreementCell struct {
	Setting string    `json:"setting"`
	Set     string    `json:"set"`
	Metric  string    `json:"metric"`
	N       int       `json:"n"` // runs
	Mean    float64   `json:"mean"`
	SD      float64   `json:"sd"`     // sample standard deviation; 0 when n < 2
	Values  []float64 `json:"values"` // in the order of the repeats
}

// Stability is the structural similarity (SSIM) of the CAMs of the same images by different repeats of one setting.
type Stability struct {
	Setting   string    `json:"setting"`
	Set       string    `json:"set"`
	Pairs     int       `json:"pairs"`     // of repeats
	Images    int       `json:"images"`    // of the set
	Undefined int       `json:"undefined"` // images of pairs left out, because a CAM is constant
	Mean      float64   `json:"mean"`      // over the pairs
	SD        float64   `json:"sd"`        // sample standard deviation over the pairs, which are not independent; 0 with one
	Values    []float64 `json:"values"`    // of each pair, the mean over its images
}

// AgreementSheet is the figure with the images on which a setting's CAMs agree best and worst.
type AgreementSheet struct {
	Setting string `json:"setting"`
	Figure  string `json:"figure"` // its name, without ending

	Best  []AgreementImage `json:"best"`  // the best first
	Worst []AgreementImage `json:"worst"` // the worst last
}

// AgreementImage is an image of a sheet.
type AgreementImage struct {
	Set   string  `json:"set"`
	Path  string  `json:"path"` // as in the data set
	Label string  `json:"label"`
	Value float64 `json:"value"` // the measure that the sheet is sorted by, its mean over the runs
}
