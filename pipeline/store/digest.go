package store

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/zeebo/blake3"
	"golang.org/x/sys/unix"
)

const digestPrefix = "blake3:"

// Digest is "blake3:" and the hexadecimal hash of a file's bytes.
type Digest string

// DigestFile hashes a file's bytes.
func DigestFile(path string) (Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := hashing.Get().(*hasher)
	defer hashing.Put(h)
	h.Reset()
	for {
		n, err := f.Read(h.buffer)
		_, _ = h.Write(h.buffer[:n])
		if err == io.EOF {
			return sum(h.Hasher), nil
		}
		if err != nil {
			return "", fmt.Errorf("hash %s: %w", path, err)
		}
	}
}

// hasher is kept for the next file: a hash's state and its buffer are larger than most files of a data set's list.
type hasher struct {
	*blake3.Hasher
	buffer []byte
}

var hashing = sync.Pool{New: func() any { return &hasher{blake3.New(), make([]byte, 1<<18)} }}

func sum(h *blake3.Hasher) Digest {
	var out [32]byte
	return Digest(digestPrefix + hex.EncodeToString(h.Sum(out[:0])[:20]))
}

// combine is the digest of those outputs that are in a folder, "" for all: of their names and digests.
func combine(outputs []Output, folder string) Digest {
	return digestPrefix + Digest(hashed(func(text []byte) []byte {
		for _, o := range outputs {
			if folder == "" || strings.HasPrefix(o.Name, folder+"/") {
				text = append(prefixed(text, o.Name), o.Digest...)
			}
		}
		return text
	}))
}

// stamp is what a file's status says without reading it.
type stamp struct {
	Size  int64  `json:"size"`
	MTime int64  `json:"mtime"` // ns
	CTime int64  `json:"ctime"` // ns
	Inode uint64 `json:"inode"`
}

// stampOf is the stamp of a regular file; links are followed.
func stampOf(path string) (stamp, error) { return stampAt(unix.AT_FDCWD, path, 0) }

func stampAt(dir int, path string, flags int) (stamp, error) {
	var st unix.Stat_t
	if err := statAt(dir, path, &st, flags); err != nil {
		return stamp{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return stamp{}, fmt.Errorf("%s: not a regular file", path)
	}
	return stamp{Size: st.Size, MTime: st.Mtim.Nano(), CTime: st.Ctim.Nano(), Inode: st.Ino}, nil
}

func statAt(dir int, path string, st *unix.Stat_t, flags int) error {
	for {
		if err := unix.Fstatat(dir, path, st, flags); err != syscall.EINTR {
			return err
		}
	}
}
