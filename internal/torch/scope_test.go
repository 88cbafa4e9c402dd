package torch_test

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/torch"
)

// do runs f in a scope and fails the test on an error.
func do(t testing.TB, f func(s *torch.Scope)) {
	t.Helper()
	if err := torch.Do(func(s *torch.Scope) error { f(s); return nil }); err != nil {
		t.Fatal(err)
	}
}

// panics is the text that f panics with.
func panics(t testing.TB, f func()) (text string) {
	t.Helper()
	defer func() {
		r := recover()
		if r == nil {
			t.Fatal("no panic")
		}
		text = fmt.Sprint(r)
	}()
	f()
	return ""
}

func line() int {
	_, _, line, _ := runtime.Caller(1)
	return line
}

func TestScopeFreesWhatWasMadeInIt(t *testing.T) {
	live := torch.Live()
	do(t, func(s *torch.Scope) {
		x := torch.From(s, []float32{1, 2}, 2)
		s.Add(x, s.MulScalar(x, 2))
		if got := torch.Live() - live; got != 3 || s.Len() != 3 {
			t.Errorf("%d tensors live, %d in the scope, want 3", got, s.Len())
		}
		s.Add_(x, x) // gives back x itself, not another handle
		if s.Len() != 3 {
			t.Errorf("an operator in place made a handle: %d", s.Len())
		}
	})
	if torch.Live() != live {
		t.Errorf("%d tensors are left", torch.Live()-live)
	}
}

func TestScopeFreesAfterFailureAndPanic(t *testing.T) {
	live := torch.Live()
	boom := errors.New("boom")
	if err := torch.Do(func(s *torch.Scope) error { s.Ones([]int{3}, torch.Float32, torch.CPU); return boom }); err != boom {
		t.Errorf("got %v, want the function's own error", err)
	}
	text := panics(t, func() {
		_ = torch.Do(func(s *torch.Scope) error { s.Ones([]int{3}, torch.Float32, torch.CPU); panic("mine") })
	})
	if text != "mine" {
		t.Errorf("the panic became %q", text)
	}
	if torch.Live() != live {
		t.Errorf("%d tensors are left", torch.Live()-live)
	}
}

func TestMove(t *testing.T) {
	outer := torch.NewScope()
	defer outer.Close()
	live := torch.Live()
	var moved, alias torch.Tensor
	do(t, func(s *torch.Scope) {
		a := torch.From(s, []float32{1, 2, 3}, 3)
		alias = s.AddScalar(a, 1)
		s.AddScalar(a, 2)
		moved = outer.Move(alias)
		outer.Move(moved) // where it is already
		outer.Move(torch.Tensor{})
	})
	if torch.Live()-live != 1 || outer.Len() != 1 {
		t.Errorf("%d tensors live, %d in the outer scope, want 1", torch.Live()-live, outer.Len())
	}
	if got := torch.Slice[float32](alias); moved != alias || got[2] != 4 {
		t.Errorf("the moved tensor holds %v", got)
	}
}

func TestUseAfterTheScopesEndNamesThePlace(t *testing.T) {
	var stale torch.Tensor
	opened := line() + 1
	err := torch.Do(func(s *torch.Scope) error {
		stale = s.Relu(torch.From(s, []float32{-1, 1}, 2))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(fmt.Sprintf(`made by relu is used after the end of its scope, which was opened at .*scope_test\.go:%d`, opened))
	s := torch.NewScope()
	defer s.Close()
	uses := map[string]func(){
		"operator": func() { s.Neg(stale) },
		"list":     func() { s.Cat([]torch.Tensor{stale}, 0) },
		"shape":    func() { stale.Shape() },
		"read":     func() { torch.Slice[float32](stale) },
		"grad":     func() { s.Grad(stale) },
		"move":     func() { s.Move(stale) },
		"backward": func() { s.Backward(stale) },
		// a mistake in the program is no error of libtorch: Do lets it pass
		"inside Do": func() { _ = torch.Do(func(s *torch.Scope) error { s.Neg(stale); return nil }) },
	}
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			if got := panics(t, use); !want.MatchString(got) {
				t.Errorf("%q does not say %q", got, want)
			}
		})
	}
	if got := stale.String(); got != "freed tensor of relu" {
		t.Errorf("String of a freed tensor: %q", got)
	}
}

func TestUseOfAClosedScopeNamesThePlace(t *testing.T) {
	opened := line() + 1
	s := torch.NewScope()
	x := torch.From(s, []float32{1}, 1)
	s.Close()
	s.Close() // harmless
	for name, use := range map[string]func(){
		"sub":     func() { s.Sub(x, x) },
		"NoGrad":  func() { s.NoGrad(func() {}) },
		"Do":      func() { _ = s.Do(func(*torch.Scope) error { return nil }) },
		"memory":  func() { torch.From(s, []float32{1}, 1) },
		"another": func() { s.Move(torch.Tensor{}) },
	} {
		got := panics(t, use)
		if !strings.Contains(got, "scope that is closed") || !strings.Contains(got, fmt.Sprintf("scope_test.go:%d", opened)) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestFree(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x := torch.From(s, []float32{1}, 1)
		y := s.Neg(x)
		z := s.Neg(y)
		s.Free(x, torch.Tensor{})
		if s.Len() != 2 || torch.Slice[float32](z)[0] != 1 {
			t.Error("Free freed the wrong one")
		}
		if got := panics(t, func() { s.Neg(x) }); !strings.Contains(got, "made by from memory is used after Free") {
			t.Errorf("use after Free: %q", got)
		}
		if got := panics(t, func() { _ = s.Do(func(inner *torch.Scope) error { inner.Free(y); return nil }) }); !strings.Contains(got, "another scope") {
			t.Errorf("Free by another scope: %q", got)
		}
	})
}

func TestScopeBelongsToItsGoroutine(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x := torch.From(s, []float32{1}, 1)
		stolen := make(chan any)
		go func() {
			defer func() { stolen <- recover() }()
			s.Neg(x)
		}()
		if got := fmt.Sprint(<-stolen); !strings.Contains(got, "this scope belongs to another goroutine") {
			t.Errorf("another goroutine's call: %q", got)
		}
		// the tensor itself may be read there, in a scope of that goroutine's own
		read := make(chan error)
		go func() {
			read <- torch.Do(func(own *torch.Scope) error {
				if got := own.Float(own.Neg(x)); got != -1 {
					return fmt.Errorf("got %v", got)
				}
				return nil
			})
		}()
		if err := <-read; err != nil {
			t.Error(err)
		}
	})
}
