package table_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cyborg-run/cyborg-run/internal/table"
	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

func parse(t *testing.T, text string, o table.Options) []table.Row {
	t.Helper()
	list, err := table.Parse("set.csv", []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return list.Rows
}

func TestParse(t *testing.T) {
	type row struct {
		Line               int
		Split, Label, Path string
		Class              int
	}
	for name, c := range map[string]struct {
		text    string
		options table.Options
		want    []row
	}{
		"authors_form": {
			text: "train,Real,/a/1.png\ntest,Synthetic,/b/2.png\n",
			want: []row{{1, "train", "Real", "/a/1.png", 0}, {2, "test", "Synthetic", "/b/2.png", 1}},
		},
		"commas_inside_the_path_survive": {
			text: "train,Real,/a, b/1,2.png\n",
			want: []row{{1, "train", "Real", "/a, b/1,2.png", 0}},
		},
		"a_quoted_path_without_header": {
			text: `train,Real,"/a, ""b""/1.png"`,
			want: []row{{1, "train", "Real", `/a, "b"/1.png`, 0}},
		},
		"windows_line_ends_and_byte_order_mark": {
			text: "\ufefftrain,Real,/1.png\r\n\r\ntest,Real,/2.png\r\n",
			want: []row{{1, "train", "Real", "/1.png", 0}, {3, "test", "Real", "/2.png", 0}},
		},
		"header_with_other_columns_in_any_order": {
			text: "path,age,label\n\"a, b.png\",31,Real\nc.png,,Synthetic\n",
			want: []row{{2, "", "Real", "a, b.png", 0}, {3, "", "Synthetic", "c.png", 1}},
		},
		"header_in_capitals": {
			text: "Split,Label,Path\ntrain,Real,1.png\n",
			want: []row{{2, "train", "Real", "1.png", 0}},
		},
		"quoted_line_breaks_keep_line_numbers": {
			text: "label,path,note\nReal,1.png,\"two\nlines\"\nReal,2.png,\n",
			want: []row{{2, "", "Real", "1.png", 0}, {4, "", "Real", "2.png", 0}},
		},
		"header_no_takes_the_first_line_as_a_row": {
			text:    "split,label,path\n",
			options: table.Options{Header: table.No, Labels: map[string]string{"label": "Real"}},
			want:    []row{{1, "split", "label", "path", 0}},
		},
		"labels_of_other_fields": {
			text:    "train,Live,/1.png\ntrain,Spoof,/2.png\ntrain,Real,/3.png\n",
			options: table.Options{Labels: map[string]string{"Live": "Real", "Spoof": "Synthetic"}},
			want:    []row{{1, "train", "Live", "/1.png", 0}, {2, "train", "Spoof", "/2.png", 1}, {3, "train", "Real", "/3.png", 0}},
		},
		"where_over_the_authors_columns": {
			text:    "train,Real,/1.png\ntest,Real,/2.png\ntest,Unsure,/3.png\n",
			options: table.Options{Where: `split == "test" && label != "Unsure"`},
			want:    []row{{2, "test", "Real", "/2.png", 0}},
		},
		"where_over_numbers_and_odd_names": {
			text:    "label,path,age,eye colour\nReal,1.png,31,blue\nReal,2.png,29,blue\nReal,3.png,44,brown\n",
			options: table.Options{Where: `int(age) > 30 && $env["eye colour"] == "blue"`},
			want:    []row{{2, "", "Real", "1.png", 0}},
		},
		"the_same_image_in_two_splits": {
			text:    "train,Real,/1.png\ntest,Real,/1.png\n",
			options: table.Options{Where: `split == "train"`},
			want:    []row{{1, "train", "Real", "/1.png", 0}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []row
			for _, r := range parse(t, c.text, c.options) {
				got = append(got, row{r.Line, r.Split, r.Label, r.Path, r.Class})
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestBadLists(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		options table.Options
		want    []string // lines of the error, each in full
	}{
		"too_few_fields": {
			text: "train,Real,/1.png\ntrain,/2.png\n/3.png\n",
			want: []string{
				"set.csv:2: 2 of 3 fields; a row is split,label,path (a list with other columns needs a header that names them)",
				"set.csv:3: 1 of 3 fields; a row is split,label,path (a list with other columns needs a header that names them)",
			},
		},
		"unknown_label": {
			text: "train,Fake,/1.png\ntrain,real,/2.png\n",
			want: []string{
				"set.csv:1: label \"Fake\" is not known; there are: Real, Synthetic; say what it means by labels: {Fake: Real} or {Fake: Synthetic}",
				"set.csv:2: label \"real\" is not known; there are: Real, Synthetic; did you mean Real?",
			},
		},
		"empty_path": {
			text: "train,Real,\n",
			want: []string{"set.csv:1: the path is empty; it names the image below the data set's root"},
		},
		"the_same_image_twice": {
			text: "train,Real,/1.png\ntrain,Real,1.png\n",
			want: []string{"set.csv:2: image 1.png is in line 1 already; remove one of the two, or keep one of them by where"},
		},
		"path_in_another_encoding": {
			text: "train,Real,/M\xfcller.png\n",
			want: []string{`set.csv:1: the path "/M\xfcller.png" is not UTF-8; save the list as CSV in UTF-8`},
		},
		"sixteen_bit_text": {
			text: "t\x00r\x00",
			want: []string{"set.csv:1: not a text file in UTF-8; save it as CSV in UTF-8"},
		},
		"wrong_field_count_below_a_header": {
			text: "label,path\nReal,a,b.png\nReal,c.png\n",
			want: []string{"set.csv:2: 3 fields, the header has 2; quote a field that holds a comma"},
		},
		"open_quote": {
			text: "label,path\nReal,a\"b.png\n",
			want: []string{`set.csv:2: column 7: bare " in non-quoted-field`},
		},
		"header_without_path": {
			text:    "label,file\nReal,1.png\n",
			options: table.Options{Header: table.Yes},
			want:    []string{"set.csv:1: the header needs the column path, and label if the images are known; it has: label, file"},
		},
		"header_with_a_name_twice": {
			text: "label,path,age,age\nReal,1.png,1,1\n",
			want: []string{"set.csv:1: column 4 of the header is called \"age\"; names must be given and differ"},
		},
		"no_rows": {text: "\n\n", want: []string{"set.csv: no rows"}},
		"where_keeps_nothing": {
			text:    "train,Real,/1.png\n",
			options: table.Options{Where: `split == "validation"`},
			want:    []string{`set.csv: where split == "validation" keeps none of its 1 rows`},
		},
		"where_with_an_unknown_column": {
			text:    "train,Real,/1.png\n",
			options: table.Options{Where: `split == "train" && sex == "f"`},
			want:    []string{`where split == "train" && sex == "f": column 21: unknown name "sex"; the columns of set.csv are: split, label, path`},
		},
		"where_that_is_no_condition": {
			text:    "train,Real,/1.png\n",
			options: table.Options{Where: `split`},
			want:    []string{`where split: column 1: expected bool, but got string; the columns of set.csv are: split, label, path`},
		},
		"where_that_does_not_parse": {
			text:    "train,Real,/1.png\n",
			options: table.Options{Where: `split == `},
			want:    []string{`where split == : column 9: it ends too early; the columns of set.csv are: split, label, path`},
		},
		"where_that_fails_on_a_row": {
			text:    "label,path,age\nReal,1.png,31\nReal,2.png,old\n",
			options: table.Options{Where: `int(age) > 30`},
			want:    []string{`set.csv:3: where int(age) > 30: column 1: invalid operation: int(old); the columns of set.csv are: label, path, age`},
		},
		"label_of_no_class": {
			text:    "train,Real,/1.png\n",
			options: table.Options{Labels: map[string]string{"Live": "real"}},
			want:    []string{`labels: Live: "real" is no class; write Real or Synthetic`},
		},
		"label_turned_round": {
			text:    "train,Real,/1.png\n",
			options: table.Options{Labels: map[string]string{"Real": "Synthetic"}},
			want:    []string{`labels: Real cannot mean Synthetic`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := table.Parse("set.csv", []byte(c.text), c.options)
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(strings.Join(c.want, "\n"), err.Error()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTenBadRowsAreNamed(t *testing.T) {
	_, err := table.Parse("set.csv", []byte(strings.Repeat("bad\n", 25)), table.Options{})
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 11 || lines[10] != "set.csv: 15 more rows have mistakes" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestMissingList(t *testing.T) {
	_, err := table.Read("no/such.csv", table.Options{})
	if want := "read list no/such.csv: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// The authors' lists at their real size: counts as published with them.
func TestAuthorsLists(t *testing.T) {
	folder := testenv.Shared(t, "data/cyborg/csvs")
	for _, c := range []struct {
		file, where string
		want        [2]int
	}{
		{"original.csv", `split == "train"`, [2]int{919, 902}},
		{"original.csv", `split == "test"`, [2]int{10000, 10000}},
		{"large_dataset_7x.csv", `split == "train"`, [2]int{6433, 6314}},
		{"gan_test_sets/celeba-hq.csv", "", [2]int{30000, 0}},
		{"gan_test_sets/ffhq.csv", "", [2]int{70000, 0}},
		{"test.csv", "", [2]int{0, 10}},
	} {
		list, err := table.Read(filepath.Join(folder, filepath.FromSlash(c.file)), table.Options{Where: c.where})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if got := list.Counts(); got != c.want {
			t.Errorf("%s where %s: %v images, want %v", c.file, c.where, got, c.want)
		}
	}
}

// What the authors' form can say is read back as it was written.
func TestAuthorsFormRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		paths := rapid.SliceOfNDistinct(rapid.StringMatching(`/[a-z, .'-]{0,12}[a-z]\.(png|jpg)`), 1, 20, filepath.Clean).Draw(t, "paths")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		var text strings.Builder
		for i, p := range paths {
			text.WriteString([]string{"train", "test"}[i%2] + "," + table.ClassNames[i%2] + "," + p + end)
		}
		list, err := table.Parse("set.csv", []byte(text.String()), table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range list.Rows {
			if r.Path != paths[i] || r.Class != i%2 || r.Line != i+1 {
				t.Fatalf("row %d: %+v, path %q was written", i, r, paths[i])
			}
		}
	})
}

// Whatever the bytes, reading ends in rows that can be used or in an error.
func FuzzParse(f *testing.F) {
	seeds, err := os.ReadDir("testdata/lists")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range seeds {
		text, err := os.ReadFile(filepath.Join("testdata/lists", s.Name()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "")
		f.Add(text, `split == "train"`)
	}
	f.Fuzz(func(t *testing.T, text []byte, where string) {
		list, err := table.Parse("set.csv", text, table.Options{Where: where})
		if err != nil {
			return
		}
		if len(list.Rows) == 0 {
			t.Fatal("neither rows nor an error")
		}
		labelled := slices.Contains(list.Columns, "label")
		for _, r := range list.Rows {
			known := r.Class == 0 || r.Class == 1
			if r.Path == "" || known != labelled || !known && r.Class != table.Unlabelled || r.Line < 1 || len(r.Fields) != len(list.Columns) {
				t.Fatalf("a row that cannot be used: %+v", r)
			}
		}
	})
}

// A list without the column label can be scored: its rows are of no class.
func TestUnlabelledList(t *testing.T) {
	list, err := table.Parse("set.csv", []byte("path,camera\na.png,X\nb.png,Y\n"), table.Options{Where: `camera == "Y"`})
	if err != nil {
		t.Fatal(err)
	}
	want := []table.Row{{Line: 3, Class: table.Unlabelled, Path: "b.png", Fields: []string{"b.png", "Y"}}}
	if diff := cmp.Diff(want, list.Rows); diff != "" {
		t.Error(diff)
	}
	if got := list.Counts(); got != [2]int{} {
		t.Errorf("counted as %v", got)
	}
}
