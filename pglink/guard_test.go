package pglink

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"usher/pgtest/lies"
)

// script is a server's end of a connection that says what it was told to.
type script struct {
	net.Conn
	says io.Reader
}

func (s *script) Read(p []byte) (int, error)  { return s.says.Read(p) }
func (s *script) Write(p []byte) (int, error) { return len(p), nil }
func (s *script) Close() error                { return nil }
func (s *script) SetDeadline(time.Time) error { return nil }
func (s *script) RemoteAddr() net.Addr        { return &net.TCPAddr{} }

// config signs in without anything of the process.
func config() pq.Config {
	return pq.Config{
		Host: "127.0.0.1", Port: 1, User: "u", Password: "p", Database: "d", SSLMode: pq.SSLModeDisable,
		Passfile: filepath.Join(os.DevNull, "none"), MinProtocolVersion: pq.ProtocolVersion30, MaxProtocolVersion: pq.ProtocolVersion30,
	}
}

const hello = "R\x00\x00\x00\x08\x00\x00\x00\x00"

func welcome() string {
	return hello + lies.Parameter("server_version", "15.4") + lies.Parameter("TimeZone", "UTC") + lies.Key() + lies.Ready("I")
}

// converse signs in and asks one statement of a server that says this.
func converse(says string, args ...driver.NamedValue) (*Conn, []driver.Value, error) {
	l := Over(&script{says: strings.NewReader(says)}, 1<<20)
	c, err := l.SignIn(context.Background(), config(), 1<<20)
	if err != nil {
		return nil, nil, err
	}
	rows, err := c.QueryContext(context.Background(), "SELECT", args)
	if err != nil {
		return c, nil, err
	}
	got := make([]driver.Value, 2)
	if err := rows.Next(got); err != nil {
		return c, nil, errors.Join(err, rows.Close())
	}
	return c, got, rows.Close()
}

func TestHonest(t *testing.T) {
	t.Parallel()
	notice := lies.Message('N', "SNOTICE\x00C00000\x00Mhello\x00\x00")
	columns := lies.Columns(lies.Column("a", lies.Int8), lies.Column("b", lies.Text))
	long := strings.Repeat("x", 200_000)
	for name, says := range map[string]string{
		"simple":   columns + lies.Row("7", long) + lies.Complete("SELECT 1") + lies.Ready("I"),
		"prepared": lies.Parsed + lies.Parameters("$1") + columns + lies.Ready("I") + lies.Bound + lies.Row("\x00\x00\x00\x00\x00\x00\x00\x07", long) + lies.Complete("SELECT 1") + lies.Ready("I"),
		"noisy": notice + columns + notice + lies.Parameter("application_name", "x") + lies.Message('A', lies.Number(32, 1), "channel\x00payload\x00") +
			lies.Row("7", long) + lies.Complete("SELECT 1") + notice + lies.Ready("I"),
	} {
		var args []driver.NamedValue
		if name == "prepared" {
			args = []driver.NamedValue{{Ordinal: 1, Value: "x"}}
		}
		c, got, err := converse(welcome()+says, args...)
		if err != nil || got[0] != int64(7) || got[1] != long || !c.IsValid() {
			t.Errorf("%s: %.100v, %v, valid %t", name, got, err, c != nil && c.IsValid())
		}
	}
	c, _, err := converse(welcome() + lies.Failure("42P01", "no such table") + lies.Ready("I"))
	if kind, reported := KindOf(err); !reported || kind != Differs || !c.IsValid() {
		t.Errorf("an error of a statement: %v", err)
	}
	// The driver would take what comes behind for the answer to what it asks next.
	c, _, err = converse(welcome() + columns + lies.Row("7", "x") + lies.Complete("SELECT 1") + lies.Ready("I") + columns)
	if err != nil || c.IsValid() {
		t.Errorf("an answer with something behind: %v, valid %t", err, c.IsValid())
	}
	_, _, err = converse(lies.Failure("28P01", "password"))
	if kind, reported := KindOf(err); !reported || kind != Refused {
		t.Errorf("a refusal: %v", err)
	}
}

// Each lie about an answer breaks the connection, and the driver never sees it.
func TestLies(t *testing.T) {
	t.Parallel()
	text, number := lies.Columns(lies.Column("a", lies.Text)), lies.Columns(lies.Column("a", lies.Int8))
	prepared := lies.Parsed + lies.Parameters("$1")
	for name, says := range map[string]string{
		"a number of 3 bytes in binary":  prepared + number + lies.Ready("I") + lies.Bound + lies.Row("abc"),
		"a small number of no bytes":     prepared + lies.Columns(lies.Column("a", lies.Int4)) + lies.Ready("I") + lies.Bound + lies.Row(""),
		"an id of 3 bytes in binary":     prepared + lies.Columns(lies.Column("a", lies.UUID)) + lies.Ready("I") + lies.Bound + lies.Row("abc"),
		"a row of a statement of none":   prepared + lies.Message('n') + lies.Ready("I") + lies.Bound + lies.Row("a"),
		"a truth of no bytes":            prepared + lies.Columns(lies.Column("a", lies.Bool)) + lies.Ready("I") + lies.Bound + lies.Row(""),
		"a time in another zone":         prepared + lies.Columns(lies.Column("a", oidTimestampTZ)) + lies.Ready("I") + lies.Bound + lies.Row("2026-01-01 00:00:00+01:02:03"),
		"a time in a zone to the west":   prepared + lies.Columns(lies.Column("a", oidTimestamp)) + lies.Ready("I") + lies.Bound + lies.Row("2026-01-01 00:00:00-07"),
		"a row with something behind":    prepared + text + lies.Ready("I") + lies.Bound + lies.Message('D', lies.Number(16, 1), lies.Number(32, 1), "ab"),
		"more cells than columns":        prepared + text + lies.Ready("I") + lies.Bound + lies.Row("a", "b"),
		"fewer cells than columns":       prepared + text + lies.Ready("I") + lies.Bound + lies.Row(),
		"ready in a state of its own":    prepared + text + lies.Ready("?"),
		"ready in two states":            prepared + text + lies.Ready("II"),
		"an end of a statement, 1 KiB":   prepared + text + lies.Ready("I") + lies.Bound + lies.Complete(strings.Repeat("x", 1024)),
		"a notification without payload": lies.Message('A', lies.Number(32, 1), "channel\x00"),
		"a parameter without a name":     lies.Parameter("", "x"),
		"2 MiB of notices":               strings.Repeat(lies.Message('N', "SNOTICE\x00\x00"), 150_000),
	} {
		c, _, err := converse(welcome()+says, driver.NamedValue{Ordinal: 1, Value: "x"})
		if !errors.Is(err, ErrProtocol) || c.IsValid() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Notifications come with the answer to any statement.
func TestNotifications(t *testing.T) {
	t.Parallel()
	done := lies.Complete("SELECT 1") + lies.Ready("I")
	told := lies.Message('A', lies.Number(32, 1), "channel\x00payload\x00")
	c, err := Over(&script{says: strings.NewReader(welcome() + done + told + told + done)}, 1<<20).SignIn(t.Context(), config(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	c.OnNotification(func() { n++ })
	for range 2 {
		if _, err := c.ExecContext(t.Context(), "SELECT 1", nil); err != nil {
			t.Fatal(err)
		}
	}
	if n != 2 {
		t.Errorf("told %d times", n)
	}
}

// Should the driver panic all the same, whoever asked has an error and the
// connection is broken.
func TestDriverPanics(t *testing.T) {
	t.Parallel()
	l := Over(&script{says: strings.NewReader(welcome())}, 1<<20)
	c, err := l.SignIn(t.Context(), config(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	c.driver = nil
	if _, err := c.ExecContext(t.Context(), "SELECT 1", nil); err == nil || !strings.Contains(err.Error(), "driver panicked") {
		t.Errorf("%v: want a panic as an error", err)
	}
	if c.IsValid() {
		t.Error("the connection would be used again")
	}
	if _, err := c.QueryContext(t.Context(), "SELECT 1", nil); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("%v: want a bad connection", err)
	}
	if _, err := (SQLConn{c}).BeginTx(t.Context(), driver.TxOptions{}); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("%v: want a bad connection", err)
	}
}

// Signing in ends with its context, whatever the driver is doing.
func TestSignInEnds(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	defer func() { _ = there.Close() }()
	go func() { _, _ = io.Copy(io.Discard, there) }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Over(here, 1<<20).SignIn(ctx, config(), 1<<20); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v: want the context's end", err)
	}
}

// A server that makes the driver derive a key has one that does at a time.
func TestOneDerivesAtATime(t *testing.T) {
	t.Parallel()
	server, err := NewServer(Account{Host: "127.0.0.1", Port: 1, SSLMode: "disable"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	reply := []byte("r=nonce,s=c2FsdHNhbHQ=,i=4096")
	first := newGreeting(t.Context(), server)
	if err := first.firstReply(authContinue, reply); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newGreeting(ctx, server).firstReply(authContinue, reply); !errors.Is(err, context.Canceled) {
		t.Errorf("%v: want to wait for the first", err)
	}
	first.derived()
	first.derived()
	second := newGreeting(t.Context(), server)
	if err := second.firstReply(authContinue, reply); err != nil {
		t.Errorf("after the first: %v", err)
	}
	second.derived()
}

func FuzzGuard(f *testing.F) {
	columns := lies.Columns(lies.Column("a", lies.Int8), lies.Column("b", lies.Bool))
	f.Add(false, []byte(welcome()+columns+lies.Row("7", "t")+lies.Complete("SELECT 1")+lies.Ready("I")))
	f.Add(true, []byte(welcome()+lies.Parsed+lies.Parameters("$1")+columns+lies.Ready("I")+lies.Bound+lies.Row("\x00\x00\x00\x00\x00\x00\x00\x07", "t")+lies.Complete("SELECT 1")+lies.Ready("I")))
	f.Add(true, []byte(lies.Auth(10, "SCRAM-SHA-256\x00\x00")+lies.Auth(11, "r=x,s=c2FsdHNhbHQ=,i=4096")))
	for _, lie := range lies.All() {
		switch lie.At {
		case lies.Greeting:
			f.Add(false, []byte(lie.Says))
		case lies.LetIn:
			f.Add(false, []byte(hello+lie.Says))
		case lies.Command:
			f.Add(false, []byte(welcome()+lie.Says))
		case lies.Described:
			f.Add(true, []byte(welcome()+lie.Says))
		}
	}
	f.Fuzz(func(t *testing.T, bound bool, says []byte) {
		var args []driver.NamedValue
		if bound {
			args = []driver.NamedValue{{Ordinal: 1, Value: "x"}}
		}
		done := time.AfterFunc(10*time.Second, func() { panic("a conversation without end") })
		defer done.Stop()
		_, _, err := converse(string(says), args...)
		if err != nil && strings.Contains(err.Error(), "driver panicked") {
			t.Fatalf("%q: %v", says, err)
		}
	})
}

// What comes out of the guard is whole messages, and errors that are short.
func TestErrorsAreCut(t *testing.T) {
	t.Parallel()
	long := lies.Message('E', "SERROR\x00C42601\x00M", strings.Repeat("é\n", 50_000), "\x00D", strings.Repeat("d", 50_000), "\x00Mtwice\x00Zunknown\x00\x00")
	g := newGuard(t.Context(), Over(&script{says: strings.NewReader(welcome() + long)}, 1<<20), 1<<20)
	got, _ := io.ReadAll(g)
	if !bytes.HasPrefix(got, []byte(hello)) || len(got) > 4<<10 || bytes.Contains(got, []byte("twice")) || bytes.Contains(got, []byte("unknown")) {
		t.Errorf("%d bytes: %.300q", len(got), got)
	}
}
