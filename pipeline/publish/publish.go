// Package publish shows artifacts in a run's folder, under the names that users know.
//
// A published file is a hard link to the artifact's file, or a copy where the file systems differ; both are read-only.
// The store may be deleted without harm to what was published.
package publish

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cyborg-run/cyborg-run/pipeline/graph"
	"github.com/cyborg-run/cyborg-run/pipeline/store"
)

// Place is where an output of a node appears, below the run's folder.
func Place(to, node string) string {
	return filepath.FromSlash(strings.ReplaceAll(to, "{node}", node))
}

// Conflicts names the first two nodes of a graph that would be published at the same place.
func Conflicts(g *graph.Graph) error {
	at := map[string]string{}
	for _, n := range g.Nodes {
		for _, p := range n.Stage.Publish {
			place := Place(p.To, n.Name)
			if other, taken := at[place]; taken {
				return fmt.Errorf("%s and %s both leave %s: a run has room for one", other, n.Name, place)
			}
			at[place] = n.Name
		}
	}
	return nil
}

// Step publishes what a finished step left.
func Step(dir string, s *graph.Step) error {
	for _, p := range s.Node.Stage.Publish {
		to := filepath.Join(dir, Place(p.To, s.Node.Name))
		for _, o := range s.Artifact.Outputs {
			rest, inside := strings.CutPrefix(o.Name, p.Output+"/")
			switch {
			case o.Name == p.Output:
				rest = ""
			case !inside:
				continue
			}
			if err := place(s.Artifact, o, filepath.Join(to, filepath.FromSlash(rest))); err != nil {
				return fmt.Errorf("publish %s of %s: %w", o.Name, s.Node.Name, err)
			}
		}
	}
	return nil
}

func place(a *store.Artifact, o store.Output, to string) error {
	from := a.Path(o.Name)
	source, err := os.Stat(from)
	if err != nil {
		return err
	}
	if there, err := os.Stat(to); err == nil {
		if os.SameFile(source, there) || (there.Size() == source.Size() && there.ModTime().Equal(source.ModTime())) {
			return nil
		}
		if err := os.RemoveAll(to); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.Link(from, to); err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return copyFile(from, to, source)
}

func copyFile(from, to string, source os.FileInfo) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	temp, err := os.CreateTemp(filepath.Dir(to), ".publish-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = io.Copy(temp, in)
	if closing := temp.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(temp.Name(), 0o444); err != nil {
		return err
	}
	if err := os.Chtimes(temp.Name(), source.ModTime(), source.ModTime()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), to)
}
