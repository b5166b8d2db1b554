package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource/pgwire"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pglink"
)

// scripted is a connection to a server that says this.
func scripted(kind catalog.Pooler, says ...string) (*conn, *script) {
	server := &script{says: bytes.NewReader([]byte(strings.Join(says, "")))}
	l := pglink.Over(server, 1<<20)
	return &conn{
		pq: valid{}, link: l, wire: pgwire.New(l), statements: newStatements(4), pooling: newPooling(kind), limit: time.Second,
		place: place{backend: "7", user: "u", database: "d"},
	}, server
}

// valid is a driver that has nothing to say.
type valid struct{ signedIn }

func (valid) IsValid() bool { return true }

// types are those of the messages that a server has heard.
func (s *script) types() string {
	var out []byte
	for heard := s.heard.Bytes(); len(heard) > 0; heard = heard[1+binary.BigEndian.Uint32(heard[1:]):] {
		out = append(out, heard[0])
	}
	return string(out)
}

func refusal(code string) string {
	return message('E', "SERROR\x00C"+code+"\x00Mcached plan must not change result type\x00\x00") + ready()
}

func answer(cell string) string { return bound + row(cell) + complete() + ready() }

// A statement that the server has already, or has no more, is asked for once
// more as it then must be, and not a third time.
func TestPreparedStatementsDiffer(t *testing.T) {
	t.Parallel()
	columns := described(column("a", oidInt8))
	first := parsed + columns + answer("1")
	for name, c := range map[string]struct {
		known  bool // the statement has run before
		says   []string
		hears  string // after the first run
		code   fault.Code
		remain bool // the statement is known afterwards
	}{
		"there already":            {false, []string{refusal("42P05"), columns, answer("2")}, "PDBES DBES", "", true},
		"there already, then gone": {false, []string{refusal("42P05"), refusal("26000")}, "PDBES DBES", fault.Internal, false},
		"there already, fails":     {false, []string{refusal("42P05"), columns, refusal("22012")}, "PDBES DBES", fault.Unavailable, true},
		"gone":                     {true, []string{refusal("26000"), parsed, columns, answer("2")}, "BES CPDBES", "", true},
		"gone twice":               {true, []string{refusal("26000"), refusal("26000")}, "BES CPDBES", fault.Internal, false},
		"of another type":          {true, []string{refusal("0A000"), parsed, columns, answer("2")}, "BES CPDBES", "", true},
		"fails":                    {false, []string{parsed, columns, refusal("22012")}, "PDBES", fault.Unavailable, true},
		"is none":                  {false, []string{refusal("42601")}, "PDBES", fault.Internal, false},
	} {
		says := c.says
		if c.known {
			says = append([]string{first}, says...)
		}
		made, server := scripted(catalog.NoPooler, says...)
		if c.known {
			if _, err := made.session(t.Context(), false, askOne); err != nil {
				t.Fatal(err)
			}
			server.heard.Reset()
		}
		_, err := made.session(t.Context(), false, askOne)
		if code := codeOf(err); code != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
		if heard := server.types(); heard != strings.ReplaceAll(c.hears, " ", "") {
			t.Errorf("%s: the server heard %s, want %s", name, heard, c.hears)
		}
		if known := made.statements.get("SELECT") != nil; known != c.remain || !made.usable() {
			t.Errorf("%s: known afterwards: %t, usable: %t", name, known, made.usable())
		}
	}
}

func askOne(s sqlexec.Session) error {
	rows, err := s.Query(context.Background(), "SELECT", []string{"a"})
	if err != nil {
		return err
	}
	for rows.Next() {
		continue
	}
	return rows.Err()
}

func codeOf(err error) fault.Code {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

// A statement's name says all of it: another text, or other settings it would
// be read with, is another name, and the server cuts none of them.
func TestStatementNames(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for _, kind := range []catalog.Pooler{catalog.NoPooler, catalog.SessionPooler} {
		for _, text := range []string{"", "SELECT $1", "SELECT $1 ", "SELECT $2"} {
			name := newPooling(kind).statementName(text)
			if other, ok := seen[name]; ok || len(name) > catalog.MaxName || strings.ContainsRune(name, 0) {
				t.Errorf("%q: %s, as %q", text, name, other)
			}
			seen[name] = text
		}
	}
	if a, b := newPooling(catalog.NoPooler).statementName("SELECT 1"), newPooling(catalog.NoPooler).statementName("SELECT 1"); a != b {
		t.Errorf("%s and %s", a, b)
	}
}

// What a preamble's answer may look like that says nothing, or something else.
func TestPreambles(t *testing.T) {
	t.Parallel()
	columns := parsed + described(column("a", oidInt8)) + answer("1")
	good := parsed + bound + row("none", "7", "u", "d") + complete()
	for name, c := range map[string]struct {
		says string
		kind catalog.Pooler
		err  error
	}{
		"nothing":                {parsed + bound + complete() + columns, catalog.TransactionPooler, errProtocol},
		"two rows":               {parsed + bound + row("7", "u", "d") + row("7", "u", "d") + complete() + columns, catalog.TransactionPooler, errProtocol},
		"too few cells":          {parsed + bound + row("u", "d") + complete() + columns, catalog.TransactionPooler, errProtocol},
		"a null":                 {parsed + bound + row("7", "null", "d") + complete() + columns, catalog.TransactionPooler, errProtocol},
		"no count":               {parsed + bound + message('D', "\x00") + complete() + columns, catalog.TransactionPooler, errProtocol},
		"a cut cell":             {parsed + bound + message('D', number(16, 3), number(32, 5), "7") + complete() + columns, catalog.TransactionPooler, errProtocol},
		"more than its cells":    {parsed + bound + message('D', number(16, 0), "x") + complete() + columns, catalog.TransactionPooler, errProtocol},
		"an answer in its place": {columns, catalog.TransactionPooler, errProtocol},
		"another user":           {parsed + bound + row("7", "v", "d") + complete() + columns, catalog.TransactionPooler, nil},
		"another database":       {parsed + bound + row("7", "u", "e") + complete() + columns, catalog.TransactionPooler, nil},
		"another backend":        {bound + row("8", "u", "d") + complete() + columns, catalog.SessionPooler, errNotKept},
		"it is gone":             {refusal("26000"), catalog.SessionPooler, errNotKept},
		"it fails":               {refusal("42501"), catalog.TransactionPooler, nil},
	} {
		made, _ := scripted(c.kind, c.says)
		_, err := made.session(t.Context(), false, askOne)
		if err == nil || c.err != nil && !errors.Is(err, c.err) || made.usable() {
			t.Errorf("%s: %v, usable: %t", name, err, made.usable())
		}
	}
	made, server := scripted(catalog.TransactionPooler, good+columns, parsed+bound+row("8", "u", "d")+complete()+columns)
	for range 2 {
		if _, err := made.session(t.Context(), false, askOne); err != nil {
			t.Error(err)
		}
	}
	if !made.usable() {
		t.Error("the connection is of no further use")
	}
	if heard := server.types(); heard != "PBEPDBESPBEPDBES" {
		t.Errorf("the server heard %s", heard)
	}
}

// A server that says less of itself than it was asked is none to talk to.
func TestCutIdentity(t *testing.T) {
	t.Parallel()
	made, _ := scripted(catalog.NoPooler, parsed+described(column("a", oidText))+bound+row("d")+complete()+ready())
	if err := (&connector{}).identify(t.Context(), made, 7); !errors.Is(err, errProtocol) {
		t.Error(err)
	}
}
