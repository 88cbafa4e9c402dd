package annotation_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/cyborg-run/cyborg-run/internal/annotation"
)

// svgW and svgH are the size of the images that the drawings below lie over.
const svgW, svgH = 120, 90

// drawings are SVG pictures by what they are to show.
var drawings = map[string]string{
	"line":            `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><line x1="10" y1="12" x2="100" y2="70" stroke="red" stroke-width="7"/></svg>`,
	"caps":            `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><g stroke="#000" stroke-width="12" fill="none"><path d="M20 20H90" stroke-linecap="round"/><path d="M20 45H90" stroke-linecap="square"/><path d="M20 70H90"/></g></svg>`,
	"joins":           `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><g stroke="#000" stroke-width="9" fill="none"><polyline points="8,70 25,20 42,70" stroke-linejoin="round"/><polyline points="55,70 67,20 80,70" stroke-linejoin="bevel"/><polyline points="92,70 102,30 112,70"/></g></svg>`,
	"miter_limit":     `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><g stroke="#000" stroke-width="8" fill="none"><path d="M10 70 30 30 35 70"/><path d="M60 70 80 30 85 70" stroke-miterlimit="20"/></g></svg>`,
	"closed":          `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><path d="M20 20L100 25L60 75Z" stroke="#000" stroke-width="6" fill="none"/></svg>`,
	"curves":          `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><path d="M10 50C20 0 50 0 60 45S100 90 110 40M10 80q20-30 40 0t40 0" style="fill:none;stroke:blue;stroke-width:5px;stroke-linecap:round"/></svg>`,
	"arcs":            `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><path d="M20 40a20 12 30 0 1 40 10A30 20 0 1 0 100 60a8 8 0 11-9 9" fill="none" stroke="#000" stroke-width="3"/></svg>`,
	"filled":          `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><path d="M10 10H60V60H10ZM25 25H45V45H25Z"/><path d="M65 10H115V60H65ZM80 25H100V45H80Z" fill-rule="evenodd"/><polygon points="20,65 100,65 60,88"/></svg>`,
	"figures":         `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><circle cx="25" cy="25" r="17.3"/><ellipse cx="85" cy="25" rx="28" ry="14" fill="none" stroke="#000" stroke-width="4"/><rect x="10.5" y="52.25" width="40" height="30"/><rect x="60" y="52" width="50" height="30" rx="9"/></svg>`,
	"transforms":      `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><g transform="translate(60,45) rotate(20)"><rect x="-30" y="-15" width="60" height="30" fill="none" stroke="#000" stroke-width="4"/><g transform="scale(2 .7) skewX(15)"><circle r="10" fill="none" stroke="#000" stroke-width="3"/></g></g><path transform="matrix(-1 0 0 1 120 0)" d="M5 5L25 15L5 25" fill="none" stroke="#000" stroke-width="4"/></svg>`,
	"view_box":        `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90" viewBox="-10 -10 60 60"><circle cx="20" cy="20" r="18"/></svg>`,
	"view_box_max":    `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90" viewBox="0 0 40 60" preserveAspectRatio="xMaxYMin meet"><rect x="5" y="5" width="30" height="50"/></svg>`,
	"view_box_slice":  `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90" viewBox="0 0 40 60" preserveAspectRatio="xMidYMax slice"><circle cx="20" cy="40" r="12"/></svg>`,
	"view_box_none":   `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90" viewBox="0 0 40 60" preserveAspectRatio="none"><circle cx="20" cy="30" r="12" stroke="#000" stroke-width="4" fill="none"/></svg>`,
	"other_size":      `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60"><circle cx="30" cy="30" r="12"/></svg>`,
	"opacity":         `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><rect x="10" y="10" width="60" height="60" fill-opacity="0.5"/><rect x="50" y="30" width="60" height="50" opacity="25%"/><path d="M5 85H115" stroke="#000" stroke-opacity=".75" stroke-width="6"/></svg>`,
	"hidden":          `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><title>x</title><rect x="10" y="10" width="20" height="20" display="none"/><g visibility="hidden"><circle cx="60" cy="45" r="20"/></g><defs><circle r="50"/></defs><rect x="80" y="50" width="20" height="20" fill="none"/><circle cx="60" cy="45" r="5"/></svg>`,
	"dots":            `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><g stroke="#000" stroke-width="14" fill="none"><path d="M30 30L30 30" stroke-linecap="round"/><path d="M70 30L70 30" stroke-linecap="square"/><path d="M50 70L50 70"/></g></svg>`,
	"scribble":        `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><path d="M20 20L90 22L25 30L88 35L30 42L95 44L22 50" fill="none" stroke="#000" stroke-width="10" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
	"outside":         `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90"><circle cx="0" cy="0" r="40"/><rect x="100" y="-50" width="900" height="900"/><path d="M-100 60H500" stroke="#000" stroke-width="5"/></svg>`,
	"inherited_style": `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="90" style="fill: none; stroke: green"><g stroke-width="6"><path d="M10 10L60 80L110 10"/><circle cx="60" cy="30" r="10" fill="inherit" stroke-width="2"/></g></svg>`,
}

// What a browser draws, we draw. It draws eight times as large, and the mean is taken, since its antialiasing of small
// circles errs by up to 0.3 at the edges; ours errs by 1/16 at most.
func TestDrawSVGAsABrowserDoes(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser(t)), chromedp.NoSandbox, chromedp.DisableGPU)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, end := chromedp.NewContext(alloc)
	defer end()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	ctx, late := context.WithTimeout(ctx, time.Minute)
	defer late()
	for name, text := range drawings {
		script := fmt.Sprintf(`new Promise((done, failed) => {
			const picture = new Image(), canvas = document.createElement("canvas");
			canvas.width = %d * 8; canvas.height = %d * 8;
			picture.onload = () => {
				const to = canvas.getContext("2d", {willReadFrequently: true});
				to.drawImage(picture, 0, 0, canvas.width, canvas.height);
				const pixels = to.getImageData(0, 0, canvas.width, canvas.height).data;
				const sums = new Array(canvas.width * canvas.height / 64).fill(0);
				for (let i = 3; i < pixels.length; i += 4) {
					const at = (i - 3) / 4, x = at %% canvas.width, y = (at - x) / canvas.width;
					sums[(y >> 3) * canvas.width / 8 + (x >> 3)] += pixels[i];
				}
				done(sums);
			};
			picture.onerror = failed;
			picture.src = "data:image/svg+xml;base64,%s";
		})`, svgW, svgH, base64.StdEncoding.EncodeToString([]byte(text)))
		want, err := chromedp.Run(ctx, chromedp.Evaluate[[]int](script, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m, err := annotation.DrawSVG([]byte(text), svgW, svgH)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sum, largest, at, ink := 0.0, 0.0, 0, 0.0
		for i, v := range m.V {
			d := math.Abs(v - float64(want[i])/(64*255))
			ink += float64(want[i]) / (64 * 255)
			if sum += d; d > largest {
				largest, at = d, i
			}
		}
		if ink < 30 || largest > 0.06 || sum/float64(len(m.V)) > 0.001 {
			t.Errorf("%s: ink %.0f; differences of %.4f in the mean and of at most %.3f, at %d,%d", name, ink, sum/float64(len(m.V)), largest, at%svgW, at/svgW)
		}
		t.Logf("%-16s mean difference %.5f, largest %.3f", name, sum/float64(len(m.V)), largest)
	}
}

func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium or Chrome is here: drawings were not compared with a browser's")
	return ""
}
