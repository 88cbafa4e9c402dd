package summary

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"

	"github.com/cyborg-run/cyborg-run/internal/metrics"
	"github.com/cyborg-run/cyborg-run/internal/results"
)

// tableFiles are the files of tables/: METRIC.csv, .md and .tex, tests.csv, .md and .tex of the first metric, and all that was
// measured: runs.csv, auc_intervals.csv and delong.csv. Where nothing was scored, the first are all.
func tableFiles(s *results.Summary, runs []run, all *gathered) map[string][]byte {
	files := map[string][]byte{}
	for _, t := range s.Tables {
		layout := tableSheet(s, t)
		base := "tables/" + fileName(t.Metric)
		files[base+".csv"], files[base+".md"], files[base+".tex"] = tableCSV(t), layout.markdown(), layout.latex()
	}
	if len(runs) == 0 {
		return files
	}
	if len(s.Tables) > 0 {
		layout := testsSheet(s, s.Tables[0])
		files["tables/tests.csv"], files["tables/tests.md"], files["tables/tests.tex"] = testsCSV(s.Tables), layout.markdown(), layout.byGroup(s.Groups(), s.Tables[0].Tests).latex()
	}
	files["tables/runs.csv"] = runsCSV(s, runs, all)
	files["tables/auc_intervals.csv"] = areasCSV(s.Areas)
	files["tables/delong.csv"] = delongCSV(s)
	return files
}

func digits(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// chance writes a p-value with all digits; nothing where there is none.
func chance(p float64) string {
	if p < 0 {
		return ""
	}
	return digits(p)
}

// maybe writes a number with all digits; nothing where there is none.
func maybe(v *float64) string {
	if v == nil {
		return ""
	}
	return digits(*v)
}

// rowsCSV writes rows as CSV. Writing to memory does not fail.
func rowsCSV(rows [][]string) []byte {
	var out bytes.Buffer
	_ = csv.NewWriter(&out).WriteAll(rows)
	return out.Bytes()
}

func tableCSV(t results.Table) []byte {
	head := append(slices.Clone(t.Axes), "runs")
	for _, column := range t.Columns {
		head = append(head, column+" mean", column+" sd")
	}
	rows := [][]string{head}
	for _, r := range t.Rows {
		row := append(slices.Clone(r.Names), strconv.Itoa(r.Runs))
		for _, c := range r.Cells {
			if c.N == 0 {
				row = append(row, "", "")
				continue
			}
			row = append(row, digits(c.Mean), digits(c.SD))
		}
		rows = append(rows, row)
	}
	return rowsCSV(rows)
}

func testsCSV(tables []results.Table) []byte {
	rows := [][]string{{"metric", "set", "setting", "baseline", "n", "difference", "low", "high", "wins", "paired_p", "paired_holm",
		"wilcoxon_p", "wilcoxon_holm", "welch_p", "dz", "g", "rank_biserial"}}
	for _, t := range tables {
		for _, x := range t.Tests {
			rows = append(rows, []string{x.Metric, x.Set, x.Setting, x.Baseline, strconv.Itoa(x.N), digits(x.Difference), maybe(x.Low), maybe(x.High),
				strconv.Itoa(x.Wins), chance(x.PairedP), chance(x.PairedHolm), chance(x.WilcoxonP), chance(x.WilcoxonHolm), chance(x.WelchP),
				maybe(x.Dz), maybe(x.G), maybe(x.RankBiserial)})
		}
	}
	return rowsCSV(rows)
}

// runsCSV has every measure of every model on every set and pooled, in the form of metrics.csv without the node.
func runsCSV(s *results.Summary, runs []run, all *gathered) []byte {
	rows := [][]string{{"setting", s.Repeat, "set", "metric", "value"}}
	var models []model
	for _, r := range runs {
		models = appendNew(models, r.model)
	}
	for _, m := range models {
		for _, set := range append(slices.Clone(s.Sets), pooledSet) {
			for _, metric := range metrics.Measures {
				if v, ok := all.values[m][set][metric]; ok {
					rows = append(rows, []string{m.setting, m.repeat, set, metric, digits(v)})
				}
			}
		}
	}
	return rowsCSV(rows)
}

func areasCSV(areas []results.Area) []byte {
	rows := [][]string{{"setting", "set", "runs", "auc", "delong_low", "delong_high", "bootstrap_low", "bootstrap_high"}}
	for _, a := range areas {
		rows = append(rows, []string{a.Setting, a.Set, strconv.Itoa(a.N), digits(a.AUC), chance(a.Low), chance(a.High), chance(a.BootLow), chance(a.BootHigh)})
	}
	return rowsCSV(rows)
}

func delongCSV(s *results.Summary) []byte {
	rows := [][]string{{"setting", "baseline", "set", s.Repeat, "n", "difference", "low", "high", "p", "holm"}}
	for _, d := range s.DeLong {
		rows = append(rows, []string{d.Setting, d.Baseline, d.Set, d.Repeat, strconv.Itoa(d.N), digits(d.Difference), maybe(d.Low), maybe(d.High), chance(d.P), chance(d.Holm)})
	}
	return rowsCSV(rows)
}

func tableSheet(s *results.Summary, t results.Table) sheet {
	out := sheet{caption: tableCaption(s, t), names: len(t.Axes), once: len(t.Axes) - 1, head: append(slices.Clone(t.Axes), t.Columns...)}
	for _, r := range t.Rows {
		row := sheetRow{starts: r.Starts}
		for _, name := range r.Names {
			row.cells = append(row.cells, sheetCell{text: name})
		}
		for _, c := range r.Cells {
			cell := sheetCell{text: "–", bold: c.Best}
			if c.N > 0 {
				if cell.text = fmt.Sprintf("%.3f", c.Mean); c.N > 1 {
					cell.text += fmt.Sprintf(" ± %.3f", c.SD)
				}
			}
			row.cells = append(row.cells, cell)
		}
		out.rows = append(out.rows, row)
	}
	return out
}

func testsSheet(s *results.Summary, t results.Table) sheet {
	out := sheet{names: 3, once: 1, head: []string{"set", "setting", "baseline", "n", "difference", "95 % interval", "p (t)", "Holm", "p (Wilcoxon)", "Holm", "dz", "g", "rank-biserial"},
		caption: testsCaption(s, t)}
	short := func(p float64) string {
		switch {
		case p < 0:
			return "–"
		case p < 0.0001:
			return "< 0.0001"
		}
		return fmt.Sprintf("%.4f", p)
	}
	size := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return fmt.Sprintf("%.2f", *v)
	}
	set := ""
	for _, x := range t.Tests {
		row := sheetRow{starts: x.Set != set}
		set = x.Set
		interval := "–"
		if x.Low != nil {
			interval = fmt.Sprintf("%+.3f to %+.3f", *x.Low, *x.High)
		}
		holm := short(x.WilcoxonHolm)
		if x.WilcoxonP >= 0 && !canReject(x) {
			holm = "n < 6"
		}
		for _, text := range []string{x.Set, x.Setting, x.Baseline, strconv.Itoa(x.N), fmt.Sprintf("%+.3f", x.Difference), interval,
			short(x.PairedP), short(x.PairedHolm), short(x.WilcoxonP), holm, size(x.Dz), size(x.G), size(x.RankBiserial)} {
			row.cells = append(row.cells, sheetCell{text: text})
		}
		out.rows = append(out.rows, row)
	}
	return out
}
