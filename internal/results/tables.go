package results

// Learning is the metric of a table of learning curves: what trainings came to that were not scored.
const Learning = "learning"

// Table is one metric in the paper's layout: rows are settings, grouped by all axes but the compared one (the network), columns
// are data sets.
type Table struct {
	Metric  string     `json:"metric"`
	Title   string     `json:"title"`   // the metric in words, with the prevalence or the set of its threshold
	Axes    []string   `json:"axes"`    // head of the columns that name a row: arch, loss
	Columns []string   `json:"columns"` // sets, then "mean" over Summary.Mean and "pooled": their images together; curves, for Learning
	Rows    []TableRow `json:"rows"`
	Tests   []Test     `json:"tests"` // each setting against its baseline, column by column
}

// TableRow is one setting.
type TableRow struct {
	Setting string      `json:"setting"`
	Names   []string    `json:"names"`  // by Axes
	Starts  bool        `json:"starts"` // a group begins here: another network
	Runs    int         `json:"runs"`   // of the fullest cell
	Cells   []TableCell `json:"cells"`  // by Columns
}

// TableCell is mean and sample standard deviation over N runs; N = 0: there is none.
type TableCell struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
	Best bool    `json:"best"` // of its column and group, at the digits printed
}

// Area is the mean AUC of a setting on a set over its runs, with 95 % intervals over images, the trained networks being what
// they are. The spread over runs is in the cells.
type Area struct {
	Setting  string  `json:"setting"`
	Set      string  `json:"set"`
	N        int     `json:"n"`
	AUC      float64 `json:"auc"`
	Low      float64 `json:"low"` // DeLong's; both -1 where it is not defined, as without spread, or the runs were scored on different lists
	High     float64 `json:"high"`
	BootLow  float64 `json:"boot_low"` // percentiles of bootstrap replicates; both -1: none were drawn, or all are alike
	BootHigh float64 `json:"boot_high"`
}

// DeLong is DeLong's test of a setting against its baseline on the same images. Over all repeats, the difference is that of
// the mean AUCs, and its variance that of the mean structural components: images are what varies, not trainings.
type DeLong struct {
	Setting    string   `json:"setting"`
	Baseline   string   `json:"baseline"`
	Set        string   `json:"set"`
	Repeat     string   `json:"repeat"` // empty: over all of them
	N          int      `json:"n"`      // repeats
	Difference float64  `json:"difference"`
	Low        *float64 `json:"low"` // 95 % interval; null where P is -1
	High       *float64 `json:"high"`
	P          float64  `json:"p"`    // two-sided; -1: the difference has no spread over images, or a class has one image
	Holm       float64  `json:"holm"` // corrected over the test's family, of those over all repeats; -1 for those of one repeat
}

// Reliability is a reliability diagram: bins of scores that hold images, of all runs of a setting together.
type Reliability struct {
	Setting string    `json:"setting"`
	Set     string    `json:"set"`
	Images  []int     `json:"images"`
	Score   []float64 `json:"score"` // mean score of the bin
	Share   []float64 `json:"share"` // share of synthetic images in it
	ECE     float64   `json:"ece"`   // mean over runs of each run's expected calibration error
}
