package weights

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// download gets one file into part.
type download struct {
	Fetcher
	source Source
	part   string
}

// refusal is a failure that another try would not mend.
type refusal struct{ error }

// complete resumes and tries again until part has the digest of the source.
func (d *download) complete(ctx context.Context) error {
	pause := d.Pause
	if pause == 0 {
		pause = time.Second
	}
	resumed := sizeOf(d.part) > 0 // what is there may be of other bytes than those that come now
	for tried, inVain, wrong := 1, 0, 0; ; tried++ {
		before := sizeOf(d.part)
		if before > 0 {
			d.log("%s: resuming at %d MB", d.source.name(), before/1e6)
		} else {
			d.log("getting %s", d.source.address())
		}
		err := d.try(ctx, before)
		var no refusal
		switch {
		case err == nil:
			got, err := digest(d.part)
			if err != nil {
				return err
			}
			if strings.HasPrefix(got, d.source.SHA256) {
				return nil
			}
			if err := os.Remove(d.part); err != nil {
				return err
			}
			if wrong++; !resumed || wrong > 1 {
				return fmt.Errorf("its SHA-256 is %s, where %s is asked for: it was changed, there or on its way, and is not used",
					got, d.source.SHA256)
			}
			d.log("%s: the parts do not belong together (SHA-256 %s): once more from its beginning", d.source.name(), got)
			resumed = false
			continue
		case errors.As(err, &no) || ctx.Err() != nil:
			return err
		}
		resumed = true
		if inVain++; sizeOf(d.part) > before {
			inVain = 0
		}
		if inVain >= triesInVain || tried >= triesAtMost {
			return err
		}
		d.log("%s: %v", d.source.name(), err)
		if inVain > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause << (inVain - 1)):
			}
		}
	}
}

// try makes one request for what comes behind the first at bytes, and appends it to part. It returns nil when the server
// says that this was all.
func (d *download) try(ctx context.Context, at int64) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stall := d.Stall
	if stall == 0 {
		stall = 30 * time.Second
	}
	stalled := time.AfterFunc(stall, func() { stop(fmt.Errorf("no byte came in %v", stall)) })
	defer stalled.Stop()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.source.URL, nil)
	if err != nil {
		return refusal{err}
	}
	request.Header.Set("Accept-Encoding", "identity") // offsets are those of the file
	if at > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
	}
	client := d.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address stands before it already
		}
		what := "no answer came"
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			what = "there is no way to it from here"
		}
		return because(ctx, fmt.Errorf("%s (%w)", what, err))
	}
	defer response.Body.Close()
	open := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	switch {
	case response.StatusCode == http.StatusOK:
		open |= os.O_TRUNC // the whole file, asked for or not
		at = 0
	case response.StatusCode == http.StatusPartialContent && begins(response) == at && at > 0:
	case response.StatusCode == http.StatusPartialContent:
		_ = os.Remove(d.part)
		return errors.New("the server sent another part than it was asked for")
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable && at > 0:
		return nil // it was all there; the digest decides
	case response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusRequestTimeout:
		return fmt.Errorf("the server answered %s", response.Status)
	default:
		return refusal{fmt.Errorf("the server answered %s", response.Status)}
	}
	if response.ContentLength > largestFile-at {
		return refusal{fmt.Errorf("a file of %d bytes, more than %d GB", at+response.ContentLength, largestFile>>30)}
	}
	file, err := os.OpenFile(d.part, open, 0o644)
	if err != nil {
		return refusal{err}
	}
	said := time.Now()
	body := &watched{from: response.Body}
	body.came = func() {
		stalled.Reset(stall)
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			d.log("%s: %s", d.source.name(), progress(at+body.bytes, at+response.ContentLength))
		}
	}
	_, err = io.Copy(file, io.LimitReader(body, largestFile-at+1))
	if body.failed {
		err = because(ctx, fmt.Errorf("the connection broke (%w)", err))
	} else if err != nil {
		err = refusal{err} // of the disk
	} else if body.bytes > largestFile-at {
		err = refusal{fmt.Errorf("a file of more than %d GB", largestFile>>30)}
	}
	for _, finish := range []func() error{file.Sync, file.Close} {
		if e := finish(); err == nil && e != nil {
			err = refusal{e}
		}
	}
	return err
}

// because is why a context ended, if it did, in place of what came of it.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// watched tells of every byte that comes.
type watched struct {
	from   io.Reader
	came   func()
	bytes  int64
	failed bool // by an error of the connection
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if n > 0 {
		w.bytes += int64(n)
		w.came()
	}
	if err != nil && err != io.EOF {
		w.failed = true
	}
	return n, err
}

// progress is "40 of 98 MB"; without the whole where that is not known.
func progress(done, of int64) string {
	if of < done {
		return fmt.Sprintf("%d MB", done/1e6)
	}
	return fmt.Sprintf("%d of %d MB", done/1e6, of/1e6)
}

var contentRange = regexp.MustCompile(`^bytes (\d+)-\d+/`)

// begins is the offset of the first byte of a partial answer; -1 where it does not say.
func begins(response *http.Response) int64 {
	m := contentRange.FindStringSubmatch(response.Header.Get("Content-Range"))
	if m == nil {
		return -1
	}
	at, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return -1
	}
	return at
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// advise adds what to do about an error.
func (d *download) advise(err error, path string) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	byHand := fmt.Sprintf("get it on another machine and put it at %s, or name your own copy by init: {from: FILE}", path)
	if kept := sizeOf(d.part); kept > 0 {
		return fmt.Errorf("%w; %d bytes have come, and the same command goes on from there; or %s", err, kept, byHand)
	}
	return fmt.Errorf("%w; %s", err, byHand)
}
