// Package weights brings published weights to this machine: by address and SHA-256, or by the names of torchvision's
// ImageNet files.
//
// A Source says where a file comes from and what its digest is: the whole SHA-256, or its first 8 digits or more, as they
// stand in the names of torchvision's files. The cache holds each file under its digest, once for all projects of a
// user, and a file stands there only when its bytes have that digest; one that was changed since is got again. Several
// processes that want one file wait for each other, and one of them gets it.
//
// All functions may be called from any goroutine. Only Fetch uses the network.
package weights

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Source is a file of weights somewhere else.
type Source struct {
	URL    string // http or https
	SHA256 string // in lower-case hexadecimal digits: all 64, or the first 8 or more
}

// isDigest tells whether a text can be the SHA-256 of a Source.
func isDigest(text string) bool {
	return len(text) >= 8 && len(text) <= 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// Check says what is wrong with a source as it was written.
func (s Source) Check() error {
	u, err := url.Parse(s.URL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return fmt.Errorf("%q is no address of a file: https://... is needed", s.address())
	}
	if !isDigest(s.SHA256) {
		return fmt.Errorf("%q is no SHA-256: 64 lower-case hexadecimal digits are needed (sha256sum FILE prints them)", s.SHA256)
	}
	return nil
}

// address is the URL as it may be shown: without the password, if it has one.
func (s Source) address() string {
	if u, err := url.Parse(s.URL); err == nil {
		return u.Redacted()
	}
	return s.URL
}

// name is the file's name at its source, for messages.
func (s Source) name() string {
	if u, err := url.Parse(s.URL); err == nil && u.Path != "" {
		return path.Base(u.Path)
	}
	return s.address()
}

// Dir is the cache's folder: weights/ below CYBORG_CACHE or, where that is not set, below cyborg-run/ in the user's cache
// folder. It may not be there yet.
func Dir() (string, error) {
	if dir := os.Getenv("CYBORG_CACHE"); dir != "" {
		abs, err := filepath.Abs(dir)
		return filepath.Join(abs, "weights"), err
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for downloaded weights: %w; name one by CYBORG_CACHE", err)
	}
	return filepath.Join(dir, "cyborg-run", "weights"), nil
}

// Path is where the file with that digest stands in the cache once Fetch has brought it.
func Path(sha256 string) (string, error) {
	if !isDigest(sha256) {
		return "", fmt.Errorf("%q is no SHA-256", sha256)
	}
	dir, err := Dir()
	return filepath.Join(dir, "sha256-"+sha256), err
}
