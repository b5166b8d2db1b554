package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"usher/pgtest"
	"usher/test/program"
)

const killedConfig = `
server: {admin_listen: "127.0.0.1:0", drain: 0s}
sources:
  shop: {kind: postgres, host: %q, port: %d, database: %q, user: %q, password: {file: password}, sslmode: disable}
strategies:
  shared: {kind: shared, source: shop}
issuers:
  tests:
    issuer: tests
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    tenants: trusted
    claims: {tenant: /tenant}
    may_grant: {write: true}
datasets:
  notes:
    tenant: tenant
    key: id
    writable: true
    columns: {id: Int!, tenant: String!, text: String}
`

const killedTables = `
CREATE TABLE notes (id int NOT NULL, tenant text NOT NULL, text text, PRIMARY KEY (tenant, id));
INSERT INTO notes VALUES (1, 'acme', 'hello');
CREATE TABLE probes (n int);
CREATE SCHEMA usher;
CREATE TABLE usher.idempotency (tenant text NOT NULL, subject text NOT NULL, key text NOT NULL, asked text NOT NULL, answer text, made_at timestamptz NOT NULL, PRIMARY KEY (tenant, subject, key));`

// launchWriting starts usher in front of a database whose notes are written.
func launchWriting(t *testing.T, db pgtest.DB) *process {
	t.Helper()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.WriteFile(t, filepath.Join(dir, "password"), db.Password)
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, fmt.Sprintf(killedConfig, db.Host, db.Port, db.Name, db.User))
	return launch(t, config, "127.0.0.1:0", t.Output())
}

// mutate sends twoNotes as acme's under one key, and returns its answer or what became of the
// request.
func (p *process) mutate(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+"/graphql", strings.NewReader(`{"query": "`+twoNotes+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k")
	r.Header.Set("Authorization", "Bearer "+program.Sign(t, `{"tenant": "acme", "sub": "ann"}`))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "lost"
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "lost"
	}
	return string(body)
}

const (
	twoNotes = `mutation { insertNotesOne(row: {id: 2, text: \"new\"}) { id } updateNotesByPk(id: 1, set: {text: \"changed\"}) { text } }`
	bothDone = `{"data":{"insertNotesOne":{"id":2},"updateNotesByPk":{"text":"changed"}}}`
)

// TestKilledWhileItWrites: usher is killed between the changes of one mutation. Nothing of it is
// done; another usher makes it under the same key, once.
func TestKilledWhileItWrites(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, killedTables)
	rows := db.Open(t)
	has := func() (text string) {
		t.Helper()
		if err := rows.QueryRowContext(t.Context(), "SELECT coalesce(string_agg(id || ' ' || text, ', ' ORDER BY id), '') || (SELECT ' / ' || count(*) FROM usher.idempotency) FROM notes").Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	p := launchWriting(t, db)
	holding, err := rows.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holding.Rollback() }()
	if _, err := holding.ExecContext(t.Context(), "SELECT FROM notes WHERE id = 1 FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	answered := make(chan string, 1)
	go func() { answered <- p.mutate(t) }()
	program.Soon(t, program.Patience, "the mutation waits for a row", func() bool { return waits(t, rows, "transactionid") == 1 })
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if got := <-answered; got != "lost" {
		t.Errorf("a mutation that was cut off is answered %s", got)
	}
	if err := holding.Rollback(); err != nil {
		t.Fatal(err)
	}
	program.Soon(t, program.Patience, "nobody is connected any more", func() bool {
		var others int
		err := rows.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'").Scan(&others)
		return err == nil && others == 0
	})
	if got := has(); got != "1 hello / 0" {
		t.Errorf("after usher was killed there is %s", got)
	}
	p = launchWriting(t, db)
	for range 2 {
		if got := p.mutate(t); got != bothDone {
			t.Errorf("sent again: %s", got)
		}
	}
	if got := has(); got != "1 changed, 2 new / 1" {
		t.Errorf("after it was sent again there is %s", got)
	}
}

// TestServerKilledWhileItCommits: the database is killed while it commits. Nobody knows whether the
// mutation was made, and the answer says so; under its key it is answered, and made once.
func TestServerKilledWhileItCommits(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	db := server.Database(t)
	db.Exec(t, killedTables)
	db.Exec(t, "ALTER DATABASE "+pq.QuoteIdentifier(db.Name)+" SET synchronous_commit = on")
	p := launchWriting(t, db)
	rows := db.Open(t)
	// A commit waits for a standby that there is not.
	db.Exec(t, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
	db.Exec(t, "SELECT pg_reload_conf()")
	probing := db.Open(t)
	probed := make(chan struct{})
	go func() { // until one has to wait, and then until the server is killed
		defer close(probed)
		for {
			if _, err := probing.ExecContext(t.Context(), "INSERT INTO probes DEFAULT VALUES"); err != nil {
				return
			}
		}
	}()
	program.Soon(t, program.Patience, "commits wait", func() bool { return waits(t, rows, "SyncRep") == 1 })
	answered := make(chan string, 1)
	go func() { answered <- p.mutate(t) }()
	program.Soon(t, program.Patience, "the mutation is committed", func() bool { return waits(t, rows, "SyncRep") == 2 })
	server.Crash(t)
	<-probed
	if got := <-answered; !strings.Contains(got, `"UNAVAILABLE"`) || !strings.Contains(got, `"unknown":true`) {
		t.Errorf("a mutation of which nobody knows is answered %s", got)
	}
	server.Recover(t)
	rows = db.Open(t)
	local := func(text string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, err := rows.ExecContext(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	local("ALTER SYSTEM RESET synchronous_standby_names")
	local("SELECT pg_reload_conf()")
	program.Soon(t, program.Patience, "it is answered under its key", func() bool { return p.mutate(t) == bothDone })
	var made string
	if err := rows.QueryRowContext(t.Context(), "SELECT string_agg(id || ' ' || text, ', ' ORDER BY id) || (SELECT ' / ' || count(*) FROM usher.idempotency) FROM notes").Scan(&made); err != nil {
		t.Fatal(err)
	}
	if made != "1 changed, 2 new / 1" {
		t.Errorf("there is %s", made)
	}
}

// waits is how many others wait in the database for something.
func waits(t *testing.T, db *sql.DB, event string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND wait_event = $1", event).Scan(&n); err != nil {
		return -1
	}
	return n
}
