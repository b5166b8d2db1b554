// Package program runs usher inside a test as main does: arguments, streams and
// an end. It owns the waiting; it refuses to share anything between two runs.
package program

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // makes the databases that tests serve

	"usher/cli"
	"usher/cli/term"
)

// Patience bounds what a test waits for: far more than it takes.
const Patience = time.Minute

// Secret signs the tokens of tests.
const Secret = "only-the-tests-know-these-32-bytes"

// Running is usher, started as main starts it.
type Running struct {
	Base   string // http://127.0.0.1:port
	Stdout *Output
	Stderr *Output
	end    context.CancelFunc
	ended  chan error
}

// Start runs usher with arguments until it serves.
func Start(tb testing.TB, args ...string) *Running {
	tb.Helper()
	return StartIn(tb, NoEnv, args...)
}

// StartIn is Start with an environment.
func StartIn(tb testing.TB, env func(string) (string, bool), args ...string) *Running {
	tb.Helper()
	ctx, end := context.WithCancel(tb.Context())
	u := &Running{Stdout: NewOutput(), Stderr: NewOutput(), end: end, ended: make(chan error, 1)}
	go func() {
		u.ended <- cli.Run(ctx, args, &term.IO{Env: env, Stdin: nothing(), Stdout: u.Stdout, Stderr: u.Stderr})
	}()
	select {
	case u.Base = <-u.Stdout.Address:
	case err := <-u.ended:
		tb.Fatalf("usher ended: %v\n%s%s", err, u.Stdout, u.Stderr)
	case <-time.After(Patience):
		tb.Fatalf("usher does not serve\n%s%s", u.Stdout, u.Stderr)
	}
	tb.Cleanup(func() {
		if u.end != nil {
			u.Stop(tb)
		}
	})
	return u
}

// Stop ends usher as a signal does.
func (u *Running) Stop(tb testing.TB) {
	tb.Helper()
	u.end()
	u.end = nil
	select {
	case err := <-u.ended:
		if err != nil {
			tb.Errorf("usher ended with %v", err)
		}
	case <-time.After(Patience):
		tb.Error("usher does not end")
	}
}

// NoEnv is an empty environment.
func NoEnv(string) (string, bool) { return "", false }

func nothing() io.Reader { return strings.NewReader("") }

// Command runs usher to its end.
func Command(tb testing.TB, args ...string) (stdout string, err error) {
	tb.Helper()
	stdout, _, err = CommandIn(tb, NoEnv, "", args...)
	return stdout, err
}

// CommandIn runs usher to its end, with an environment and a standard input.
func CommandIn(tb testing.TB, env func(string) (string, bool), stdin string, args ...string) (stdout, stderr string, err error) {
	tb.Helper()
	var out, errs Output
	err = cli.Run(tb.Context(), args, &term.IO{Env: env, Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs})
	return out.String(), errs.String(), err
}

// Output is what usher prints; the first address in it is where it serves.
type Output struct {
	Address chan string // holds the first one; nil: nobody waits for it

	mu    sync.Mutex
	text  bytes.Buffer
	found bool
}

// NewOutput is for a program whose address is waited for.
func NewOutput() *Output { return &Output{Address: make(chan string, 1)} }

var address = regexp.MustCompile(`https?://127\.0\.0\.1:\d+`)

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if at := address.Find(o.text.Bytes()); at != nil && o.Address != nil && !o.found {
		o.found = true
		o.Address <- string(at)
	}
	return len(p), nil
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Direct does not follow redirects, which are answers too.
var Direct = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// Fetch sends a request and reads the answer.
func Fetch(tb testing.TB, r *http.Request) (status int, body []byte) {
	tb.Helper()
	response, err := Direct.Do(r) //nolint:gosec // Tests ask the servers that they have started.
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err = io.ReadAll(response.Body); err != nil {
		tb.Fatal(err)
	}
	return response.StatusCode, body
}

// WriteFile writes a file of a test.
func WriteFile(tb testing.TB, file, text string) {
	tb.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// MakeDuckDB makes a database file.
func MakeDuckDB(tb testing.TB, file, statements string) {
	tb.Helper()
	db, err := sql.Open("duckdb", file)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := db.ExecContext(tb.Context(), statements); err != nil {
		tb.Fatal(err)
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
}

// Ask is a request for a query's answer.
func (u *Running) Ask(tb testing.TB, token, query string) *http.Request {
	tb.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		tb.Fatal(err)
	}
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, u.Base+"/graphql", bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

var requestID = regexp.MustCompile(`,?"requestId":"[A-Z0-9]+"`)

// WithoutRequestID is an answer without what differs from request to request.
func WithoutRequestID(body []byte) []byte { return requestID.ReplaceAll(body, nil) }

// Soon waits until something holds, for as long as it may take.
func Soon(tb testing.TB, within time.Duration, what string, holds func() bool) {
	tb.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			tb.Fatalf("%s: not within %s", what, within)
		case <-ticker.C:
		}
	}
}
