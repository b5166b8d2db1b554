package gateway_test

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// backends are who usher is signed in as to a database, by process of the server.
func backends(t *testing.T, db pgtest.DB) map[int]string {
	t.Helper()
	pool := db.Open(t)
	defer func() { _ = pool.Close() }()
	rows, err := pool.QueryContext(t.Context(), "SELECT pid, usename FROM pg_stat_activity WHERE datname = $1 AND application_name = 'usher'", db.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := make(map[int]string)
	for rows.Next() {
		var pid int
		var user string
		if err := rows.Scan(&pid, &user); err != nil {
			t.Fatal(err)
		}
		out[pid] = user
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestReloadKeepsConnections: what is the same in two configurations keeps its connections, and has no others beside
// them; what differs in anything that they are made of has new ones, and the old ones end.
func TestReloadKeepsConnections(t *testing.T) {
	t.Parallel()
	db := pgtest.StartOwn(t).Database(t)
	cert, key := pgtest.Certificate(t)
	other, _ := pgtest.Certificate(t)
	db.Encrypt(t, cert, key)
	db.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text); INSERT INTO notes VALUES (1, 'acme', 'a'), (2, 'globex', 'b');
		CREATE SCHEMA acme; CREATE TABLE acme.logs (id int PRIMARY KEY); INSERT INTO acme.logs VALUES (11);
		CREATE SCHEMA globex; CREATE TABLE globex.logs (id int PRIMARY KEY); INSERT INTO globex.logs VALUES (22);
		CREATE ROLE reader LOGIN PASSWORD 'first'; CREATE ROLE writer LOGIN PASSWORD 'first'; GRANT ALL ON notes TO reader, writer;`)
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": program.Secret, "password": "first", "first": "first", "root.crt": cert} {
		program.WriteFile(t, filepath.Join(dir, name), text)
	}
	base := fmt.Sprintf(`
pools: {idle: 1h}
sources:
  shop: {kind: postgres, host: %[1]s, port: %[2]d, database: %[3]s, user: reader, password: {file: password}, sslmode: verify-full, root_cert: root.crt}
  own: {kind: postgres, template: true, host: %[1]s, port: %[2]d, database: %[3]s, user: %[4]s, password: {env: PG}, sslmode: require}
strategies:
  mixed: {kind: shared, source: shop, datasets: {logs: own}}
tenants:
  acme: {accounts: {own: {schema: acme}}}
  globex: {accounts: {own: {schema: globex}}}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}, may_grant: {write: true}}
datasets:
  notes: {tenant: tenant, key: id, writable: true, global_keys: true, label: "Notes", columns: {id: Int!, tenant: String!, text: String}}
  logs: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!}, bind: {own: {columns: {tenant: ~}}}}
`, db.Host, db.Port, db.Name, db.User)
	read := func(text string) *config.Config {
		t.Helper()
		cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	made, err := gateway.New(t.Context(), read(base), gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	g := gate{made}
	use := func() {
		t.Helper()
		for tenant, want := range map[string]string{"acme": `"notes":[{"id":1}],"logs":[{"id":11}]`, "globex": `"notes":[{"id":2}],"logs":[{"id":22}]`} {
			token := program.Sign(t, `{"tenant": "`+tenant+`"}`)
			if got := g.query(t, token, "{ notes { id } logs { id } }"); got != "200 {\"data\":{"+want+"}}" {
				t.Errorf("%s: %s", tenant, got)
			}
			if got := g.query(t, token, `mutation { updateNotes(where: {id: {lte: 2}}, set: {text: "c"}) { affected } }`); got != `200 {"data":{"updateNotes":{"affected":1}}}` {
				t.Errorf("%s: %s", tenant, got)
			}
		}
	}
	// settled are the connections when those are gone that are about to be: of looking into sources, and of what was served before.
	settled := func(want int) map[int]string {
		t.Helper()
		now := backends(t, db)
		await(t, func() bool {
			now = backends(t, db)
			return len(now) == want
		})
		return now
	}
	reload := func(text string) {
		t.Helper()
		if err := g.Reload(t.Context(), read(text)); err != nil {
			t.Fatal(err)
		}
	}
	const shop, all = 2, 4 // those that read and write together; and one for each of two tenants beside them
	use()
	before := settled(all)

	label := strings.Replace(base, `"Notes"`, `"Memos"`, 1)
	for n := range 50 {
		reload([]string{label, base}[n%2])
		if n%10 == 0 {
			if now := settled(all); !maps.Equal(now, before) { // nobody has asked anything yet
				t.Fatalf("%v became %v", before, now)
			}
			use()
		}
	}
	if now := settled(all); !maps.Equal(now, before) {
		t.Errorf("after 50 times %v became %v", before, now)
	}

	shopIs := func(more string) string {
		return strings.Replace(base, "root_cert: root.crt", "root_cert: root.crt, "+more, 1)
	}
	for _, c := range []struct{ what, text string }{
		{"a limit", shopIs("max_conns: 5")},
		{"a time limit", shopIs("timeout: 20s")},
		{"a setting of sessions", shopIs("session: {settings: {app.name: usher}}")},
		{"where functions look names up", shopIs("search_path: [public]")},
		{"how statements are sent", shopIs("pipelining: false")},
		{"who writes", shopIs("writer: {user: writer, password: {file: first}}")},
		{"how the certificate is judged", strings.Replace(base, "verify-full", "verify-ca", 1)},
		{"which file has the authorities", base},
		{"the password", base},
	} {
		reload(base)
		use()
		was := settled(all)
		switch c.what {
		case "which file has the authorities": // the same file
			program.WriteFile(t, filepath.Join(dir, "root.crt"), cert+other)
		case "the password":
			db.Exec(t, "ALTER ROLE reader PASSWORD 'second'")
			program.WriteFile(t, filepath.Join(dir, "password"), "second")
		}
		reload(c.text)
		use()
		kept := 0
		now := settled(all)
		for pid, user := range now {
			if was[pid] != user {
				continue
			}
			kept++
			if user != db.User {
				t.Errorf("%s: a connection of %s is there still", c.what, user)
			}
		}
		if kept != all-shop {
			t.Errorf("%s: %d connections are there still, of %v and then %v", c.what, kept, was, now)
		}
		if c.what == "who writes" && !slices.Contains(slices.Collect(maps.Values(now)), "writer") {
			t.Errorf("nobody is the writer: %v", now)
		}
	}

	// Who is no tenant any more leaves nothing in use, and the others theirs.
	was := settled(all)
	reload(strings.Replace(base, "port: "+fmt.Sprint(db.Port)+", database: "+db.Name+", user: "+db.User, "timeout: 9s, port: "+fmt.Sprint(db.Port)+", database: "+db.Name+", user: "+db.User, 1))
	for pid, user := range settled(shop) {
		if was[pid] != user || user == db.User {
			t.Errorf("%d of %s was not there, or is not to be", pid, user)
		}
	}
	if err := made.Close(); err != nil {
		t.Error(err)
	}
	settled(0)
}

// TestReloadHasNoMoreConnections: while a source is asked all the time and configurations follow one another, no answer is
// lost, and there are no more connections than the source may have, but for those that look into it.
func TestReloadHasNoMoreConnections(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, "CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text); INSERT INTO notes VALUES (1, 'acme', 'a')")
	const most, clients = 6, 12
	source := fmt.Sprintf("{kind: postgres, host: %s, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable, max_conns: %d}", db.Host, db.Port, db.Name, db.User, most)
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	read := func(n int) *config.Config {
		t.Helper()
		text := strings.NewReplacer("{kind: duckdb, path: shop.duckdb}", source, fmt.Sprintf("    filter: {id: {lte: %d}}\n", 1+n%2), "").Replace(generation(n))
		cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	made, err := gateway.New(t.Context(), read(0), gateway.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	token, done := program.Sign(t, `{"tenant": "acme"}`), make(chan struct{})
	var load sync.WaitGroup
	for range clients {
		load.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if got := (gate{made}).query(t, token, "{ notes { id } }"); got != `200 {"data":{"notes":[{"id":1}]}}` {
					t.Error(got)
					return
				}
			}
		})
	}
	seen := 0
	for n := range 20 {
		if err := made.Reload(t.Context(), read(1+n)); err != nil {
			t.Error(err)
		}
		seen = max(seen, len(backends(t, db)))
	}
	close(done)
	load.Wait()
	if seen > most+3 || seen < 2 { // what has looked into the source may be about to end
		t.Errorf("there were %d connections", seen)
	}
}
