package report

import (
	_ "embed" // the section
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"path"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/plot"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

//go:embed agreement.html
var agreementText string

// sheetsBudget bounds the bytes of the sheets of one agreement.
const sheetsBudget = 2 << 20

// agreement is the section on CAMs against maps, one for each stage of that kind.
type agreement struct {
	*results.Agreement
	ID       string
	Lead     string
	Columns  []string
	Rows     []agreementRow
	ManySets bool
	Caption  string
	Average  template.URL
	Charts   []template.HTML
	Sheets   []agreementSheet
	Missing  int
}

type agreementRow struct {
	Mark         template.HTML
	Setting, Set string
	Cells        []*results.AgreementCell
	Stability    *results.Stability
	Repeats      int
}

type agreementSheet struct {
	Name    string
	Picture template.URL
}

// agreementColumns are the measures of the table, with their names.
var agreementColumns = [][2]string{{"cc", "CC"}, {"sim", "SIM"}, {"kl", "KL"}, {"nss", "NSS"}, {"auc_judd", "AUC-Judd"},
	{"pointing", "pointing"}, {"entropy", "entropy"}}

func newAgreements(all []results.Agreement, files fs.FS) (out []agreement) {
	for i := range all {
		out = append(out, newAgreement(&all[i], i, files))
	}
	return out
}

func newAgreement(a *results.Agreement, number int, files fs.FS) agreement {
	s := agreement{Agreement: a, ID: "agreement", ManySets: len(a.Sets) > 1}
	if number > 0 {
		s.ID = fmt.Sprintf("agreement-%d", number+1)
	}
	s.Lead = fmt.Sprintf("How well class activation maps (CAM) agree between %ss", a.Repeat)
	if a.Map != "" {
		s.Lead = fmt.Sprintf("How well class activation maps (CAM) agree with the map “%s”, and between %ss", a.Map, a.Repeat)
	}
	s.Lead += fmt.Sprintf(": mean over the images of each set, then mean ± standard deviation over %ss.", a.Repeat)
	var shown []string
	for _, column := range agreementColumns {
		for _, c := range a.Cells {
			if c.Metric == column[0] {
				shown, s.Columns = append(shown, column[0]), append(s.Columns, column[1])
				break
			}
		}
	}
	numbers := plot.Numbers(a.Settings, a.Baseline)
	for _, set := range a.Sets {
		for _, setting := range a.Settings {
			if row, any := newAgreementRow(a, setting, set, shown); any {
				row.Mark = template.HTML(plot.Marker(numbers[setting]))
				s.Rows = append(s.Rows, row)
			}
		}
	}
	s.Caption = agreementCaption(a)
	s.figures(files)
	return s
}

func newAgreementRow(a *results.Agreement, setting, set string, metrics []string) (row agreementRow, any bool) {
	row = agreementRow{Setting: setting, Set: set}
	for _, metric := range metrics {
		var found *results.AgreementCell
		for i, c := range a.Cells {
			if c.Setting == setting && c.Set == set && c.Metric == metric {
				found, any = &a.Cells[i], true
			}
		}
		row.Cells = append(row.Cells, found)
	}
	for i, st := range a.Stability {
		if st.Setting == setting && st.Set == set {
			row.Stability = &a.Stability[i]
		}
	}
	for _, r := range a.Runs {
		if r.Setting == setting && r.Set == set {
			row.Repeats++
		}
	}
	return row, any
}

// agreementCaption says how the table is to be read.
func agreementCaption(a *results.Agreement) string {
	var text strings.Builder
	if a.Map != "" {
		text.WriteString("Of all measures but KL and the entropy, more is better agreement; KL is a distance. ")
		fmt.Fprintf(&text, "NSS, AUC-Judd and the pointing game ask for points: the cells with at least %s of a map's range, our definition. ", share(a))
	}
	text.WriteString("Entropies are in nats")
	cells, one := 0, true
	for i, r := range a.Runs {
		one = one && (i == 0 || r.Cells == cells)
		cells = r.Cells
	}
	if one && cells > 0 {
		fmt.Fprintf(&text, "; that of %d cells is at most %s", cells, number(math.Log(float64(cells))))
	}
	if human, any := mapsEntropy(a); any {
		fmt.Fprintf(&text, ", and that of the maps is %s on average", number(human))
	}
	fmt.Fprintf(&text, ". Stability is the mean structural similarity (SSIM) of the CAMs of the same image by every two %ss, ± the standard deviation over the pairs.", a.Repeat)
	most := 0
	for _, r := range a.Runs {
		for _, m := range r.Measures {
			if m.Images == "all" && m.Metric == "cc" {
				most = max(most, m.Undefined)
			}
		}
	}
	if most > 0 && a.Map != "" {
		fmt.Fprintf(&text, " Up to %s of a run are left out of the agreement: without a map, or with a map or CAM that is constant.", count(most, "image", "images"))
	}
	return text.String()
}

// share is the share of a map's range that makes a point, where all runs have the same.
func share(a *results.Agreement) string {
	points := -1.0
	for _, r := range a.Runs {
		if points >= 0 && r.Points != points {
			return "a share"
		}
		points = r.Points
	}
	return fmt.Sprintf("%g %%", 100*points)
}

// mapsEntropy is the entropy of the maps themselves; all models of a set see the same ones.
func mapsEntropy(a *results.Agreement) (mean float64, any bool) {
	n := 0
	for _, c := range a.Cells {
		if c.Metric == "human_entropy" && c.Setting == a.Settings[0] {
			mean, n = mean+c.Mean, n+1
		}
	}
	return mean / float64(max(n, 1)), n > 0
}

// figures takes what the stage drew from the run's folder: sheets as pictures, charts into the page.
func (s *agreement) figures(files fs.FS) {
	if files == nil {
		return
	}
	folder, left := path.Join("agreement", s.Node), sheetsBudget
	sheet := func(name string) template.URL {
		raw, err := fs.ReadFile(files, path.Join(folder, name+".svg"))
		if err != nil {
			return ""
		}
		if len(raw) > left {
			s.Missing++
			return ""
		}
		left -= len(raw)
		return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(raw))
	}
	s.Average = sheet("average")
	for _, name := range []string{s.Metric, "stability", "entropy"} {
		raw, err := fs.ReadFile(files, path.Join(folder, name+".svg"))
		if err != nil {
			continue
		}
		if chart := inline(raw); chart != "" {
			s.Charts = append(s.Charts, chart)
		}
	}
	for _, o := range s.Agreement.Sheets {
		if picture := sheet(o.Figure); picture != "" {
			s.Sheets = append(s.Sheets, agreementSheet{o.Setting, picture})
		}
	}
}
