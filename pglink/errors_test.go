package pglink

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

func TestRedacted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{&pq.Error{Code: "42P01", Message: `relation "x" does not exist`}, `postgres: relation "x" does not exist (42P01)`},
		{&pq.Error{Code: "22012", Message: "value 4711"}, "postgres: SQLSTATE 22012"},
		{&pq.Error{Code: "23505", Message: "key (a)=(secret)"}, "postgres: SQLSTATE 23505"},
		{&pq.Error{Code: "", Message: "secret"}, "postgres: an error without an SQLSTATE"},
		{&pq.Error{Code: "4", Message: "secret"}, "postgres: an error without an SQLSTATE"},
		{&pq.Error{Code: "42\n42", Message: "secret"}, "postgres: an error without an SQLSTATE"},
		{&pq.Error{Code: "42601", Message: "a\nlevel=ERROR msg=forged\x1b[2J"}, "postgres: a level=ERROR msg=forged [2J (42601)"},
		{fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), "reading: unexpected EOF"},
		{fmt.Errorf("a\u2028b\u202ec\xff"), "a b c "},
	} {
		if got := Redacted(c.err).Error(); got != c.want {
			t.Errorf("%q: want %q", got, c.want)
		}
	}
	for _, long := range []error{
		&pq.Error{Code: "42601", Message: strings.Repeat("é", 1<<20)},
		errors.New(strings.Repeat("é\n", 1<<20)),
		fmt.Errorf("x%w", errors.New(strings.Repeat("€", 1<<20))),
	} {
		got := Redacted(long).Error()
		if len(got) > MaxSaid+64 || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\ufffd") {
			t.Errorf("%d bytes: %.100q", len(got), got)
		}
	}
	if err := Redacted(fmt.Errorf("\n%w", io.EOF)); !errors.Is(err, io.EOF) {
		t.Errorf("%v is no longer what it was", err)
	}
	if Redacted(nil) != nil {
		t.Error("nothing is an error")
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]Kind{
		"57014": Canceled, "57P01": Gone, "08006": Gone, "28P01": Refused, "3D000": NoDatabase, "53300": Overloaded, "53100": NoRoom, "53200": Overloaded, "53400": TooComplex, "57P04": NoDatabase, "57P05": Gone, "55P03": Busy, "54001": TooComplex,
		"42P01": Differs, "42501": Forbidden, "23505": Duplicate, "40001": Busy, "22012": Amiss, "XX001": Amiss, "55000": Amiss, "P0002": Amiss, "42P10": Differs, "0A000": Differs, "25006": ReadOnly, "25P02": Failed, "25P03": Gone, "25P04": Canceled, "42601": Failed, "": Failed, "4": Failed,
	} {
		if got := kindOf(&pq.Error{Code: pqerror.Code(code)}); got != want {
			t.Errorf("%s: kind %d, want %d", code, got, want)
		}
	}
	if got := kindOf(&pq.Error{Code: "55000", Severity: "FATAL"}); got != Gone {
		t.Errorf("a database that takes no connections is of kind %d", got)
	}
	if got := kindOf(&pq.Error{Code: "42501", Severity: "FATAL"}); got != Barred {
		t.Errorf("a database that lets the account in nowhere is of kind %d", got)
	}
	if _, reported := KindOf(io.EOF); reported {
		t.Error("the network's error is a server's")
	}
}
