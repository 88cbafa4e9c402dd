package web_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// started is one browser for all tests of the package.
var started = sync.OnceValues(func() (context.Context, error) {
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		return nil, nil
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(alloc)
	atEnd = func() { end(); stop() }
	return ctx, chromedp.Do(ctx)
})

var atEnd = func() {}

func TestMain(m *testing.M) {
	status := m.Run()
	atEnd()
	os.Exit(status)
}

// browser is the one of this package. Every further context from it with newPerson has cookies of its own.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	ctx, err := started()
	if err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	if ctx == nil {
		t.Skip("no Chromium or Chrome is here: the page was not opened in a browser")
	}
	return ctx
}

// tab is a page of one person. What it complains of fails the test at its end.
type tab struct {
	*testing.T
	ctx context.Context
}

func newTab(from context.Context, t *testing.T, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(from, options...)
	t.Cleanup(end)
	ctx, late := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(late)
	b := &tab{t, ctx}
	b.do(chromedp.EmulateViewport(1100, 900))
	var mu sync.Mutex
	var complaints []string
	b.must(chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if e.Entry.Source == log.EntrySourceSecurity {
				complaints = append(complaints, e.Entry.Text)
			}
		}
	}))
	_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
	b.must(err)
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if len(complaints) > 0 {
			t.Errorf("the page complains: %v", complaints)
		}
	})
	return b
}

func newPerson(from context.Context, t *testing.T) *tab {
	return newTab(from, t, chromedp.WithNewBrowserContext())
}

func (b *tab) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, steps...))
}

func eval[T any](b *tab, script string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	b.must(err)
	return v
}

// until waits for a condition of the page.
func (b *tab) until(condition string) {
	b.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if eval[bool](b, "Boolean("+condition+")") {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("never: %s\nthe page says: %s", condition, eval[string](b, "document.body.innerText"))
		}
	}
}

// join opens a link and begins.
func (b *tab) join(link string) {
	b.Helper()
	b.do(chromedp.Navigate(link), chromedp.WaitVisible("#start"))
	if disabled := eval[bool](b, `document.querySelector("#start").disabled`); !disabled {
		b.Error("one can begin without having agreed")
	}
	b.do(chromedp.Click("#agree"), chromedp.Click("#start"))
	b.at(0)
}

// at waits until the page shows the trial of that number, from 0, with its images.
func (b *tab) at(trial int) {
	b.Helper()
	b.until(fmt.Sprintf(`!document.querySelector("#trial").hidden && document.querySelector("#bar").value === %d
		&& [...document.querySelectorAll("#stimulus img")].every(i => i.complete && i.naturalWidth > 0)`, trial))
}

func (b *tab) annotated() bool {
	b.Helper()
	return eval[bool](b, `document.querySelectorAll("#stimulus canvas").length > 0`)
}

// place is the pixel of the window at x and y (0 to 1) of a drawn-on image.
func (b *tab) place(image int, x, y float64) (float64, float64) {
	b.Helper()
	box := eval[[]float64](b, fmt.Sprintf(`(() => { const r = document.querySelectorAll("#stimulus canvas")[%d].getBoundingClientRect(); return [r.left, r.top, r.width, r.height] })()`, image))
	return box[0] + x*box[2], box[1] + y*box[3]
}

// drag draws a line with the mouse.
func (b *tab) drag(image int, x0, y0, x1, y1 float64) {
	b.Helper()
	ax, ay := b.place(image, x0, y0)
	bx, by := b.place(image, x1, y1)
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, ax, ay, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	for i := 1; i <= 5; i++ {
		f := float64(i) / 5
		b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, ax+f*(bx-ax), ay+f*(by-ay), chromedp.ButtonLeft))
	}
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, bx, by, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// swipe draws a line with a finger.
func (b *tab) swipe(image int, x0, y0, x1, y1 float64) {
	b.Helper()
	ax, ay := b.place(image, x0, y0)
	bx, by := b.place(image, x1, y1)
	touch := func(kind input.DispatchTouchEventType, points ...*input.TouchPoint) {
		b.Helper()
		_, err := chromedp.Call(b.ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: append([]*input.TouchPoint{}, points...)})
		b.must(err)
	}
	touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: ax, Y: ay})
	for i := 1; i <= 5; i++ {
		f := float64(i) / 5
		touch(input.DispatchTouchEventTypeTouchMove, &input.TouchPoint{X: ax + f*(bx-ax), Y: ay + f*(by-ay)})
	}
	touch(input.DispatchTouchEventTypeTouchEnd)
}

func (b *tab) key(keys string, modifiers ...chromedp.Modifier) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// shoot keeps a picture of the page where STUDY_PICTURES names a folder, for people to look at.
func (b *tab) shoot(name string) {
	b.Helper()
	dir := os.Getenv("STUDY_PICTURES")
	if dir == "" {
		return
	}
	raw, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	b.must(err)
	b.must(os.WriteFile(filepath.Join(dir, name+".png"), raw, 0o644))
}

func (b *tab) dark() {
	b.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	b.must(err)
}
