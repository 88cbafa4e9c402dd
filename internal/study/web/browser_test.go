package web_test

import (
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/internal/study/web"
)

// A whole session by mouse: answers and drawings arrive as they were given, undo and clear do what they say, and what is
// exported lies where it was drawn.
func TestByMouse(t *testing.T) {
	images := cartoons(t, 4)
	at := serve(t, &study.Study{Settings: study.Settings{Seed: 3, Blocks: []string{study.Annotated, study.Free}, FixedOrder: true},
		Images: images, Stimuli: study.Singles(images)}, web.Options{})
	b := newPerson(browser(t), t)
	b.do(chromedp.Navigate(at.link()), chromedp.WaitVisible("#start"))
	b.shoot("welcome")
	if where := eval[string](b, "location.href"); where != at.url()+"/" {
		t.Errorf("the token stays in the address: %s", where)
	}
	if cookies := eval[string](b, "document.cookie"); cookies != "" {
		t.Errorf("scripts read the cookies %s", cookies)
	}
	b.join(at.link())

	b.do(chromedp.Click("#next")) // neither answer nor drawing
	b.until(`document.querySelector("#status").textContent.includes("answer first")`)
	b.do(chromedp.Click("#answers label:nth-of-type(2)"), chromedp.Click("#next"))
	b.until(`document.querySelector("#status").textContent.includes("draw the region")`)
	b.drag(0, 0.1, 0.9, 0.9, 0.9)
	b.do(chromedp.Click("#undo"))
	b.drag(0, 0.1, 0.1, 0.2, 0.1)
	b.do(chromedp.Click("#clear"), chromedp.Click("#undo"), chromedp.Click("#clear"))
	b.drag(0, 0.25, 0.5, 0.75, 0.5)
	b.shoot("drawing")
	b.do(chromedp.Click("#next"))
	b.at(1)
	b.do(chromedp.Click("#answers label:nth-of-type(1)"))
	b.drag(0, 0.5, 0.2, 0.5, 0.8)
	b.do(chromedp.Click("#next"))
	for trial := 2; trial < 4; trial++ {
		b.at(trial)
		if b.annotated() {
			t.Error("a free trial asks for a drawing")
		}
		b.do(chromedp.Click("#answers label:nth-of-type(1)"), chromedp.Click("#next"))
	}
	b.do(chromedp.WaitVisible("#done"))
	b.shoot("done")

	answers := at.answers("p0001")
	if len(answers) != 4 || answers[0].Answer.Answer != study.Synthetic || answers[1].Answer.Answer != study.Real {
		t.Fatalf("%d answers, the first two %+v", len(answers), answers[:min(2, len(answers))])
	}
	first := answers[0].Drawings[0]
	if len(first) != 1 {
		t.Fatalf("%d strokes; two were taken back", len(first))
	}
	from, to := first[0].Points[0], first[0].Points[len(first[0].Points)-1]
	for i, want := range [][2]float64{{0.25, 0.5}, {0.75, 0.5}} {
		got := [][2]float64{from, to}[i]
		if math.Hypot(got[0]-want[0], got[1]-want[1]) > 0.01 {
			t.Errorf("drawn at %v, kept at %v", want, got)
		}
	}
	for _, a := range answers {
		if !(a.Time > 0 && a.Time <= a.Total && a.Total < 60) {
			t.Errorf("%g seconds to the answer, %g in all", a.Time, a.Total)
		}
	}

	out := filepath.Join(t.TempDir(), "export")
	done, err := study.Export(at.dir, out)
	if err != nil || done != (study.Exported{Participants: 1, Trials: 4, Drawings: 2}) {
		t.Fatalf("%+v, %v", done, err)
	}
	file, err := os.Open(filepath.Join(out, "drawings", "p0001", answers[0].Images[0]+".png"))
	b.must(err)
	defer file.Close()
	picture, err := png.Decode(file)
	b.must(err)
	for _, p := range []struct {
		x, y int
		want uint32
	}{{64, 64, 0xffff}, {33, 64, 0xffff}, {95, 64, 0xffff}, {64, 20, 0}, {5, 64, 0}, {64, 115, 0}} {
		if got, _, _, _ := picture.At(p.x, p.y).RGBA(); got != p.want {
			t.Errorf("pixel %d, %d is %d", p.x, p.y, got)
		}
	}
}

// A phone: a finger draws and answers, and nothing sticks out to the side.
func TestByTouchOnAPhone(t *testing.T) {
	images := cartoons(t, 4)
	pairs, err := study.PairsBy(images, func(i int) string { return images[i].Path[:len("images/p_0_")] })
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*study.Study{
		"single": {Images: images, Stimuli: study.Singles(images)},
		"pair":   {Images: images, Stimuli: pairs, Settings: study.Settings{Pairs: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s.Blocks = []string{study.Annotated}
			at := serve(t, s, web.Options{})
			b := newPerson(browser(t), t)
			b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
			b.join(at.link())
			b.swipe(0, 0.3, 0.3, 0.7, 0.7)
			b.do(chromedp.Click("#answers label:nth-of-type(2)"))
			b.shoot("phone_" + name)
			if over := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
				t.Errorf("the page is %d pixels wider than the phone", over)
			}
			b.do(chromedp.Click("#next"))
			b.at(1)
			answers := at.answers("p0001")
			if len(answers) != 1 || len(answers[0].Drawings[0]) != 1 || len(answers[0].Drawings[0][0].Points) < 3 {
				t.Fatalf("%+v", answers)
			}
			if want := map[bool]string{false: study.Synthetic, true: study.Right}[s.Pairs]; answers[0].Answer.Answer != want {
				t.Errorf("answer %s, want %s", answers[0].Answer.Answer, want)
			}
		})
	}
}

// Nothing but a keyboard, from the welcome to the thanks.
func TestByKeyboard(t *testing.T) {
	images := cartoons(t, 4)
	pairs, err := study.RandomPairs(images, 1)
	if err != nil {
		t.Fatal(err)
	}
	at := serve(t, &study.Study{Settings: study.Settings{Pairs: true, Blocks: []string{study.Annotated}}, Images: images, Stimuli: pairs}, web.Options{})
	b := newPerson(browser(t), t)
	b.do(chromedp.Navigate(at.link()), chromedp.WaitVisible("#start"))
	b.key(kb.Tab)
	b.key(" ")
	b.key(kb.Tab)
	b.key(kb.Enter)
	b.at(0)
	b.key("d")
	b.key(kb.ArrowLeft, chromedp.ModifierShift)
	b.key(" ")
	b.key(kb.ArrowRight)
	b.key(kb.ArrowDown)
	b.key(" ")
	b.key("d") // the other image
	b.key(kb.ArrowUp, chromedp.ModifierShift)
	b.key(" ")
	b.key(kb.ArrowUp)
	b.key(" ")
	b.key(" ")
	b.key(kb.ArrowUp)
	b.key(" ")
	b.key("u")
	b.key("b")
	b.shoot("keyboard")
	b.key(kb.Enter)
	b.at(1)
	b.key("d")
	b.key(" ")
	b.key("1")
	b.key(kb.Enter)
	b.do(chromedp.WaitVisible("#done"))

	answers := at.answers("p0001")
	if len(answers) != 2 || answers[0].Answer.Answer != study.Right || answers[1].Answer.Answer != study.Left {
		t.Fatalf("%+v", answers)
	}
	a, c := answers[0].Drawings[0], answers[0].Drawings[1]
	if len(a) != 1 || len(c) != 1 {
		t.Fatalf("%d and %d strokes, want one each", len(a), len(c))
	}
	if got, want := fmt.Sprint(a[0].Points), "[[0.4 0.5] [0.42 0.5] [0.42 0.52]]"; got != want {
		t.Errorf("A: %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(c[0].Points), "[[0.5 0.4] [0.5 0.38]]"; got != want {
		t.Errorf("B: %s, want %s", got, want)
	}
}

// A reload and a second tab go on where the first one was, drawing and answer included; what both send is kept once, and
// so is a double click.
func TestReloadAndSecondTab(t *testing.T) {
	images := cartoons(t, 6)
	at := serve(t, &study.Study{Settings: study.Settings{Blocks: []string{study.Annotated}}, Images: images, Stimuli: study.Singles(images)}, web.Options{})
	b := newPerson(browser(t), t)
	b.join(at.link())
	shown := eval[string](b, `document.querySelector("#stimulus img").src`)
	b.drag(0, 0.3, 0.3, 0.6, 0.3)
	b.do(chromedp.Click("#answers label:nth-of-type(2)"), chromedp.Reload())
	b.at(0)
	if again := eval[string](b, `document.querySelector("#stimulus img").src`); again != shown {
		t.Errorf("%s, after the reload %s", shown, again)
	}
	second := newTab(b.ctx, t)
	second.do(chromedp.Navigate(at.url()))
	second.at(0)
	if got := eval[string](second, `document.querySelector("#answers :checked").value`); got != study.Synthetic {
		t.Errorf("the second tab shows the answer %q", got)
	}
	eval[bool](second, `(() => { const n = document.querySelector("#next"); n.click(); n.click(); n.click(); return true })()`)
	second.at(1)
	b.do(chromedp.Click("#next")) // still shows the first trial
	b.at(1)
	answers := at.answers("p0001")
	if len(answers) != 1 || len(answers[0].Drawings[0]) != 1 {
		t.Fatalf("%d answers, the first with %d strokes", len(answers), len(answers[0].Drawings[0]))
	}
}

// The server ends in the middle and comes back: the page waits, sends the answer that it holds, and goes on.
func TestServerComesBack(t *testing.T) {
	images := cartoons(t, 4)
	at := serve(t, &study.Study{Settings: study.Settings{Blocks: []string{study.Free}}, Images: images, Stimuli: study.Singles(images)}, web.Options{})
	b := newPerson(browser(t), t)
	b.join(at.link())
	b.key("s")
	b.key(kb.Enter)
	b.at(1)
	at.stop()
	b.key("r")
	b.key(kb.Enter)
	b.until(`!document.querySelector("#trouble").hidden`)
	b.shoot("no_connection")
	at.start()
	b.at(2)
	b.until(`document.querySelector("#trouble").hidden`)
	if answers := at.answers("p0001"); len(answers) != 2 || answers[1].Answer.Answer != study.Real {
		t.Fatalf("%+v", answers)
	}
}

// Two people at once, each with a plan, drawings and cookies of their own.
func TestTwoParticipants(t *testing.T) {
	images := cartoons(t, 8)
	at := serve(t, &study.Study{Settings: study.Settings{Blocks: []string{study.Free, study.Annotated}}, Images: images, Stimuli: study.Singles(images)}, web.Options{})
	from := browser(t)
	one := newPerson(from, t)
	one.join(at.link())
	two := newPerson(from, t)
	two.join(at.link())
	var both sync.WaitGroup
	for i, b := range []*tab{one, two} {
		both.Go(func() {
			for trial := range 8 {
				b.at(trial)
				if b.annotated() {
					b.drag(0, 0.2+0.3*float64(i), 0.5, 0.4+0.3*float64(i), 0.5)
				}
				b.key([]string{"r", "s"}[i])
				b.key(kb.Enter)
			}
			b.do(chromedp.WaitVisible("#done"))
		})
	}
	both.Wait()
	annotated := map[string][]bool{} // by image: was it annotated, for either
	for i, name := range []string{"p0001", "p0002"} {
		answers := at.answers(name)
		if len(answers) != 8 {
			t.Fatalf("%s: %d answers", name, len(answers))
		}
		for _, a := range answers {
			if want := []string{study.Real, study.Synthetic}[i]; a.Answer.Answer != want {
				t.Errorf("%s said %s, kept is %s", name, want, a.Answer.Answer)
			}
			annotated[a.Images[0]] = append(annotated[a.Images[0]], a.Annotated)
		}
	}
	for image, both := range annotated {
		if len(both) != 2 || both[0] == both[1] {
			t.Errorf("%s was annotated by %v of two", image, both)
		}
	}
}

// Dark, and with a check: for people to look at, and nothing sticks out.
func TestDarkWithACheck(t *testing.T) {
	images := cartoons(t, 4)
	at := serve(t, &study.Study{Settings: study.Settings{CheckEvery: 1, Blocks: []string{study.Free}}, Images: images, Stimuli: study.Singles(images)}, web.Options{})
	b := newPerson(browser(t), t)
	b.dark()
	b.join(at.link())
	b.key("s")
	b.key(kb.Enter)
	b.at(1)
	b.until(`document.querySelector("#task").textContent.includes("whatever you see")`)
	b.shoot("dark_check")
	wanted := eval[string](b, `document.querySelector("#task").textContent.includes("“Real”") ? "r" : "s"`)
	b.key(wanted)
	b.key(kb.Enter)
	b.at(2)
	if a := at.answers("p0001")[1]; a.Check == "" || a.Check != a.Answer.Answer {
		t.Errorf("the check asked for %q, the answer kept is %q", a.Check, a.Answer.Answer)
	}
}
