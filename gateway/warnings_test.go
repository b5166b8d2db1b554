package gateway_test

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/lib/pq"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// TestServedWithWarnings: what of a configuration cannot be done though it is served is told by the log, at a start and at
// a reload, and to whoever has it read again, with what to do; once that is done nothing is told.
func TestServedWithWarnings(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	db, store := server.Database(t), server.Database(t)
	role := db.Name + "_app"
	db.Exec(t, `
		CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text);
		CREATE TABLE events (id int PRIMARY KEY, tenant text NOT NULL, at text);
		CREATE ROLE `+role+` LOGIN PASSWORD `+pq.QuoteLiteral(db.Password)+`;
		REVOKE TEMPORARY ON DATABASE `+db.Name+` FROM PUBLIC;
		GRANT SELECT ON notes, events TO `+role)
	gap := newGap(t, db)
	dir := t.TempDir()
	program.WriteFile(t, dir+"/secret", program.Secret)
	file := dir + "/usher.yml"
	far := "far: {kind: shared, source: lake}"
	write := func(writable string) {
		t.Helper()
		program.WriteFile(t, file, fmt.Sprintf(`
server: {misfits: leave_out}
control:
  %s
  key: {id: a, secret: {env: KEY}}
issuers:
  app: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}
  lake: {kind: postgres, host: 127.0.0.1, port: %[5]d, database: %[3]q, user: %[7]q, password: {env: PG}, sslmode: disable}
strategies: {all: {kind: shared, source: shop, datasets: {events: lake}}, %[8]s}
default_strategy: all
datasets:
  notes: {tenant: tenant, key: id, global_keys: true, writable: %[6]s}
  events: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, at: String}}
`, inPostgres(store), db.Port, db.Name, role, gap.port, writable, db.User, far))
	}
	read := func() (*config.Config, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		return config.Parse(file, text, controlledEnv(db))
	}
	write("[insert]")
	cfg, err := read()
	if err != nil {
		t.Fatal(err)
	}
	var log lines
	opened, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Read: read, Patience: program.Patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	lacks := func(privilege string) string {
		return `role ` + role + ` lacks ` + privilege + ` on public.notes`
	}
	program.Soon(t, program.Patience, "the start tells what the account lacks", func() bool { return strings.Contains(log.String(), lacks("INSERT")) })
	g := gate{opened}
	root := g.bootstrap(t)
	reload := func(want, not []string) {
		t.Helper()
		got := g.query(t, root, `mutation { admin { reload { served problems warnings } } }`)
		if !strings.HasPrefix(got, `200 {"data":{"admin":{"reload":{"served":true,"problems":[],`) {
			t.Fatal(got)
		}
		for _, text := range []string{got, g.query(t, root, `{ admin { configuration { warnings } } }`)} {
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not told: %s", w, text)
				}
			}
			for _, n := range not {
				if strings.Contains(text, n) {
					t.Errorf("%q is told: %s", n, text)
				}
			}
		}
	}
	silent := "sources.lake: it could not be looked into"
	reload([]string{silent, lacks("INSERT"), "GRANT INSERT", "TEMPORARY"}, []string{lacks("UPDATE"), "connection refused"})
	write("[insert, update]")
	reload([]string{silent, lacks("INSERT"), lacks("UPDATE")}, nil)
	program.Soon(t, program.Patience, "a reload tells what the account lacks", func() bool { return strings.Contains(log.String(), lacks("UPDATE")) })
	db.Exec(t, `GRANT INSERT, UPDATE ON notes TO `+role+`; GRANT TEMPORARY ON DATABASE `+db.Name+` TO `+role)
	gap.open(t)
	program.Soon(t, program.Patience, "the source is reached", func() bool { return len(opened.Unreached()) == 0 })
	g.check(t, root, `mutation { admin { reload { warnings } } }`, `200 {"data":{"admin":{"reload":{"warnings":[]}}}}`)
	db.Exec(t, `REVOKE SELECT ON notes FROM `+role) // the other source serves it still
	reload([]string{"datasets.notes: shop served it before"}, []string{"datasets.events"})
	db.Exec(t, `GRANT SELECT ON notes TO `+role)
	program.Soon(t, program.Patience, "the source serves it again", func() bool { return strings.Contains(log.String(), "serves a dataset again") })
	g.check(t, root, `{ admin { configuration { warnings } } }`, `200 {"data":{"admin":{"configuration":{"warnings":[]}}}}`)
	far = "far: {kind: shared, source: shop}" // nothing leads to the notes there any more
	write("[insert, update]")
	g.check(t, root, `mutation { admin { reload { warnings } } }`, `200 {"data":{"admin":{"reload":{"warnings":[]}}}}`)
	db.Exec(t, `ALTER TABLE events DROP COLUMN at`)
	reload([]string{"until it fits the dataset events is refused", "datasets.events.columns.at"}, nil)
}
