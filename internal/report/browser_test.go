package report

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// TestInABrowser opens a page in a real browser, at the width of a desk and of a phone: every picture shows, nothing is
// fetched, nothing is complained of, nothing sticks out to the side, and the measures of agreement fit a desk.
func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	program := browser(t)
	path := filepath.Join(t.TempDir(), "report.html")
	in := withAgreement(small(t, "words"))
	in.Annotators = marked()
	if err := os.WriteFile(path, []byte(write(t, in)), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, end := open(t, program)
	defer end()

	var mu sync.Mutex
	var fetched, complaints []string
	err := chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; u != "file://"+path && !strings.HasPrefix(u, "data:") {
				fetched = append(fetched, u)
			}
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, e.ExceptionDetails.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	count := func(script string) int {
		t.Helper()
		n, err := chromedp.Run(ctx, chromedp.Evaluate[int](script))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int64{1200, 500} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate("file://"+path)); err != nil {
			t.Fatalf("%d pixels: %v", width, err)
		}
		pictures := count(`document.querySelectorAll("details").forEach(d => d.open = true); document.images.length`)
		if pictures == 0 {
			t.Errorf("%d pixels: no pictures", width)
		}
		if broken := count(`[...document.images].filter(i => !i.complete || i.naturalWidth === 0).length`); broken > 0 {
			t.Errorf("%d pixels: %d of %d pictures do not show", width, broken, pictures)
		}
		if over := count(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			t.Errorf("%d pixels: the page is %d pixels wider than the window", width, over)
		}
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1200, 900)); err != nil {
		t.Fatal(err)
	}
	if n := count(`[...document.querySelectorAll("#agreement>.wide")].filter(e => e.scrollWidth > e.clientWidth).length`); n != 0 {
		t.Error("the table of agreement is wider than the page")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(fetched) > 0 || len(complaints) > 0 {
		t.Errorf("fetched %v, complaints %v", fetched, complaints)
	}
}

// open starts the browser, for a minute at most.
func open(t *testing.T, program string) (context.Context, func()) {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(alloc)
	if err := chromedp.Do(ctx); err != nil {
		end()
		stop()
		t.Fatalf("start the browser: %v", err)
	}
	ctx, late := context.WithTimeout(ctx, time.Minute)
	return ctx, func() {
		late()
		end()
		stop()
	}
}

func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium or Chrome is here: the page was not opened in a browser")
	return ""
}
