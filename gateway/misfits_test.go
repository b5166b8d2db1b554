package gateway_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/inspect"
	"usher/pgtest"
	"usher/test/program"
)

const misfits = `
server: {misfits: %s}
issuers:
  app: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant, roles: /roles}, may_grant: {roles: [all]}}
sources: {shop: {kind: postgres, host: %s, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}}
strategies: {all: {kind: shared, source: shop}}
roles: {all: {datasets: {orders: {}, customers: {filter: {name: {neq: x}}}, events: {}}}}
datasets:
  orders:
    tenant: tenant
    columns: {id: BigInt!, tenant: String!, customer: BigInt}
    relations: {shopper: {to: customers, on: {customer: id}}}
  customers: {tenant: tenant, columns: {id: BigInt!, tenant: String!, name: String}}
  events: {tenant: tenant, columns: {id: BigInt!, tenant: String!}}
`

// TestDatasetsThatDoNotFit: where the configuration says so, a dataset that a migration has taken a column of holds up no
// other, at a start and at a reload, and is served again when it fits.
func TestDatasetsThatDoNotFit(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE customers (id bigint PRIMARY KEY, tenant text NOT NULL, name text);
		CREATE TABLE orders (id bigint PRIMARY KEY, tenant text NOT NULL, customer bigint);
		CREATE TABLE events (id bigint PRIMARY KEY, tenant text NOT NULL);
		INSERT INTO customers VALUES (1, 'a', 'Ann'), (2, 'b', 'Bob');
		INSERT INTO orders VALUES (10, 'a', 1), (20, 'b', 2);
		INSERT INTO events VALUES (7, 'a'), (8, 'b')`)
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	parse := func(how string) (*config.Config, error) {
		return config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, misfits, how, db.Host, db.Port, db.Name, db.User), controlledEnv(db))
	}
	open := func(how string) (*gateway.Gateway, error) {
		cfg, err := parse(how)
		if err != nil {
			t.Fatal(err)
		}
		g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
		if err == nil {
			t.Cleanup(func() { _ = g.Close() })
		}
		return g, err
	}
	token := program.Sign(t, `{"tenant": "a", "roles": ["all"]}`)
	const whole = `200 {"data":{"orders":[{"id":10,"shopper":{"name":"Ann"}}],"customers":[{"name":"Ann"}],"events":[{"id":7}]}}`
	const all = `{ orders { id shopper { name } } customers { name } events { id } }`
	running, err := open("leave_out")
	if err != nil {
		t.Fatal(err)
	}
	if got := (gate{running}).query(t, token, all); got != whole {
		t.Fatal(got)
	}

	db.Exec(t, `ALTER TABLE customers RENAME name TO called`)
	if _, err := open("refuse"); err == nil || !strings.Contains(err.Error(), "customers.columns.name") {
		t.Errorf("it is served though a column is gone: %v", err)
	}
	started, err := open("leave_out")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := parse("leave_out")
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Reload(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if found, err := inspect.Check(t.Context(), cfg); err != nil || !strings.Contains(strings.Join(found.Problems, " "), "customers.columns.name") {
		t.Errorf("check finds %v, %v", found.Problems, err)
	}
	for name, g := range map[string]gate{"a start": {started}, "a reload": {running}} {
		for _, text := range []string{`{ customers { id } }`, `{ orders { shopper { id } } }`, all} {
			if got := g.query(t, token, text); !strings.HasPrefix(got, "503 ") || strings.Contains(got, "Ann") || !strings.Contains(got, "does not fit what its source holds") {
				t.Errorf("%s: %s: %s", name, text, got)
			}
		}
		if got, want := g.query(t, token, `{ orders { id } events { id } }`), `200 {"data":{"orders":[{"id":10}],"events":[{"id":7}]}}`; got != want {
			t.Errorf("%s: the others are answered %s", name, got)
		}
		if got := operators(t, g.Gateway, "/metrics"); !strings.Contains(got, "usher_datasets_unfit 1\n") {
			t.Errorf("%s: it is not counted", name)
		}
		if got := operators(t, g.Gateway, "/health/ready"); !strings.HasPrefix(got, "200") || !strings.Contains(got, `"unfit":{"customers":"`) {
			t.Errorf("%s: operators are told: %s", name, got)
		}
	}

	db.Exec(t, `ALTER TABLE customers RENAME called TO name`)
	for name, g := range map[string]gate{"a start": {started}, "a reload": {running}} {
		await(t, func() bool { return len(g.Unfit()) == 0 })
		if got := g.query(t, token, all); got != whole {
			t.Errorf("%s: when it fits again: %s", name, got)
		}
	}
}
