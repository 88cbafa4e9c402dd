package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// served counts the requests of each script's servers.
var served sync.Map

func requests(ts *testscript.TestScript) *atomic.Int32 {
	count, _ := served.LoadOrStore(ts.Getenv("WORK"), new(atomic.Int32))
	return count.(*atomic.Int32)
}

func serve(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "serve FILE SPEC")
	path, spec := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	content, err := os.ReadFile(path)
	ts.Check(err)
	count := requests(ts)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		http.ServeFile(w, r, path)
	}))
	ts.Defer(server.Close)
	sum := sha256.Sum256(content)
	text, err := os.ReadFile(spec)
	ts.Check(err)
	text = bytes.ReplaceAll(text, []byte("ADDRESS"), []byte(server.URL))
	text = bytes.ReplaceAll(text, []byte("DIGEST"), []byte(hex.EncodeToString(sum[:])))
	ts.Check(os.WriteFile(spec, text, 0o644))
}

func asked(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "asked N")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := int(requests(ts).Load()); got != want {
		ts.Fatalf("%d requests, want %d", got, want)
	}
}
