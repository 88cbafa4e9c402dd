package weights

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// bytesOf are so many bytes from a seed, and their SHA-256.
func bytesOf(seed uint64, n int) ([]byte, string) {
	content := make([]byte, n)
	source := rand.NewChaCha8([32]byte{byte(seed)})
	source.Read(content) //nolint:errcheck // never fails
	sum := sha256.Sum256(content)
	return content, hex.EncodeToString(sum[:])
}

// server answers request after request by the next of its answers, and by the last one from then on.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	asked   []string // the Range of each request, "-" for none
	answers []http.HandlerFunc
}

func serve(t *testing.T, answers ...http.HandlerFunc) *server {
	s := &server{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		ask := r.Header.Get("Range")
		if ask == "" {
			ask = "-"
		}
		answer := s.answers[min(len(s.asked), len(s.answers)-1)]
		s.asked = append(s.asked, strings.TrimPrefix(ask, "bytes="))
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// The answers.

func whole(content []byte) http.HandlerFunc { // and parts of it, as servers should
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

func deaf(content []byte) http.HandlerFunc { // to Range
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(content) } //nolint:errcheck
}

// cut promises all and breaks off after n bytes.
func cut(content []byte, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		at := 0
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &at) //nolint:errcheck // none is 0
		w.Header().Set("Content-Length", fmt.Sprint(len(content)-at))
		if at > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(content)-1, len(content)))
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write(content[at : at+n]) //nolint:errcheck
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// stall promises all and says nothing more after n bytes.
func stall(content []byte, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Write(content[:n]) //nolint:errcheck
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// length says that the file has n bytes.
func length(content []byte, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(n))
		w.Write(content[:min(n, len(content))]) //nolint:errcheck
	}
}

// shifted sends another part than it was asked for.
func shifted(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 7-%d/%d", len(content)-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(content[7:]) //nolint:errcheck
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
}

// fetcher is one in a hurry, with a cache of its own.
func fetcher(t *testing.T) Fetcher {
	t.Setenv("CYBORG_CACHE", t.TempDir())
	return Fetcher{Stall: 300 * time.Millisecond, Pause: time.Millisecond, Log: func(line string) { t.Log(line) }}
}

// TestFetch: servers that misbehave, and yet the file comes.
func TestFetch(t *testing.T) {
	content, sum := bytesOf(1, 300_000)
	other, _ := bytesOf(2, 300_000)
	shorter, _ := bytesOf(3, 200_000)
	for name, c := range map[string]struct {
		answers []http.HandlerFunc
		asked   string // the ranges
	}{
		"whole":                           {[]http.HandlerFunc{whole(content)}, "-"},
		"cut_off_twice":                   {[]http.HandlerFunc{cut(content, 100_000), cut(content, 150_000), whole(content)}, "- 100000- 250000-"},
		"stalls":                          {[]http.HandlerFunc{stall(content, 100_000), whole(content)}, "- 100000-"},
		"stalls_before_the_first_byte":    {[]http.HandlerFunc{stall(content, 0), whole(content)}, "- -"},
		"ignores_Range":                   {[]http.HandlerFunc{cut(content, 100_000), deaf(content)}, "- 100000-"},
		"says_it_is_longer":               {[]http.HandlerFunc{length(content, 300_001), whole(content)}, "- 300000-"},
		"sends_another_part":              {[]http.HandlerFunc{cut(content, 100_000), shifted(content), whole(content)}, "- 100000- -"},
		"changes_between_the_parts":       {[]http.HandlerFunc{cut(other, 100_000), whole(content)}, "- 100000- -"},
		"changes_to_less_than_was_there":  {[]http.HandlerFunc{cut(other, 250_000), whole(shorter), whole(content)}, "- 250000- -"},
		"fails_for_a_while":               {[]http.HandlerFunc{status(500), status(503), status(429), whole(content)}, "- - - -"},
		"fails_for_a_while_in_the_middle": {[]http.HandlerFunc{cut(content, 1), status(502), cut(content, 1), status(502), status(502), status(502), whole(content)}, "- 1- 1- 2- 2- 2- 2-"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.answers...)
			path, err := fetcher(t).Fetch(context.Background(), Source{s.URL + "/r50.pth", sum})
			if err != nil {
				t.Fatal(err)
			}
			holds(t, path, content)
			if asked := strings.Join(s.asked, " "); asked != c.asked {
				t.Errorf("asked for %s\nwant      %s", asked, c.asked)
			}
		})
	}
}

func holds(t *testing.T, path string, content []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes (%v), other than were sent", len(got), err)
	}
	if _, err := os.Stat(path + ".part"); err == nil {
		t.Error("a part is still there")
	}
}

// TestFetchFails: nothing stands in the cache then, and the error says why and what to do.
func TestFetchFails(t *testing.T) {
	content, sum := bytesOf(1, 300_000)
	other, otherSum := bytesOf(2, 300_000)
	const byHand = "get it on another machine and put it at "
	for name, c := range map[string]struct {
		answers []http.HandlerFunc
		want    []string
	}{
		"other_bytes":              {[]http.HandlerFunc{whole(other)}, []string{"its SHA-256 is " + otherSum + ", where " + sum + " is asked for", byHand}},
		"other_bytes_in_parts":     {[]http.HandlerFunc{cut(other, 100_000), whole(other)}, []string{"its SHA-256 is " + otherSum + ", where " + sum + " is asked for"}},
		"parts_of_two_for_ever":    {[]http.HandlerFunc{cut(other, 100_000), whole(content), cut(other, 100_000), whole(content)}, []string{"its SHA-256 is "}},
		"a_web_page":               {[]http.HandlerFunc{deaf([]byte("<html>log in</html>"))}, []string{"its SHA-256 is "}},
		"says_it_is_shorter":       {[]http.HandlerFunc{length(content, 299_999)}, []string{"its SHA-256 is "}},
		"says_it_is_16_TB":         {[]http.HandlerFunc{length(content, 16<<40)}, []string{"a file of 17592186044416 bytes, more than 16 GB"}},
		"is_not_there":             {[]http.HandlerFunc{status(404)}, []string{"the server answered 404 Not Found; " + byHand}},
		"is_forbidden":             {[]http.HandlerFunc{status(403)}, []string{"the server answered 403 Forbidden"}},
		"fails_always":             {[]http.HandlerFunc{status(500)}, []string{"the server answered 500 Internal Server Error"}},
		"stalls_always":            {[]http.HandlerFunc{stall(content, 0)}, []string{"no byte came in 300ms"}},
		"cut_off_at_the_same_byte": {[]http.HandlerFunc{cut(content, 5), cut(content, 0)}, []string{"the connection broke (unexpected EOF); 5 bytes have come, and the same command goes on from there; or " + byHand}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.answers...)
			f := fetcher(t)
			_, err := f.Fetch(context.Background(), Source{s.URL + "/r50.pth", sum})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(c.want, "get "+s.URL+"/r50.pth: ", "or name your own copy by init: {from: FILE}") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v\nwant ... %s", err, want)
				}
			}
			path, _ := Path(sum)
			if _, err := os.Stat(path); err == nil {
				t.Error("a file that failed stands in the cache")
			}
		})
	}
}

func TestFetchWithoutNetwork(t *testing.T) {
	s := serve(t, status(200))
	s.Close()
	_, sum := bytesOf(1, 10)
	_, err := fetcher(t).Fetch(context.Background(), Source{strings.Replace(s.URL, "://", "://me:secret@", 1) + "/r50.pth", sum})
	path, _ := Path(sum)
	if err == nil || !strings.Contains(err.Error(), "there is no way to it from here (dial tcp") || !strings.Contains(err.Error(), "put it at "+path) {
		t.Errorf("error %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Error("the error tells the password")
	}
}

// TestFetchOnce: what is there is not got again, unless it was changed; a prefix of the digest is enough, and a file that
// was put there by hand is as good.
func TestFetchOnce(t *testing.T) {
	content, sum := bytesOf(1, 1000)
	s := serve(t, whole(content))
	f := fetcher(t)
	source := Source{s.URL + "/r50.pth", sum[:8]}
	fetch := func(requests int) string {
		t.Helper()
		path, err := f.Fetch(context.Background(), source)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, path, content)
		if len(s.asked) != requests {
			t.Errorf("%d requests, want %d", len(s.asked), requests)
		}
		return path
	}
	path := fetch(1)
	fetch(1)
	if want, err := Path(sum[:8]); err != nil || path != want {
		t.Errorf("path %s, want %s (%v)", path, want, err)
	}
	if err := os.WriteFile(path, []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	fetch(2)
	source.SHA256 = sum
	byHand, _ := Path(sum)
	if err := os.WriteFile(byHand, content, 0o644); err != nil {
		t.Fatal(err)
	}
	fetch(2)
	if _, err := os.Stat(byHand + ".lock"); err == nil {
		t.Error("a lock was taken where nothing had to be got")
	}
}

// TestFetchGoesOn: a download that was interrupted is resumed by the next one.
func TestFetchGoesOn(t *testing.T) {
	content, sum := bytesOf(1, 300_000)
	ctx, interrupt := context.WithCancel(context.Background())
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(content[:100_000]) //nolint:errcheck
		w.(http.Flusher).Flush()
		for path, _ := Path(sum); sizeOf(path+".part") < 100_000; {
			time.Sleep(time.Millisecond)
		}
		interrupt()
		<-r.Context().Done()
	}, whole(content))
	f := fetcher(t)
	f.Stall = time.Minute
	source := Source{s.URL + "/r50.pth", sum}
	if _, err := f.Fetch(ctx, source); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	path, err := f.Fetch(context.Background(), source)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, path, content)
	if asked := strings.Join(s.asked, " "); asked != "- 100000-" {
		t.Errorf("asked for %s", asked)
	}
}

// TestMain lets this test binary be another process that fetches.
func TestMain(m *testing.M) {
	if url := os.Getenv("WEIGHTS_TEST_URL"); url != "" {
		path, err := Fetcher{}.Fetch(context.Background(), Source{url, os.Getenv("WEIGHTS_TEST_SHA256")})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Print(path)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestFetchTogether: of many that want one file, processes and goroutines, one gets it and the others wait.
func TestFetchTogether(t *testing.T) {
	content, sum := bytesOf(1, 300_000)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(200 * time.Millisecond) // for the others to come
		whole(content)(w, r)
	})
	f := fetcher(t)
	f.Stall, f.Log = time.Minute, nil
	source := Source{s.URL + "/r50.pth", sum}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			path, err := f.Fetch(context.Background(), source)
			if err != nil {
				t.Error(err)
				return
			}
			holds(t, path, content)
		})
		all.Go(func() {
			other := exec.Command(os.Args[0])
			other.Env = append(os.Environ(), "WEIGHTS_TEST_URL="+source.URL, "WEIGHTS_TEST_SHA256="+sum)
			path, err := other.Output()
			if err != nil {
				t.Error(err)
				return
			}
			holds(t, string(path), content)
		})
	}
	all.Wait()
	if len(s.asked) != 1 {
		t.Errorf("%d requests", len(s.asked))
	}
}

func TestFetchStopsWaiting(t *testing.T) {
	content, sum := bytesOf(1, 1000)
	asked := make(chan bool)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { close(asked); <-r.Context().Done() }, whole(content))
	f := fetcher(t)
	f.Stall, f.Log = time.Minute, nil
	source := Source{s.URL + "/r50.pth", sum}
	first, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := f.Fetch(first, source)
		ended <- err
	}()
	<-asked
	second, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := f.Fetch(second, source); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the one that waits: error %v", err)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that gets it: error %v", err)
	}
}

func TestCheck(t *testing.T) {
	_, sum := bytesOf(1, 1)
	for name, c := range map[string]struct {
		source Source
		want   string
	}{
		"no_scheme":  {Source{"r50.pth", sum}, `"r50.pth" is no address of a file: https://... is needed`},
		"file":       {Source{"file:///etc/passwd", sum}, `"file:///etc/passwd" is no address of a file: https://... is needed`},
		"no_digest":  {Source{"https://example.org/r50.pth", ""}, `"" is no SHA-256: 64 lower-case hexadecimal digits are needed (sha256sum FILE prints them)`},
		"upper_case": {Source{"https://example.org/r50.pth", strings.ToUpper(sum)}, "is no SHA-256"},
		"leads_up":   {Source{"https://example.org/r50.pth", "../../../../etc/passwd"}, "is no SHA-256"},
		"short":      {Source{"https://example.org/r50.pth", sum[:7]}, "is no SHA-256"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.source.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant  ... %s", err, c.want)
			}
		})
	}
	if _, err := Path("../x"); err == nil {
		t.Error("a path for what is no digest")
	}
}

func TestDir(t *testing.T) {
	t.Setenv("CYBORG_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/home/me/.cache")
	if dir, err := Dir(); err != nil || filepath.ToSlash(dir) != "/home/me/.cache/cyborg-run/weights" {
		t.Errorf("%s, %v", dir, err)
	}
}
