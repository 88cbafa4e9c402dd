package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cyborg-run/cyborg-run/internal/study"
)

const forPeople = `version: 1
name: mine
datasets: {train: {generate: {faces: {count: 60, side: 32}}}}
model: {arch: resnet_small}
losses: {cross_entropy: [{term: cross_entropy}]}
train: {select: {on: train}, loss: cross_entropy}
stages: {fit: {uses: train}}
`

// humanServer is a `cyborg-run human serve` of its own process.
type humanServer struct {
	*exec.Cmd
	link *url.URL
	said *bytes.Buffer
	end  chan error
}

// serveHuman starts the program and waits for its link.
func serveHuman(t *testing.T, dir string, args ...string) *humanServer {
	t.Helper()
	s := &humanServer{Cmd: exec.Command("cyborg-run", append([]string{"human", "serve"}, args...)...), said: &bytes.Buffer{}, end: make(chan error, 1)}
	s.Dir, s.Env = dir, append(os.Environ(), "CYBORG_TORCH=", "CUDA_VISIBLE_DEVICES=-1")
	var stderr bytes.Buffer
	s.Stderr = &stderr
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if link, ok := strings.CutPrefix(lines.Text(), "link:"); ok {
			if s.link, err = url.Parse(strings.TrimSpace(link)); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if s.link == nil {
		t.Fatalf("no link: %v\n%s", s.Wait(), &stderr)
	}
	go func() {
		for lines.Scan() {
			s.said.WriteString(lines.Text() + "\n")
		}
		s.end <- s.Wait()
	}()
	return s
}

// TestHumanKilled: the server is killed again and again while two people answer. Whatever was acknowledged is kept, what was
// not is sent again, and in the end each has answered every trial once.
func TestHumanKilled(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte(forPeople), 0o644); err != nil {
		t.Fatal(err)
	}
	serve := func() *humanServer {
		return serveHuman(t, dir, "mine.yaml", "--listen", "127.0.0.1:0", "--out", "study", "--blocks", "free", "--seed", "9")
	}
	var where atomic.Pointer[url.URL] // of the server now
	s := serve()
	where.Store(s.link)

	const people, trials = 2, 60
	var acknowledged [people]atomic.Int64
	var all sync.WaitGroup
	for p := range people {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &http.Client{Jar: jar, Timeout: 5 * time.Second}
		insist := func(method, path, body string) (v struct {
			Done  int
			Trial *struct{ Number int }
		}) {
			for {
				u := where.Load()
				r, _ := http.NewRequestWithContext(t.Context(), method, "http://"+u.Host+path, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				if response, err := c.Do(r); err == nil {
					raw, err := io.ReadAll(response.Body)
					_ = response.Body.Close()
					if err == nil && response.StatusCode == http.StatusOK {
						_ = json.Unmarshal(raw, &v)
						return v
					}
				}
				if t.Context().Err() != nil {
					return v
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		insist("GET", "/?"+s.link.RawQuery, "")
		insist("POST", "/join", "{}") // one after the other, so that everybody's number is known
		all.Go(func() {
			for trial := range trials {
				after := insist("POST", "/answer", fmt.Sprintf(`{"trial":%d,"answer":%q,"time":1,"total":2,"drawings":[null]}`, trial, []string{"Real", "Synthetic"}[(trial+p)%2]))
				if after.Done < trial+1 {
					t.Errorf("person %d: trial %d was acknowledged, and %d are done", p, trial, after.Done)
				}
				acknowledged[p].Store(int64(trial + 1))
				time.Sleep(15 * time.Millisecond)
			}
		})
	}
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()
	kills := 0
	for done := false; !done; {
		select {
		case <-finished:
			done = true
		case <-time.After(time.Duration(50+rand.IntN(250)) * time.Millisecond):
			var before [people]int64
			_ = s.Process.Signal(syscall.SIGKILL)
			if err := <-s.end; err == nil {
				t.Fatal("it was killed, and says that all is well")
			}
			for p := range people {
				before[p] = acknowledged[p].Load()
			}
			kills++
			records, _ := study.ReadLog(filepath.Join(dir, "study"))
			var kept [people]int64
			for _, r := range records {
				if r.Kind == study.Answered {
					kept[r.Participant[4]-'1']++
				}
			}
			for p := range people {
				if kept[p] < before[p] {
					t.Fatalf("kill %d: %d answers of person %d are kept, %d were acknowledged", kills, kept[p], p, before[p])
				}
			}
			s = serve()
			where.Store(s.link)
		}
	}
	t.Logf("%d kills", kills)
	if kills < 3 {
		t.Errorf("%d kills: the people were too fast", kills)
	}
	if err := s.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := <-s.end; err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
	if want := "2 participants, 2 of them finished, 120 answers"; !strings.Contains(s.said.String(), want) {
		t.Errorf("it says %q, not %q", s.said, want)
	}
	done, err := study.Export(filepath.Join(dir, "study"), filepath.Join(dir, "out"))
	if err != nil || done.Trials != people*trials {
		t.Fatalf("%+v, %v", done, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "out", "trials.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := study.ParseTrials("trials.csv", raw, "generator", nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if once := r.Participant + r.Image; seen[once] {
			t.Errorf("%s answered twice for %s", r.Participant, r.Image)
		} else {
			seen[once] = true
		}
		person := int(r.Participant[4] - '1')
		if want := []string{"Real", "Synthetic"}[(r.Trial-1+person)%2]; r.Answer != want || r.Group != "G0" {
			t.Errorf("%+v: another answer was given", r)
		}
	}
}
