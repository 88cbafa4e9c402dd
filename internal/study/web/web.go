// Package web is the page of a human study and the little that it asks of the server.
//
// What guards it: nobody comes in without the token of the link, which a cookie holds from then on (HttpOnly,
// SameSite=Lax), compared in constant time; every participant has a secret of their own in a second cookie. Requests for
// other names than this server's are refused, so that no foreign page reaches it by rebinding a name; so are requests
// that change something and come from another origin. The only files that are served are the page's own and the images of the
// participant's trial and the next, by number: no path of a request leads to a file. The page loads nothing from elsewhere, and its
// policy allows neither inline scripts nor inline styles.
package web

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/cyborg-run/cyborg-run/internal/study"
)

//go:embed page
var files embed.FS

// Options of the page.
type Options struct {
	Hosts  []string                         // names, without port, that the server answers to beside localhost and bare IP addresses
	Secure bool                             // it is reached by HTTPS, so that cookies are for HTTPS alone
	Failed func(format string, args ...any) // told what went wrong on this side; nil: nobody is
}

type server struct {
	Options
	*study.Session
	id string // of the study, in the names of cookies
}

// Handler serves a study.
func Handler(e *study.Session, o Options) http.Handler {
	if o.Failed == nil {
		o.Failed = func(string, ...any) {}
	}
	s := &server{Options: o, Session: e, id: e.ID()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /assets/{name}", asset)
	mux.HandleFunc("GET /state", s.state)
	mux.HandleFunc("GET /image/{participant}/{trial}/{side}", s.image)
	mux.HandleFunc("POST /join", s.join)
	mux.HandleFunc("POST /answer", s.answer)
	mux.HandleFunc("POST /leave", s.leave)
	return s.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard sets the headers of every response and refuses foreign names.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("X-Robots-Tag", "noindex")
		h.Set("Cache-Control", "no-store")
		if !s.ours(r.Host) {
			http.Error(w, "This server does not go by that name.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ours tells whether a Host header names this server. A bare address is always meant for it: rebinding needs a name.
func (s *server) ours(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	return name == "localhost" || net.ParseIP(name) != nil || slices.Contains(s.Hosts, name)
}

func (s *server) cookie(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name + "_" + s.id, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.Secure,
		SameSite: http.SameSiteLaxMode}) // Strict would not reach the page from a link in a message
}

const month = 30 * 24 * 3600 // seconds

// value is that of a cookie of this study; empty: there is none.
func (s *server) value(r *http.Request, name string) string {
	c, err := r.Cookie(name + "_" + s.id)
	if err != nil {
		return ""
	}
	return c.Value
}

// admitted tells whether a request comes from somebody who has the link, or takes part already.
func (s *server) admitted(r *http.Request) bool {
	if s.Knows(s.value(r, "link")) {
		return true
	}
	_, err := s.Where(s.value(r, "person"))
	return err == nil
}

func (s *server) page(w http.ResponseWriter, r *http.Request) {
	if token := r.URL.Query().Get("t"); token != "" {
		if s.Knows(token) {
			s.cookie(w, "link", token, month)
			http.Redirect(w, r, "/", http.StatusSeeOther) // so that the token does not stay in the address
			return
		}
		send(w, http.StatusForbidden, "stranger.html")
		return
	}
	if !s.admitted(r) {
		send(w, http.StatusForbidden, "stranger.html")
		return
	}
	send(w, http.StatusOK, "index.html")
}

func asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if path.Ext(name) == ".html" {
		http.NotFound(w, r)
		return
	}
	send(w, http.StatusOK, name)
}

// send sends one of the page's own files.
func send(w http.ResponseWriter, status int, name string) {
	raw, err := fs.ReadFile(files, path.Join("page", path.Base(name)))
	if err != nil {
		http.Error(w, "Not found.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	w.WriteHeader(status)
	_, _ = w.Write(raw) // who does not want it any more has gone
}

// view is what the page is told.
type view struct {
	Study       string     `json:"study"` // what the browser keeps drafts under
	Title       string     `json:"title"`
	Welcome     string     `json:"welcome"`
	Pairs       bool       `json:"pairs"`
	Participant string     `json:"participant"` // empty: has not joined
	Done        int        `json:"done"`
	Of          int        `json:"of"`
	Trial       *trialView `json:"trial"` // null: none is left, or has not joined
	Next        []string   `json:"next"`  // images to load early
}

type trialView struct {
	Number    int         `json:"number"`
	Annotated bool        `json:"annotated"`
	Check     string      `json:"check"`
	Images    []imageView `json:"images"`
}

type imageView struct {
	Source string `json:"source"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

func (s *server) view(secret string) view {
	v := view{Study: s.id, Title: s.Study.Title, Welcome: s.Study.Welcome, Pairs: s.Study.Pairs}
	at, err := s.Where(secret)
	if err != nil {
		return v
	}
	v.Participant, v.Done, v.Of = at.Participant, at.Done, at.Of
	if at.Trial == nil {
		return v
	}
	v.Trial = &trialView{Number: at.Done, Annotated: at.Trial.Annotated, Check: at.Trial.Check}
	for side, number := range at.Trial.Images {
		image := s.Study.Images[number]
		v.Trial.Images = append(v.Trial.Images, imageView{source(at.Participant, at.Done, side), image.Width, image.Height})
	}
	if at.Next != nil {
		for side := range at.Next.Images {
			v.Next = append(v.Next, source(at.Participant, at.Done+1, side))
		}
	}
	return v
}

func source(participant string, trial, side int) string {
	return fmt.Sprintf("/image/%s/%d/%d", participant, trial, side)
}

func (s *server) state(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(r) {
		problem(w, http.StatusForbidden, "Please open the link to the study again.")
		return
	}
	reply(w, s.view(s.value(r, "person")))
}

func (s *server) image(w http.ResponseWriter, r *http.Request) {
	at, err := s.Where(s.value(r, "person"))
	number, bad := strconv.Atoi(r.PathValue("trial"))
	side, worse := strconv.Atoi(r.PathValue("side"))
	if err != nil || bad != nil || worse != nil || r.PathValue("participant") != at.Participant {
		http.NotFound(w, r)
		return
	}
	t := at.Trial
	if number == at.Done+1 {
		t = at.Next
	} else if number != at.Done {
		t = nil
	}
	if t == nil || side < 0 || side >= len(t.Images) {
		http.NotFound(w, r)
		return
	}
	image := s.Study.Images[t.Images[side]]
	raw, err := image.Bytes()
	if err != nil {
		s.Failed("%v", err)
		http.Error(w, "The image cannot be read.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", image.Type)
	w.Header().Set("Cache-Control", "private, max-age=3600")
	_, _ = w.Write(raw)
}

func (s *server) join(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(r) {
		problem(w, http.StatusForbidden, "Please open the link to the study again.")
		return
	}
	secret := s.value(r, "person")
	if _, err := s.Where(secret); err != nil {
		if secret, err = s.Join(); err != nil {
			if errors.Is(err, study.ErrFull) {
				problem(w, http.StatusConflict, "The study has all the participants that it needs. Thank you.")
				return
			}
			s.trouble(w, err)
			return
		}
		s.cookie(w, "person", secret, month)
	}
	reply(w, s.view(secret))
}

// given is what the page sends.
type given struct {
	Trial    int              `json:"trial"`
	Answer   string           `json:"answer"`
	Time     float64          `json:"time"`
	Total    float64          `json:"total"`
	Drawings [][]study.Stroke `json:"drawings"`
}

const maxBody = 4 << 20 // bytes

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	secret := s.value(r, "person")
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" { // which no form of another page can send
		problem(w, http.StatusUnsupportedMediaType, "An answer is JSON.")
		return
	}
	var a given
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&a); err != nil {
		problem(w, http.StatusBadRequest, "The answer cannot be read.")
		return
	}
	err := s.Record(secret, study.Answer{Trial: a.Trial, Answer: a.Answer, Time: a.Time, Total: a.Total, Drawings: a.Drawings})
	var invalid study.Invalid
	switch {
	case err == nil:
		reply(w, s.view(secret))
	case errors.Is(err, study.ErrStranger):
		problem(w, http.StatusForbidden, "Please open the link to the study again.")
	case errors.Is(err, study.ErrAhead):
		problem(w, http.StatusConflict, "This trial has not been reached.")
	case errors.As(err, &invalid):
		problem(w, http.StatusUnprocessableEntity, "The answer cannot be kept: "+err.Error()+".")
	default:
		s.trouble(w, err)
	}
}

// leave forgets the participant in this browser, for the next person at the same computer.
func (s *server) leave(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(r) {
		problem(w, http.StatusForbidden, "Please open the link to the study again.")
		return
	}
	s.cookie(w, "person", "", -1)
	reply(w, s.view(""))
}

// trouble says that something failed here, which may pass: the page tries again.
func (s *server) trouble(w http.ResponseWriter, err error) {
	s.Failed("%v", err)
	problem(w, http.StatusServiceUnavailable, "The answer could not be kept just now.")
}

func problem(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"problem": text})
}

func reply(w http.ResponseWriter, v view) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who does not want it any more has gone
}
