package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/lib/pq"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
)

const unfilled = `ALTER TABLE orders ADD must int NOT NULL DEFAULT 1; ALTER TABLE orders ALTER must DROP DEFAULT`

// What the owner of a table does to it, what a tenant then does, and what it is answered: never that
// usher failed.
var ownersFaults = []struct{ name, owner, text, want string }{
	{
		"an upsert by a key that is gone", `ALTER TABLE orders DROP CONSTRAINT orders_pkey`,
		`mutation { insertOrders(rows: [{id: 1, note: "x"}], onConflict: {key: id, update: [note]}) { affected } }`, "null UNAVAILABLE: the source's table differs from the catalog",
	},
	{
		"a new rule", `CREATE RULE away AS ON UPDATE TO customers DO ALSO NOTIFY changed`,
		`mutation { updateCustomersByPk(id: 1, set: {name: "x"}) { name } }`, "null UNAVAILABLE: the keys, triggers or rules of the table of customers have changed",
	},
	{
		"a rule in the place of what is done", `CREATE RULE away AS ON UPDATE TO customers DO INSTEAD NOTHING`,
		`mutation { updateCustomersByPk(id: 1, set: {name: "x"}) { name } }`, "null UNAVAILABLE: the keys, triggers or rules of the table of customers have changed",
	},
	{
		"a column that nobody knows and nothing fills in", unfilled,
		`mutation { insertOrdersOne(row: {id: 9}) { id } }`, "null UNAVAILABLE: rows of orders need a value that nobody here may give, and nothing fills it in",
	},
	{
		"the same, of several rows", unfilled,
		`mutation { insertOrders(rows: [{id: 9}, {id: 10}], onConflict: {key: id, update: [note]}) { affected } }`, "null UNAVAILABLE: rows of orders need a value that nobody here may give, and nothing fills it in",
	},
	{
		"the same, of an update", unfilled,
		`mutation { updateOrdersByPk(id: 1, set: {note: "x"}) { note } }`, `{"updateOrdersByPk":{"note":"x"}}`,
	},
	{
		"a column that may be null no more", `ALTER TABLE orders ALTER note SET NOT NULL`,
		`mutation { insertOrdersOne(row: {id: 9, note: null}) { id } }`, "null BAD_USER_INPUT: note is never null (insertOrdersOne.row.note)",
	},
	{
		"a division in a trigger", of(`new.amount := 1 / (new.id - new.id); RETURN new`),
		`mutation { insertOrdersOne(row: {id: 9}) { id } }`, "null UNAVAILABLE: a trigger or a function of the database's own failed",
	},
	{
		"a text that is no number in a trigger", of(`new.amount := 'x'::text::numeric; RETURN new`),
		`mutation { updateOrdersByPk(id: 1, set: {status: "x"}) { id } }`, "null UNAVAILABLE: a trigger or a function of the database's own failed",
	},
	{
		"several rows where a trigger takes one", of(`new.note := (SELECT name FROM customers); RETURN new`),
		`mutation { insertOrdersOne(row: {id: 9}) { id } }`, "null UNAVAILABLE: a trigger or a function of the database's own failed",
	},
	{
		"no row where a trigger takes one", of(`SELECT name INTO STRICT new.note FROM customers WHERE id = 77; RETURN new`),
		`mutation { insertOrdersOne(row: {id: 9}) { id } }`, "null UNAVAILABLE: a trigger or a function of the database's own failed",
	},
	{
		"an assertion", of(`ASSERT false; RETURN new`),
		`mutation { insertOrdersOne(row: {id: 9}) { id } }`, "null UNAVAILABLE: a trigger or a function of the database's own failed",
	},
	{
		"a statement that is none", of(`EXECUTE 'SELEC 1'; RETURN new`),
		`mutation { insertOrdersOne(row: {id: 9}) { id } }`, "null UNAVAILABLE: a trigger or a function of the database's own failed",
	},
	{
		"a code of an internal error", of(`RAISE EXCEPTION 'no' USING ERRCODE = 'XX000'; RETURN new`),
		`mutation { insertOrdersOne(row: {id: 9}) { id } }`, "null BAD_USER_INPUT: a rule of the database's own refuses what would be written to orders",
	},
	{
		"a sequence that was not asked", of(`CREATE TEMP SEQUENCE s; new.note := currval('s'); RETURN new`),
		`mutation { insertOrdersOne(row: {id: 9}) { id } }`, "null UNAVAILABLE: a trigger or a function of the database's own failed",
	},
	{
		"a view that divides", `ALTER TABLE products RENAME TO all_products; CREATE VIEW products AS SELECT id / (id - id) AS id, name FROM all_products`,
		`{ products { id } }`, `{"products":null} UNAVAILABLE: something of the database's own failed`,
	},
	{
		"a view that nobody has filled", `ALTER TABLE products RENAME TO all_products; CREATE MATERIALIZED VIEW products AS SELECT * FROM all_products WITH NO DATA`,
		`{ products { id } }`, `{"products":null} UNAVAILABLE: a materialized view that is read has not been filled yet`,
	},
	{
		"a view of one that nobody has filled", `ALTER TABLE products RENAME TO all_products; CREATE MATERIALIZED VIEW filled AS SELECT * FROM all_products WITH NO DATA; CREATE VIEW products AS SELECT * FROM filled`,
		`{ products { id } }`, `{"products":null} UNAVAILABLE: a materialized view that is read has not been filled yet`,
	},
	{
		"a condition of a domain", `CREATE DOMAIN short AS text CONSTRAINT is_short CHECK (length(value) < 5); ALTER TABLE orders ALTER note TYPE short USING left(note, 4)`,
		`mutation { insertOrders(rows: [{id: 8, note: "ok"}, {id: 9, note: "far too long"}]) { affected } }`, "null BAD_USER_INPUT: note of orders may not have such a value (insertOrders.rows.1.note)",
	},
	{
		"JSON that holds what no text holds", "",
		`mutation { insertOrders(rows: [{id: 8}, {id: 9, doc: {a: "\u0000"}}]) { affected } }`, "null BAD_USER_INPUT: a text has a character that orders cannot hold where it is written (insertOrders.rows.1.doc)",
	},
	{
		"a trigger that makes a row another tenant's", of(`new.tenant := 'b'; RETURN new`),
		`mutation { insertOrdersOne(row: {id: 77}) { id } }`, "null FORBIDDEN: what would be written to orders is not what you may write there",
	},
	{
		"a trigger that makes a row another tenant's, who has its key", of(`new.tenant := 'b'; RETURN new`),
		`mutation { insertOrdersOne(row: {id: 2}) { id } }`, "null FORBIDDEN: what would be written to orders is not what you may write there",
	},
	{
		"a trigger that moves a row to another partition", `DROP TABLE orders CASCADE; CREATE TABLE orders (tenant text NOT NULL, id bigint NOT NULL, customer_id bigint, product_id int, status text NOT NULL DEFAULT 'open', note text,
			amount numeric(12,2), version int NOT NULL, created_by text, doc jsonb, tags text[], PRIMARY KEY (tenant, id, status)) PARTITION BY LIST (status);
			CREATE TABLE orders_open PARTITION OF orders FOR VALUES IN ('open'); CREATE TABLE orders_other PARTITION OF orders DEFAULT; ` + of(`new.status := 'closed'; RETURN new`),
		`mutation { insertOrdersOne(row: {id: 77}) { id } }`, "null UNAVAILABLE: a trigger or a function of the database's own failed",
	},
	{
		"a trigger that does nothing, and a key that is taken", of(`RETURN new`),
		`mutation { insertOrdersOne(row: {id: 1}) { id } }`, "null CONFLICT: there is a row of orders with the same id (insertOrdersOne.row.id)",
	},
}

// of makes a trigger of orders that runs before rows are written.
func of(body string) string {
	return `CREATE FUNCTION owners() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ` + body + `; END $$; CREATE TRIGGER owners BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION owners()`
}

func TestOwnersFaults(t *testing.T) {
	t.Parallel()
	for _, f := range ownersFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			g, db := openWritten(t)
			ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
			g.query(t, ann, f.text) // what is prepared by then
			db.Exec(t, `DELETE FROM orders WHERE id > 5; `+f.owner)
			for range 3 {
				if got := short(t, g.query(t, ann, f.text)); !strings.HasPrefix(got, f.want) {
					t.Errorf("got %s\nwant %s", got, f.want)
				}
			}
		})
	}
}

// What is in the database before usher looks: domains and partitions have columns for whoever writes, and keys
// that are equal to the source are one.
func TestOwnersTables(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+`
CREATE DOMAIN short AS text CONSTRAINT is_short CHECK (length(value) < 8);
CREATE DOMAIN shorter AS short CONSTRAINT is_shorter CHECK (length(value) < 6);
ALTER TABLE orders ALTER note TYPE shorter USING left(note, 5);
DROP TABLE customers CASCADE;
CREATE TABLE customers (tenant text NOT NULL, id bigint NOT NULL CHECK (id < 100), name varchar(20) NOT NULL, PRIMARY KEY (tenant, id)) PARTITION BY HASH (tenant);
CREATE TABLE customers_of PARTITION OF customers FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE COLLATION either (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE names (tenant text NOT NULL, name text COLLATE either NOT NULL, n int, PRIMARY KEY (tenant, name));
CREATE TABLE prices (tenant text NOT NULL, price numeric NOT NULL, n int, PRIMARY KEY (tenant, price));
CREATE TABLE loose (tenant text NOT NULL, id int, n int);
INSERT INTO loose VALUES ('a', 1, 1), ('a', 1, 2);`)
	g := openWrittenAs(t, db, func(text string) string {
		return text + "  names: {tenant: tenant, writable: true}\n  prices: {tenant: tenant, writable: true}\n"
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ text, want string }{
		{`mutation { insertOrders(rows: [{id: 8, note: "ok"}, {id: 9, note: "too long"}]) { affected } }`, `null BAD_USER_INPUT: note of orders may not have such a value (insertOrders.rows.1.note)`},
		{`mutation { updateOrdersByPk(id: 1, set: {note: "longer"}) { id } }`, `null BAD_USER_INPUT: note of orders may not have such a value (updateOrdersByPk.set.note)`},
		{`mutation { insertCustomers(rows: [{id: 8, name: "x"}, {id: 101, name: "y"}]) { affected } }`, `null BAD_USER_INPUT: id of customers may not have such a value (insertCustomers.rows.1.id)`},
		{`mutation { insertPrices(rows: [{price: 1}, {price: 1.0}], onConflict: {key: price, update: [n]}) { affected } }`, `null BAD_USER_INPUT: two rows`},
	} {
		if got := short(t, g.query(t, ann, line.text)); !strings.HasPrefix(got, line.want) {
			t.Errorf("%s\ngot  %s\nwant %s", line.text, got, line.want)
		}
	}
}

// A type that has got more labels since is served with those of the file; a row with another is null there.
func TestLabelsThatCameLater(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+`CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE moods (tenant text NOT NULL, id int PRIMARY KEY, mood mood); INSERT INTO moods VALUES ('a', 1, 'good');
		ALTER TYPE mood ADD VALUE 'fair' BEFORE 'bad'`)
	db.Exec(t, `INSERT INTO moods VALUES ('a', 2, 'fair')`)
	g := openWrittenAs(t, db, func(text string) string {
		return text + "  moods: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, mood: {type: Enum, name: Mood, labels: [good, bad]}}}\n"
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA")
	if got := g.query(t, ann, `{ moods(orderBy: [{id: ASC}]) { id mood } }`); !strings.Contains(got, `"moods":[{"id":1,"mood":"good"},{"id":2,"mood":null}]`) || !strings.Contains(got, "came later") {
		t.Error(got)
	}
	if got := short(t, g.query(t, ann, `{ moods(where: {mood: {eq: good}}) { id } }`)); got != `{"moods":[{"id":1}]}` {
		t.Error(got)
	}
	// A label that is there since usher looked has its place on the pages as well.
	db.Exec(t, `ALTER TYPE mood ADD VALUE 'great' BEFORE 'good'`)
	db.Exec(t, `INSERT INTO moods VALUES ('a', 3, 'great'), ('a', 4, 'bad'), ('a', 5, NULL), ('a', 6, 'fair'), ('b', 7, 'fair')`)
	for _, way := range []struct{ order, first, after, end, want string }{
		{"mood: ASC", "first", "after", "endCursor", "3 1 2 6 4 5"},
		{"mood: DESC_NULLS_FIRST", "first", "after", "endCursor", "5 4 2 6 1 3"},
		{"mood: ASC", "last", "before", "startCursor", "5 4 6 2 1 3"},
		{"mood: DESC_NULLS_FIRST", "last", "before", "startCursor", "3 1 6 2 4 5"},
	} {
		var got []string
		for cursor := ""; len(got) < 8; {
			answer := g.query(t, ann, `{ moodsConnection(orderBy: [{`+way.order+`}], `+way.first+`: 1`+cursor+`) { nodes { id } pageInfo { `+way.end+` } } }`)
			_, id, more := strings.Cut(answer, `"nodes":[{"id":`)
			if !more {
				break
			}
			id, _, _ = strings.Cut(id, "}")
			_, cursor, _ = strings.Cut(answer, way.end+`":`)
			cursor, _, _ = strings.Cut(cursor, "}")
			got, cursor = append(got, id), ", "+way.after+": "+cursor
		}
		if strings.Join(got, " ") != way.want {
			t.Errorf("%v has the pages %v", way, got)
		}
	}
}

// loglines keeps what is logged.
type loglines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *loglines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

// What an account lacks is in the log, with what gives it; nobody is told.
func TestLackedPrivilegesAreLogged(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	role := db.Name + "_writes"
	db.Exec(t, writtenTables+"CREATE ROLE "+role+" LOGIN PASSWORD "+pq.QuoteLiteral(db.Password)+"; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+role+"; GRANT UPDATE ON orders TO "+role)
	dir := t.TempDir()
	text := strings.Replace(writtenText(db, dir), "user: \""+db.User+"\"", "user: "+role, 1)
	cfg, err := config.Parse(dir+"/usher.yml", []byte(text), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	logged := new(loglines)
	served, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(logged, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = served.Close() })
	g := writing{gate{served}, gate{served}.bootstrap(t)}
	g.check(t, g.root, `mutation { admin { createTenant(input: {id: "a"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"a"}}}}`)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	got := short(t, g.query(t, ann, `mutation { insertOrdersOne(row: {id: 10}) { id } }`))
	if !strings.HasPrefix(got, "null UNAVAILABLE: the source's account may not write orders") || strings.Contains(got, role) || strings.Contains(got, "GRANT") {
		t.Error(got)
	}
	loads := importing{writing: g}
	loads.serve(t)
	if got := loads.load(t, ann, "/import/orders?format=csv", "id\n10\n"); !strings.HasPrefix(got, "503 ") || !strings.Contains(got, "the source's account may not write orders") {
		t.Error(got)
	}
	db.Exec(t, "GRANT INSERT ON orders TO "+role+`; REVOKE TEMPORARY ON DATABASE "`+db.Name+`" FROM public`)
	var many strings.Builder // few need no temporary table
	for n := range 20_000 {
		fmt.Fprintf(&many, "%d\n", 10+n)
	}
	if got := loads.load(t, ann, "/import/orders?format=csv", "id\n"+many.String()); !strings.HasPrefix(got, "503 ") || strings.Contains(got, "TEMPORARY") {
		t.Error(got)
	}
	db.Exec(t, "REVOKE SELECT ON products FROM "+role)
	if got := short(t, g.query(t, ann, `{ products { id } }`)); !strings.Contains(got, "UNAVAILABLE: the source's account may not read the table") || strings.Contains(got, role) {
		t.Error(got)
	}
	logged.mu.Lock()
	defer logged.mu.Unlock()
	text = "" // but for what is told at the start of all that is lacked
	for line := range strings.Lines(logged.String()) {
		if !strings.Contains(line, "accounts lack what they need") {
			text += line
		}
	}
	if !strings.Contains(text, "GRANT SELECT ON") || !strings.Contains(text, "lacks SELECT on public.products") {
		t.Errorf("logged is\n%s", text)
	}
	if want := "GRANT TEMPORARY ON DATABASE " + `"` + db.Name + `" TO`; strings.Count(text, "lacks TEMPORARY on the database") != 1 {
		t.Errorf("logged is\n%s\nwant %s", text, want)
	}
	if want := `GRANT INSERT ON`; !strings.Contains(text, want) || !strings.Contains(text, role) || strings.Contains(text, "GRANT UPDATE") {
		t.Errorf("logged is\n%s", text)
	}
}

// A value that is larger than what a server keeps in an index is what is wrong with the input, wherever it stands.
func TestValuesThatNoIndexTakes(t *testing.T) {
	t.Parallel()
	i := openImports(t, "")
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	var long strings.Builder // of which nothing can be left out by compressing it
	for n := range 400 {
		fmt.Fprintf(&long, "%x", sha256.Sum256([]byte{byte(n), byte(n >> 8)}))
	}
	const refused = `null BAD_USER_INPUT: a value is larger than the source keeps in an index or in a row of orders`
	for _, m := range []struct{ text, at string }{
		{`mutation ($n: String) { insertOrdersOne(row: {id: 20, note: $n}) { id } }`, "insertOrdersOne.row.note"},
		{`mutation ($n: String) { insertOrders(rows: [{id: 20, note: "short"}, {id: 21, note: $n}, {id: 22}]) { affected } }`, "insertOrders.rows.1.note"},
		{`mutation ($n: String) { insertOrders(rows: [{id: 20, note: "short"}, {id: 21, note: $n}], onConflict: {key: id, update: [note]}) { affected } }`, "insertOrders.rows.1.note"},
		{`mutation ($n: String) { updateOrdersByPk(id: 1, set: {note: $n}) { id } }`, "updateOrdersByPk.set.note"},
		{`mutation ($n: String) { updateOrders(all: true, set: {status: "new", note: $n}) { affected } }`, "updateOrders.set.note"},
	} {
		if got := short(t, i.withVariables(t, ann, m.text, `{"n":"`+long.String()+`"}`)); got != refused+" ("+m.at+")" {
			t.Errorf("%s\n got %s", m.text, got)
		}
	}
	got := i.load(t, ann, "/import/orders?format=csv", "id,note\n20,short\n21,"+long.String()+"\n")
	if !strings.HasPrefix(got, "400 ") || !strings.Contains(got, "larger than the source keeps") || !strings.Contains(got, `"line":3`) {
		t.Errorf("imported: %s", got)
	}
	if got := i.rows(t, `SELECT count(*)::text FROM orders`); got != "2" {
		t.Errorf("there are %s orders", got)
	}
}
