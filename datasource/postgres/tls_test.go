package postgres_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource/pool"
	"usher/datasource/postgres"
	"usher/fault"
	"usher/pgtest"
)

func rootFile(t *testing.T, cert string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.crt")
	if err := os.WriteFile(path, []byte(cert), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	db := server.Database(t)
	cert, key := pgtest.Certificate(t)
	db.Encrypt(t, cert, key)
	other, _ := pgtest.Certificate(t)
	root, otherRoot := rootFile(t, cert), rootFile(t, other)
	for _, c := range []struct {
		host, mode, root string
		accepted         bool
	}{
		{"127.0.0.1", "verify-full", root, true},
		{"127.0.0.1", "", root, true},
		{"localhost", "verify-full", root, false},
		{"localhost", "verify-ca", root, true},
		{"127.0.0.1", "verify-full", otherRoot, false},
		{"127.0.0.1", "verify-ca", otherRoot, false},
		{"127.0.0.1", "verify-full", "", false},
		{"127.0.0.1", "verify-ca", "", false},
		{"127.0.0.1", "require", "", true},
	} {
		spec := specOf(db)
		spec.Host, spec.SSLMode, spec.RootCert = c.host, c.mode, c.root
		source := open(t, spec, postgres.Options{})
		if c.accepted {
			want(t, source, "true", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
			continue
		}
		_, err := ask(t.Context(), source, true, 1, "SELECT 1")
		wantFault(t, err, fault.Unavailable)
		if err != nil && !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%+v: %v", c, err)
		}
	}

	// Deadlines and canceling work through TLS as well.
	spec := specOf(db)
	spec.SSLMode = "require"
	source := open(t, spec, postgres.Options{})
	within(t, "live", func(ctx context.Context) error {
		_, err := ask(ctx, source, true, 1, "SELECT 'marker'::text, pg_sleep(60) IS NULL")
		return err
	})
	gone(t, db.Open(t), "marker")
	want(t, source, "1", "SELECT 1")
	server.Freeze(t)
	for range 2 { // on the idle connection, and on a new one
		within(t, "frozen", func(ctx context.Context) error {
			_, err := ask(ctx, source, true, 1, "SELECT 1")
			return err
		})
	}
	server.Thaw(t)
	want(t, source, "1", "SELECT 1")
}

// Two accounts are the same in all that their connections are made of, or they are not: a file of authorities counts
// for what it holds.
func TestSame(t *testing.T) {
	t.Parallel()
	cert, _ := pgtest.Certificate(t)
	other, _ := pgtest.Certificate(t)
	root, copied, more := rootFile(t, cert), rootFile(t, cert), rootFile(t, cert)
	shared := pool.New(pool.Limits{})
	t.Cleanup(shared.Close)
	account := func(change func(*catalog.PostgresSpec, *postgres.Options)) *postgres.DB {
		t.Helper()
		spec := catalog.PostgresSpec{Host: "db.example", Database: "shop", User: "usher", Password: "a", RootCert: root, SSLMode: "verify-full"}
		opts := postgres.Options{Pool: shared}
		if change != nil {
			change(&spec, &opts)
		}
		db, err := postgres.Open(spec, opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	first, later := account(nil), account(func(s *catalog.PostgresSpec, _ *postgres.Options) { s.RootCert = more })
	if !first.Same(account(nil)) || !first.Same(first) {
		t.Error("the same account is another")
	}
	if !first.Same(account(func(s *catalog.PostgresSpec, o *postgres.Options) {
		s.Port, o.Timeout = 5432, 30*time.Second // as without saying so
		s.Cells = map[string]catalog.Cell{"a": {Host: "elsewhere"}}
	})) {
		t.Error("defaults, and cells that the account is not in, make another account")
	}
	for what, change := range map[string]func(*catalog.PostgresSpec, *postgres.Options){
		"host": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.Host = "db2.example" }, "port": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.Port = 5433 },
		"database": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.Database = "b" }, "user": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.User = "b" },
		"password": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.Password = "b" }, "mode": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.SSLMode = "require" },
		"no TLS": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.SSLMode = "disable" }, "the system's authorities": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.RootCert = "" },
		"file": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.RootCert = copied }, "limit": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.MaxConns = 3 },
		"hosts": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.Host = "db.example,db2.example" }, "lag": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.MaxLag = time.Second },
		"pooler": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.Pooler = catalog.SessionPooler }, "pipelining": func(s *catalog.PostgresSpec, _ *postgres.Options) { s.NoPipelining = true },
		"writes": func(_ *catalog.PostgresSpec, o *postgres.Options) { o.Writes = true }, "traces": func(_ *catalog.PostgresSpec, o *postgres.Options) { o.Traces = true },
		"timeout": func(_ *catalog.PostgresSpec, o *postgres.Options) { o.Timeout = time.Second }, "schema": func(_ *catalog.PostgresSpec, o *postgres.Options) { o.Schema = "b" },
		"path": func(_ *catalog.PostgresSpec, o *postgres.Options) { o.SearchPath = []string{"b"} }, "role": func(_ *catalog.PostgresSpec, o *postgres.Options) { o.Session.Role = "b" },
		"setting": func(_ *catalog.PostgresSpec, o *postgres.Options) {
			o.Session.Settings = []catalog.Setting{{Name: "usher.tenant", Value: "acme"}}
		},
		"pool": func(_ *catalog.PostgresSpec, o *postgres.Options) { o.Pool = nil },
	} {
		if db := account(change); first.Same(db) || db.Same(first) {
			t.Errorf("another %s makes no other account", what)
		}
	}
	if err := os.WriteFile(more, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if later.Same(account(func(s *catalog.PostgresSpec, _ *postgres.Options) { s.RootCert = more })) {
		t.Error("other authorities in the same file make no other account")
	}
}
