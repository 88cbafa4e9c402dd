package web_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/faces"
	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/internal/study/web"
	"github.com/cyborg-run/cyborg-run/internal/table"
)

// cartoons is a list of generated faces, real and synthetic in turn, in a folder of the test.
func cartoons(t testing.TB, count int) []study.Image {
	t.Helper()
	const side = 128
	set, err := faces.New(faces.Options{Generator: "G0", Split: "study", Count: count, Seed: 7, Side: side})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	list := "label,path,generator\n"
	picture := faces.NewPicture(side)
	for i := range count {
		set.Draw(i, picture)
		p := image.NewRGBA(image.Rect(0, 0, side, side))
		for k := range side * side {
			p.SetRGBA(k%side, k/side, color.RGBA{picture.Pixels[3*k], picture.Pixels[3*k+1], picture.Pixels[3*k+2], 255})
		}
		label := []string{"Real", "Synthetic"}[i%2]
		name := fmt.Sprintf("images/p_%d_%s.png", i/2, label)
		list += fmt.Sprintf("%s,/%s,G%d\n", label, name, i%4/2)
		save(t, filepath.Join(dir, name), p)
	}
	rows, err := table.Parse("list.csv", []byte(list), table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	images, err := study.Images(rows, dir, "generator")
	if err != nil {
		t.Fatal(err)
	}
	return images
}

func save(t testing.TB, path string, p image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, p); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// site is a study that is served, and can be stopped and started again at the same address.
type site struct {
	t       testing.TB
	study   *study.Study
	dir     string
	options web.Options
	session *study.Session
	server  *http.Server
	address string
}

func serve(t testing.TB, s *study.Study, o web.Options) *site {
	t.Helper()
	if s.Welcome == "" {
		s.Title, s.Welcome = "Real or synthetic?", "You will see images of cartoon faces.\n\nNothing but your answers is kept."
	}
	if s.Participants == 0 {
		s.Participants = 10
	}
	at := &site{t: t, study: s, dir: t.TempDir(), options: o, address: "127.0.0.1:0"}
	at.start()
	t.Cleanup(at.stop)
	return at
}

func (s *site) start() {
	s.t.Helper()
	var err error
	if s.session, err = study.Open(s.dir, s.study); err != nil {
		s.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.server = &http.Server{Handler: web.Handler(s.session, s.options)}
	go func() { _ = s.server.Serve(listener) }()
}

func (s *site) stop() {
	_ = s.server.Close()
	_ = s.session.Close()
}

func (s *site) url() string  { return "http://" + s.address }
func (s *site) link() string { return s.url() + "/?t=" + s.session.Token }

// records are those in the log now.
func (s *site) records() []study.Record {
	s.t.Helper()
	records, err := study.ReadLog(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	return records
}

// answers are the answers of one participant.
func (s *site) answers(participant string) (answers []study.Record) {
	for _, r := range s.records() {
		if r.Kind == study.Answered && r.Participant == participant {
			answers = append(answers, r)
		}
	}
	return answers
}
