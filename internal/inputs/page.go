package inputs

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"io"

	"github.com/cyborg-run/cyborg-run/internal/nn"
	"github.com/cyborg-run/cyborg-run/internal/pack"
	"github.com/cyborg-run/cyborg-run/internal/plot"
)

// Dataset is one packed data set on the page.
type Dataset struct {
	Name    string
	Network string   // whose normalisation the figures are of
	Input   nn.Input // its Mean and Std; the side is the set's
	Set     *pack.Set
}

//go:embed page.html
var page string

type view struct {
	Title string
	Sets  []setView
}

type setView struct {
	Dataset
	Counts     string
	Side, H, W int
	Channels   [3]Channel
	Maps       []mapView
	Notes      []string
	Rows       []rowView
}

type mapView struct {
	Name, Source string
	Simulated    bool
	Has, Of      int
}

type rowView struct {
	Label, Path string
	Pictures    []template.URL // the image, then by map; "" where the image has none
}

// Write makes the page: for each data set its counts, the statistics of its channels and n of its images.
func Write(w io.Writer, title string, n int, sets []Dataset) error {
	t, err := template.New("inputs").Funcs(template.FuncMap{"f": func(v float64) string { return fmt.Sprintf("%.3f", v) }}).Parse(page)
	if err != nil {
		return err
	}
	v := view{Title: title}
	for _, d := range sets {
		s, err := look(d, n)
		if err != nil {
			return fmt.Errorf("data set %s: %w", d.Name, err)
		}
		v.Sets = append(v.Sets, s)
	}
	return t.Execute(w, v)
}

func look(d Dataset, n int) (setView, error) {
	s := setView{Dataset: d, Side: d.Set.Side(), Channels: Measure(d.Set, d.Input), Notes: d.Set.Notes()}
	s.H, s.W = d.Set.Grid()
	counts, labels := map[string]int{}, []string{}
	for _, row := range d.Set.Rows() {
		if counts[row.Label]++; counts[row.Label] == 1 {
			labels = append(labels, row.Label)
		}
	}
	for _, label := range labels {
		name := label
		if name == "" {
			name = "without label"
		}
		s.Counts += fmt.Sprintf(", %d %s", counts[label], name)
	}
	for _, m := range d.Set.Maps() {
		_, has, err := d.Set.Map(m.Name)
		if err != nil {
			return s, err
		}
		view := mapView{Name: m.Name, Source: m.Source, Simulated: m.Simulated, Of: len(has)}
		for _, h := range has {
			if h {
				view.Has++
			}
		}
		s.Maps = append(s.Maps, view)
	}
	for _, i := range Choose(d.Set, n) {
		row := d.Set.Rows()[i]
		r := rowView{Label: row.Label, Path: row.Path}
		pictures := []*image.NRGBA{plot.Heat(d.Set.Image(i), nil, s.Side)}
		for _, m := range s.Maps {
			var overlay *image.NRGBA
			if full, ok := d.Set.MapFull(m.Name, i); ok {
				heat := make([]float64, len(full))
				for k, v := range full {
					heat[k] = float64(v) / 255
				}
				overlay = plot.Heat(d.Set.Image(i), heat, s.Side)
			}
			pictures = append(pictures, overlay)
		}
		for _, picture := range pictures {
			url, err := embed(picture)
			if err != nil {
				return s, err
			}
			r.Pictures = append(r.Pictures, url)
		}
		s.Rows = append(s.Rows, r)
	}
	return s, nil
}

func embed(picture *image.NRGBA) (template.URL, error) {
	if picture == nil {
		return "", nil
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}
