package gateway_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// openConfigured is a gateway with a configuration in a folder, which has the secret beside it.
func openConfigured(t *testing.T, dir, text string, db pgtest.DB) gate {
	t.Helper()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return gate{g}
}

// A label that an enum got while usher runs is no value of the schema's: it is null
// with an entry, in rows and as the key of its group.
func TestLabelThatCameLater(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TYPE state AS ENUM ('open', 'paid');
		CREATE TABLE orders (id int PRIMARY KEY, tenant text NOT NULL, status state);
		INSERT INTO orders VALUES (1, 'acme', 'open'), (2, 'acme', NULL), (3, 'acme', 'paid')`)
	dir := t.TempDir()
	g := openConfigured(t, dir, fmt.Sprintf(`
sources: {pg: {kind: postgres, host: %q, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}}
strategies: {shared: {kind: shared, source: pg}}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
datasets:
  orders: {tenant: tenant, key: id}
`, db.Host, db.Port, db.Name, db.User), db)
	db.Exec(t, `ALTER TYPE state ADD VALUE 'stolen'`)
	db.Exec(t, `UPDATE orders SET status = 'stolen' WHERE id = 3`)
	got := g.query(t, program.Sign(t, `{"tenant": "acme"}`), `{ orders(orderBy: [{id: ASC}]) { id status } ordersAggregate(orderBy: [{count: DESC}]) { key { status } count } }`)
	for _, part := range []string{
		`"orders":[{"id":1,"status":"open"},{"id":2,"status":null},{"id":3,"status":null}]`,
		`"path":["orders",2,"status"]`, `{"key":{"status":"open"},"count":1}`, `"path":["ordersAggregate",`, "that the schema has not",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s lacks %s", got, part)
		}
	}
	if n := strings.Count(got, `{"key":{"status":null},"count":1}`); n != 2 || strings.Contains(got, "stolen") {
		t.Errorf("%d groups of null: %s", n, got)
	}
}

// Databases of tenants, which nobody looks into beforehand, have labels that GraphQL cannot spell as the shared
// one has; what is no label is the caller's mistake there, too.
func TestLabelsOfTenantsDatabases(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	shared, own, texts := server.Database(t), server.Database(t), server.Database(t)
	const table = `; INSERT INTO orders (id, status) VALUES (1, 'open'), (2, 'in progress'), (3, NULL)`
	own.Exec(t, `CREATE TYPE order_state AS ENUM ('open', 'in progress', 'Paid!'); CREATE TYPE size AS ENUM ('small', 'large');
		CREATE TABLE orders (id int PRIMARY KEY, status order_state, was order_state[], size size, ip inet, ips inet[])`+table)
	texts.Exec(t, `CREATE TYPE size AS ENUM ('small', 'large'); CREATE TABLE orders (id int PRIMARY KEY, status text, was text[], size size, ip inet, ips inet[])`+table)
	shared.Exec(t, `CREATE TYPE public.states AS ENUM ('open', 'in progress', 'Paid!'); CREATE TYPE sizes AS ENUM ('small', 'large');
		CREATE TABLE orders (id int, status states, was states[], size sizes, ip inet, ips inet[], tenant text NOT NULL, PRIMARY KEY (tenant, id));
		INSERT INTO orders (id, status, tenant) VALUES (1, 'open', 'acme'), (2, 'in progress', 'acme'), (3, NULL, 'acme')`)
	dir := t.TempDir()
	g := openConfigured(t, dir, fmt.Sprintf(`
sources:
  pg: {kind: postgres, host: %[1]q, port: %[2]d, database: %[3]q, user: %[4]q, password: {env: PG}, sslmode: disable}
  own: {kind: postgres, host: %[1]q, port: %[2]d, database: "{tenant}", user: %[4]q, password: {env: PG}, sslmode: disable, template: true}
strategies: {shared: {kind: shared, source: pg}, own: {kind: database, source: own}}
default_strategy: shared
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant, strategy: /strategy}, may_grant: {write: true, strategies: [own]}}
datasets:
  orders: {tenant: tenant, key: id, writable: true, bind: {own: {columns: {tenant: ~}}}}
`, shared.Host, shared.Port, shared.Name, shared.User), shared)
	tokens := map[string]string{
		"shared": program.Sign(t, `{"tenant": "acme"}`),
		"own":    program.Sign(t, fmt.Sprintf(`{"tenant": %q, "strategy": "own"}`, own.Name)),
		"texts":  program.Sign(t, fmt.Sprintf(`{"tenant": %q, "strategy": "own"}`, texts.Name)),
	}
	for _, c := range []struct{ ask, want string }{
		{`{ orders(orderBy: [{id: ASC}]) { id status } }`, `[{"id":1,"status":"open"},{"id":2,"status":"in progress"},{"id":3,"status":null}]`},
		{`{ orders(where: {status: {eq: "in progress"}}) { id } }`, `[{"id":2}]`},
		{`{ orders(where: {status: {neq: "open"}}, orderBy: [{id: ASC}]) { id } }`, `[{"id":2},{"id":3}]`},
		{`{ orders(where: {status: {in: ["open", "nothing"]}}) { id } }`, `[{"id":1}]`},
		{`{ orders(where: {status: {contains: "prog"}}) { id } }`, `[{"id":2}]`},
		{`{ orders(orderBy: [{status: DESC}]) { id } }`, `[{"id":1},{"id":2},{"id":3}]`},
		{`{ ordersAggregate(orderBy: [{key: {status: ASC}}]) { key { status } count } }`, `"in progress"`},
		{`mutation { updateOrdersByPk(id: 3, set: {status: "Paid!"}) { status } }`, `{"status":"Paid!"}`},
		{`mutation { insertOrdersOne(row: {id: 4, status: "in progress"}) { status } }`, `{"status":"in progress"}`},
		{
			`mutation { insertOrders(rows: [{id: 5, size: large, was: ["open", "Paid!"]}, {id: 6, size: small, status: "open", was: []}]) { rows { id size status was } } }`,
			`[{"id":5,"size":"large","status":null,"was":["open","Paid!"]},{"id":6,"size":"small","status":"open","was":[]}]`,
		},
		{`mutation { updateOrdersByPk(id: 6, set: {size: large, was: ["in progress"]}) { size was } }`, `{"size":"large","was":["in progress"]}`},
		{
			`mutation { insertOrders(rows: [{id: 7, ip: "10.0.0.1", ips: ["10.0.0.1", "::1"]}, {id: 8, ip: null, ips: []}]) { rows { ip ips } } }`,
			`[{"ip":"10.0.0.1","ips":["10.0.0.1","::1"]},{"ip":null,"ips":[]}]`,
		},
		{`mutation { updateOrdersByPk(id: 7, set: {ip: "10.0.0.0/8", ips: ["10.0.0.2"]}) { ip ips } }`, `{"ip":"10.0.0.0/8","ips":["10.0.0.2"]}`},
		{`mutation { deleteOrders(where: {id: {in: [7, 8]}}) { affected } }`, `{"affected":2}`},
		{`{ orders(where: {size: {eq: large}}, orderBy: [{id: ASC}]) { id } }`, `[{"id":5},{"id":6}]`},
		{`{ orders(where: {was: {has: "Paid!"}}) { id } }`, `[{"id":5}]`},
		{`mutation { deleteOrdersByPk(id: 6) { id } }`, `{"id":6}`},
		{`mutation { updateOrders(where: {status: {eq: "in progress"}}, set: {status: "open"}) { affected } }`, `{"affected":2}`},
	} {
		for at, token := range tokens {
			if got := g.query(t, token, c.ask); !strings.Contains(got, c.want) || strings.Contains(got, `"errors"`) {
				t.Errorf("%s of %s: %s", c.ask, at, got)
			}
		}
	}
	for at, token := range tokens {
		if at == "texts" {
			continue // which take any
		}
		for _, ask := range []string{`mutation { updateOrdersByPk(id: 3, set: {status: "nope"}) { id } }`, `mutation { insertOrdersOne(row: {id: 9, status: "nope"}) { id } }`} {
			if got := g.query(t, token, ask); !strings.Contains(got, `"BAD_USER_INPUT"`) {
				t.Errorf("%s of %s: %s", ask, at, got)
			}
		}
	}
}

// What the shared database keeps in another form than its scalar's is kept so in databases of tenants.
func TestFormsOfTenantsDatabases(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	shared, own := server.Database(t), server.Database(t)
	dir := t.TempDir()
	for db, tenant := range map[pgtest.DB]string{shared: ", pad char(4), mix varchar(4), tenant text DEFAULT 'acme'", own: ", pad varchar(4), mix char(4)"} {
		_, key, _ := strings.Cut(tenant, ", tenant text")
		if key != "" {
			key = ", tenant"
		}
		db.Exec(t, `CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE things (id int, f real, at inet, name citext`+tenant+`, PRIMARY KEY (id`+key+`));
			INSERT INTO things (id, f, at, name, pad, mix) VALUES (1, 0.1, '10.0.0.1', 'Ann', 'ab', 'ab'), (2, 2.5, '10.0.0.0/8', 'bob', 'b', NULL)`)
	}
	for file, tenant := range map[string]string{"shared": ", tenant VARCHAR DEFAULT 'acme'", "acme": ""} {
		program.MakeDuckDB(t, filepath.Join(dir, file+".duckdb"), `CREATE TABLE things (id INTEGER NOT NULL, f FLOAT, sides INTEGER[3]`+tenant+`);
			INSERT INTO things (id, f, sides) VALUES (1, 0.1, [1, 2, 3]), (2, 2.5, [4, 5, 6])`)
	}
	for _, c := range []struct{ sources, more string }{
		{fmt.Sprintf(`{all: {kind: postgres, host: %[1]q, port: %[2]d, database: %[3]q, user: %[4]q, password: {env: PG}, sslmode: disable},
			own: {kind: postgres, host: %[1]q, port: %[2]d, database: %[5]q, user: %[4]q, password: {env: PG}, sslmode: disable, template: true}}`,
			shared.Host, shared.Port, shared.Name, shared.User, "{tenant}"), "postgres"},
		{`{all: {kind: duckdb, path: shared.duckdb}, own: {kind: duckdb, path: "{tenant}.duckdb", template: true}}`, "duckdb"},
	} {
		g := openConfigured(t, dir, fmt.Sprintf(`
sources: %s
strategies: {shared: {kind: shared, source: all}, own: {kind: database, source: own}}
default_strategy: shared
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant, strategy: /strategy}, may_grant: {strategies: [own]}}
datasets: {things: {tenant: tenant, key: id, bind: {own: {columns: {tenant: ~}}}}}
`, c.sources), shared)
		tenant := "acme"
		asks := map[string]string{
			`{ things(orderBy: [{id: ASC}]) { f } }`:   `[{"f":0.1},{"f":2.5}]`,
			`{ things(where: {f: {eq: 0.1}}) { id } }`: `[{"id":1}]`,
		}
		if c.more == "postgres" {
			tenant = own.Name
			asks[`{ things(orderBy: [{id: ASC}]) { at name } }`] = `[{"at":"10.0.0.1","name":"Ann"},{"at":"10.0.0.0/8","name":"bob"}]`
			asks[`{ things(where: {name: {eq: "ANN"}}) { id } }`] = `[{"id":1}]`
			asks[`{ things(where: {name: {in: ["BOB", "nobody"]}}) { id } }`] = `[{"id":2}]`
			asks[`query ($n: [String!]!) { things(where: {name: {in: $n}}) { id } }`] = `[{"id":2}]`
			asks[`{ things(where: {name: {startsWith: "A"}}) { id } }`] = `[{"id":1}]`
			asks[`{ things(where: {at: {eq: "10.0.0.0/8"}}) { id } }`] = `[{"id":2}]`
			for _, column := range []string{"pad", "mix"} { // filled with blanks in one of both
				asks[`{ things(where: {`+column+`: {like: "ab"}}) { `+column+` } }`] = `[{"` + column + `":"ab"}]`
				asks[`{ things(where: {`+column+`: {endsWith: "ab"}}) { id } }`] = `[{"id":1}]`
				asks[`{ things(where: {`+column+`: {notLike: "ab"}}) { id } }`] = `[{"id":2}]`
				asks[`{ things(where: {`+column+`: {in: ["ab ", "c "]}}) { id } }`] = `[]`
				asks[`{ things(where: {`+column+`: {in: ["ab", "c"]}}, orderBy: [{`+column+`: ASC}]) { id } }`] = `[{"id":1}]`
			}
		} else {
			asks[`{ things(orderBy: [{id: ASC}]) { sides } }`] = `[{"sides":[1,2,3]},{"sides":[4,5,6]}]`
			asks[`{ things(where: {sides: {has: 5}}) { id } }`] = `[{"id":2}]`
		}
		for ask, want := range asks {
			for at, token := range map[string]string{"shared": program.Sign(t, `{"tenant": "acme"}`), "own": program.Sign(t, fmt.Sprintf(`{"tenant": %q, "strategy": "own"}`, tenant))} {
				got := g.withVariables(t, token, ask, `{"n": ["BOB"]}`)
				if !strings.Contains(got, want) || strings.Contains(got, `"errors"`) {
					t.Errorf("%s of %s %s: %s", ask, at, c.more, got)
				}
			}
		}
	}
}
