package cli_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"usher/pgtest"
	"usher/test/program"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// shop is a configuration to be varied.
const shop = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: registered, claims: {tenant: /tenant}}
tenants:
  acme: {}
roles:
  clerk: {datasets: {orders: {columns: [id]}}}
  buyer: {datasets: {orders: {columns: [id, total], aggregate: true}}}
datasets:
  orders: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, total: Decimal}}
`

// shopFile writes the configuration, with the replacements, beside its data.
func shopFile(t *testing.T, oldnew ...string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, file, strings.NewReplacer(oldnew...).Replace(shop))
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), `CREATE TABLE orders (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, total DECIMAL(9, 2))`)
	return file
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		replace []string
		want    []string // nil: it is ok
	}{
		"right":         {nil, nil},
		"another type":  {[]string{"total: Decimal", "total: Int"}, []string{"usher.yml:14:", "datasets.orders.columns.total"}},
		"no table":      {[]string{"orders: {tenant", "sales: {tenant"}, []string{"datasets.sales", "roles.clerk"}},
		"unknown key":   {[]string{"key: id", "kee: id"}, []string{"unknown key"}},
		"no file":       {[]string{"path: shop", "path: shed"}, []string{"source shop could not be looked into", "shed.duckdb"}},
		"weak issuer":   {[]string{"[HS256]", "[HS257]"}, []string{"issuers.tests.algorithms"}},
		"type is taken": {[]string{"key: id", "key: id, type: Query"}, []string{"Query"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			printed, err := program.Command(t, "check", "-c", shopFile(t, c.replace...))
			if c.want == nil {
				if err != nil || printed != "ok: 1 dataset, 1 source\n" {
					t.Errorf("%v\n%s", err, printed)
				}
				return
			}
			if err == nil {
				t.Fatalf("nothing is wrong:\n%s", printed)
			}
			for _, want := range c.want {
				if all := printed + err.Error(); !strings.Contains(all, want) {
					t.Errorf("nothing is said of %q:\n%s", want, all)
				}
			}
		})
	}
}

// What would end `usher serve`, or leave an issuer without keys, is told beforehand: the control
// store is signed in to, keys are asked for, documents and certificates are read. Nothing
// of the store is changed.
func TestCheckOfWhatServingNeeds(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	db, newer, reading := server.Database(t), server.Database(t), server.Database(t)
	newer.Exec(t, `CREATE SCHEMA usher; CREATE TABLE usher.migrations (version_id bigint, is_applied boolean); INSERT INTO usher.migrations VALUES (9999, true)`)
	role := "keeper_" + db.Name
	db.Exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD 'keeps'")
	reading.Exec(t, `CREATE SCHEMA usher; CREATE TABLE usher.migrations (version_id bigint, is_applied boolean); INSERT INTO usher.migrations VALUES (1, true);
		CREATE TABLE usher.tenants (id text); GRANT USAGE ON SCHEMA usher TO `+role+`; GRANT SELECT ON ALL TABLES IN SCHEMA usher TO `+role+`; GRANT INSERT, DELETE ON usher.tenants TO `+role)
	owner, rights := db.Open(t), reading.Open(t)
	t.Cleanup(func() { // the test's own context has ended by then
		if _, err := rights.ExecContext(context.Background(), "DROP OWNED BY "+role); err != nil {
			t.Error(err)
		}
		if _, err := owner.ExecContext(context.Background(), "DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	store := func(db pgtest.DB, user, password string, port int) string {
		return fmt.Sprintf("control: {postgres: {host: %s, port: %d, database: %q, user: %q, password: {env: %s}, sslmode: disable}}\n", db.Host, port, db.Name, user, password)
	}
	env := func(name string) (string, bool) {
		text, ok := map[string]string{"RIGHT": db.Password, "WRONG": "wrong", "KEEPS": "keeps"}[name]
		return text, ok
	}
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set := `{"keys":[]}`
		if r.URL.Path == "/good" {
			set = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
		}
		_, _ = w.Write([]byte(set))
	}))
	t.Cleanup(keys.Close)
	issuer := func(url string) []string {
		return []string{"[HS256], keys: {secret: {file: secret}}", fmt.Sprintf("[EdDSA], keys: {jwks_url: %q}", url)}
	}
	for name, c := range map[string]struct {
		add     string
		replace []string
		want    []string // nil: it is ok
	}{
		"a store":                  {store(db, db.User, "RIGHT", db.Port), nil, nil},
		"a wrong password":         {store(db, db.User, "WRONG", db.Port), nil, []string{"control: the control store cannot be opened", "password authentication failed"}},
		"a store that is away":     {store(db, db.User, "RIGHT", 1), nil, []string{"control: the control store cannot be opened", "connection refused"}},
		"a newer store":            {store(newer, db.User, "RIGHT", db.Port), nil, []string{"control: the control store cannot be opened", "has version 9999"}},
		"an account without":       {store(db, role, "KEEPS", db.Port), nil, []string{"control: the control store cannot be opened", "may not make its tables"}},
		"an account that reads":    {store(reading, role, "KEEPS", db.Port), nil, []string{"control: the control store cannot be opened", "lacks DELETE ON migrations, INSERT ON migrations, UPDATE ON migrations, UPDATE ON tenants", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA usher"}},
		"a file to be made":        {"control: {path: control.duckdb}\n", nil, nil},
		"a file in no folder":      {"control: {path: none/of/it/control.duckdb}\n", nil, nil},
		"a file below a file":      {"control: {path: secret/control.duckdb}\n", nil, []string{"control: the control store cannot be opened", "secret/control.duckdb", "not a directory"}},
		"a file of something else": {"control: {path: secret}\n", nil, []string{"control: its file cannot be opened", "not a valid DuckDB database file"}},
		"a place without files":    {"control: {path: /proc/control.duckdb}\n", nil, []string{"control: the control store cannot be opened", "/proc"}},
		"keys":                     {"", issuer(keys.URL + "/good"), nil},
		"no keys":                  {"", issuer(keys.URL), []string{"issuers.tests.keys.jwks_url: the keys could not be fetched", "no signing key in it fits [EdDSA]"}},
		"nobody who has keys":      {"", issuer("http://127.0.0.1:1/keys"), []string{"issuers.tests.keys.jwks_url: the keys could not be fetched", "connection refused"}},
		"a manifest that is gone":  {"documents: {mode: only, manifests: [gone.json]}\n", nil, []string{"documents: ", "gone.json", "no such file"}},
		"a certificate":            {"server: {tls: {cert: gone.pem, key: gone.key}}\n", nil, []string{"server.tls: ", "gone.pem"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := shopFile(t, append(c.replace, "\nsources:", "\n"+c.add+"sources:")...)
			printed, _, err := program.CommandIn(t, env, "", "check", "-c", file)
			if (err == nil) != (c.want == nil) {
				t.Errorf("%v\n%s", err, printed)
			}
			for _, want := range c.want {
				if !strings.Contains(printed, want) {
					t.Errorf("nothing is said of %q:\n%s", want, printed)
				}
			}
			if name == "a store" && !strings.Contains(printed, "note: control: the control store has no tables yet") {
				t.Errorf("nothing is said of a store that is empty:\n%s", printed)
			}
		})
	}
	t.Cleanup(func() { // when all of them have ended
		var made bool
		if err := owner.QueryRowContext(context.Background(), "SELECT to_regnamespace('usher') IS NOT NULL").Scan(&made); err != nil || made {
			t.Errorf("a check has made tables: %t, %v", made, err)
		}
	})
}

// What the environment says of traces ends serving, and is a problem of the check.
func TestCheckOfTracing(t *testing.T) {
	t.Parallel()
	file := shopFile(t)
	for _, c := range []struct{ name, text, want string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "OTEL_EXPORTER_OTLP_ENDPOINT is "},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "json", "OTEL_EXPORTER_OTLP_PROTOCOL is "},
		{"OTEL_EXPORTER_OTLP_HEADERS", "Authorization: hidden", "OTEL_EXPORTER_OTLP_HEADERS is no list"},
		{"OTEL_TRACES_SAMPLER", "seldom", "OTEL_TRACES_SAMPLER is "},
	} {
		env := func(name string) (string, bool) {
			text, ok := map[string]string{"OTEL_TRACES_EXPORTER": "otlp", c.name: c.text}[name]
			return text, ok
		}
		for _, args := range [][]string{{"check", "-c", file}, {"serve", "-c", file, "--listen", "127.0.0.1:0"}} {
			out, _, err := program.CommandIn(t, env, "", args...)
			if all := out + fmt.Sprint(err); err == nil || !strings.Contains(all, c.want) || strings.Contains(all, "hidden") {
				t.Errorf("%s: %s", args[0], all)
			}
		}
	}
}

// A tile that no role shows is wrong, and is named; one that a role shows is not.
func TestCheckOfTilesThatNobodySees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		replace []string
		want    string
	}{
		{[]string{"", ""}, ""},
		{[]string{", aggregate: true", ""}, "sold.yml:6:5: tiles.1.query: tile sum: it shows nobody anything: no role shows all that it asks for"},
	} {
		file := shopFile(t, c.replace...)
		dir := filepath.Join(filepath.Dir(file), "dashboards")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		program.WriteFile(t, filepath.Join(dir, "sold.yml"), `title: Sold
tiles:
  - {id: all, at: {x: 0, y: 0, w: 6, h: 4}, query: "{ orders { id } }", chart: {kind: table, rows: orders}}
  - id: sum
    at: {x: 6, y: 0, w: 6, h: 4}
    query: "{ ordersAggregate { count } }"
    chart: {kind: number, rows: ordersAggregate, y: [count]}
`)
		printed, err := program.Command(t, "check", "-c", file)
		if all := printed + fmt.Sprint(err); (err == nil) != (c.want == "") || !strings.Contains(all, c.want) || strings.Contains(all, "tile all") {
			t.Errorf("%q: %s\nwant %s", c.replace, all, c.want)
		}
	}
}

// A tenant of the file, or of the control store, is tried by what its strategies
// lead to; every fault is told.
func TestCheckOfATenant(t *testing.T) {
	t.Parallel()
	const owned = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
  own: {kind: duckdb, path: "of-{tenant}.duckdb", template: true}
strategies:
  standard: {source: shop, datasets: {orders: own}}
control: {path: control.duckdb}
tenants:
  acme: {}
  globex: {}
  initech: {}
datasets:
  orders: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, total: {type: Decimal, scale: 2}}, bind: {own: {columns: {tenant: ~}}}}
  notes: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!}}
  lines: {tenant: {through: note}, columns: {note_id: Int!, no: Int}, relations: {note: {to: notes, on: {note_id: id}}}}
`
	dir := t.TempDir()
	file := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, file, owned)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), `CREATE TABLE notes (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL); CREATE TABLE lines (note_id INTEGER NOT NULL, no INTEGER);
		INSERT INTO notes VALUES (1, 'acme'); INSERT INTO lines VALUES (1, 1)`)
	program.MakeDuckDB(t, filepath.Join(dir, "of-acme.duckdb"), `CREATE TABLE orders (id INTEGER PRIMARY KEY, total DECIMAL(9, 2))`)
	program.MakeDuckDB(t, filepath.Join(dir, "of-globex.duckdb"), `CREATE TABLE orders (id VARCHAR)`)
	for tenant, want := range map[string]string{
		"acme":    "tenant acme: 1 dataset of source own can be read\ntenant acme: 2 datasets of source shop can be read\nok: 3 datasets, 2 sources\n",
		"globex":  "tenant globex: source own: orders.id: it is String (VARCHAR), not Int; and it may be null; write the type without !, or make the column NOT NULL\ntenant globex: source own: orders.total: it is not there\n",
		"initech": "tenant initech: source own: there is no database of that name, or no such file",
		"nobody":  "neither the configuration nor the control store has a tenant nobody",
	} {
		printed, err := program.Command(t, "check", "-c", file, "--tenant", tenant)
		if all := printed + " " + fmt.Sprint(err); !strings.Contains(all, want) || (err == nil) != (tenant == "acme") {
			t.Errorf("%s: %s\nwant %s", tenant, all, want)
		}
	}
}

func TestSchemaCommand(t *testing.T) {
	t.Parallel()
	file := shopFile(t)
	clerk := schemaOf(t, "-c", file, "--as", "acme", "--role", "clerk")
	operator := schemaOf(t, "-c", file, "--all-tenants", "--role", "clerk", "--role", "buyer")
	if orders := clerk.Types["Orders"]; len(orders.Fields) != 1 || clerk.Query.Fields.ForName("ordersAggregate") != nil {
		t.Errorf("the clerk sees %d columns, or aggregates", len(orders.Fields))
	}
	if operator.Types["Orders"].Fields.ForName("total") == nil || operator.Query.Fields.ForName("ordersAggregate") == nil {
		t.Error("both roles together do not see what the buyer does")
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--as", "globex", "--role", "clerk"}, "no tenant"},
		{[]string{"--as", "acme"}, "buyer, clerk"},
		{[]string{"--role", "boss"}, "boss"},
		{[]string{"--as", "acme", "--all-tenants"}, "can't be used together"},
	} {
		if _, err := program.Command(t, append([]string{"schema", "-c", file}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}

// Somebody who writes has a mutation, as far as their roles grant.
func TestSchemaOfWriters(t *testing.T) {
	t.Parallel()
	file := shopFile(t, "key: id", "key: id, writable: true, global_keys: true", "clerk: {datasets: {orders: {", "clerk: {datasets: {orders: {insert: {}, ")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--as", "acme", "--role", "clerk"}, ""},
		{[]string{"--as", "acme", "--role", "buyer", "--write"}, ""},
		{[]string{"--as", "acme", "--role", "clerk", "--write"}, "rows"},
		{[]string{"--all-tenants", "--role", "clerk", "--write"}, "tenant"},
	} {
		got := ""
		if m := schemaOf(t, append([]string{"-c", file}, c.args...)...).Mutation; m != nil && m.Fields.ForName("insertOrders") != nil {
			got = m.Fields.ForName("insertOrders").Arguments[0].Name
		}
		if got != c.want {
			t.Errorf("%v: the first argument of insertOrders is %q, want %q", c.args, got, c.want)
		}
	}
}

// schemaOf prints a schema twice and reads it.
func schemaOf(t *testing.T, args ...string) *ast.Schema {
	t.Helper()
	text, err := program.Command(t, append([]string{"schema"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := program.Command(t, append([]string{"schema"}, args...)...); again != text {
		t.Error("the schema is printed in another order each time")
	}
	parsed, err := validator.LoadSchema(validator.Prelude, &ast.Source{Name: "printed", Input: text})
	if err != nil {
		t.Fatalf("the printed schema is refused: %v\n%s", err, text)
	}
	return parsed
}

// An API at an address where nothing may be dialed is noted: each of its questions would be refused.
func TestCheckOfClosedAddresses(t *testing.T) {
	t.Parallel()
	for at, noted := range map[string]bool{
		"base_url: 'http://127.0.0.1:9/v1'":                      true,
		"base_url: 'https://LocalHost'":                          true,
		"base_url: 'https://[::1]:8443'":                         true,
		"base_url: 'https://10.1.2.3'":                           true,
		"base_url: 'http://127.0.0.1:9/v1', allow_private: true": false,
		"base_url: 'https://8.8.8.8'":                            false,
		"base_url: 'https://api.example.com'":                    false,
		"base_url: 'https://api.example.com', oauth2: {token_url: 'http://192.168.0.1/token', client_id: a, client_secret: {file: secret}}": true,
	} {
		printed, err := program.Command(t, "check", "-c", shopFile(t, "\nsources:\n", "\nsources:\n  partner: {kind: api, isolation: gateway, "+at+"}\n"))
		if err != nil || strings.Contains(printed, "note: sources.partner.") != noted || strings.Contains(printed, "say `allow_private: true`") != noted {
			t.Errorf("%s: %v\n%s", at, err, printed)
		}
	}
}

// A store that a gateway has open is worth a note; that it is a pipe is a problem, and nobody waits for who would write to it.
func TestCheckOfStoresThatAreNotRead(t *testing.T) {
	t.Parallel()
	file := shopFile(t, "\nsources:", "\ncontrol: {path: control.duckdb}\nsources:")
	running := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
	printed, err := program.Command(t, "check", "-c", file)
	if err != nil || !strings.HasPrefix(printed, "note: ") || !strings.Contains(printed, "its file cannot be read while a gateway has it open") {
		t.Errorf("while it is open: %v\n%s", err, printed)
	}
	running.Stop(t)
	if printed, err = program.Command(t, "check", "-c", file); err != nil || strings.Contains(printed, "cannot be read") {
		t.Errorf("when it is closed: %v\n%s", err, printed)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".usher-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("a check has left %v, %v", left, err)
	}
	piped := shopFile(t, "\nsources:", "\ncontrol: {path: pipe}\nsources:")
	if err := syscall.Mkfifo(filepath.Join(filepath.Dir(piped), "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "-c", piped}, {"check", "-c", piped, "--tenants"}} {
		if printed, err := program.Command(t, args...); err == nil || !strings.Contains(printed, "pipe is no file") {
			t.Errorf("%v: %v\n%s", args, err, printed)
		}
	}
}

// Addresses that this machine does not have are noted: another one may serve.
func TestCheckOfAddressesToListenAt(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for at, noted := range map[string]bool{
		"203.0.113.9:8080": true, "[2001:db8::9]:8080": true,
		"0.0.0.0:8080": false, "[::]:8080": false, ":8080": false, "localhost:8080": false, "usher.example.com:8080": false, taken.Addr().String(): false,
	} {
		for _, key := range []string{"listen", "admin_listen"} {
			printed, err := program.Command(t, "check", "-c", shopFile(t, "\nsources:", fmt.Sprintf("\nserver: {%s: %q}\nsources:", key, at)))
			if err != nil || strings.Contains(printed, "note: server."+key+": this machine does not listen at ") != noted {
				t.Errorf("%s %s: %v\n%s", key, at, err, printed)
			}
		}
	}
}
