package cli_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

type command = func(ts *testscript.TestScript, neg bool, args []string)

// commands are those of all scripts.
var commands = map[string]command{"status": status, "tree": tree, "damage": damage, "rot": rot, "misremember": misremember, "checkpoint": checkpointFile}

func usage(ts *testscript.TestScript, ok bool, text string) {
	if !ok {
		ts.Fatalf("usage: %s", text)
	}
}

func status(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) > 1, "status N COMMAND...")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitStatus(ts, ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func exitStatus(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

func tree(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "tree DIR")
	dir := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		fmt.Fprintln(ts.Stdout(), filepath.ToSlash(name))
		return err
	}))
}

func damage(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "damage GLOB")
	spoil(ts, args, func(fs.FileInfo) time.Time { return time.Now() })
}

func rot(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "rot GLOB")
	spoil(ts, args, fs.FileInfo.ModTime)
}

func spoil(ts *testscript.TestScript, args []string, modified func(before fs.FileInfo) time.Time) {
	paths, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(paths) == 0 {
		ts.Fatalf("no file is called %s", args[0])
	}
	for _, path := range paths {
		before, err := os.Stat(path)
		ts.Check(err)
		raw, err := os.ReadFile(path)
		ts.Check(err)
		raw[len(raw)/2] ^= 1
		ts.Check(os.Chmod(path, 0o644))
		ts.Check(os.WriteFile(path, raw, 0o644))
		ts.Check(os.Chmod(path, before.Mode()))
		ts.Check(os.Chtimes(path, time.Time{}, modified(before)))
	}
}

func misremember(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 3, "misremember STORE FILE OTHER")
	path := filepath.Join(ts.MkAbs(args[0]), "digests")
	raw, err := os.ReadFile(path)
	ts.Check(err)
	now, err := store.DigestFile(ts.MkAbs(args[1]))
	ts.Check(err)
	before, err := store.DigestFile(ts.MkAbs(args[2]))
	ts.Check(err)
	if !bytes.Contains(raw, []byte(now)) {
		ts.Fatalf("%s is not remembered", args[1])
	}
	raw = bytes.ReplaceAll(raw, []byte(now), []byte(before))
	title := bytes.IndexByte(raw, '\n') + 1
	binary.LittleEndian.PutUint32(raw[title:], crc32.Checksum(raw[title+4:], crc32.MakeTable(crc32.Castagnoli)))
	ts.Check(os.WriteFile(path, raw, 0o644))
}
