package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
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

// TestReloadOfASourceThatRefuses: what is served is not given up for settings of a source
// that its server refuses; the refusal names the source and why. A source whose settings
// are as they were holds up nothing, whatever its server says just now.
func TestReloadOfASourceThatRefuses(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	role := "reader_" + db.Name
	db.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL); INSERT INTO notes VALUES (1, 'acme');
		CREATE ROLE `+role+` LOGIN PASSWORD 'first'; GRANT SELECT ON notes TO `+role)
	owner := db.Open(t)
	t.Cleanup(func() { // the test's own context has ended by then
		if _, err := owner.ExecContext(context.Background(), "DROP OWNED BY "+role+" CASCADE; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	for _, password := range []string{"first", "second", "wrong"} {
		program.WriteFile(t, filepath.Join(dir, password), password)
	}
	text := func(password, label string) string {
		return fmt.Sprintf(`
sources:
  shop: {kind: postgres, host: %s, port: %d, database: %s, user: %s, password: {file: %s}, sslmode: disable}
strategies:
  shared: {kind: shared, source: shop}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
datasets:
  notes: {tenant: tenant, key: id, label: %q, columns: {id: Int!, tenant: String!}}
`, db.Host, db.Port, db.Name, role, password, label)
	}
	read := func(text string) *config.Config {
		t.Helper()
		cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	var log lines
	g, err := gateway.New(t.Context(), read(text("first", "a")), gateway.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	token := program.Sign(t, `{"tenant": "acme"}`)
	serves := func(label string, failed int) {
		t.Helper()
		want := fmt.Sprintf(`200 {"data":{"notes":[{"id":1}],"dataset":{"label":%q}}}`, label)
		if got := (gate{g}).query(t, token, `{ notes { id } dataset(name: "notes") { label } }`); got != want {
			t.Errorf("%s; want %s", got, want)
		}
		metrics := operators(t, g, "/metrics")
		for _, line := range []string{fmt.Sprintf("usher_config_reload_failed %d", failed), `usher_source_unreached{source="shop"} 0`} {
			if !strings.Contains(metrics, line+"\n") {
				t.Errorf("the metrics do not say %s", line)
			}
		}
	}
	serves("a", 0)

	at := fmt.Sprintf("port: %d", db.Port)
	for name, c := range map[string]struct{ text, why string }{
		"a wrong password":             {text("wrong", "b"), "does not accept the user, the password"},
		"no such database":             {strings.Replace(text("first", "b"), "database: ", "database: no_", 1), "there is no database of that name"},
		"no such host":                 {strings.Replace(text("first", "b"), "host: "+db.Host, "host: nowhere.invalid", 1), "the server cannot be reached"},
		"nothing listens there":        {strings.Replace(text("first", "b"), at, "port: 1", 1), "the server cannot be reached"},
		"a wrong writer":               {strings.Replace(text("first", "b"), at, at+", writer: {user: nobody_here, password: {env: PG}}", 1), "does not accept the user, the password"},
		"a file in a database's place": {strings.Replace(text("first", "b"), "{kind: postgres, host", "{kind: duckdb, path: none.duckdb} #", 1), "no such file"},
	} {
		err := g.Reload(t.Context(), read(c.text))
		if err == nil || !strings.Contains(err.Error(), "usher.yml:3:3: sources.shop: ") || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
		}
		serves("a", 1)
	}

	db.Exec(t, "ALTER ROLE "+role+" NOLOGIN") // the server refuses what it took before
	if err := g.Reload(t.Context(), read(text("first", "c"))); err != nil {
		t.Errorf("a source that is as it was: %v", err)
	}
	told := func(n int) bool {
		return strings.Contains(operators(t, g, "/metrics"), fmt.Sprintf("usher_source_unreached{source=\"shop\"} %d\n", n)) &&
			strings.Contains(operators(t, g, "/health/ready"), `"unreached":["shop"]`) == (n == 1)
	}
	if !told(1) || !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "(28000)") {
		t.Errorf("a source that refuses usher, and was reached before: %s\n%s", operators(t, g, "/health/ready"), log.String())
	}
	db.Exec(t, "ALTER ROLE "+role+" LOGIN")
	await(t, func() bool { return told(0) })
	db.Exec(t, "ALTER ROLE "+role+" NOLOGIN")
	if err := g.Reload(t.Context(), read(strings.Replace(text("first", "d"), at, at+", timeout: 10s", 1))); err == nil {
		t.Error("another setting of a source that refuses is served")
	}
	db.Exec(t, "ALTER ROLE "+role+" LOGIN PASSWORD 'second'")
	if err := g.Reload(t.Context(), read(text("second", "c"))); err != nil {
		t.Errorf("a password that is right: %v", err)
	}
	serves("c", 0)
}

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestReloadWithoutAFile: a reload says that a file is not there any more, or holds something else, until it is back.
func TestReloadWithoutAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, moved := filepath.Join(dir, "shop.duckdb"), filepath.Join(dir, "moved.duckdb")
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, file, "CREATE TABLE notes AS SELECT 1 AS id, 'acme' AS tenant")
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(`
sources: {shop: {kind: duckdb, path: shop.duckdb}}
strategies: {shared: {kind: shared, source: shop}}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
datasets:
  notes: {tenant: tenant, key: id, columns: {id: Int, tenant: String}}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	var log lines
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	for name, breaks := range map[string]func(){
		"it was moved away":       func() {},
		"it was replaced by text": func() { program.WriteFile(t, file, "no database") },
	} {
		if err := os.Rename(file, moved); err != nil {
			t.Fatal(err)
		}
		breaks()
		if err := g.Reload(t.Context(), cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := g.Unreached(); !slices.Equal(got, []string{"shop"}) || !strings.Contains(log.String(), "a source that was reached before could not be looked into") {
			t.Errorf("%s: unreached are %v\n%s", name, got, log.String())
		}
		if err := os.Rename(moved, file); err != nil {
			t.Fatal(err)
		}
		await(t, func() bool { return len(g.Unreached()) == 0 })
		if got, want := (gate{g}).query(t, program.Sign(t, `{"tenant": "acme"}`), `{ notes { id } }`), `200 {"data":{"notes":[{"id":1}]}}`; got != want {
			t.Errorf("%s: when it is back: %s", name, got)
		}
	}
}
