package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cyborg-run/cyborg-run/internal/study"
	"github.com/cyborg-run/cyborg-run/internal/study/web"
)

type humanServe struct {
	images   humanImages
	settings study.Settings
	blocks   string
	welcome  string // file
	dir      string
	listen   string
	url      string
}

func humanServeCommand() *cobra.Command {
	var f humanServe
	c := &cobra.Command{
		Use:   "serve SPEC|LIST",
		Short: "Serve the page of a study: real or synthetic, and where that is seen",
		Long: "serve shows the images of a list (CSV), or of a data set of a spec, one at a time or in pairs, and keeps each answer and\n" +
			"drawing on the disk before it goes on. It prints the link for participants. Ctrl-C ends it; the same command goes on with\n" +
			"the study where it was. Nobody but this machine reaches the page unless --listen says so.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.serve(c, args[0]) },
	}
	f.images.add(c)
	c.Flags().StringVar(&f.dir, "out", "", "the study's folder (default studies/NAME)")
	c.Flags().StringVar(&f.settings.Title, "title", "Real or synthetic?", "what the page is called")
	c.Flags().StringVar(&f.welcome, "welcome", "", "a text file shown before the first trial: what is asked, what is kept, whom to turn to")
	c.Flags().Uint64Var(&f.settings.Seed, "seed", 1, "of the order and of who sees what")
	c.Flags().StringVar(&f.blocks, "blocks", "free,annotated", "blocks of trials, in which the region need not (free) or must (annotated) be drawn")
	c.Flags().BoolVar(&f.settings.FixedOrder, "fixed-order", false, "the blocks come in this order for everybody; else each may come first")
	c.Flags().IntVar(&f.settings.Trials, "trials", 0, "trials for each participant (default: everything is shown to everybody)")
	c.Flags().IntVar(&f.settings.CheckEvery, "check-every", 0, "an attention check after every so many trials (default: none)")
	c.Flags().IntVar(&f.settings.Participants, "participants", 1000, "at most so many may take part")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8790", "address and port; 0.0.0.0:8790 opens the page to other machines")
	c.Flags().StringVar(&f.url, "url", "", "the address that participants use, where that is another: https://study.example.org")
	return c
}

// welcome is what a page says where nobody wrote a text for it.
const welcome = `You will see images of faces, one after the other. Some are real, others were made by a computer. For each one, say what you take it for. In some of the trials you will also draw over the region that speaks for your answer.

Kept are your answers, your drawings and the time that they took, under a number. Your name is not asked for, and neither your address nor anything else about you is kept. A cookie remembers your number in this browser, so that you can go on later.

You take part of your own free will and may stop at any time by closing the page.`

func (f *humanServe) serve(c *cobra.Command, path string) error {
	s, err := f.study(c, path)
	if err != nil {
		return err
	}
	options, base, err := f.place()
	if err != nil {
		return err
	}
	if f.dir == "" {
		f.dir = filepath.Join("studies", strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	}
	session, err := study.Open(f.dir, s)
	if err != nil {
		return exit{ExitFailed, err}
	}
	err = f.run(c, session, options, base)
	return closed(session, err)
}

// study is what the flags and the list ask for.
func (f *humanServe) study(c *cobra.Command, path string) (*study.Study, error) {
	s := &study.Study{Settings: f.settings}
	s.Welcome = welcome
	if f.welcome != "" {
		raw, err := os.ReadFile(f.welcome)
		if err != nil {
			return nil, wrong(fmt.Errorf("--welcome: %w", err))
		}
		s.Welcome = strings.TrimSpace(strings.ReplaceAll(string(raw), "\r\n", "\n"))
	}
	for block := range strings.SplitSeq(f.blocks, ",") {
		s.Blocks = append(s.Blocks, strings.TrimSpace(block))
	}
	if err := f.images.read(c, path, s); err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, wrong(err)
	}
	return s, nil
}

// place reads --url.
func (f *humanServe) place() (o web.Options, base string, err error) {
	if f.url == "" {
		return o, "", nil
	}
	u, err := url.Parse(f.url)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") || (u.Path != "" && u.Path != "/") {
		return o, "", wrong(fmt.Errorf("--url %s: give scheme and host alone, such as https://study.example.org", f.url))
	}
	o.Hosts, o.Secure = []string{strings.ToLower(u.Hostname())}, u.Scheme == "https"
	return o, u.Scheme + "://" + u.Host, nil
}

func (f *humanServe) run(c *cobra.Command, session *study.Session, o web.Options, base string) error {
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return exit{ExitFailed, fmt.Errorf("--listen: %w", err)}
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM) // before anybody knows that it is there
	defer stop()
	address := listener.Addr().(*net.TCPAddr)
	stderr := c.ErrOrStderr()
	if !address.IP.IsLoopback() {
		warn(stderr, address, o.Secure)
	}
	if base == "" {
		base = "http://" + reachable(address)
	}
	people, _, answers := session.Progress()
	out := c.OutOrStdout()
	fmt.Fprintf(out, "study: %s, %d images, blocks %s\n", f.dir, len(session.Study.Images), strings.Join(session.Study.Blocks, ", "))
	if people > 0 {
		fmt.Fprintf(out, "goes on with %d participants and %d answers\n", people, answers)
	}
	fmt.Fprintf(out, "link:  %s/?t=%s\n", base, session.Token)

	o.Failed = func(format string, args ...any) { fmt.Fprintf(stderr, "cyborg-run: "+format+"\n", args...) }
	server := &http.Server{
		Handler: web.Handler(session, o), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		stop() // a second Ctrl-C ends it at once
		late, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err = server.Shutdown(late); err != nil {
			err = server.Close()
		}
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return exit{ExitFailed, err}
	}
	people, finished, answers := session.Progress()
	fmt.Fprintf(out, "%d participants, %d of them finished, %d answers\nexport them by: cyborg-run human export %s\n", people, finished, answers, f.dir)
	return nil
}

// reachable is an address as a browser on this machine takes it.
func reachable(a *net.TCPAddr) string {
	if a.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", a.Port)
	}
	return a.String()
}

// warn says what it means to be open to others.
func warn(w io.Writer, a *net.TCPAddr, secure bool) {
	fmt.Fprintf(w, "warning: the page is open to every machine that reaches %s; whoever has the link takes part and sees the images.\n", a)
	if !secure {
		fmt.Fprintln(w, "warning: answers travel without encryption. Beyond a network of your own, put a server with HTTPS before it, and name it by --url.")
	}
}
