package summary

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/results"
	"github.com/cyborg-run/cyborg-run/pipeline/task"
)

// networks is two networks x two losses x seeds on two sets, a validation set beside them.
func networks(t *testing.T, archs []string, seeds int) []task.Input {
	var inputs []task.Input
	for _, loss := range []string{"cross_entropy", "cyborg"} { // the loss changes slowest: rows must be brought together
		for a, arch := range archs {
			for seed := range seeds {
				for s, set := range []string{"u1", "u2", "validation"} {
					gain := 0.1 * float64(a)
					if loss == "cyborg" {
						gain += 0.2
					}
					score := func(v float64) string { return fmt.Sprint(math.Min(1, v+gain+0.03*float64((seed*7+s*3)%5))) }
					inputs = append(inputs, evaluation(t, fmt.Sprintf("score[loss=%s,arch=%s,seed=%d,set=%s]", loss, arch, seed, set),
						axes("loss", loss, "arch", arch, "seed", fmt.Sprint(seed), "set", set), `{}`, score(0.25), score(0.35), score(0.55)))
				}
			}
		}
	}
	return inputs
}

func TestTablesInThePapersLayout(t *testing.T) {
	out := summarise(t, Params{Mean: []string{"u1", "u2"}, Tables: []string{"acer_chosen", "eer"}, Bootstrap: 50}, map[string][]task.Input{Scores: networks(t, []string{"resnet50", "xception"}, 6)})
	s := read(t, out)
	if len(s.Tables) != 3 || s.Tables[0].Metric != "auc" || s.Tables[1].Metric != "acer_chosen" {
		t.Fatalf("%d tables", len(s.Tables))
	}
	table := s.Tables[0]
	if strings.Join(table.Axes, " ") != "arch loss" || strings.Join(table.Columns, " ") != "u1 u2 validation mean pooled" {
		t.Errorf("axes %v, columns %v", table.Axes, table.Columns)
	}
	var rows []string
	for _, r := range table.Rows {
		rows = append(rows, fmt.Sprint(strings.Join(r.Names, "/"), r.Starts, r.Runs))
		if best := r.Names[1] == "cyborg"; r.Cells[0].Best != best || r.Cells[4].Best != best {
			t.Errorf("%v: best %v", r.Names, r.Cells)
		}
	}
	if got := strings.Join(rows, " "); got != "resnet50/cross_entropytrue 6 resnet50/cyborgfalse 6 xception/cross_entropytrue 6 xception/cyborgfalse 6" {
		t.Errorf("rows: %s", got)
	}
	if chosen := s.Tables[1].Rows[0].Cells; chosen[0].N != 6 || chosen[2].N != 0 || chosen[4].N != 6 {
		t.Errorf("a threshold chosen on the validation set is measured on others only: %+v", chosen)
	}
	if len(table.Tests) != 10 { // two networks, five columns
		t.Errorf("%d tests", len(table.Tests))
	}
	for _, x := range table.Tests {
		if x.WilcoxonP < 0 || x.WilcoxonHolm < x.WilcoxonP || x.RankBiserial == nil || !strings.HasPrefix(x.Setting, "cyborg, arch=") {
			t.Errorf("%+v", x)
		}
	}
	combined, single := 0, 0
	for _, d := range s.DeLong {
		if d.Repeat == "" {
			combined++
			if d.N != 6 || d.Holm < d.P || d.Difference <= 0 {
				t.Errorf("%+v", d)
			}
		} else {
			single++
		}
	}
	if combined != 8 || single != 48 { // two networks, three sets and pooled; six seeds
		t.Errorf("DeLong: %d combined, %d single", combined, single)
	}
	for _, a := range s.Areas {
		if !(a.Low <= a.AUC && a.AUC <= a.High && a.BootLow <= a.AUC && a.AUC <= a.BootHigh) {
			t.Errorf("%+v", a)
		}
	}
	if len(s.Reliable) != 4 || len(s.ROC[0].Low) != rocPoints {
		t.Errorf("%d reliability diagrams, %d points of the band", len(s.Reliable), len(s.ROC[0].Low))
	}
	text, err := os.ReadFile(filepath.Join(out, "tables", "auc.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(lines) != 5 || strings.Join(lines[0][:5], ",") != "arch,loss,runs,u1 mean,u1 sd" || lines[2][0] != "resnet50" || lines[2][1] != "cyborg" {
		t.Errorf("auc.csv: %v\n%s", err, text)
	}
	for name, want := range map[string]string{
		"auc.md": "| resnet50 | cyborg | **", "auc.tex": `cyborg & \textbf{0.`, "tests.md": "rank-biserial", "tests.tex": `95 \% interval`,
		"eer.md": "the lowest of each column", "runs.csv": "\"cyborg, arch=xception\",5,pooled,apcer_at_bpcer_5,", "delong.csv": "setting,baseline,set,seed,n,",
	} {
		text, err := os.ReadFile(filepath.Join(out, "tables", name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q: %v\n%s", name, want, err, text)
		}
	}
}

// A table that stands alone says of what it is: the sets, the prevalence, where a threshold is from.
func TestCaptionsStandAlone(t *testing.T) {
	out := summarise(t, Params{Mean: []string{"u1", "u2"}, Metric: "auc", Prevalence: 0.07, Tables: []string{"acer_chosen", "accuracy_at_prevalence", "d_prime", "eer"}},
		map[string][]task.Input{Scores: networks(t, []string{"resnet50", "xception"}, 6)})
	columns := " mean: each run's mean over u1, u2; pooled: the images of these together, those that several of them share counted once."
	for name, want := range map[string]string{
		"auc.md":                     "\nAUC, mean ± standard deviation over up to 6 runs; the highest of each column and group in bold." + columns,
		"acer_chosen.md":             "\nACER, threshold of each model chosen on validation, mean ±",
		"acer_chosen.tex":            `\caption{ACER, threshold of each model chosen on validation, mean $\pm$`,
		"accuracy_at_prevalence.md":  "\nAccuracy at a prevalence (share of synthetic images) of 0.07, mean ±",
		"accuracy_at_prevalence.tex": "Accuracy at a prevalence (share of synthetic images) of 0.07, mean",
		"d_prime.md":                 "\nd', mean ±",
		"eer.md":                     "\nEER, mean ±",
		"tests.md": "\nAUC, higher is better: each setting less its baseline in n pairs by seed; Student's paired t-test, Wilcoxon's signed rank test, Cohen's dz, Hedges' g." + columns +
			" Holm's correction runs, for each kind of test by itself, over the tests against one baseline on one group of columns: (u1, u2), (validation), (mean), (pooled).",
	} {
		text, err := os.ReadFile(filepath.Join(out, "tables", name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q: %v\n%s", name, want, err, text)
		}
	}
}

// Over all seeds, DeLong's variance is that of one AUC whose score is the mean: with the same model twice, as with once.
func TestDeLongOverRepeatsCountsImagesOnce(t *testing.T) {
	inputs := func(seeds int) (out []task.Input) {
		for seed := range seeds {
			for k, loss := range []string{"cross_entropy", "cyborg"} {
				out = append(out, evaluation(t, fmt.Sprintf("score[loss=%s,seed=%d]", loss, seed), axes("loss", loss, "seed", fmt.Sprint(seed)), `{}`,
					[]string{"0.3", "0.7"}[k], "0.5", "0.9"))
			}
		}
		return out
	}
	once := read(t, summarise(t, Params{}, map[string][]task.Input{Scores: inputs(1)})).DeLong[0]
	many := read(t, summarise(t, Params{}, map[string][]task.Input{Scores: inputs(9)})).DeLong[0]
	if once.N != 1 || many.N != 9 || !close12(once.P, many.P) || !close12(*once.Low, *many.Low) {
		t.Errorf("one seed %+v, nine that are the same %+v", once, many)
	}
}

// Where there is no interval, the tables have none: one pair, equal differences, a detector without an error.
func TestUndefinedIntervalsAreEmpty(t *testing.T) {
	var inputs []task.Input
	for seed, scores := range [][2]string{{"0.5", "0.7"}, {"0.5", "0.7"}} { // the same difference on every seed
		for k, loss := range []string{"cross_entropy", "cyborg"} {
			inputs = append(inputs, evaluation(t, fmt.Sprintf("score[loss=%s,seed=%d]", loss, seed), axes("loss", loss, "seed", fmt.Sprint(seed)), `{}`, scores[k], "0.9"))
		}
	}
	for seed := range 2 { // without an error
		inputs = append(inputs, evaluation(t, fmt.Sprintf("score[loss=perfect,seed=%d]", seed), axes("loss", "perfect", "seed", fmt.Sprint(seed)), `{}`, "0.9", "0.95"))
	}
	out := summarise(t, Params{Bootstrap: 20}, map[string][]task.Input{Scores: inputs})
	for name, want := range map[string][]string{
		"tests.md":          {"| 2 | +0.125 | – | – | – |", "| 2 | +0.250 | – | – | – |"},
		"tests.tex":         {"& 2 & +0.125 & -- & -- & --"},
		"tests.csv":         {"auc,score,cyborg,cross_entropy,2,0.125,,,2,,,"},
		"auc_intervals.csv": {"perfect,score,2,1,,,,\n"},
	} {
		text, err := os.ReadFile(filepath.Join(out, "tables", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range want {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s lacks %q:\n%s", name, want, text)
			}
		}
	}
	same := func(loss string) task.Input {
		return evaluation(t, "score[loss="+loss+"]", axes("loss", loss), `{}`, "0.5", "0.9")
	}
	out = summarise(t, Params{}, map[string][]task.Input{Scores: {same("cross_entropy"), same("cyborg")}})
	text, err := os.ReadFile(filepath.Join(out, "tables", "delong.csv"))
	if want := "cyborg,cross_entropy,score,,1,0,,,,\n"; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("delong.csv lacks %q: %v\n%s", want, err, text)
	}
}

// nasty has every sign that means something to LaTeX or Markdown.
const nasty = "a_b & 50% #1 {x} $y$ ^~ \\cmd <i> |c| *b* `q` [l](u) \"é中±"

func TestTablesAreText(t *testing.T) {
	s := sheet{caption: nasty, head: []string{nasty, "n"}, names: 1, rows: []sheetRow{{cells: []sheetCell{{nasty, true}, {"0.5 ± 0.1 – < −", true}}}}}
	want := `a\_b \& 50% \#1 {x} \$y\$ ^\~ \\cmd \<i\> \|c\| \*b\* ` + "\\`q\\`" + ` \[l\](u) "é中±`
	if got := strings.ReplaceAll(strings.ReplaceAll(string(s.markdown()), `\{`, "{"), `\}`, "}"); !strings.Contains(got, "| **"+want+"** | **0.5 ± 0.1 – \\< −** |") {
		t.Errorf("Markdown:\n%s", got)
	}
	compile(t, s.latex())
}

func TestLaTeXCompiles(t *testing.T) {
	inputs := networks(t, []string{"resnet_50", "50% & #1"}, 2)
	out := summarise(t, Params{Tables: []string{"tdr_at_fdr_0.01"}}, map[string][]task.Input{Scores: inputs})
	names, err := filepath.Glob(filepath.Join(out, "tables", "*.tex"))
	if err != nil || len(names) != 3 {
		t.Fatalf("%v: %v", names, err)
	}
	var all []byte
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	compile(t, all)
}

// Tables of the paper's size, four networks with four losses on six sets, their mean and pooled, fit the page; so do those of
// one network, and of more settings than a page has lines.
func TestLaTeXFitsThePage(t *testing.T) {
	sets := []string{"progan", "stylegan", "stylegan2", "stylegan2_ada", "stylegan3", "stargan_v2", "mean", "pooled"}
	losses := []string{"cross_entropy", "cyborg", "segmentation", "cross_entropy_7x"}
	var many []string
	for i := range 70 {
		many = append(many, fmt.Sprintf("alpha_%.2f", float64(i)/100))
	}
	for name, c := range map[string]struct {
		archs, losses, sets []string
		tables, tabulars    int // of the metric
	}{
		"quick start":   {[]string{"resnet_small"}, losses[:3], sets[:3], 1, 1},
		"paper":         {[]string{"resnet50", "densenet121", "inception_v3", "xception"}, losses, sets, 1, 2},
		"many settings": {[]string{"resnet50", "xception"}, many, sets, 6, 12},
	} {
		t.Run(name, func(t *testing.T) {
			s := &results.Summary{Compare: "loss", Repeat: "seed", Metric: "auc"}
			table := results.Table{Metric: "auc", Axes: []string{"arch", "loss"}, Columns: c.sets}
			if len(c.archs) == 1 {
				table.Axes = table.Axes[1:]
			}
			for _, arch := range c.archs {
				for l, loss := range c.losses {
					row := results.TableRow{Setting: loss + ", arch=" + arch, Names: []string{arch, loss}, Starts: l == 0, Runs: 10}
					if row.Names = row.Names[2-len(table.Axes):]; len(c.archs) == 1 {
						row.Setting = loss
					}
					for range c.sets {
						row.Cells = append(row.Cells, results.TableCell{N: 10, Mean: 0.888, SD: 0.088, Best: l == 2})
					}
					table.Rows, s.Settings = append(table.Rows, row), append(s.Settings, row.Setting)
				}
			}
			size := -8.88
			for _, set := range c.sets {
				for _, row := range table.Rows {
					if loss := row.Names[len(row.Names)-1]; loss != c.losses[0] {
						base := strings.Replace(row.Setting, loss, c.losses[0], 1)
						table.Tests = append(table.Tests, results.Test{Setting: row.Setting, Baseline: base, Set: set, Metric: "auc", N: 10, Difference: -0.088,
							Low: new(-0.188), High: new(0.088), PairedP: 1e-9, PairedHolm: 1e-9, WilcoxonP: 0.0088, WilcoxonHolm: 0.0888, Dz: &size, G: &size, RankBiserial: &size})
					}
				}
			}
			s.Tables = []results.Table{table}
			layout := tableSheet(s, table).latex()
			if a, b := bytes.Count(layout, []byte(`\begin{table}`)), bytes.Count(layout, []byte(`\begin{tabular}`)); a != c.tables || b != c.tabulars {
				t.Errorf("%d tables with %d tabulars, want %d with %d", a, b, c.tables, c.tabulars)
			}
			for _, row := range table.Rows {
				if name := latexText(row.Names[len(row.Names)-1]); !bytes.Contains(layout, []byte(name)) {
					t.Errorf("%s is not there", name)
				}
			}
			if got := bytes.Count(layout, []byte("0.888 $")); got != len(table.Rows)*len(c.sets) {
				t.Errorf("%d values, want %d", got, len(table.Rows)*len(c.sets))
			}
			tests := testsSheet(s, table).byGroup(s.Groups(), table.Tests).latex()
			if got := bytes.Count(tests, []byte(`$-$0.188 to`)) + bytes.Count(tests, []byte(`-0.188 to`)); got != len(table.Tests) {
				t.Errorf("%d tests, want %d", got, len(table.Tests))
			}
			if _, err := exec.LookPath("pdflatex"); err != nil {
				t.Skip("no pdflatex is here: whether the tables fit was not seen")
			}
			for _, text := range [][]byte{layout, tests} {
				if log := compile(t, text); strings.Contains(log, "Overfull") || strings.Contains(log, "Float too large") {
					t.Errorf("it does not fit:\n%s\n%s", log, text)
				}
			}
		})
	}
}

// compile sets LaTeX in a document without packages, and returns what was said; nothing where no LaTeX is here.
func compile(t *testing.T, text []byte) string {
	t.Helper()
	for _, r := range string(text) {
		if r > 0x7f {
			t.Errorf("LaTeX holds %q, which not every document can set", r)
		}
	}
	program, err := exec.LookPath("pdflatex")
	if err != nil {
		t.Log("no pdflatex is here: the tables were not compiled")
		return ""
	}
	dir := t.TempDir()
	put(t, dir, "t.tex", []byte("\\documentclass{article}\n\\begin{document}\n"+string(text)+"\\end{document}\n"))
	cmd := exec.Command(program, "-interaction=nonstopmode", "-halt-on-error", "t.tex")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("pdflatex: %v\n%s\n%s", err, out, text)
	}
	return string(out)
}
