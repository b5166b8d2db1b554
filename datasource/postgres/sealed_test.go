package postgres_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pgtest"
	"usher/sqlgen"
	"usher/test/program"
	"usher/value"
)

// sealedRows inserts a row whose n is less than 100.
var sealedRows = `INSERT INTO public.rows AS t0 (id, n) SELECT CAST($1 AS int), CAST($2 AS int) WHERE ` +
	`CAST(CASE WHEN CAST($3 AS bigint) IN (0, ` + sqlgen.PostgresChange.ReadAt() + `) THEN 'true' ELSE '` + sqlgen.SealBroken + `' END AS boolean) ` +
	`RETURNING CAST(CASE WHEN t0.n < 100 THEN 'true' ELSE '` + sqlgen.SealBroken + `' END AS boolean), ` + sqlgen.PostgresChange.ReadAt()

// sealing inserts rows by a sealed statement, and counts how often the table was looked at.
type sealing struct {
	db     *postgres.DB
	proved int
	refuse error // what is said of the table
}

func (s *sealing) insert(ctx context.Context, id, n int) error {
	return s.db.WriteSealed(ctx, postgres.Sealed{
		Text: sealedRows, Args: []string{strconv.Itoa(id), strconv.Itoa(n)},
		Prove: func(context.Context, sqlexec.Session) error {
			s.proved++
			return s.refuse
		},
		Read: func(rows value.Rows) (at int64, err error) {
			for rows.Next() {
				at = rows.Cell(1).Int
			}
			return at, rows.Err()
		},
	})
}

// single is the one value of a query.
func single(t *testing.T, place pgtest.DB, text string) (out string) {
	t.Helper()
	if err := place.Open(t).QueryRowContext(t.Context(), text).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// What is not right is not committed, though COMMIT was sent along; and what a table is was looked at since
// the server has read the statement.
func TestWriteSealed(t *testing.T) {
	t.Parallel()
	place := database(t, `CREATE TABLE rows (id int PRIMARY KEY, n int NOT NULL, parent int REFERENCES rows DEFERRABLE INITIALLY DEFERRED)`)
	spec := specOf(place)
	spec.MaxConns = 1
	said := &listening{}
	spec.Port = before(t, spec.Host, spec.Port, said.pass)
	s := &sealing{db: open(t, spec, postgres.Options{Writes: true})}
	if !s.db.Seals() {
		t.Fatal("it takes no sealed statements")
	}
	ctx := t.Context()
	there := func() string {
		return single(t, place, `SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM rows`)
	}
	expect := func(what string, err error, ok bool, proved int, rows string) {
		t.Helper()
		if (err == nil) != ok || s.proved != proved || there() != rows {
			t.Errorf("%s: %v, looked %d times, there are %q", what, err, s.proved, there())
		}
	}
	s.refuse = errors.New("it is another")
	expect("refused", s.insert(ctx, 1, 1), false, 1, "")
	s.refuse = nil
	expect("the first", s.insert(ctx, 1, 1), true, 2, "1")
	before := said.messages.Load()
	expect("the next", s.insert(ctx, 2, 1), true, 2, "1 2")
	if n := said.messages.Load() - before; n != 1 {
		t.Errorf("a sealed statement took %d messages", n)
	}
	err := s.insert(ctx, 3, 100)
	if expect("not right", err, false, 2, "1 2"); !errors.Is(err, postgres.ErrSealBroken) {
		t.Error(err)
	}
	expect("right again", s.insert(ctx, 3, 1), true, 3, "1 2 3")
	err = s.insert(ctx, 3, 1)
	var v *postgres.Violation
	if expect("the same key", err, false, 3, "1 2 3"); !errors.As(err, &v) || v.Code != "23505" {
		t.Error(err)
	}
	expect("goes on", s.insert(ctx, 4, 1), true, 3, "1 2 3 4")
	for i, alter := range []string{
		`CREATE UNIQUE INDEX ON rows (id, n)`,
		`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$; CREATE TRIGGER t BEFORE INSERT ON rows FOR EACH ROW EXECUTE FUNCTION f()`,
		`ALTER TABLE rows DISABLE TRIGGER t`,
		`CREATE RULE r AS ON INSERT TO rows WHERE new.id = 77 DO ALSO SELECT 1`,
		`DROP RULE r ON rows`,
		`CREATE TABLE more () INHERITS (rows)`,
		`CREATE TABLE others (id int REFERENCES rows ON DELETE CASCADE)`,
		`ALTER TABLE rows RENAME TO old; CREATE TABLE rows (LIKE old INCLUDING ALL); INSERT INTO rows SELECT * FROM old`,
		`ANALYZE rows`,
	} {
		place.Exec(t, alter)
		rows := there()
		err := s.insert(ctx, 10+i, 1)
		if expect(alter, err, false, 3+i, rows); !errors.Is(err, postgres.ErrSealBroken) {
			t.Errorf("%s: %v", alter, err)
		}
		err = s.insert(ctx, 10+i, 1)
		expect(alter+", looked at", err, true, 4+i, strings.TrimSpace(rows+" "+strconv.Itoa(10+i)))
	}
}

// Where a connection is lost, nobody knows, unless the server has said that the statement failed.
func TestSealedLost(t *testing.T) {
	t.Parallel()
	place := database(t, `CREATE TABLE rows (id int PRIMARY KEY, n int NOT NULL)`)
	count := func() string { return single(t, place, `SELECT count(*)::text FROM rows`) }
	for _, c := range []struct {
		what    string
		passes  bool // what was sent comes to the server
		written string
	}{{"before the server has it", false, "1"}, {"when the server has it", true, "2"}} {
		place.Exec(t, `DELETE FROM rows`)
		said := &listening{passes: c.passes}
		spec := specOf(place)
		spec.MaxConns, spec.Port = 1, before(t, spec.Host, spec.Port, said.pass)
		s := &sealing{db: open(t, spec, postgres.Options{Writes: true})}
		if err := s.insert(t.Context(), 1, 1); err != nil {
			t.Fatal(err)
		}
		said.cut.Store(true)
		err := s.insert(t.Context(), 2, 1)
		if f := fault.From(err); err == nil || f.Code != fault.Unavailable || !f.Unknown || !errors.Is(err, postgres.ErrUnknown) {
			t.Errorf("lost %s: %v", c.what, err)
		}
		program.Soon(t, 20*time.Second, "rows are as they are", func() bool { return count() == c.written })
	}
	// A statement that was waiting when its connection was ended.
	s := &sealing{db: open(t, specOf(place), postgres.Options{Writes: true})}
	if err := s.insert(t.Context(), 10, 1); err != nil {
		t.Fatal(err)
	}
	rows := count()
	tx, err := place.Open(t).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `INSERT INTO rows VALUES (11, 1)`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.insert(t.Context(), 11, 1) }()
	program.Soon(t, 20*time.Second, "somebody waits for a lock", func() bool {
		return single(t, place, `SELECT count(pg_terminate_backend(pid))::text FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`) != "0"
	})
	if err := <-done; err == nil || fault.From(err).Code != fault.Unavailable || fault.From(err).Unknown {
		t.Errorf("ended while it waited: %v, unknown %t", err, fault.From(err).Unknown)
	}
	if err := tx.Rollback(); err != nil || count() != rows {
		t.Errorf("%v, there are %s rows, not %s", err, count(), rows)
	}
}

// listening stands before a server: it counts what clients say, and hangs up.
type listening struct {
	messages atomic.Int64
	cut      atomic.Bool // at the next word of a client
	passes   bool        // which the server gets, but no answer comes back
}

func (l *listening) pass(client net.Conn, server *net.TCPConn) {
	defer func() { _, _ = client.Close(), server.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		l.messages.Add(1)
		cut := l.cut.Load()
		if cut {
			_ = client.Close()
		}
		if !cut || l.passes {
			if _, err := server.Write(buffer[:n]); err != nil {
				return
			}
		}
		if cut {
			_ = server.CloseWrite() // it reads all that was sent
			_, _ = io.Copy(io.Discard, server)
			return
		}
	}
}
