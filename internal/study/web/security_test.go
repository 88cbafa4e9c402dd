package web_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/internal/study/web"
)

// client is a browser of sorts: it keeps cookies and says where a request comes from.
type client struct {
	*testing.T
	*http.Client
	url string
}

func newClient(t *testing.T, url string) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t, &http.Client{Jar: jar}, url}
}

// send returns status, headers and body.
func (c *client) send(method, path, body string, headers ...string) (int, http.Header, string) {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		c.Fatal(err)
	}
	return response.StatusCode, response.Header, string(raw)
}

func (c *client) status(want int, method, path, body string, headers ...string) string {
	c.Helper()
	got, _, text := c.send(method, path, body, headers...)
	if got != want {
		c.Errorf("%s %s %v: status %d, want %d\n%s", method, path, headers, got, want, text)
	}
	return text
}

// joined is a client who takes part.
func joined(t *testing.T, at *site) *client {
	t.Helper()
	c := newClient(t, at.url())
	c.status(http.StatusOK, "GET", "/?t="+at.session.Token, "")
	c.status(http.StatusOK, "POST", "/join", "{}")
	return c
}

func small(t *testing.T, o web.Options) *site {
	t.Helper()
	images := cartoons(t, 4)
	return serve(t, &study.Study{Settings: study.Settings{Blocks: []string{study.Free}}, Images: images, Stimuli: study.Singles(images)}, o)
}

// Without the link nothing is to be had: no page, no state, no image, no place.
func TestStrangers(t *testing.T) {
	at := small(t, web.Options{})
	insider := joined(t, at)
	image := func() string {
		var v struct {
			Trial struct{ Images []struct{ Source string } }
		}
		if err := json.Unmarshal([]byte(insider.status(http.StatusOK, "GET", "/state", "")), &v); err != nil {
			t.Fatal(err)
		}
		return v.Trial.Images[0].Source
	}()
	insider.status(http.StatusOK, "GET", image, "")

	token := at.session.Token
	for name, wrong := range map[string]string{"none": "", "short": token[:len(token)-1], "long": token + "A", "other": strings.Repeat("A", len(token)), "case": strings.ToLower(token)} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, at.url())
			text := c.status(http.StatusForbidden, "GET", "/?t="+wrong, "")
			if strings.Contains(text, "study.js") {
				t.Error("the study's page is shown")
			}
			c.status(http.StatusForbidden, "GET", "/", "")
			c.status(http.StatusForbidden, "GET", "/state", "")
			c.status(http.StatusForbidden, "POST", "/join", "{}")
			c.status(http.StatusForbidden, "POST", "/answer", `{"trial":0,"answer":"Real","drawings":[null]}`)
			c.status(http.StatusForbidden, "POST", "/leave", "{}")
			c.status(http.StatusNotFound, "GET", image, "")
		})
	}
	if people, _, answers := at.session.Progress(); people != 1 || answers != 0 {
		t.Errorf("%d people, %d answers", people, answers)
	}
}

// A page that has a name of its own resolve to this server reads nothing from it.
func TestNamesOfTheServer(t *testing.T) {
	at := small(t, web.Options{Hosts: []string{"study.example.org"}})
	c := joined(t, at)
	for host, want := range map[string]int{
		"evil.example": http.StatusMisdirectedRequest, "evil.example:8790": http.StatusMisdirectedRequest, "localhost.evil.example": http.StatusMisdirectedRequest,
		"127.0.0.1.evil.example": http.StatusMisdirectedRequest, "": http.StatusOK, "study.example.org": http.StatusOK, "STUDY.example.org:443": http.StatusOK,
		"[::1]:80": http.StatusOK, "192.0.2.7:8790": http.StatusOK, "localhost": http.StatusOK, "localhost.": http.StatusOK,
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/assets/study.js", nil)
		if r.Host = host; host == "" {
			r.Host = at.address
		}
		w := httptest.NewRecorder()
		web.Handler(at.session, at.options).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q: status %d, want %d", host, w.Code, want)
		}
	}
	c.status(http.StatusMisdirectedRequest, "GET", "/state", "", "Host", "evil.example")
	c.status(http.StatusMisdirectedRequest, "POST", "/answer", `{"trial":0,"answer":"Real","drawings":[null]}`, "Host", "evil.example")
}

// Another site changes nothing, though the browser would send the cookies along.
func TestOtherOrigins(t *testing.T) {
	at := small(t, web.Options{})
	c := joined(t, at)
	answer := `{"trial":0,"answer":"Real","drawings":[null]}`
	c.status(http.StatusForbidden, "POST", "/answer", answer, "Sec-Fetch-Site", "cross-site")
	c.status(http.StatusForbidden, "POST", "/answer", answer, "Sec-Fetch-Site", "same-site")
	c.status(http.StatusForbidden, "POST", "/answer", answer, "Origin", "https://evil.example")
	c.status(http.StatusForbidden, "POST", "/join", "{}", "Origin", "null")
	c.status(http.StatusUnsupportedMediaType, "POST", "/answer", answer, "Content-Type", "text/plain")
	c.status(http.StatusMethodNotAllowed, "GET", "/answer", "")
	if _, _, answers := at.session.Progress(); answers != 0 {
		t.Fatalf("%d answers came through", answers)
	}
	c.status(http.StatusOK, "POST", "/answer", answer, "Origin", at.url(), "Sec-Fetch-Site", "same-origin")
	if _, _, answers := at.session.Progress(); answers != 1 {
		t.Errorf("%d answers", answers)
	}
}

// Paths lead to the page's own files and to the trial's images, and nowhere else.
func TestTraversal(t *testing.T) {
	at := small(t, web.Options{})
	c := joined(t, at)
	if err := os.WriteFile(filepath.Join(at.dir, "secret.png"), []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/assets/../web.go", "/assets/..%2fweb.go", "/assets/%2e%2e/%2e%2e/study.json", "/assets/index.html", "/assets/stranger.html", "/assets/", "/assets/nothing.css",
		"/image/p0001/../../token", "/image/p0001/0/..%2f..%2ftoken", "/image/p0001/-1/0", "/image/p0001/2/0", "/image/p0001/0/1", "/image/p0001/0/-1",
		"/image/p0002/0/0", "/image/p0001/x/0", "/image/p0001/99999999999999999999/0", "/study.json", "/trials.jsonl", "/token", "//etc/passwd", "/%2e%2e/token", "/page/index.html",
	} {
		got, _, text := c.send("GET", path, "")
		if got != http.StatusNotFound || strings.Contains(text, at.session.Token) {
			t.Errorf("%s: status %d\n%s", path, got, text)
		}
	}
	images := 0
	for _, path := range []string{"/image/p0001/0/0", "/image/p0001/1/0"} {
		_, headers, text := c.send("GET", path, "")
		for _, image := range at.study.Images {
			raw, err := os.ReadFile(image.File)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(raw, []byte(text)) && headers.Get("Content-Type") == "image/png" {
				images++
			}
		}
	}
	if images != 2 {
		t.Errorf("%d of the trial's image and the next came as they are", images)
	}
}

// Every answer of the server forbids what the page does not need, whatever it answers.
func TestHeaders(t *testing.T) {
	at := small(t, web.Options{Secure: true})
	c := newClient(t, at.url())
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range []string{"/", "/?t=" + at.session.Token, "/assets/study.js", "/nothing", "/state"} {
		_, h, _ := c.send("GET", path, "")
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, h)
		}
		for _, cookie := range h.Values("Set-Cookie") {
			for _, word := range []string{"HttpOnly", "SameSite=Lax", "Secure", "Path=/"} {
				if !strings.Contains(cookie, word) {
					t.Errorf("%s: the cookie %s lacks %s", path, cookie, word)
				}
			}
		}
	}
}

// Answers that cannot be are refused with a word on why, and the log stays good.
func TestBadAnswers(t *testing.T) {
	at := small(t, web.Options{})
	c := joined(t, at)
	for body, want := range map[string]int{
		"":              http.StatusBadRequest,
		"{":             http.StatusBadRequest,
		`{"trial":"0"}`: http.StatusBadRequest,
		`{"trial":0,"answer":"?","drawings":[null]}`:                            http.StatusUnprocessableEntity,
		`{"trial":0,"answer":"Real","drawings":[]}`:                             http.StatusUnprocessableEntity,
		`{"trial":0,"answer":"Real","time":-1,"drawings":[null]}`:               http.StatusUnprocessableEntity,
		`{"trial":1,"answer":"Real","drawings":[null]}`:                         http.StatusConflict,
		`{"trial":0,"answer":"` + strings.Repeat("x", 5<<20) + `"}`:             http.StatusBadRequest,
		`{"trial":0,"answer":"Real","drawings":[[{"size":1e300,"points":[]}]]}`: http.StatusUnprocessableEntity,
	} {
		c.status(want, "POST", "/answer", body)
	}
	if records := at.records(); len(records) != 1 {
		t.Errorf("%d records", len(records))
	}
}

// The next person at the same computer gets a plan of their own; the one before is not forgotten.
func TestLeave(t *testing.T) {
	at := small(t, web.Options{})
	c := joined(t, at)
	c.status(http.StatusOK, "POST", "/join", "{}") // a double click is one person
	c.status(http.StatusOK, "POST", "/leave", "{}")
	if text := c.status(http.StatusOK, "POST", "/join", "{}"); !strings.Contains(text, `"participant":"p0002"`) {
		t.Error(text)
	}
}
