package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"usher/datasource/pgwire"
	"usher/pglink"
	"usher/value"
)

// script is a server's end of a connection that says what it was told to and
// hears everything.
type script struct {
	net.Conn
	says  *bytes.Reader
	heard bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)  { return s.says.Read(p) }
func (s *script) SetDeadline(time.Time) error { return nil }
func (s *script) Write(p []byte) (int, error) { return s.heard.Write(p) }

// message is one of the server's messages.
func message(typ byte, body ...string) string {
	text := strings.Join(body, "")
	return string(typ) + string(binary.BigEndian.AppendUint32(nil, uint32(len(text)+4))) + text
}

func number(bits int, n int64) string {
	all := binary.BigEndian.AppendUint64(nil, uint64(n))
	return string(all[8-bits/8:])
}

// column is a column of a row description.
func column(name string, oid int64) string {
	return name + "\x00" + number(32, 0) + number(16, 0) + number(32, oid) + number(16, -1) + number(32, -1) + number(16, 0)
}

func described(columns ...string) string {
	return message('T', number(16, int64(len(columns))), strings.Join(columns, ""))
}

func row(cells ...string) string {
	text := number(16, int64(len(cells)))
	for _, cell := range cells {
		if cell == "null" {
			text += number(32, -1)
			continue
		}
		text += number(32, int64(len(cell))) + cell
	}
	return message('D', text)
}

const parsed, bound = "1\x00\x00\x00\x04", "2\x00\x00\x00\x04"

func ready() string    { return message('Z', "I") }
func complete() string { return message('C', "SELECT 1\x00") }

// conversation asks one statement of a server that says this.
func conversation(says string) (*conn, []string, error) {
	server := &script{says: bytes.NewReader([]byte(says))}
	l := pglink.Over(server, 1<<20)
	c := &conn{link: l, wire: pgwire.New(l), statements: newStatements(4)}
	p, err := c.query("SELECT", []string{"a"}, true, asEver)
	if err != nil {
		return c, nil, err
	}
	found := newRows(context.Background(), c, p.Types, func() bool { return false })
	if err := found.check(); err != nil {
		return c, nil, err
	}
	var got []string
	for found.Next() {
		var cells []string
		for i := range p.Types {
			cells = append(cells, value.WireText(found.Cell(i)))
		}
		got = append(got, strings.Join(cells, "|"))
	}
	return c, got, found.Err()
}

func TestConversation(t *testing.T) {
	t.Parallel()
	columns := described(column("a", oidInt8), column("b", oidText), column("c", oidBool), column("d", oidFloat8), column("e", oidNumeric))
	params := message('t', number(16, 1), number(32, oidText))
	notice := message('N', "SNOTICE\x00C00000\x00Mhello\x00\x00")
	long := strings.Repeat("x", 3*16<<10)
	c, got, err := conversation(parsed + params + columns + notice + bound +
		row("-9223372036854775808", "x", "t", "1.5", "1.10") + notice + row("42", long, "f", "-Infinity", "null") + row("null", "", "null", "NaN", "0") +
		complete() + notice + ready())
	if err != nil || c.broken || c.wire.Stray {
		t.Fatalf("%v, broken %t, stray %t", err, c.broken, c.wire.Stray)
	}
	want := []string{"-9223372036854775808|x|true|1.5|1.10", "42|" + long + "|false|-Inf|", "|||NaN|0"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %.300q", got)
	}
	if c.statements.get("SELECT") == nil {
		t.Error("the statement is not known any more")
	}
}

// What a server may say that does not keep to the protocol, or to sense. None
// of it may crash, take memory without bound or pass for an answer.
func TestHostileServer(t *testing.T) {
	t.Parallel()
	columns := parsed + described(column("a", oidInt8)) + bound
	failure := message('E', "SERROR\x00C22012\x00Mdivision by zero\x00\x00")
	for name, says := range map[string]string{
		"silence":                         "",
		"half a head":                     "1\x00\x00",
		"a negative length":               "1\xff\xff\xff\xff",
		"a length below the head's":       "1\x00\x00\x00\x03",
		"two gigabytes announced":         "1\x7f\xff\xff\xff",
		"a message before its time":       message('Q', ""),
		"a copy":                          parsed + message('G', "\x00\x00\x00"),
		"a cut description":               parsed + message('T', number(16, 2), column("a", oidInt8)),
		"a description of nothing":        parsed + message('T'),
		"65535 columns":                   parsed + message('T', "\xff\xff"),
		"a column without an end":         parsed + message('T', number(16, 1), "name"),
		"a row without a count":           columns + message('D', "\x00"),
		"a row of two cells":              columns + row("1", "2"),
		"a row of no cells":               columns + row(),
		"a cut cell":                      columns + message('D', number(16, 1), number(32, 5), "12"),
		"a cell of a negative length":     columns + message('D', number(16, 1), number(32, -2)),
		"a cell without a length":         columns + message('D', number(16, 1), "\x00"),
		"a number that is none":           columns + row("12x"),
		"a number that is empty":          columns + row(""),
		"a number too large":              columns + row("9223372036854775808"),
		"a minus alone":                   columns + row("-"),
		"an end without readiness":        columns + row("1") + complete(),
		"readiness without a state":       columns + row("1") + complete() + message('Z'),
		"an error without a code":         columns + message('E', "SERROR\x00\x00") + ready(),
		"an error without an end":         columns + message('E', "SERROR"),
		"an error and no readiness":       columns + failure,
		"a type without a cell":           parsed + described(column("a", 1700)) + bound + described(column("a", 114)),
		"rows of a second statement":      columns + row("1") + columns,
		"a row that is not finished":      columns + "D\x00\x00\x10\x00" + number(16, 1),
		"a row larger than is let in":     columns + "D\x00\x20\x00\x00" + strings.Repeat("x", 3<<20),
		"more rows than are let in":       columns + strings.Repeat(row("1"), 200_000) + complete() + ready(),
		"notices without end":             columns + strings.Repeat(message('N', strings.Repeat("x", 1000)), 5000),
		"an answer that is never started": parsed,
	} {
		c, got, err := conversation(says)
		if err == nil {
			t.Errorf("%s: passed for an answer, %.100q", name, got)
			continue
		}
		if usable := !c.broken && !c.wire.Stray; usable && !errors.As(err, new(*pq.Error)) {
			t.Errorf("%s: the connection would be used again after %v", name, err)
		}
	}
}

func TestServerError(t *testing.T) {
	t.Parallel()
	failure := message('E', "SERROR\x00VERROR\x00C22012\x00Mdivision by zero\x00Ddetail\x00P7\x00\x00") + ready()
	for name, says := range map[string]string{
		"while it is prepared": failure,
		"while it is bound":    parsed + described(column("a", oidInt8)) + failure,
		"before the first row": parsed + described(column("a", oidInt8)) + bound + failure,
	} {
		c, _, err := conversation(says)
		var reported *pq.Error
		if !errors.As(err, &reported) || reported.Code != "22012" || reported.Message != "division by zero" || c.broken {
			t.Errorf("%s: %v, broken %t", name, err, c.broken)
		}
	}
	c, got, err := conversation(parsed + described(column("a", oidInt8)) + bound + row("1") + failure)
	if err == nil || c.broken || len(got) != 1 {
		t.Errorf("after a row: %v, broken %t, %q", err, c.broken, got)
	}
	// The server's reason for ending the connection, right behind an answer.
	c, got, err = conversation(parsed + described(column("a", oidInt8)) + bound + row("1") + complete() + ready() + message('E', "SFATAL\x00C57P01\x00Mbye\x00\x00"))
	if err != nil || len(got) != 1 || !c.wire.Stray {
		t.Errorf("an answer and a farewell: %v, %q, stray %t", err, got, c.wire.Stray)
	}
}

func FuzzServer(f *testing.F) {
	f.Add([]byte(parsed + described(column("a", oidInt8)) + bound + row("1") + complete() + ready()))
	f.Add([]byte(message('E', "SERROR\x00C22012\x00Mx\x00\x00") + ready()))
	f.Fuzz(func(t *testing.T, says []byte) {
		_, _, err := conversation(string(says))
		if err != nil && errors.Is(err, io.ErrNoProgress) {
			t.Fatal(err)
		}
	})
}
