package pgcatalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/pgtest"
	"usher/value"
)

func TestIntrospectTypes(t *testing.T) {
	t.Parallel()
	source := open(t, specOf(database(t, `
		CREATE EXTENSION citext;
		CREATE TYPE order_status AS ENUM ('open', 'done');
		CREATE TYPE mood AS ENUM ('so la', 'it''s');
		CREATE TYPE pair AS (a int, b int);
		CREATE DOMAIN price AS numeric(10, 2) NOT NULL;
		CREATE DOMAIN net_price AS price CHECK (VALUE > 0);
		CREATE DOMAIN status AS order_status;
		CREATE DOMAIN amount AS numeric;
		CREATE TABLE types (
			b bool, i2 smallint, i4 int, i8 bigint, n numeric, n10 numeric(10, 2), n5 numeric(5), nneg numeric(3, -2), nfar numeric(2, 5), nbig numeric(50, 2), nwide numeric(65, 30), nout numeric(100, 60),
			f4 real, f8 double precision, t text, v varchar(20), c char(3), ci citext, nm name, ch "char",
			id uuid, d date, ti time(3), tiz timetz, ts timestamp(3), tsz timestamptz, iv interval, j json, jb jsonb, by bytea,
			en order_status, mo mood, pr price, np net_price, st status, am amount,
			li int[], ln numeric(9, 3)[], le order_status[], lp price[], ll text[][], ls status[],
			co pair, mon money, ip inet, x xml, r int4range, o oid, bi bit(3), pt point, se serial, ge int GENERATED ALWAYS AS (i4 * 2) STORED);`,
	)))
	tables, err := source.Introspect(t.Context(), "public")
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, c := range tables[0].Columns {
		line := c.Name + " " + c.Native
		if c.Supported {
			line += " → " + c.Type.GraphQL()
			if c.Type.Precision != 0 {
				line += fmt.Sprintf("(%d,%d)", c.Type.Precision, c.Type.Scale)
			}
			if len(c.Type.Labels) != 0 {
				line += fmt.Sprintf("%q", c.Type.Labels)
			}
		}
		if note := c.Form.Note(); note != "" {
			line += " " + note
		}
		if c.Odd {
			line += " odd"
		}
		if !c.Nullable {
			line += " not null"
		}
		types = append(types, line)
	}
	expected := `b boolean → Boolean
i2 smallint → Int
i4 integer → Int
i8 bigint → BigInt
n numeric → Decimal odd
n10 numeric(10,2) → Decimal(10,2)
n5 numeric(5,0) → Decimal(5,0)
nneg numeric(3,-2) → Decimal(5,0)
nfar numeric(2,5) → Decimal(5,5)
nbig numeric(50,2) → Decimal(38,2) odd
nwide numeric(65,30) → Decimal odd
nout numeric(100,60) → Decimal odd
f4 real → Float odd
f8 double precision → Float odd
t text → String
v character varying(20) → String
c character(3) → String without the blanks at its end
ci public.citext → String as text that is equal in upper and lower case; it is no key and leads to no other rows
nm name → String
ch "char" → String as the text that the database prints
id uuid → UUID
d date → Date odd
ti time(3) without time zone → Time
tiz time with time zone → String as the text that the database prints
ts timestamp(3) without time zone → LocalTimestamp odd
tsz timestamp with time zone → Timestamp odd
iv interval → Interval
j json → JSON odd
jb jsonb → JSON odd
by bytea → Bytes
en public.order_status → OrderStatus["open" "done"]
mo public.mood → String as text, since GraphQL cannot spell its labels
pr numeric(10,2) → Decimal(10,2)
np numeric(10,2) → Decimal(10,2)
st public.order_status → OrderStatus["open" "done"]
am numeric → Decimal odd
li integer[] → [Int] odd
ln numeric(9,3)[] → [Decimal](9,3) odd
le public.order_status[] → [OrderStatus]["open" "done"] odd
lp numeric(10,2)[] → [Decimal](10,2) odd
ll text[] → JSON as JSON that the database makes of it
ls public.order_status[] → [OrderStatus]["open" "done"] odd
co public.pair → JSON as JSON that the database makes of it
mon money → Decimal(19,2) without its currency
ip inet → String as text, without the length of a prefix that is the whole address
x xml → String as the text that the database prints
r int4range → JSON as JSON with lower, upper, lowerInclusive and upperInclusive, or with empty
o oid → String as the text that the database prints
bi bit(3) → String as the text that the database prints
pt point → String as the text that the database prints
se integer → Int not null
ge integer → Int`
	if diff := cmp.Diff(strings.Split(expected, "\n"), types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}

func TestIntrospectTables(t *testing.T) {
	t.Parallel()
	db := database(t, `
		CREATE SCHEMA sales;
		CREATE SCHEMA "Other one";
		CREATE TABLE "Other one".regions (code text PRIMARY KEY);
		CREATE TABLE sales.customers (tenant text, id int, email text NOT NULL UNIQUE, region text REFERENCES "Other one".regions, nick text, PRIMARY KEY (tenant, id));
		CREATE UNIQUE INDEX nick_key ON sales.customers (tenant, nick) INCLUDE (email);
		CREATE INDEX by_region ON sales.customers (region, email);
		CREATE INDEX hashed ON sales.customers USING hash (region);
		CREATE UNIQUE INDEX partial ON sales.customers (nick) WHERE nick > 'a';
		CREATE UNIQUE INDEX expression ON sales.customers (lower(nick));
		CREATE TABLE sales.orders (day date, id bigint, tenant text, customer int, gone int, PRIMARY KEY (day, id),
			FOREIGN KEY (tenant, customer) REFERENCES sales.customers (tenant, id)) PARTITION BY RANGE (day);
		CREATE TABLE sales.orders_2026 PARTITION OF sales.orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
		ALTER TABLE sales.orders DROP COLUMN gone;
		COMMENT ON COLUMN sales.orders.customer IS 'who pays';
		CREATE VIEW sales.names AS SELECT nick AS "the nick" FROM sales.customers;
		CREATE MATERIALIZED VIEW sales.totals AS SELECT count(*) AS n FROM sales.orders;
		CREATE TABLE elsewhere (a int);
	`)
	column := func(name, native string, nullable bool) catalog.TableColumn {
		return catalog.TableColumn{Name: name, Native: native, Nullable: nullable}
	}
	expected := []catalog.Table{
		{
			Schema: "sales", Name: "customers", PrimaryKey: []string{"tenant", "id"}, Unique: [][]string{{"email"}, {"tenant", "nick"}},
			Indexes: [][]string{{"region", "email"}, {"email"}, {"tenant", "id"}, {"tenant", "nick"}},
			Columns: []catalog.TableColumn{
				column("tenant", "text", false), column("id", "integer", false), column("email", "text", false),
				column("region", "text", true), column("nick", "text", true),
			},
			ForeignKeys: []catalog.ForeignKey{{Columns: []string{"region"}, RefSchema: "Other one", RefTable: "regions", RefColumns: []string{"code"}}},
		},
		{Schema: "sales", Name: "names", View: true, Columns: []catalog.TableColumn{column("the nick", "text", true)}},
		{
			Schema: "sales", Name: "orders", PrimaryKey: []string{"day", "id"}, Indexes: [][]string{{"day", "id"}},
			Columns: []catalog.TableColumn{
				column("day", "date", false), column("id", "bigint", false), column("tenant", "text", true),
				{Name: "customer", Native: "integer", Nullable: true, Comment: "who pays"},
			},
			ForeignKeys: []catalog.ForeignKey{{
				Columns: []string{"tenant", "customer"}, RefSchema: "sales", RefTable: "customers", RefColumns: []string{"tenant", "id"},
			}},
		},
		{Schema: "sales", Name: "totals", View: true, Columns: []catalog.TableColumn{column("n", "bigint", true)}},
	}
	tables := introspect(t, open(t, specOf(db)), "sales")
	for i := range tables {
		if tables[i].Shape == 0 || tables[i].Parts != (tables[i].Name == "orders") {
			t.Errorf("%s: shape %d, parts %t", tables[i].Name, tables[i].Shape, tables[i].Parts)
		}
		tables[i].Kind, tables[i].Colliding, tables[i].Referrers, tables[i].Shape, tables[i].Writable, tables[i].Parts, tables[i].Members = "", nil, nil, 0, false, false, nil // see TestIntrospectWrites
		for j := range tables[i].Columns {
			c := &tables[i].Columns[j]
			if !c.ByCode || c.Form != value.Plain || !c.Supported {
				t.Errorf("%s.%s: %+v", tables[i].Name, c.Name, *c)
			}
			*c = catalog.TableColumn{Name: c.Name, Native: c.Native, Nullable: c.Nullable, Comment: c.Comment}
		}
	}
	if diff := cmp.Diff(expected, tables); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	if tables := introspect(t, open(t, specOf(db)), "nowhere'"); len(tables) != 0 {
		t.Errorf("a schema that does not exist: %v", tables)
	}

	// An account is shown what it may read.
	spec := specOf(db.Role(t, "GRANT USAGE ON SCHEMA sales TO $role; GRANT SELECT (id, nick) ON sales.customers TO $role"))
	tables = introspect(t, open(t, spec), "sales")
	if len(tables) != 1 || len(tables[0].Columns) != 2 || tables[0].Columns[1].Name != "nick" {
		t.Errorf("an account that may read two columns is shown %+v", tables)
	}
	db.Exec(t, "REVOKE USAGE ON SCHEMA sales FROM "+spec.User+"; GRANT SELECT ON sales.customers TO "+spec.User)
	closed := open(t, spec)
	if tables := introspect(t, closed, "sales"); len(tables) != 0 {
		t.Errorf("an account that may not use the schema is shown %+v", tables)
	}
	unread, err := closed.Unreadable(t.Context(), "sales")
	i := slices.IndexFunc(unread, func(u catalog.Unreadable) bool { return u.Table == "customers" })
	if want := []string{`GRANT USAGE ON SCHEMA "sales" TO "` + spec.User + `";`}; err != nil || i < 0 || !unread[i].All() || !slices.Equal(unread[i].Grants(), want) {
		t.Errorf("of a schema that it may not use: %+v, %v", unread, err)
	}
}

func introspect(t *testing.T, source *postgres.DB, schema string) []catalog.Table {
	t.Helper()
	tables, err := source.Introspect(t.Context(), schema)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

const collated = `
	CREATE EXTENSION citext;
	CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
	CREATE DOMAIN code AS text COLLATE "C";
	CREATE TABLE t (plain text, c text COLLATE "C", posix varchar COLLATE "POSIX", ucs text COLLATE ucs_basic,
		icu text COLLATE "und-x-icu", blind text COLLATE blind, ci citext, code code, n int, list text[] COLLATE "C");`

func TestCollations(t *testing.T) {
	t.Parallel()
	for locale, plain := range map[string]string{"": "by code, deterministic", "en_US": "deterministic"} {
		db := pgtest.Start(t).Database(t)
		if locale != "" {
			db = pgtest.Start(t).DatabaseLocale(t, locale)
		}
		db.Exec(t, collated)
		got := make(map[string]string)
		for _, c := range introspect(t, open(t, specOf(db)), "public")[0].Columns {
			var is []string
			if c.ByCode {
				is = append(is, "by code")
			}
			if c.Form == value.Plain {
				is = append(is, "deterministic")
			}
			got[c.Name] = strings.Join(is, ", ")
		}
		expected := map[string]string{
			"plain": plain, "c": "by code, deterministic", "posix": "by code, deterministic", "ucs": "by code, deterministic",
			"icu": "deterministic", "blind": "", "ci": "", "code": "by code, deterministic", "n": "by code, deterministic", "list": "by code, deterministic",
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("locale %q (-want +got):\n%s", locale, diff)
		}
	}
}

// TestIntrospectOrder: what is said of the order of rows is what the server's
// statistics say, where it holds reads out of order for cheap.
func TestIntrospectOrder(t *testing.T) {
	t.Parallel()
	for cost, cheap := range map[string]bool{"1.1": true, "4": false} {
		db := database(t, `
			CREATE TABLE visits (id int PRIMARY KEY, at timestamptz NOT NULL, away float8 NOT NULL, back int NOT NULL);
			INSERT INTO visits SELECT n, '2026-01-01'::timestamptz + n * interval '1 hour', sin(n), -n FROM generate_series(1, 1000) AS n;
			ANALYZE visits;
			DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET random_page_cost = `+cost+`', current_database()); END $$`)
		got := make(map[string]bool)
		for _, c := range introspect(t, open(t, specOf(db)), "public")[0].Columns {
			got[c.Name] = c.InOrder
		}
		if diff := cmp.Diff(map[string]bool{"id": cheap, "at": cheap, "away": false, "back": false}, got); diff != "" {
			t.Errorf("with a cost of %s (-want +got):\n%s", cost, diff)
		}
	}
}

// TestIntrospectSpread: what is said of how values are spread is what the server's
// statistics say; nothing of what has none, as a view.
func TestIntrospectSpread(t *testing.T) {
	t.Parallel()
	db := database(t, `
		CREATE TABLE visits (id int PRIMARY KEY, tenant text NOT NULL, page int NOT NULL, note text, flag int, low text, free int);
		INSERT INTO visits SELECT n, CASE WHEN n % 2 = 0 THEN 'big' ELSE 't' || n % 5 END, n % 10, NULL, n % 4, 'x', n % 8 FROM generate_series(1, 1000) AS n;
		CREATE INDEX ON visits (tenant, page);
		CREATE INDEX ON visits (id) WHERE flag = 1;
		CREATE INDEX ON visits (lower(low));
		ANALYZE visits;
		CREATE VIEW seen AS SELECT * FROM visits;
		CREATE TABLE fresh (id int)`)
	got := make(map[string]string)
	for _, table := range introspect(t, open(t, specOf(db)), "public") {
		for _, c := range table.Columns {
			if c.Spread != nil {
				got[table.Name+"."+c.Name] = fmt.Sprintf("%.0f of %.0f, %.0f at most, index %t", c.Spread.Each, c.Spread.Rows, c.Spread.Most, c.Spread.InIndex)
			}
			if c.Nulls != nil && *c.Nulls > 0 {
				got[table.Name+"."+c.Name] += fmt.Sprintf("; %.0f null", *c.Nulls)
			}
		}
	}
	expected := map[string]string{
		"visits.id":     "1 of 1000, 1 at most, index true",
		"visits.tenant": "167 of 1000, 500 at most, index true",
		"visits.page":   "100 of 1000, 100 at most, index true",
		"visits.note":   "; 1000 null",
		"visits.flag":   "250 of 1000, 250 at most, index true",
		"visits.low":    "1000 of 1000, 1000 at most, index true",
		"visits.free":   "125 of 1000, 125 at most, index false",
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
