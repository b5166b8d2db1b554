package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/fault"
)

// docs/errors.md has the table, line by line and in its order, and says of
// every code what to do.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 5 || strings.Trim(cells[4], "| ") == "" {
			t.Errorf("the line does not say what to do: %s", line)
		}
		got = append(got, strings.Join(cells[:len(cells)-1], " | "))
	}
	for _, row := range fault.Table() {
		retry := "no"
		if row.Retryable {
			retry = "yes"
		}
		want = append(want, fmt.Sprintf("| `%s` | %d | %s | %s", row.Code, row.Status, retry, row.Meaning))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/errors.md (-want +got):\n%s", diff)
	}
}

func TestTableIsACopy(t *testing.T) {
	t.Parallel()
	fault.Table()[0].Code = "CHANGED"
	if code := fault.Table()[0].Code; code != fault.Unauthenticated {
		t.Errorf("the table begins with %s", code)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for _, row := range fault.Table() {
		if got := fault.Lookup(row.Code); got != row {
			t.Errorf("%s leads to %+v", row.Code, got)
		}
	}
	for _, code := range []fault.Code{"", "TEAPOT", "internal"} {
		if got := fault.Lookup(code).Code; got != fault.Internal {
			t.Errorf("%q leads to %s", code, got)
		}
	}
}

func TestFrom(t *testing.T) {
	t.Parallel()
	f := func(err error, code fault.Code, message string) {
		t.Helper()
		got := fault.From(err)
		if got.Code != code || got.Message != message {
			t.Errorf("From(%v) is %s: %s, want %s: %s", err, got.Code, got.Message, code, message)
		}
		if !errors.Is(got, err) && !errors.Is(err, got) {
			t.Errorf("From(%v) lost what was the cause", err)
		}
	}
	busy := fault.New(fault.Unavailable, "the source %s does not answer", "main")
	secret := errors.New("password=hunter2 host=10.0.0.1")

	f(busy, fault.Unavailable, "the source main does not answer")
	f(fmt.Errorf("level 1: %w", fmt.Errorf("fetch: %w", busy)), fault.Unavailable, "the source main does not answer")
	f(errors.Join(secret, busy), fault.Unavailable, "the source main does not answer")
	// A fault says more than the deadline behind it, and the outer one is meant.
	f(busy.Because(context.DeadlineExceeded), fault.Unavailable, "the source main does not answer")
	f(fault.New(fault.Conflict, "outer").Because(busy), fault.Conflict, "outer")

	f(context.DeadlineExceeded, fault.Timeout, "the data did not arrive in time")
	f(fmt.Errorf("read rows: %w", context.DeadlineExceeded), fault.Timeout, "the data did not arrive in time")
	f(fmt.Errorf("read rows: %w", os.ErrDeadlineExceeded), fault.Internal, "internal error")
	f(fmt.Errorf("read rows: %w", context.Canceled), fault.Timeout, "the request was canceled")

	f(secret, fault.Internal, "internal error")
	f(io.ErrUnexpectedEOF, fault.Internal, "internal error")
	if fault.From(nil) != nil {
		t.Error("no error became one")
	}
}

func TestErrorsAreNotChangedByWhatIsAdded(t *testing.T) {
	t.Parallel()
	cause := errors.New("dial tcp 10.0.0.1")
	plain := fault.New(fault.Unavailable, "no answer")
	full := plain.Because(cause).WithHint("wait %d seconds", 5)
	full.RetryAfter = 5 * time.Second
	if plain.Hint != "" || plain.RetryAfter != 0 || errors.Is(plain, cause) {
		t.Errorf("the error it was made of changed: %+v", plain)
	}
	if full.Hint != "wait 5 seconds" || !errors.Is(full, cause) || full.Message != "no answer" {
		t.Errorf("got %+v", full)
	}
	if got := full.Error(); got != "UNAVAILABLE: no answer: dial tcp 10.0.0.1" {
		t.Errorf("the log gets %q", got)
	}
	if got := plain.Error(); got != "UNAVAILABLE: no answer" {
		t.Errorf("the log gets %q", got)
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                               `""`,
		"a \"b\"\n":                      `"a \"b\"\n"`,
		strings.Repeat("ü", 60):          `"` + strings.Repeat("ü", 60) + `"`,
		strings.Repeat("ü", 1<<20):       `"` + strings.Repeat("ü", 60) + `…"`,
		strings.Repeat("\xff", 1<<20):    `"` + strings.Repeat("�", 60) + `…"`,
		strings.Repeat("\U0001F600", 61): `"` + strings.Repeat("\U0001F600", 60) + `…"`,
	} {
		if got := fault.Quote(text); got != want {
			t.Errorf("%.20q is quoted as %s", text, got)
		}
	}
}

func TestMessagesAreNoEchoOfWhatWasSent(t *testing.T) {
	t.Parallel()
	args := []any{strings.Repeat("ü", 1<<20), "b"}
	got := fault.New(fault.BadUserInput, "there is no %q in %q", args...)
	if want := `there is no "` + strings.Repeat("ü", 10_000) + `…" in "b"`; got.Message != want {
		t.Errorf("got %d bytes: %.50s", len(got.Message), got.Message)
	}
	if len(args[0].(string)) != 2<<20 {
		t.Error("what the message was made of is cut")
	}
}
