package saliency

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"

	"github.com/cyborg-run/cyborg-run/stages/prepare"
)

// Drawing is one annotator's drawing of an image.
type Drawing struct{ Annotator, File string }

// anyone stands in a pattern for who drew.
const anyone = "{annotator}"

// FindDrawings looks for the drawings of every row of a list, those of a row by annotator. In the pattern, {annotator} stands
// once for any text without a slash.
func FindDrawings(plan *prepare.Plan, pattern string) ([][]Drawing, error) {
	if strings.Count(pattern, anyone) > 1 {
		return nil, fmt.Errorf("%s: {annotator} stands there twice", pattern)
	}
	if err := plan.CheckPattern(strings.Replace(pattern, anyone, "", 1)); err != nil {
		return nil, err
	}
	folders := folders{}
	out := make([][]Drawing, len(plan.Images))
	before, after, several := strings.Cut(pattern, anyone)
	for i := range out {
		if !several {
			file := plan.Expand(pattern, i)
			there, err := isFile(file)
			if err != nil {
				return nil, err
			}
			if there {
				out[i] = []Drawing{{File: file}}
			}
			continue
		}
		// What stands before {annotator} is a folder and the beginning of a name; what stands behind it, its end, and a path.
		head, prefix := filepath.Split(plan.Expand(before+mark, i))
		prefix = strings.TrimSuffix(prefix, mark)
		suffix, tail, deeper := strings.Cut(plan.Fill(after, i), "/")
		names, err := folders.names(head)
		if err != nil {
			return nil, err
		}
		for _, name := range names[sort.SearchStrings(names, prefix):] {
			annotator, begins := strings.CutPrefix(name, prefix)
			if !begins {
				break
			}
			annotator, ends := strings.CutSuffix(annotator, suffix)
			if !ends || annotator == "" {
				continue
			}
			file := filepath.Join(head, name)
			if deeper {
				file = filepath.Join(file, filepath.FromSlash(tail))
			}
			there, err := isFile(file)
			if err != nil {
				return nil, err
			}
			if there {
				out[i] = append(out[i], Drawing{annotator, file})
			}
		}
	}
	return out, nil
}

// NotThere says where drawings were looked for, once there is none: the first image's is the example.
func NotThere(plan *prepare.Plan, pattern string) string {
	text := "there is no drawing " + pattern
	if !filepath.IsAbs(pattern) {
		text += " below " + strings.TrimSuffix(plan.Params.Root, "/") + "/, the root of the data set"
	}
	if len(plan.Images) == 0 {
		return text
	}
	before, _, several := strings.Cut(pattern, anyone)
	file := strings.Replace(plan.Expand(strings.Replace(pattern, anyone, mark, 1), 0), mark, anyone, 1)
	text += fmt.Sprintf("; for %s there is no %s", plan.List.Rows[0].Path, file)
	if several {
		folder, _ := filepath.Split(plan.Expand(before+mark, 0))
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			text += ", nor a folder " + filepath.Clean(folder)
		}
	}
	return text
}

// mark keeps a path's last element from being cleaned away while it is taken apart.
const mark = "\x01"

// folders are the names in folders, sorted, each read once.
type folders map[string][]string

func (f folders) names(dir string) ([]string, error) {
	if names, known := f[dir]; known {
		return names, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	slices.Sort(names)
	f[dir] = names
	return names, nil
}

func isFile(path string) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR): // also a file beside the annotators' folders
		return false, nil
	case err != nil:
		return false, err
	}
	return !info.IsDir(), nil
}
