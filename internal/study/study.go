// Package study keeps a human study: which images are shown to whom, what people answered and drew, and what is made of
// it for the stages saliency and human.
//
// Terms: a participant is a person by a number (p0001), never by a name. A stimulus is what a trial shows: one image, or
// a pair of a real and a synthetic one. A trial is one stimulus shown to one participant, with the answer. A block is a
// run of trials of one condition: free, where the answer is all that is asked for, or annotated, where the region that
// speaks for it must be drawn too. A check is a trial that says which answer to give, to see who reads.
//
// A study is a folder:
//
//	study.json    what was asked: settings and images; written once
//	trials.jsonl  what came in: one JSON object a line, only ever appended, flushed to the disk before it is acknowledged
//	token         the secret of the link
//	lock          held by the program that serves it
//
// Everything that a participant will see follows from study.json and the participant's number; nothing of it is stored.
package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
)

// The conditions of blocks.
const (
	Free      = "free"
	Annotated = "annotated"
)

// Answers to a single image, which are the labels of lists, and to a pair: on which side the synthetic image is.
const (
	Real      = "Real"
	Synthetic = "Synthetic"
	Left      = "left"
	Right     = "right"
)

// Settings are what a study asks, and of whom.
type Settings struct {
	Title        string   `json:"title"`
	Welcome      string   `json:"welcome"`      // shown before the first trial: what is asked, what is kept; paragraphs apart by empty lines
	Seed         uint64   `json:"seed"`         // of all that chance decides
	Blocks       []string `json:"blocks"`       // Free or Annotated each
	FixedOrder   bool     `json:"fixed_order"`  // the blocks come in this order for all; else each may come first
	Trials       int      `json:"trials"`       // for each participant, without checks; 0: every stimulus
	Pairs        bool     `json:"pairs"`        // stimuli are pairs
	CheckEvery   int      `json:"check_every"`  // a check after so many trials; 0: none
	Participants int      `json:"participants"` // at most so many may join
}

// Image is one image of a study.
type Image struct {
	Path   string `json:"path"`            // as in the list, without a "/" in front
	Label  string `json:"label,omitempty"` // Real, Synthetic; empty: not known
	Group  string `json:"group,omitempty"` // its generator, say
	Type   string `json:"type"`            // image/png or image/jpeg
	Width  int    `json:"width"`           // pixels
	Height int    `json:"height"`
	File   string `json:"-"` // on this machine
}

// Study is what study.json holds.
type Study struct {
	Settings
	Images  []Image `json:"images"`
	Stimuli [][]int `json:"stimuli"` // numbers of images: one each, or of a pair the real one and the synthetic one
}

// Files of a study's folder.
const (
	settingsFile = "study.json"
	logFile      = "trials.jsonl"
	tokenFile    = "token"
	lockFile     = "lock"
)

// Validate says what is wrong with the settings.
func (s *Study) Validate() error {
	switch {
	case len(s.Images) == 0:
		return errors.New("a study needs images")
	case len(s.Stimuli) == 0:
		return errors.New("a study needs something to show")
	case len(s.Blocks) == 0:
		return errors.New("a study needs a block: free or annotated")
	case s.Trials < 0 || s.CheckEvery < 0 || s.Participants < 1:
		return errors.New("trials and checks are 0 or more, participants at least 1")
	case s.Trials > len(s.Stimuli):
		return fmt.Errorf("%d trials for each participant are asked for, and there is something to show for %d", s.Trials, len(s.Stimuli))
	}
	for _, b := range s.Blocks {
		if b != Free && b != Annotated {
			return fmt.Errorf("there is no block %q; there are: %s, %s", b, Free, Annotated)
		}
	}
	wide := 1
	if s.Pairs {
		wide = 2
	}
	for _, stimulus := range s.Stimuli {
		if len(stimulus) != wide {
			return fmt.Errorf("a stimulus of %d images where %d are shown", len(stimulus), wide)
		}
		for _, image := range stimulus {
			if image < 0 || image >= len(s.Images) {
				return fmt.Errorf("a stimulus names image %d of %d", image, len(s.Images))
			}
		}
	}
	if n := s.perParticipant(); n < len(s.Blocks) {
		return fmt.Errorf("%d trials are too few for %d blocks", n, len(s.Blocks))
	}
	return nil
}

// Load reads study.json of a folder.
func Load(dir string) (*Study, error) {
	path := filepath.Join(dir, settingsFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is no study: there is no %s in it", dir, settingsFile)
	}
	if err != nil {
		return nil, err
	}
	var s Study
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &s, nil
}

// begin writes study.json into a folder, or holds what is there against this study: one that was begun goes on as it was.
func (s *Study) begin(dir string) error {
	if err := s.Validate(); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, settingsFile)
	before, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return renameio.WriteFile(path, append(raw, '\n'), 0o644)
	case err != nil:
		return err
	case bytes.Equal(before, append(raw, '\n')):
		return nil
	}
	old, err := Load(dir)
	if err != nil {
		return err
	}
	return fmt.Errorf("the study in %s was begun with other settings (%s): go on with those, or take another folder", dir, s.differs(old))
}

// differs names the first thing in which a study is not what another was.
func (s *Study) differs(old *Study) string {
	now, then := s.Settings, old.Settings
	switch {
	case now.Title != then.Title:
		return fmt.Sprintf("title %q, now %q", then.Title, now.Title)
	case now.Welcome != then.Welcome:
		return "another text of welcome"
	case now.Seed != then.Seed:
		return fmt.Sprintf("seed %d, now %d", then.Seed, now.Seed)
	case !slices.Equal(now.Blocks, then.Blocks) || now.FixedOrder != then.FixedOrder:
		return fmt.Sprintf("blocks %v, now %v", then.Blocks, now.Blocks)
	case now.Trials != then.Trials:
		return fmt.Sprintf("trials %d, now %d", then.Trials, now.Trials)
	case now.CheckEvery != then.CheckEvery:
		return fmt.Sprintf("a check after every %d trials, now %d", then.CheckEvery, now.CheckEvery)
	case now.Participants != then.Participants:
		return fmt.Sprintf("at most %d participants, now %d", then.Participants, now.Participants)
	case len(s.Images) != len(old.Images) || now.Pairs != then.Pairs:
		return fmt.Sprintf("%d images, now %d", len(old.Images), len(s.Images))
	}
	return "other images, labels, groups or pairs"
}
