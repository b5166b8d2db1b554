package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/pgtest"
	"usher/test/program"
)

// shopTables are five tables with foreign keys of every kind, and every type
// of column.
const shopTables = `
CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped');
CREATE TYPE mood AS ENUM ('very happy', 'sad');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE tenants (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE order_types (id serial PRIMARY KEY, parent_id integer REFERENCES order_types, name varchar(40) NOT NULL);
CREATE TABLE customers (
	tenant_id integer NOT NULL REFERENCES tenants, id bigint NOT NULL, name text COLLATE "de-x-icu" NOT NULL,
	referrer bigint, password_hash text,
	PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id, referrer) REFERENCES customers);
CREATE TABLE orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id integer NOT NULL REFERENCES tenants,
	customer_id bigint, type_id integer REFERENCES order_types, status order_status NOT NULL,
	small smallint, whole integer, big bigint, exact numeric, money_like numeric(12,2), single real, double double precision,
	yes boolean, words text, short varchar(10), padded char(5), id_name name, guid uuid, day date, clock time,
	clock_zone timetz, wall timestamp, instant timestamptz, span interval, doc json, docb jsonb, raw bytea,
	list text[], numbers integer[], exacts numeric(8,3)[], feeling mood, counted positive,
	address inet, net cidr, hardware macaddr, place point, search tsvector, markup xml, bits bit(3), cash money, range int4range,
	"Odd Name $" text, "count" integer,
	FOREIGN KEY (tenant_id, customer_id) REFERENCES customers);
CREATE TABLE order_items (
	order_id bigint NOT NULL REFERENCES orders, line integer NOT NULL, amount numeric(10,2), PRIMARY KEY (order_id, line));
CREATE VIEW totals AS SELECT status, sum(money_like) FROM orders GROUP BY 1;
INSERT INTO tenants VALUES (1, 'one'), (2, 'two');
INSERT INTO order_types (parent_id, name) VALUES (NULL, 'food'), (1, 'burrito');
INSERT INTO customers VALUES (1, 1, 'Ann', NULL, 'x'), (1, 2, 'Zoë', 1, 'y'), (2, 1, 'Bob', NULL, 'z');
INSERT INTO orders (tenant_id, customer_id, type_id, status, small, whole, big, exact, money_like, single, double, yes,
	words, short, id_name, guid, day, clock, wall, instant, span, doc, docb, raw, list, numbers, exacts, feeling, counted,
	"Odd Name $", "count")
SELECT 1 + g % 2, 1, 1 + g % 2, (ARRAY['new', 'paid', 'shipped']::order_status[])[1 + g % 3], -g, g, 9007199254740993 + g, g * 1.500,
	g * 1.1, g / 4.0, g / 3.0, g % 2 = 0, 'text ' || g, 'ä' || g, 'n', '0000000A-0000-4000-8000-000000000001', date '2024-02-28' + g,
	'10:00:00.5', '2024-01-01 10:00', '2024-01-01 10:00+02', '1 mon 2 days 03:00:00.5', '{"b":1,"a":[1,2.50]}', '{"b":1,"a":[1,2.50]}',
	'\x00ff', ARRAY['a', NULL, 'b"c'], ARRAY[1, 2], ARRAY[1.5, 2.25], 'sad', g, 'odd', g
FROM generate_series(1, 8) g;
INSERT INTO order_items SELECT id, 1, money_like FROM orders;
ANALYZE`

var printedToken = regexp.MustCompile(`Bearer ([A-Za-z0-9_.-]+)`)

// TestInit writes a configuration from a database and serves it at once.
func TestInit(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, shopTables)
	dir := t.TempDir()
	file := filepath.Join(dir, "usher.yml")
	printed, err := program.Command(t, "init", "--dsn", db.URL, "--out", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"tenant_id seems to say", "Confined  customers, order_items, orders, tenants\n", "COMMON    order_types\n",
		"Withheld  customers.password_hash\n", "Left out  totals: it is a view",
		"token of the tenant 1 ",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("init does not print %q:\n%s", want, printed)
		}
	}
	private(t, dir, db.Password)
	checked, err := program.Command(t, "check", "-c", file)
	if err != nil || !strings.HasSuffix(checked, "ok: 5 datasets, 1 source\n") {
		t.Errorf("check: %v\n%s", err, checked)
	}
	if !strings.Contains(checked, `CREATE INDEX ON "public"."customers" ("tenant_id", "name" COLLATE "C");`) {
		t.Errorf("check names no index for the collated column:\n%s", checked)
	}
	if !strings.Contains(checked, `CREATE INDEX ON "public"."orders" ("tenant_id");`) || strings.Contains(checked, `"customers" ("tenant_id");`) {
		t.Errorf("check does not name the one table without an index on its tenants:\n%s", checked)
	}

	u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
	token := printedToken.FindStringSubmatch(printed)[1]
	status, body := program.Fetch(t, u.Ask(t, token, everyColumn))
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if diff := cmp.Diff(wantOf(t, db), string(body)); diff != "" {
		t.Errorf("-database +usher:\n%s", diff)
	}
	if _, body := program.Fetch(t, u.Ask(t, token, `{ customers { password_hash } }`)); !strings.Contains(string(body), "Cannot query field") {
		t.Errorf("a column that reads like a secret is served: %s", body)
	}

	if _, err := program.Command(t, "init", "--dsn", db.URL, "--out", file); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("a second init: %v", err)
	}
	before := read(t, filepath.Join(dir, "usher.secret"))
	if _, err := program.Command(t, "init", "--dsn", db.URL, "--out", file, "--force", "--tenant", "tenant_id"); err != nil {
		t.Error(err)
	}
	if read(t, filepath.Join(dir, "usher.secret")) != before {
		t.Error("--force made another secret")
	}
}

const everyColumn = `{
  orders(orderBy: [{id: ASC}]) {
    id customer_id status small whole big exact money_like single double yes words short id_name guid day clock wall instant
    span doc docb raw list numbers exacts feeling counted oddName count_
    type { name parent { name } } tenant { id name } customer { id name customer { name } }
  }
  ordersAggregate(orderBy: [{key: {status: ASC}}]) { key { status } count money_like { sum min max } big { sum } }
}`

// wantOf lets PostgreSQL itself write the answer, and the few things it cannot
// write as usher does are put in by hand.
func wantOf(t *testing.T, db pgtest.DB) string {
	t.Helper()
	var orders, groups string
	err := db.Open(t).QueryRowContext(t.Context(), `
		SELECT (SELECT json_agg(r ORDER BY id) FROM (
			SELECT o.id, o.customer_id, o.status, small, whole, big, trim_scale(exact) AS exact, money_like, single, double, yes, words,
				short, id_name, guid, day, to_char(clock, 'HH24:MI:SS.FM') || '5' AS clock, wall,
				to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS instant, 'P1M2DT3H0.5S' AS span,
				'{"a":[1,2.50],"b":1}'::json AS doc, '{"a":[1,2.50],"b":1}'::json AS docb, encode(raw, 'base64') AS raw, list, numbers, exacts,
				feeling, counted, "Odd Name $" AS "oddName", "count" AS count_,
				(SELECT json_build_object('name', c.name, 'parent', (SELECT json_build_object('name', p.name) FROM order_types p WHERE p.id = c.parent_id))
					FROM order_types c WHERE c.id = o.type_id) AS type,
				(SELECT json_build_object('id', n.id, 'name', n.name) FROM tenants n WHERE n.id = o.tenant_id) AS tenant,
				(SELECT json_build_object('id', c.id, 'name', c.name, 'customer', NULL) FROM customers c
					WHERE c.tenant_id = o.tenant_id AND c.id = o.customer_id) AS customer
			FROM orders o WHERE o.tenant_id = 1) r)::text,
		(SELECT json_agg(g) FROM (
			SELECT json_build_object('status', status) AS key, count(*) AS count,
				json_build_object('sum', sum(money_like), 'min', min(money_like), 'max', max(money_like)) AS money_like,
				json_build_object('sum', sum(big)) AS big
			FROM orders WHERE tenant_id = 1 GROUP BY status ORDER BY status) g)::text`).Scan(&orders, &groups)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]map[string]json.RawMessage{"data": {"orders": json.RawMessage(orders), "ordersAggregate": json.RawMessage(groups)}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// private tells whether others can read what init wrote, or the secrets stand
// in the configuration.
func private(t *testing.T, dir, password string) {
	t.Helper()
	for _, name := range []string{"usher.yml", "usher.dsn", "usher.secret"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %o", name, info.Mode().Perm())
		}
	}
	if strings.Contains(read(t, filepath.Join(dir, "usher.yml")), password) {
		t.Error("the password stands in the configuration")
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Files have neither keys nor types that say never null, and their tenants are
// called as people call them.
func TestInitFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "flights 2026.csv"), "origin,distance\nLAX,10\nLAX,20\nJFK,30\n")
	program.WriteFile(t, filepath.Join(dir, "airports.csv"), "iata,city\nLAX,Los Angeles\nJFK,New York\n")
	file := filepath.Join(dir, "usher.yml")
	files := filepath.Join(dir, "flights 2026.csv") + "," + filepath.Join(dir, "airports.csv")
	if _, err := program.Command(t, "init", "--files", files, "--out", file); err == nil || !strings.Contains(err.Error(), "--tenant COLUMN") {
		t.Errorf("no column is a tenant's, but init says: %v", err)
	}
	printed, err := program.Command(t, "init", "--files", files, "--out", file, "--tenant", "origin")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(printed, "2 tenants registered") {
		t.Errorf("init registers no tenants:\n%s", printed)
	}
	u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
	_, body := program.Fetch(t, u.Ask(t, printedToken.FindStringSubmatch(printed)[1], `{ flights_2026Aggregate { count } airports { city } }`))
	sample := regexp.MustCompile(`token of the tenant (\w+)`).FindStringSubmatch(printed)[1]
	want := map[string]string{
		"lax": `{"data":{"flights_2026Aggregate":[{"count":2}],"airports":[{"city":"New York"},{"city":"Los Angeles"}]}}`,
		"jfk": `{"data":{"flights_2026Aggregate":[{"count":1}],"airports":[{"city":"New York"},{"city":"Los Angeles"}]}}`,
	}[sample]
	if string(body) != want {
		t.Errorf("%s sees %s", sample, body)
	}
}

// Behind a pooler init and check say what to write, and then work.
func TestInitBehindAPooler(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, shopTables)
	through := db.Bouncer(t, "transaction", "default_pool_size = 1")
	file := filepath.Join(t.TempDir(), "usher.yml")
	if _, err := program.Command(t, "init", "--dsn", through.URL, "--out", file); err == nil || !strings.Contains(err.Error(), "`pooler: transaction`") {
		t.Errorf("init does not name the remedy: %v", err)
	}
	printed, err := program.Command(t, "init", "--dsn", through.URL, "--pooler", "transaction", "--out", file)
	if err != nil {
		t.Fatal(err)
	}
	if checked, err := program.Command(t, "check", "-c", file); err != nil {
		t.Errorf("check: %v\n%s", err, checked)
	}
	u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
	status, body := program.Fetch(t, u.Ask(t, printedToken.FindStringSubmatch(printed)[1], everyColumn))
	if diff := cmp.Diff(wantOf(t, db), string(body)); diff != "" || status != http.StatusOK {
		t.Errorf("%d, -database +usher:\n%s", status, diff)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, file, strings.Replace(string(text), "pooler: transaction", "", 1))
	if checked, err := program.Command(t, "check", "-c", file); err == nil || !strings.Contains(checked, "`pooler: transaction`") {
		t.Errorf("check does not name the remedy: %v\n%s", err, checked)
	}
}

func TestInitRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.duckdb")
	program.MakeDuckDB(t, empty, "CREATE SCHEMA nothing")
	out := filepath.Join(dir, "usher.yml")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no source":       {nil, "--dsn postgres://"},
		"two sources":     {[]string{"--files", "a.csv", "--duckdb", "b.duckdb"}, "can't be used together"},
		"no such file":    {[]string{"--files", filepath.Join(dir, "none.csv")}, "no such file"},
		"no table":        {[]string{"--duckdb", empty}, "no table"},
		"another form":    {[]string{"--files", "notes.txt"}, ".parquet"},
		"the same twice":  {[]string{"--files", "a/x.csv,b/x.csv"}, "would both be the table x"},
		"a strange dsn":   {[]string{"--dsn", "host db password hunter2"}, "neither postgres://user:password@host"},
		"another scheme":  {[]string{"--dsn", "mysql://ann:hunter2@db/shop"}, "neither postgres://user:password@host"},
		"several hosts":   {[]string{"--dsn", "host=a,b password=hunter2 dbname=x user=y"}, "several hosts"},
		"settings":        {[]string{"--dsn", "host=a password=hunter2 dbname=x user=y search_path=z"}, "--schema says which schemas"},
		"no such service": {[]string{"--dsn", "service=hunter"}, "service"},
		"no such server":  {[]string{"--dsn", "postgres://ann:hunter2@127.0.0.1:1/shop"}, "could not be looked into"},
		"pooler of files": {[]string{"--files", "a.csv", "--pooler", "session"}, "--pooler belongs to --dsn"},
		"schema of files": {[]string{"--files", "a.csv", "--schema", "x"}, "--schema belongs to --dsn and --duckdb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := program.Command(t, append([]string{"init", "--out", out}, c.args...)...)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("init says: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		if left, _ := filepath.Glob(filepath.Join(dir, "usher*")); left != nil {
			t.Errorf("a refused init leaves %s", left)
		}
	})
}
