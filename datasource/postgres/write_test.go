package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/value"
)

// run runs one statement in a session, and drops what it returns.
func run(ctx context.Context, s sqlexec.Session, text string) error {
	_, err := read(ctx, s, 0, text)
	return err
}

// Only what the server says it has committed is done, and all of it or nothing.
func TestWrite(t *testing.T) {
	t.Parallel()
	place := database(t, `
		CREATE TABLE parents (id int PRIMARY KEY);
		CREATE TABLE rows (id int PRIMARY KEY, n int NOT NULL, parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE notes (name text UNIQUE)`)
	db := open(t, specOf(place), postgres.Options{Writes: true})
	ctx := t.Context()
	count := func() string {
		got, err := ask(ctx, db, true, 1, `SELECT count(*) FROM public.rows`)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	write := func(snapshot bool, statements ...string) error {
		return db.Write(ctx, postgres.Transaction{Snapshot: snapshot}, func(s sqlexec.Session) error {
			for _, text := range statements {
				if err := run(ctx, s, text); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := write(false, `INSERT INTO public.rows VALUES (1, 1)`, `INSERT INTO public.rows VALUES (2, 1)`); err != nil || count() != "2" {
		t.Fatalf("%v, %s rows", err, count())
	}
	code := func(err error) string {
		var v *postgres.Violation
		if !errors.As(err, &v) {
			return fault.From(err).Error()
		}
		return v.Code + " " + v.Table + " " + strings.Join(v.Columns, ",")
	}
	for _, c := range []struct {
		text, want string
	}{
		{`INSERT INTO public.rows VALUES (1, 7)`, "23505 rows id"},
		{`INSERT INTO public.rows VALUES (3, NULL)`, "23502 rows n"},
		{`INSERT INTO public.rows VALUES (3, 1, 9)`, "23503 rows parent"}, // at once, though it is deferred
		{`INSERT INTO public.rows VALUES (3, 99999999999)`, "22003  "},
		{`INSERT INTO public.notes VALUES ('secret'), ('secret')`, "23505 notes name"},
	} {
		err := write(false, `INSERT INTO public.rows VALUES (4, 1)`, c.text)
		if got := code(err); strings.TrimSpace(got) != strings.TrimSpace(c.want) || count() != "2" {
			t.Errorf("%s: %s, %s rows", c.text, got, count())
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the value is in %v", c.text, err)
		}
	}
	// Who does not mind that a statement failed is told that nothing was done.
	err := db.Write(ctx, postgres.Transaction{}, func(s sqlexec.Session) error {
		if err := run(ctx, s, `INSERT INTO public.rows VALUES (5, 1)`); err != nil {
			return err
		}
		if err := run(ctx, s, `INSERT INTO public.rows VALUES (1, 1)`); err == nil {
			t.Error("the key is there twice")
		}
		return nil
	})
	if err == nil || fault.From(err).Unknown || count() != "2" {
		t.Errorf("a transaction that failed: %v, %s rows", err, count())
	}
	want := errors.New("no")
	if err := db.Write(ctx, postgres.Transaction{}, func(s sqlexec.Session) error { return errors.Join(run(ctx, s, `DELETE FROM public.rows`), want) }); !errors.Is(err, want) || count() != "2" {
		t.Errorf("refused: %v, %s rows", err, count())
	}
	// Of two that change what both have read, one is begun anew.
	err = db.Write(ctx, postgres.Transaction{Snapshot: true}, func(s sqlexec.Session) error {
		if err := run(ctx, s, `SELECT n FROM public.rows WHERE id = 1`); err != nil {
			return err
		}
		if err := write(false, `UPDATE public.rows SET n = n + 1 WHERE id = 1`); err != nil {
			return err
		}
		return run(ctx, s, `UPDATE public.rows SET n = n + 1 WHERE id = 1`)
	})
	var v *postgres.Violation
	if !errors.As(err, &v) || !v.Passing() {
		t.Errorf("both: %v", err)
	}
	// Connections that read cannot.
	reading := open(t, specOf(place), postgres.Options{})
	if _, err := ask(ctx, reading, false, 0, `DELETE FROM public.rows`); err == nil || count() != "2" {
		t.Errorf("a reading connection writes: %v, %s rows", err, count())
	}
}

// A connection that is lost after COMMIT was sent leaves the question open, and says so; one
// that is lost before is just lost.
func TestWriteLost(t *testing.T) {
	t.Parallel()
	place := database(t, `CREATE TABLE rows (id int PRIMARY KEY)`)
	for _, c := range []struct {
		at      string
		unknown bool
	}{{"COMMIT\x00", true}, {"INSERT", false}} {
		spec := specOf(place)
		spec.Port = hangingUp(t, spec.Host, spec.Port, c.at)
		db := open(t, spec, postgres.Options{Writes: true})
		calls := 0
		err := db.Write(t.Context(), postgres.Transaction{}, func(s sqlexec.Session) error {
			calls++
			return run(t.Context(), s, `INSERT INTO public.rows VALUES (1)`)
		})
		if f := fault.From(err); err == nil || f.Code != fault.Unavailable || f.Unknown != c.unknown || errors.Is(err, postgres.ErrUnknown) != c.unknown || calls != 1 {
			t.Errorf("lost at %s: %v, unknown %t, called %d times", c.at, err, fault.From(err).Unknown, calls)
		}
	}
}

// hangingUp passes connections on to a server, until a client says a word: what it said is not
// passed on, and the connection ends.
func hangingUp(t *testing.T, host string, port int, word string) int {
	t.Helper()
	return before(t, host, port, func(client net.Conn, server *net.TCPConn) {
		defer func() { _, _ = client.Close(), server.Close() }()
		buffer := make([]byte, 64<<10)
		for {
			n, err := client.Read(buffer)
			if err != nil || bytes.Contains(buffer[:n], []byte(word)) {
				return
			}
			if _, err := server.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
}

// before stands before a server: what that says goes to the client, and what clients say is passed
// on by a function. It returns the port.
func before(t *testing.T, host string, port int, pass func(client net.Conn, server *net.TCPConn)) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.ParseIP(host), Port: port})
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(client, server)
				_ = client.Close()
			}()
			go pass(client, server)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// Code of the database's own that lacks a right is told as that: to callers without a name, to the log with what it lacks.
func TestOwnCodeWithoutARight(t *testing.T) {
	t.Parallel()
	place := database(t, `
		CREATE SCHEMA closed; CREATE TABLE closed.secrets (n int);
		CREATE TABLE rows (id int PRIMARY KEY, kind text NOT NULL); CREATE TABLE "Counters" (value int); CREATE SEQUENCE numbers;
		CREATE TABLE policed (n int); ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
		CREATE FUNCTION hidden() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION hidden FROM PUBLIC;
		CREATE FUNCTION bump() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			CASE NEW.kind
				WHEN 'table' THEN UPDATE public."Counters" SET value = value + 1;
				WHEN 'sequence' THEN PERFORM nextval('public.numbers');
				WHEN 'schema' THEN PERFORM n FROM closed.secrets;
				WHEN 'function' THEN PERFORM public.hidden();
				WHEN 'policy' THEN INSERT INTO public.policed VALUES (1);
				WHEN 'path' THEN PERFORM * FROM missing;
				WHEN 'raise' THEN RAISE EXCEPTION 'not so' USING ERRCODE = '42501';
			END CASE; RETURN NEW; END $$;
		CREATE TRIGGER bump BEFORE INSERT ON rows FOR EACH ROW EXECUTE FUNCTION bump();`)
	writer := place.Name + "_w"
	place.Exec(t, `CREATE ROLE `+writer+` LOGIN PASSWORD '`+place.Password+`'; GRANT SELECT, INSERT ON rows TO `+writer+`; GRANT INSERT ON policed TO `+writer)
	spec := specOf(place)
	spec.User = writer
	db := open(t, spec, postgres.Options{Writes: true})
	for kind, want := range map[string]string{
		"table":    `permission denied for table Counters (42501): such code has the rights of the source's account, unless it is SECURITY DEFINER: GRANT SELECT, INSERT, UPDATE or DELETE ON "Counters" TO it, whichever the code needs`,
		"sequence": `GRANT USAGE ON SEQUENCE "numbers" TO it`,
		"schema":   `GRANT USAGE ON SCHEMA "closed" TO it`,
		"function": `GRANT EXECUTE ON FUNCTION "hidden" TO it`,
		"policy":   `no policy of row-level security lets it write such a row`,
		"path":     `undefined_table`,
	} {
		err := db.Write(t.Context(), postgres.Transaction{}, func(s sqlexec.Session) error {
			return run(t.Context(), s, `INSERT INTO public.rows VALUES (1, '`+kind+`')`)
		})
		f := fault.From(err)
		log := f.Unwrap().Error()
		if f.Code != fault.Unavailable || !strings.Contains(log, want) || !strings.Contains(log, "PL/pgSQL function public.bump() line ") {
			t.Errorf("%s: %v, and to the log %s", kind, f, log)
		}
		if strings.Contains(f.Hint, "search_path") != (kind == "path") || strings.Contains(f.Hint, "SECURITY DEFINER") == (kind == "path") || strings.Contains(f.Message+f.Hint, "ounters") {
			t.Errorf("%s: callers are told %s: %s", kind, f.Message, f.Hint)
		}
	}
	err := db.Write(t.Context(), postgres.Transaction{}, func(s sqlexec.Session) error {
		return run(t.Context(), s, `INSERT INTO public.rows VALUES (1, 'raise')`)
	})
	if v := (*postgres.Violation)(nil); !errors.As(err, &v) || v.Raised != "not so" {
		t.Errorf("a refusal with the same code is %v", err)
	}
}

// An import's statements have the time that it has, and no more than the owner of the database lets any have.
func TestPatience(t *testing.T) {
	t.Parallel()
	place := database(t, "")
	holds := func(limit time.Duration) (got string) {
		db := open(t, specOf(place), postgres.Options{Writes: true, Timeout: 4 * time.Second})
		if err := db.Write(t.Context(), postgres.Transaction{}, func(s sqlexec.Session) error {
			if err := s.(sqlexec.Loads).Patient(t.Context(), limit); err != nil {
				return err
			}
			_, err := sqlexec.FirstRow(t.Context(), s, "SELECT current_setting('statement_timeout')", nil, func(row value.Rows) { got = string(row.Cell(0).Text) })
			return err
		}); err != nil {
			t.Error(err)
		}
		if after, err := ask(t.Context(), db, false, 1, "SELECT current_setting('statement_timeout')"); err != nil || after == got {
			t.Errorf("%s holds afterwards, %v", after, err)
		}
		return got
	}
	if got := holds(time.Hour); got != "1h" {
		t.Error(got)
	}
	place.Exec(t, "ALTER DATABASE "+place.Name+" SET statement_timeout = '17s'")
	if got := holds(time.Hour); got != "17s" {
		t.Error(got)
	}
	if got := holds(7 * time.Second); got != "7s" {
		t.Error(got)
	}
}
