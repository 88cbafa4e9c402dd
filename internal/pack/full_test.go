package pack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cyborg-run/cyborg-run/internal/pack"
)

// On a full disk the writer says so and leaves nothing.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	defer func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	path := filepath.Join(disk, "data.pack")
	w, err := pack.Create(path, pack.Header{Side: 256, GridH: 1, GridW: 1, Rows: []pack.Row{{Path: "/a.png"}}})
	if err == nil {
		err = w.WriteImage(0, make([]byte, 3*256*256))
		w.Abort()
	}
	if want := "write packed data set " + path + ": no space left on device"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
