package study

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// Session is a study that is being served. Its methods may be called by any number of goroutines.
type Session struct {
	Study *Study
	Token string // of the link

	dir  string
	lock *flock.Flock
	now  func() time.Time

	mu       sync.Mutex
	journal  *journal
	people   []*person
	bySecret map[string]*person // by the hash of the secret
}

type person struct {
	name    string
	number  int
	plan    []Trial // once it was asked for
	answers int
}

// trials is the person's plan.
func (p *person) trials(s *Study) []Trial {
	if p.plan == nil {
		p.plan = s.Plan(p.number)
	}
	return p.plan
}

// Errors of Join and Record that are not the disk's.
var (
	ErrFull     = errors.New("no further participants are taken")
	ErrStranger = errors.New("nobody of this study")
	ErrAhead    = errors.New("an answer to a trial that was not reached")
)

// Open begins the study in a folder, or goes on with the one that is there. One program at a time may hold it.
func Open(dir string, s *Study) (*Session, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockFile))
	held, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !held {
		return nil, fmt.Errorf("the study in %s is being served by another program", dir)
	}
	e := &Session{Study: s, dir: dir, lock: lock, now: time.Now, bySecret: map[string]*person{}}
	if err := e.begin(); err != nil {
		_ = lock.Unlock()
		return nil, err
	}
	return e, nil
}

func (e *Session) begin() error {
	if err := e.Study.begin(e.dir); err != nil {
		return err
	}
	var err error
	if e.Token, err = token(filepath.Join(e.dir, tokenFile)); err != nil {
		return err
	}
	var records []Record
	if e.journal, records, err = openJournal(e.dir); err != nil {
		return err
	}
	byName := map[string]*person{}
	for _, r := range records {
		if r.Kind == Joined {
			byName[r.Participant] = e.add(r.Secret)
			continue
		}
		byName[r.Participant].answers++
	}
	return nil
}

// token is the secret of the link, made once for a study, so that the link outlives the program.
func token(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if text := strings.TrimSpace(string(raw)); err == nil && len(text) >= 20 {
		return text, nil
	}
	if err != nil && !os.IsNotExist(err) {
		return "", err
	}
	text := rand.Text()
	return text, renameio.WriteFile(path, []byte(text+"\n"), 0o600)
}

func (e *Session) add(secret string) *person {
	p := &person{name: participantName(len(e.people)), number: len(e.people)}
	e.people = append(e.people, p)
	e.bySecret[secret] = p
	return p
}

// Close ends the session.
func (e *Session) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return errors.Join(e.journal.file.Close(), e.lock.Unlock())
}

// Knows tells whether text is the token of the link, in a time that does not depend on how much of it is right.
func (e *Session) Knows(text string) bool {
	a, b := sha256.Sum256([]byte(text)), sha256.Sum256([]byte(e.Token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Join takes in a participant and returns the secret by which the browser is known from now on.
func (e *Session) Join() (secret string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.people) >= e.Study.Participants {
		return "", ErrFull
	}
	secret = rand.Text()
	r := Record{Kind: Joined, At: e.now().UTC(), Participant: participantName(len(e.people)), Secret: hash(secret)}
	if err := e.journal.write(r); err != nil {
		return "", err
	}
	e.add(r.Secret)
	return secret, nil
}

// Place is where a participant is.
type Place struct {
	Participant string
	Done, Of    int    // trials
	Trial       *Trial // the next one; nil: all are done
	Next        *Trial // the one after it; nil: there is none
}

// Where is the place of the participant with that secret; ErrStranger: there is none.
func (e *Session) Where(secret string) (Place, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.bySecret[hash(secret)]
	if p == nil {
		return Place{}, ErrStranger
	}
	plan := p.trials(e.Study)
	at := Place{Participant: p.name, Done: p.answers, Of: len(plan)}
	if p.answers < len(plan) {
		at.Trial = &plan[p.answers]
	}
	if p.answers+1 < len(plan) {
		at.Next = &plan[p.answers+1]
	}
	return at, nil
}

// Invalid is an answer that cannot be one: a mistake of who sent it.
type Invalid struct{ error }

// Record keeps an answer and returns when it is on the disk. An answer to a trial that was answered before changes
// nothing and is no error: the first one stands, however often it is sent.
func (e *Session) Record(secret string, a Answer) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.bySecret[hash(secret)]
	if p == nil {
		return ErrStranger
	}
	plan := p.trials(e.Study)
	switch {
	case a.Trial < 0 || a.Trial > p.answers || a.Trial >= len(plan):
		return ErrAhead
	case a.Trial < p.answers:
		return nil
	}
	t := plan[a.Trial]
	a.Block, a.Annotated, a.Check, a.Images = t.Block, t.Annotated, t.Check, nil
	for _, image := range t.Images {
		a.Images = append(a.Images, e.Study.Images[image].Path)
	}
	if err := a.valid(); err != nil {
		return Invalid{err}
	}
	if a.Annotated && !slices.ContainsFunc(a.Drawings, func(strokes []Stroke) bool { return len(strokes) > 0 }) {
		return Invalid{errors.New("the region must be drawn in this trial")}
	}
	if err := e.journal.write(Record{Kind: Answered, At: e.now().UTC(), Participant: p.name, Answer: &a}); err != nil {
		return err
	}
	p.answers++
	return nil
}

// Progress is how many participants there are, how many of them have done all, and how many answers there are.
func (e *Session) Progress() (people, finished, answers int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.people {
		answers += p.answers
		if p.answers == e.Study.planned() {
			finished++
		}
	}
	return len(e.people), finished, answers
}

// ID is a short name of the study that tells nothing of its token: what cookies of several studies are told apart by.
func (e *Session) ID() string { return hash("id of " + e.Token)[:10] }
