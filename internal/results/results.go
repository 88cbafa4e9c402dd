// Package results holds what a run found out, in the form that the summary stage writes and the report reads.
//
// Terms: a score is one image's softmax probability of Synthetic. A cell is one setting on one set: all runs that share
// every matrix axis but the seed. Real = class 0, Synthetic = class 1 = positive, as everywhere in this program.
package results

// Summary is summary.json.
type Summary struct {
	Axes    []string `json:"axes"`    // all matrix axes that occur, in the spec's order: loss, seed, set
	Compare string   `json:"compare"` // the axis whose values are compared: loss
	Repeat  string   `json:"repeat"`  // the axis over which mean and deviation are taken: seed
	Metric  string   `json:"metric"`  // the metric of the comparison table: auc

	Settings []string      `json:"settings"`              // values of Compare, in the spec's order
	Sets     []string      `json:"sets"`                  // data sets scored, in the spec's order
	Mean     []string      `json:"mean"`                  // the sets over which a run's mean metric is taken: the unseen generators
	Runs     []Run         `json:"runs"`                  // every evaluation: one per model and set
	Cells    []Cell        `json:"cells"`                 // setting x set (and set "mean"), for every metric
	Tests    []Test        `json:"tests"`                 // each setting against the baseline, on each set and on the mean
	Pairs    []Test        `json:"pairs"`                 // every two settings, by Metric, on the mean: Baseline is the one named second
	Curves   []Curve       `json:"curves"`                // learning curves
	ROC      []ROC         `json:"roc"`                   // per setting and set (and "pooled" over the Mean sets)
	Maps     []CAM         `json:"maps"`                  // CAM pictures
	Tables   []Table       `json:"tables,omitempty"`      // in the paper's layout; tables/ has them as files
	Areas    []Area        `json:"areas,omitempty"`       // the AUC of each setting on each set and pooled, with intervals over images
	DeLong   []DeLong      `json:"delong,omitempty"`      // DeLong's tests on the same images, by repeat and over all repeats
	Reliable []Reliability `json:"reliability,omitempty"` // calibration of each setting, pooled
	Skipped  []Skipped     `json:"skipped,omitempty"`     // images that were left out, because they could not be read
	Notes    []string      `json:"notes"`                 // what a reader must know: simulated data, a demo profile, a missing class
}

// Skipped is an image of a data set that was left out.
type Skipped struct {
	Set    string `json:"set"`  // the data set, by its name in the spec
	Path   string `json:"path"` // as in its list
	Reason string `json:"reason"`
}

// Run is one evaluation of one model on one set.
type Run struct {
	Node    string             `json:"node"` // score[loss=cyborg,seed=1,set=u1]
	Axes    map[string]string  `json:"axes"`
	Setting string             `json:"setting"` // one of Summary.Settings
	Set     string             `json:"set"`
	Images  int                `json:"images"`
	Metrics map[string]float64 `json:"metrics"` // auc, accuracy, eer, apcer, bpcer, acer; undefined ones are absent
}

// Cell is a metric of one setting on one set over its runs.
type Cell struct {
	Setting string    `json:"setting"`
	Set     string    `json:"set"` // a set's name, or "mean" over Summary.Mean
	Metric  string    `json:"metric"`
	N       int       `json:"n"`
	Mean    float64   `json:"mean"`
	SD      float64   `json:"sd"` // sample standard deviation (n-1); 0 when n < 2
	Min     float64   `json:"min"`
	Max     float64   `json:"max"`
	Values  []float64 `json:"values"` // in the order of the seeds
}

// Test compares a setting with the baseline over the same seeds.
type Test struct {
	Setting    string   `json:"setting"`
	Baseline   string   `json:"baseline"`
	Set        string   `json:"set"`
	Metric     string   `json:"metric"`
	N          int      `json:"n"`
	Difference float64  `json:"difference"` // mean(setting) - mean(baseline)
	Low        *float64 `json:"low"`        // 95 % interval of the paired difference (t); null where PairedP is -1
	High       *float64 `json:"high"`
	PairedP    float64  `json:"paired_p"` // two-sided paired t-test; NaN is written as -1: fewer than 2 pairs, or no spread
	WelchP     float64  `json:"welch_p"`  // two-sided Welch test; -1 as above
	Higher     int      `json:"higher"`   // seeds on which the setting is above the baseline
	Wins       int      `json:"wins"`     // seeds on which it is better: below the baseline for rates of error

	PairedHolm    float64  `json:"paired_holm"`             // PairedP corrected by Holm's rule over the test's family (docs/method.md); -1 as above
	WilcoxonP     float64  `json:"wilcoxon_p"`              // two-sided signed rank test; -1: no pair differs
	WilcoxonLeast float64  `json:"wilcoxon_least"`          // the smallest that so many pairs can bring; -1 as above
	WilcoxonHolm  float64  `json:"wilcoxon_holm"`           // corrected likewise; -1 too where it cannot fall below .05 for want of pairs
	Dz            *float64 `json:"dz,omitempty"`            // Cohen's d of the paired differences; absent without spread
	G             *float64 `json:"g,omitempty"`             // Hedges' g of both samples
	RankBiserial  *float64 `json:"rank_biserial,omitempty"` // of the signed ranks, -1 to 1
}

// Curve is one learning curve of a setting: mean and deviation over seeds for each epoch.
type Curve struct {
	Setting string    `json:"setting"`
	Name    string    `json:"name"` // train_loss, train_accuracy, validation_loss, validation_accuracy
	Epoch   []int     `json:"epoch"`
	Mean    []float64 `json:"mean"`
	SD      []float64 `json:"sd"`
	N       int       `json:"n"`
}

// ROC is the mean ROC of a setting on a set over its seeds, vertically averaged on a fixed grid of false positive rates.
type ROC struct {
	Setting string    `json:"setting"`
	Set     string    `json:"set"` // or "pooled"
	FPR     []float64 `json:"fpr"`
	TPR     []float64 `json:"tpr"`
	SD      []float64 `json:"sd"`
	AUC     float64   `json:"auc"`            // mean over seeds
	Low     []float64 `json:"low,omitempty"`  // 95 % band of that mean over bootstrap replicates of the images; absent: none were drawn
	High    []float64 `json:"high,omitempty"` //
}

// CAM is one node's CAM pictures: paths relative to the run's folder. Its first four fields are filled in by summary: the
// same pictures may be those of nodes of several names.
type CAM struct {
	Node    string            `json:"node,omitempty"` // maps[loss=cyborg,seed=1]
	Axes    map[string]string `json:"axes,omitempty"`
	Setting string            `json:"setting,omitempty"` // one of Summary.Settings
	Folder  string            `json:"folder,omitempty"`  // cams/maps[loss=cyborg,seed=1]
	Mean    string            `json:"mean"`              // mean.png: average CAM beside the average human map
	Images  []CAMImage        `json:"images"`
	Human   float64           `json:"human"` // mean Pearson correlation of CAM and human map; -2 where there are no maps
	MapName string            `json:"map"`   // the human map compared with ("human (simulated)"); empty: none
	Class   string            `json:"class"` // whose CAM it is: predicted, true, real or synthetic
	Tap     string            `json:"tap"`   // the layer that it reads
}

// CAMImage is one image of a CAM node. Files are PNG, named within the node's folder; empty where there is none.
type CAMImage struct {
	Path    string  `json:"path"` // of the image, as in the data set
	Label   string  `json:"label"`
	Score   float64 `json:"score"`
	Picture string  `json:"picture"` // what the network saw
	Overlay string  `json:"overlay"` // with the CAM
	Human   string  `json:"human"`   // with the human map
	Grid    string  `json:"grid"`    // the raw CAM, .npy float32 [h,w]
}
