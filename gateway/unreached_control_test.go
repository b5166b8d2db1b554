package gateway_test

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// A source of all tenants' rows that is there, one with a database for each tenant and one of
// events that are not, and a control store.
const partly = `
control:
  %s
  key: {id: a, secret: {env: KEY}}
issuers:
  app: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: registered, claims: {tenant: /tenant, filters: /f, datasets: /d, roles: /r}, may_grant: {roles: [all]}}
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}
  silo: {kind: postgres, host: 127.0.0.1, port: %d, database: %[3]q, user: %[4]q, password: {env: PG}, template: true, allow_hosts: [127.0.0.1], sslmode: disable}
  lake: {kind: postgres, host: 127.0.0.1, port: %[5]d, database: %[3]q, user: %[4]q, password: {env: PG}, sslmode: disable, cells: {c1: {host: 127.0.0.1}}}
strategies: {all: {kind: shared, source: shop, datasets: {events: lake, visits: lake}}, own: {kind: database, source: silo}, far: {kind: shared, source: lake}}
default_strategy: all
datasets:
  notes: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, text: String}}
  events: {tenant: tenant, key: id}
  visits: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, state: {type: Enum}}, bind: {legacy: {source: lake, table: visits}}}
roles:
  all: {datasets: {notes: {}, events: {}, visits: {}}}
`

// While sources are not there, what administrators do that leads to none of them is done,
// and what does is refused with the name of the source, and when to come back. Tokens, roles and dashboards
// that speak of such datasets among others go on for the others.
func TestAdministeringWhileASourceIsDown(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	db, store := server.Database(t), server.Database(t)
	db.Exec(t, `
		CREATE TYPE state AS ENUM ('new', 'seen');
		CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text);
		CREATE TABLE events (id int PRIMARY KEY, tenant text NOT NULL, at text);
		CREATE TABLE visits (id int PRIMARY KEY, tenant text NOT NULL, state state NOT NULL);
		INSERT INTO notes VALUES (1, 'acme', 'mine'), (2, 'b', 'theirs');
		INSERT INTO events VALUES (7, 'acme', 'x'), (8, 'b', 'x')`)
	gap := newGap(t, db)
	dir := t.TempDir()
	program.WriteFile(t, dir+"/secret", program.Secret)
	file := dir + "/usher.yml"
	program.WriteFile(t, file, fmt.Sprintf(partly, inPostgres(store), db.Port, db.Name, db.User, gap.port))
	read := func() (*config.Config, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		return config.Parse(file, text, controlledEnv(db))
	}
	cfg, err := read()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Read: read, Patience: program.Patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	g := gate{opened}
	root := g.bootstrap(t)
	create := func(input string) string { return `mutation { admin { createTenant(input: {` + input + `}) { id } } }` }
	done := func(text string) {
		t.Helper()
		if got := g.query(t, root, text); !strings.HasPrefix(got, "200") || strings.Contains(got, "errors") {
			t.Errorf("%s\nis answered %s", text, got)
		}
	}
	// waits expects a refusal for now, which names the source.
	waits := func(who, text, source string) {
		t.Helper()
		if got := g.query(t, who, text); !strings.Contains(got, `"UNAVAILABLE"`) || !strings.Contains(got, source) || !strings.Contains(got, `"retryAfter"`) || !strings.Contains(got, "/health/ready") {
			t.Errorf("%s\nis answered %s", text, got)
		}
	}
	wrong := func(who, text string) {
		t.Helper()
		if got := g.query(t, who, text); !strings.Contains(got, `"BAD_USER_INPUT"`) {
			t.Errorf("%s\nis answered %s", text, got)
		}
	}

	done(create(`id: "acme"`))
	done(create(`id: "b", strategy: "all", weight: 2`))
	done(`mutation { admin { setTenantStrategy(id: "b", strategy: "all", strategies: [{dataset: "notes", strategy: "all"}]) { id } } }`)
	done(create(`id: "f", strategy: "far", strategies: [{dataset: "events", strategy: "own"}]`))
	done(create(`id: "e", strategy: "own"`)) // of a template nothing was to be looked into
	refused := map[string]string{
		create(`id: "c", bindings: [{dataset: "visits", binding: "legacy"}]`):                                                                                                                          "the source lake has",
		create(`id: "c", accounts: [{source: "lake", user: "` + db.User + `"}]`):                                                                                                                       "the source lake has",
		`mutation { admin { setTenantCell(id: "b", cell: "c1") { id } } }`:                                                                                                                             "the source lake has",
		`mutation { admin { putRole(tenant: "acme", name: "some", spec: {datasets: {notes: {columns: ["text"]}, events: {}}}) { name } } }`:                                                            "the source lake has",
		`mutation { createSavedQuery(input: {name: "s", shared: true, document: "{ events { id } }"}) { id } }`:                                                                                        "source",
		`mutation { saveDashboard(name: "d", document: {title: "D", tiles: [{id: "t", query: "{ events { id } }", chart: {kind: "table", rows: "events"}, at: {x: 0, y: 0, w: 6, h: 4}}]}) { name } }`: "source",
	}
	for text, source := range refused {
		waits(root, text, source)
	}
	wrong(root, create(`id: "c", strategy: "none"`))
	wrong(root, create(`id: "c", strategies: [{dataset: "evnts", strategy: "all"}]`))
	wrong(root, `mutation { admin { putRole(tenant: "acme", name: "some", spec: {datasets: {nots: {}}}) { name } } }`)
	wrong(root, `mutation { createSavedQuery(input: {name: "s", shared: true, document: "{ nots { id } }"}) { id } }`)
	done(`mutation { admin { putRole(tenant: "acme", name: "some", spec: {datasets: {notes: {columns: ["text"]}}}) { name } } }`)

	token := func(more string) string { return program.Sign(t, `{"tenant": "acme", "r": ["all"]`+more+`}`) }
	for _, more := range []string{``, `, "d": ["notes", "events"]`, `, "f": [{"dataset": "events", "where": {"id": {"eq": 7}}}]`} {
		if got, want := g.query(t, token(more), `{ notes { text } }`), `200 {"data":{"notes":[{"text":"mine"}]}}`; got != want {
			t.Errorf("%s: %s", more, got)
		}
		if got := g.query(t, token(more), `{ events { id } }`); !strings.HasPrefix(got, "503 ") || strings.Contains(got, "lake") {
			t.Errorf("%s: %s", more, got)
		}
	}
	if got := g.query(t, token(`, "d": ["nots"]`), `{ notes { text } }`); !strings.HasPrefix(got, "403 ") {
		t.Errorf("a token that names what is nowhere: %s", got)
	}
	if err := opened.Reread(t.Context()); err != nil {
		t.Errorf("the same configuration again: %v", err)
	}

	gap.open(t)
	await(t, func() bool { return len(opened.Unreached()) == 0 })
	for text := range refused {
		if !strings.Contains(text, "accounts") {
			done(text)
		}
	}
	if got, want := g.query(t, token(`, "d": ["events"]`), `{ events { id } }`), `200 {"data":{"events":[{"id":7}]}}`; got != want {
		t.Errorf("when it is there: %s", got)
	}
}
