package gateway_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/pgtest"
	"usher/sqlgen"
	"usher/test/program"
)

// takesAway makes rows another tenant's once they have been written, when a statement that writes them has
// returned them already.
const takesAway = `CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE orders SET tenant = 'b' WHERE tenant = 'a' AND id = new.id; RETURN NULL; END $$;
CREATE TRIGGER away AFTER INSERT OR UPDATE ON orders FOR EACH ROW WHEN (new.tenant = 'a') EXECUTE FUNCTION away()`

// What migrations do to tables of the written shop while usher runs; what a tenant then does;
// what it is answered.
var migrations = []struct {
	name, migrate, text, want string
}{
	{
		"a cascade", `CREATE TABLE bins (id int PRIMARY KEY, box_id bigint REFERENCES boxes ON DELETE CASCADE); INSERT INTO bins VALUES (1, 1), (2, 2)`,
		`mutation { deleteBoxesByPk(id: 1) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of boxes have changed`,
	},
	{
		"a cascade, and no row is deleted", `CREATE TABLE bins (id int PRIMARY KEY, box_id bigint REFERENCES boxes ON DELETE CASCADE)`,
		`mutation { insertBoxesOne(row: {id: 10}) { id } }`, `{"insertBoxesOne":{"id":10}}`,
	},
	{
		"set null", `CREATE TABLE bins (id int PRIMARY KEY, box_id bigint REFERENCES boxes ON DELETE SET NULL)`,
		`mutation { deleteBoxes(all: true) { affected } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of boxes have changed`,
	},
	{
		"a unique index", `CREATE UNIQUE INDEX of_all ON orders (note)`,
		`mutation { insertOrdersOne(row: {id: 9, note: "mine"}) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed`,
	},
	{
		"a unique index that tells", `CREATE UNIQUE INDEX of_all ON orders (note)`,
		`mutation { insertOrdersOne(row: {id: 9, note: "theirs"}) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed`,
	},
	{
		"a unique index, and an update", `CREATE UNIQUE INDEX of_all ON orders (note)`,
		`mutation { updateOrdersByPk(id: 1, set: {note: "x"}) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed`,
	},
	{
		"a rule", `CREATE RULE away AS ON INSERT TO orders WHERE new.id = 77 DO ALSO SELECT 1`,
		`mutation { updateOrdersByPk(id: 1, set: {note: "x"}) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed`,
	},
	{
		"a foreign key that pairs no tenants", `CREATE TABLE secrets (note text PRIMARY KEY); INSERT INTO secrets SELECT note FROM orders; ALTER TABLE orders ADD FOREIGN KEY (note) REFERENCES secrets`,
		`mutation { insertOrdersOne(row: {id: 9, note: "guess"}) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed`,
	},
	{
		"a child with a key of its own", `CREATE TABLE more_orders (UNIQUE (note)) INHERITS (orders)`,
		`mutation { updateOrdersByPk(id: 1, set: {note: "x"}) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed`,
	},
	{
		"a parent whose key is another tenant's too", `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey, ADD PRIMARY KEY (tenant, id)`,
		`mutation { insertBoxesOne(row: {id: 2}) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of boxes have changed`,
	},
	{
		"a column that takes the tenant's name", `ALTER TABLE orders RENAME tenant TO before; ALTER TABLE orders ADD tenant text; UPDATE orders SET tenant = before; ALTER TABLE orders ALTER tenant SET NOT NULL, ALTER before SET DEFAULT ''`,
		`mutation { insertOrdersOne(row: {id: 2}) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed`,
	},
	{
		"the same, and no such row", `ALTER TABLE orders RENAME tenant TO before; ALTER TABLE orders ADD tenant text; UPDATE orders SET tenant = before; ALTER TABLE orders ALTER tenant SET NOT NULL, ALTER before SET DEFAULT ''`,
		`mutation { insertOrdersOne(row: {id: 77}) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed`,
	},
	{
		"two columns that change their names", `ALTER TABLE orders RENAME tenant TO t; ALTER TABLE orders RENAME created_by TO tenant; ALTER TABLE orders RENAME t TO created_by; UPDATE orders SET tenant = created_by`,
		`mutation { updateOrdersByPk(id: 1, set: {note: "theirs"}) { id } }`, `null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed`,
	},
	{
		"a trigger that takes rows away when they are written", takesAway, `mutation { insertOrdersOne(row: {id: 9}) { note } }`, `null FORBIDDEN`,
	},
	{
		"the same, and an update", takesAway, `mutation { updateOrdersByPk(id: 1, set: {note: "x"}) { id } }`, `null FORBIDDEN`,
	},
	{
		"the same, and several rows", takesAway, `mutation { insertOrders(rows: [{id: 9}, {id: 10}]) { affected } }`, `null FORBIDDEN`,
	},
	// What changes nothing between tenants goes on.
	{
		"an index of the tenant's", `CREATE UNIQUE INDEX ON orders (tenant, amount)`,
		`mutation { insertOrdersOne(row: {id: 9}) { id } }`, `{"insertOrdersOne":{"id":9}}`,
	},
	{
		"a foreign key that pairs the tenants", `CREATE TABLE bills (tenant text, order_id bigint, FOREIGN KEY (tenant, order_id) REFERENCES orders)`,
		`mutation { deleteOrdersByPk(id: 1) { id } }`, `{"deleteOrdersByPk":{"id":1}}`,
	},
	{
		"a trigger", `CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.note := 'by trigger'; RETURN new; END $$; CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp()`,
		`mutation { insertOrdersOne(row: {id: 9}) { note } }`, `{"insertOrdersOne":{"note":"by trigger"}}`,
	},
	{
		"a column", `ALTER TABLE orders ADD COLUMN more text`,
		`mutation { insertOrdersOne(row: {id: 9}) { id } }`, `{"insertOrdersOne":{"id":9}}`,
	},
	{
		"the same, made anew", `DROP INDEX orders_tenant_note_idx; CREATE UNIQUE INDEX ON orders (tenant, note)`,
		`mutation { insertOrdersOne(row: {id: 9, note: "first"}) { id } }`, `null CONFLICT: there is a row of orders with the same note`,
	},
}

// Who may reach whose rows by writing is judged anew when a migration has run, by each change.
func TestMigrationsAreNoticed(t *testing.T) {
	t.Parallel()
	for _, m := range migrations {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			g, db := openWritten(t)
			ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
			if got := short(t, g.query(t, ann, `mutation { insertOrdersOne(row: {id: 5, note: "before"}) { id } insertBoxesOne(row: {id: 5}) { id } }`)); strings.Contains(got, "null ") {
				t.Fatal(got)
			}
			db.Exec(t, m.migrate)
			rows := `SELECT (SELECT string_agg(o::text, ';' ORDER BY id) FROM orders o) || (SELECT string_agg(b::text, ';' ORDER BY id) FROM boxes b)`
			before := one(t, db.Open(t), rows)
			for range 2 { // what was judged is known, too
				got := short(t, g.query(t, ann, m.text))
				if strings.HasPrefix(m.want, "null") != strings.HasPrefix(got, "null") || !strings.HasPrefix(got, m.want) {
					t.Errorf("got %s\nwant %s", got, m.want)
				}
				if !strings.HasPrefix(m.want, "null") {
					return
				}
			}
			if after := one(t, db.Open(t), rows); after != before {
				t.Errorf("there is\n%s\nand was\n%s", after, before)
			}
		})
	}
}

// A table is another when a column that a key holds is called otherwise or is of another type, in the table or where a foreign
// key leads from or to: keys hold columns by number.
func TestColumnsOfKeysAreTold(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE EXTENSION citext; CREATE TABLE a (tenant text, other text, id int, PRIMARY KEY (tenant, id));
		CREATE TABLE b (tenant text, other text, id int, a int, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, a) REFERENCES a ON DELETE CASCADE);
		CREATE TABLE c (tenant text, other text, id int, b int, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, b) REFERENCES b ON DELETE SET NULL (b))`)
	at := db.Open(t)
	shape := func() string { return one(t, at, "SELECT "+sqlgen.PostgresShape("public", "b", false)+"::text") }
	for _, text := range []string{
		`ALTER TABLE a RENAME tenant TO was; ALTER TABLE a RENAME other TO tenant`,
		`ALTER TABLE b RENAME tenant TO was; ALTER TABLE b RENAME other TO tenant`,
		`ALTER TABLE c RENAME tenant TO was; ALTER TABLE c RENAME other TO tenant`,
		`ALTER TABLE b ALTER tenant TYPE citext`,
	} {
		before := shape()
		db.Exec(t, text)
		if shape() == before {
			t.Errorf("nothing tells of %s", text)
		}
	}
}

// What a migration has put in the way is in the way until it is mended, and not until usher is started again:
// tables that were refused are judged anew every few seconds, by who writes then.
func TestMigrationsAreMended(t *testing.T) {
	t.Parallel()
	for _, m := range []struct{ name, migrate, mend, text string }{
		{"a unique index", `CREATE UNIQUE INDEX of_all ON orders (note)`, `DROP INDEX of_all`, `mutation { insertOrdersOne(row: {id: 9, note: "mine"}) { id } }`},
		{"a cascade", `CREATE TABLE bins (id int PRIMARY KEY, box_id bigint REFERENCES boxes ON DELETE CASCADE)`, `DROP TABLE bins`, `mutation { deleteBoxesByPk(id: 1) { id } }`},
		{"a rule", `CREATE RULE away AS ON INSERT TO orders WHERE new.id = 77 DO ALSO SELECT 1`, `DROP RULE away ON orders`, `mutation { updateOrdersByPk(id: 1, set: {note: "x"}) { id } }`},
		{"another table", `ALTER TABLE orders RENAME TO old; CREATE TABLE orders (LIKE old INCLUDING ALL); ALTER TABLE orders ADD UNIQUE (id)`, `DROP TABLE orders; ALTER TABLE old RENAME TO orders`, `mutation { insertOrdersOne(row: {id: 9, note: "mine"}) { id } }`},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			g, db := openWritten(t)
			ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
			db.Exec(t, m.migrate)
			if got := short(t, g.query(t, ann, m.text)); !strings.HasPrefix(got, "null UNAVAILABLE: the keys, triggers or rules of the table") {
				t.Fatal(got)
			}
			db.Exec(t, m.mend)
			program.Soon(t, time.Minute, "it is mended, and written again", func() bool {
				got := short(t, g.query(t, ann, m.text))
				if strings.HasPrefix(got, "null") && !strings.HasPrefix(got, "null UNAVAILABLE: the keys, triggers or rules of the table") {
					t.Fatal(got)
				}
				return !strings.HasPrefix(got, "null")
			})
		})
	}
}

// A table that others lead to becomes one that is partitioned by its key, while usher runs: rows are led to as
// before. What is whose because of it is told to nobody until the configuration is read anew, since the key of partitions is
// proved in another way; and it is said so, instead of that there is nothing.
func TestParentsBecomePartitioned(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	ann, bob := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), g.keyOf(t, "bob", "b", "READ_DATA, WRITE_DATA")
	const order = `mutation ($r: OrdersInsert!) { insertOrdersOne(row: $r) { id customer { name } } }`
	const item = `mutation ($r: ItemsInsert!) { insertItemsOne(row: $r) { sku } }`
	ask := func(key, text, variables, want string) {
		t.Helper()
		if got := short(t, g.withVariables(t, key, text, variables)); got != want {
			t.Errorf("%s %s\n got %s\nwant %s", text, variables, got, want)
		}
	}
	ask(ann, order, `{"r":{"id":10,"customer_id":1}}`, `{"insertOrdersOne":{"id":10,"customer":{"name":"Ann"}}}`)
	ask(ann, item, `{"r":{"box_id":1,"line":2,"sku":"a"}}`, `{"insertItemsOne":{"sku":"a"}}`)
	db.Exec(t, `ALTER TABLE orders DROP CONSTRAINT orders_tenant_customer_id_fkey;
		ALTER TABLE customers RENAME TO old_customers;
		CREATE TABLE customers (tenant text NOT NULL, id bigint NOT NULL, name varchar(20), PRIMARY KEY (tenant, id)) PARTITION BY HASH (tenant, id);
		CREATE TABLE customers_0 PARTITION OF customers FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE customers_1 PARTITION OF customers FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		INSERT INTO customers SELECT * FROM old_customers;
		ALTER TABLE orders ADD FOREIGN KEY (tenant, customer_id) REFERENCES customers;
		ALTER TABLE boxes RENAME TO old_boxes;
		CREATE TABLE boxes (id bigint PRIMARY KEY, tenant text NOT NULL) PARTITION BY RANGE (id);
		CREATE TABLE boxes_0 PARTITION OF boxes FOR VALUES FROM (0) TO (2); CREATE TABLE boxes_1 PARTITION OF boxes FOR VALUES FROM (2) TO (1000);
		INSERT INTO boxes SELECT * FROM old_boxes`)
	ask(ann, order, `{"r":{"id":11,"customer_id":1}}`, `{"insertOrdersOne":{"id":11,"customer":{"name":"Ann"}}}`)
	ask(ann, order, `{"r":{"id":12,"customer_id":3}}`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`)
	ask(bob, order, `{"r":{"id":12,"customer_id":3}}`, `{"insertOrdersOne":{"id":12,"customer":{"name":"Bob"}}}`)
	const replaced = `UNAVAILABLE: whose rows these are cannot be told: the table by which they are a tenant's was replaced by another one`
	ask(ann, item, `{"r":{"box_id":1,"line":3,"sku":"b"}}`, `null `+replaced)
	ask(ann, item, `{"r":{"box_id":2,"line":3,"sku":"c"}}`, `null NOT_FOUND: box_id leads to no row of boxes (insertItemsOne.row.box_id)`)
	for _, text := range []string{
		`{ items { sku } }`, `{ itemsAggregate { count } }`, `{ items(where: {sku: {eq: "nothing"}}) { sku } }`, `{ boxes { id items { sku } } }`,
		`{ boxes(where: {items: {some: {sku: {eq: "a"}}}}) { id } }`, `mutation { updateItems(all: true, set: {sku: "x"}) { affected } }`,
		`mutation { deleteItems(all: true) { affected } }`,
	} {
		for _, who := range []string{ann, bob} {
			if got := short(t, g.query(t, who, text)); !strings.HasSuffix(got, replaced) {
				t.Errorf("%s: %s", text, got)
			}
		}
	}
	if got := g.query(t, ann, `{ items { sku } }`); !strings.Contains(got, "SIGHUP") || strings.Contains(got, "usher_needs") {
		t.Errorf("what to do next is not told: %s", got)
	}
	g = openWrittenAs(t, db, func(text string) string { return text }) // which reads what is there now
	ann, bob = g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), g.keyOf(t, "bob", "b", "READ_DATA, WRITE_DATA")
	ask(ann, item, `{"r":{"box_id":1,"line":3,"sku":"b"}}`, `{"insertItemsOne":{"sku":"b"}}`)
	ask(ann, item, `{"r":{"box_id":2,"line":3,"sku":"c"}}`, `null NOT_FOUND: box_id leads to no row of boxes (insertItemsOne.row.box_id)`)
	ask(bob, item, `{"r":{"box_id":2,"line":3,"sku":"d"}}`, `{"insertItemsOne":{"sku":"d"}}`)
	ask(ann, `mutation ($id: BigInt!) { insertBoxesOne(row: {id: $id, items: [{line: 1}]}) { id items { line } } }`, `{"id":20}`, `{"insertBoxesOne":{"id":20,"items":[{"line":1}]}}`)
	ask(bob, `mutation ($id: BigInt!) { deleteBoxesByPk(id: $id) { id } }`, `{"id":20}`, `{"deleteBoxesByPk":null}`)
	ask(bob, `mutation ($id: BigInt!) { insertBoxesOne(row: {id: $id}) { id } }`, `{"id":20}`, `null CONFLICT: there is a row of boxes with the same id (insertBoxesOne.row.id)`)
	if got := one(t, db.Open(t), `SELECT string_agg(sku, '' ORDER BY sku) FROM items WHERE sku IN ('a', 'b', 'c', 'd')`); got != "abd" {
		t.Errorf("there are the items %s", got)
	}
	db.Exec(t, `ALTER TABLE boxes RENAME TO parted; CREATE TABLE boxes (id bigint PRIMARY KEY, tenant text NOT NULL); INSERT INTO boxes SELECT * FROM parted;
		CREATE TABLE more () INHERITS (boxes); INSERT INTO more VALUES (1, 'b')`)
	for _, who := range []string{ann, bob} { // back again, with a table whose rows repeat the key
		if got := short(t, g.query(t, who, `{ items { sku } }`)); !strings.HasSuffix(got, replaced) {
			t.Errorf("of a table that is not partitioned any more: %s", got)
		}
	}
}

// A migration that commits while a change waits for it is noticed by that change: in a transaction of
// one snapshot, too.
func TestMigrationsWhileAChangeRuns(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{"", "    filter: {items: {none: {sku: {eq: never}}}}\n"} { // which makes it read another table
		db := pgtest.Start(t).Database(t)
		db.Exec(t, writtenTables)
		db.Exec(t, `CREATE TABLE bins (id int PRIMARY KEY, box_id bigint); INSERT INTO bins VALUES (1, 1), (2, 2); DELETE FROM items WHERE box_id = 1`)
		g := openWrittenAs(t, db, func(text string) string {
			return strings.Replace(text, "    global_keys: true\n", "    global_keys: true\n"+filter, 1)
		})
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		tx, err := db.Open(t).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), `ALTER TABLE bins ADD FOREIGN KEY (box_id) REFERENCES boxes ON DELETE CASCADE`); err != nil {
			t.Fatal(err)
		}
		answered := make(chan string, 1)
		go func() { answered <- g.query(t, ann, `mutation { deleteBoxesByPk(id: 1) { id } }`) }()
		waited(t, db.Open(t))
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := short(t, <-answered); !strings.HasPrefix(got, "null UNAVAILABLE: the keys, triggers or rules of the table of boxes have changed") {
			t.Errorf("filter %q: %s", filter, got)
		}
		if got := one(t, db.Open(t), `SELECT count(*)::text FROM bins`); got != "2" {
			t.Errorf("filter %q: %s bins are left", filter, got)
		}
	}
}

// waited returns when somebody waits for a lock in a database.
func waited(t *testing.T, db *sql.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for n := 0; n == 0; {
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`).Scan(&n); err != nil {
			t.Fatal("nobody waits for a lock: ", err)
		}
	}
}

// Imports notice migrations as well, and write nothing.
func TestMigrationsBeforeAnImport(t *testing.T) {
	t.Parallel()
	i := openImports(t, "")
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	if got := i.load(t, ann, "/import/orders?format=csv", "id,note\n50,one\n"); got != `200 {"rows":1}` {
		t.Fatal(got)
	}
	if _, err := i.sql.ExecContext(t.Context(), `CREATE UNIQUE INDEX of_all ON orders (note)`); err != nil {
		t.Fatal(err)
	}
	for _, note := range []string{"free", "theirs"} {
		if got := i.load(t, ann, "/import/orders?format=csv", "id,note\n51,"+note+"\n"); !strings.HasPrefix(got, fmt.Sprint(http.StatusServiceUnavailable)) || !strings.Contains(got, "have changed since") {
			t.Errorf("%s: %s", note, got)
		}
	}
	if got := i.rows(t, `SELECT count(*)::text FROM orders WHERE id > 50`); got != "0" {
		t.Errorf("%s rows were written", got)
	}
	if _, err := i.sql.ExecContext(t.Context(), `DROP INDEX of_all; CREATE UNIQUE INDEX ON orders (tenant, amount)`); err != nil {
		t.Fatal(err)
	}
	program.Soon(t, time.Minute, "it is mended, and rows come in again", func() bool {
		return i.load(t, ann, "/import/orders?format=csv", "id\n60\n") == `200 {"rows":1}`
	})
	if _, err := i.sql.ExecContext(t.Context(), takesAway); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := i.load(t, ann, "/import/orders?format=csv", "id\n61\n62\n"); got != failed(403, "what would be written to orders is not what you may write there", `,"line":2,"rows":0`) {
			t.Error(got)
		}
	}
	if got := i.rows(t, `SELECT count(*)::text FROM orders WHERE id > 60`); got != "0" {
		t.Errorf("%s rows were written", got)
	}
}

// Whoever waits for rows longer than the owner of the database lets anybody is told to come again.
func TestRowsThatOthersHold(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables)
	db.Exec(t, `ALTER DATABASE `+db.Name+` SET lock_timeout = '50ms'`)
	g := openWrittenAs(t, db, func(text string) string { return text })
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	holder, err := db.Open(t).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback() }()
	if _, err := holder.ExecContext(t.Context(), `SET LOCAL lock_timeout = 0; UPDATE orders SET note = 'held' WHERE id = 1`); err != nil {
		t.Fatal(err)
	}
	if got := short(t, g.query(t, ann, `mutation { updateOrdersByPk(id: 1, set: {note: "mine"}) { id } }`)); !strings.HasPrefix(got, "null UNAVAILABLE: others hold the same rows of orders") {
		t.Error(got)
	}
}

// Of many who upsert one new key at once each inserts the row or changes it, also where a
// transaction sees one state of several tables. A row that is not shown stays a conflict.
func TestUpsertsOfOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{"", "    filter: {or: [{customer_id: {isNull: true}}, {customer: {name: {neq: gone}}}]}\n"} {
		db := pgtest.Start(t).Database(t)
		db.Exec(t, writtenTables)
		g := openWrittenAs(t, db, func(text string) string {
			return strings.Replace(text, "    version: version\n", "    version: version\n"+filter, 1)
		})
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		const writers, keys = 16, 5
		answers := make(chan string, writers*keys)
		for key := range keys {
			start := make(chan struct{})
			var done sync.WaitGroup
			for by := range writers {
				done.Go(func() {
					<-start
					answers <- g.query(t, ann, fmt.Sprintf(`mutation { insertOrders(rows: [{id: %d, status: "by %d"}], onConflict: {key: id, update: [status]}) { affected } }`, 100+key, by))
				})
			}
			close(start)
			done.Wait()
		}
		close(answers)
		for answer := range answers {
			if got := short(t, answer); got != `{"insertOrders":{"affected":1}}` {
				t.Errorf("filter %q: %s", filter, got)
			}
		}
		if got := one(t, db.Open(t), `SELECT string_agg(version::text, ' ') FROM orders WHERE id >= 100`); got != "16 16 16 16 16" {
			t.Errorf("filter %q: the rows were changed %s times", filter, got)
		}
	}
}

// triggered has code of its owner's run that names what it reads without a schema.
const triggered = `
CREATE TABLE settings (name text PRIMARY KEY, value text NOT NULL);
INSERT INTO settings VALUES ('prefix', 'no. ');
CREATE TABLE journal (what text);
CREATE FUNCTION prefixed(note text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT value FROM settings WHERE name = 'prefix') || note; END $$;
CREATE FUNCTION before_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.note := prefixed(new.note); RETURN new; END $$;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO journal VALUES (tg_op || ' ' || tg_level || ' ' || tg_when); RETURN NULL; END $$;
CREATE FUNCTION said() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT value FROM settings) || 'said'; END $$;
ALTER TABLE orders ALTER COLUMN created_by SET DEFAULT said();
CREATE TRIGGER a BEFORE INSERT OR UPDATE ON orders FOR EACH ROW WHEN (new.note IS NOT NULL) EXECUTE FUNCTION before_row();
CREATE TRIGGER b AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TRIGGER c BEFORE INSERT OR UPDATE OR DELETE ON orders FOR EACH STATEMENT EXECUTE FUNCTION noted();
CREATE CONSTRAINT TRIGGER d AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION noted();
`

// Triggers and functions of the database's find what they name without a schema where they do for other
// programs: directly, and behind poolers. What somebody puts into such a schema gives no
// statement of usher's another meaning.
func TestTriggersFindTheirTables(t *testing.T) {
	t.Parallel()
	for _, pooler := range []string{"", "session", "transaction"} {
		db := pgtest.Start(t).Database(t)
		db.Exec(t, writtenTables+triggered+`
			CREATE FUNCTION always(varchar, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT TRUE';
			CREATE FUNCTION always(text, varchar) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT TRUE';
			CREATE FUNCTION always(varchar, varchar) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT TRUE';
			CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = text, FUNCTION = always);
			CREATE OPERATOR = (LEFTARG = text, RIGHTARG = varchar, FUNCTION = always);
			CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = always);
			CREATE FUNCTION unnest(text[]) RETURNS SETOF text LANGUAGE sql AS $$ SELECT 'hijacked' $$;
			ALTER TABLE orders DROP CONSTRAINT orders_tenant_customer_id_fkey;
			ALTER TABLE orders ALTER tenant TYPE varchar(20);`)
		served := db
		if pooler != "" {
			served = db.Bouncer(t, pooler)
		}
		g := openWrittenAs(t, served, func(text string) string {
			text = strings.Replace(text, "    presets: {insert: {created_by: $subject}}\n", "", 1)
			if pooler != "" {
				text = strings.Replace(text, "sslmode: disable", "sslmode: disable, pooler: "+pooler, 1)
			}
			return text
		})
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		for _, line := range []struct{ text, want string }{
			{`mutation { insertOrders(rows: [{id: 10, note: "ten"}, {id: 11}]) { rows { id note created_by } } }`, `{"insertOrders":{"rows":[{"id":10,"note":"no. ten","created_by":"no. said"},{"id":11,"note":null,"created_by":"no. said"}]}}`},
			{`mutation { a: updateOrdersByPk(id: 10, set: {note: "x"}) { note } b: updateOrders(all: true, set: {status: "paid"}) { affected } }`, `{"a":{"note":"no. x"},"b":{"affected":3}}`},
			{`mutation { insertOrders(rows: [{id: 10, note: "y"}], onConflict: {key: id, update: [note]}) { rows { note } } }`, `{"insertOrders":{"rows":[{"note":"no. no. y"}]}}`},
			{`mutation { deleteOrders(all: true) { affected } }`, `{"deleteOrders":{"affected":3}}`},
		} {
			if got := short(t, g.query(t, ann, line.text)); got != line.want {
				t.Errorf("pooler %q: %s\n got %s\nwant %s", pooler, line.text, got, line.want)
			}
		}
		const noted = `SELECT string_agg(n || ' ' || what, ', ' ORDER BY what) FROM (SELECT what, count(*) AS n FROM journal GROUP BY what) j`
		if got := one(t, db.Open(t), noted); got != "3 DELETE ROW AFTER, 1 DELETE STATEMENT BEFORE, 4 INSERT ROW AFTER, 3 INSERT STATEMENT BEFORE, 5 UPDATE ROW AFTER, 3 UPDATE STATEMENT BEFORE" {
			t.Errorf("pooler %q: the triggers have noted %s", pooler, got)
		}
		if got := one(t, db.Open(t), `SELECT string_agg(o::text, ';') FROM orders o`); got != "(b,2,3,theirs,open,,1,,,)" && got != "(b,2,3,,open,theirs,,1,,,)" {
			t.Errorf("pooler %q: the other tenant's rows are %s", pooler, got)
		}
	}
}

// A source says where names are looked up; with no path, and with a wrong one, the table's own trigger
// fails, and that is what is said.
func TestSearchPathOfASource(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+"CREATE SCHEMA app; SET search_path TO app, public;"+triggered+"RESET search_path")
	for path, want := range map[string]string{
		"search_path: [app, public]": `{"insertOrdersOne":{"note":"no. x"}}`,
		"search_path: []":            `null UNAVAILABLE: a trigger or a function of the database's own failed`,
		"max_conns: 3":               `null UNAVAILABLE: a trigger or a function of the database's own failed`, // the account has "$user", public
	} {
		g := openWrittenAs(t, db, func(text string) string {
			return strings.Replace(text, "sslmode: disable", "sslmode: disable, "+path, 1)
		})
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		if got := short(t, g.query(t, ann, `mutation { insertOrdersOne(row: {id: 10, note: "x"}) { note } }`)); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	db.Exec(t, `ALTER ROLE CURRENT_USER IN DATABASE "`+db.Name+`" SET search_path TO app`)
	db.Exec(t, `ALTER DATABASE "`+db.Name+`" SET search_path TO app`)
	g := openWrittenAs(t, db, func(text string) string { return text })
	if got := short(t, g.query(t, g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), `mutation { insertOrdersOne(row: {id: 11, note: "y"}) { note } }`)); got != `{"insertOrdersOne":{"note":"no. y"}}` {
		t.Errorf("the database's: %s", got)
	}
}

// What a source refuses has a place: the row of the input and its column, as far as that can be
// known, whatever refuses it. What the database's own code says is told where the source says so.
func TestRefusalsHaveAPlace(t *testing.T) {
	t.Parallel()
	for _, show := range []bool{false, true} {
		db := pgtest.Start(t).Database(t)
		db.Exec(t, writtenTables+`
			CREATE TYPE mood AS ENUM ('good', 'bad'); ALTER TABLE customers ADD COLUMN host inet, ADD COLUMN mood mood;
			ALTER TABLE orders ADD COLUMN small smallint, ADD CONSTRAINT fits CHECK (amount > customer_id), ADD CONSTRAINT whose CHECK (tenant <> 'x' OR note <> 'x');
			CREATE UNIQUE INDEX ON orders (tenant, amount, status) WHERE amount = 7;
			CREATE FUNCTION rule() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				IF new.note = 'raise' THEN RAISE EXCEPTION 'order % may not be so', new.id; END IF;
				IF new.note = 'coded' THEN RAISE EXCEPTION 'so not' USING ERRCODE = 'AB001'; END IF;
				IF new.note = 'null' THEN new.status := NULL; END IF;
				IF new.note = 'broken' THEN PERFORM * FROM not_there; END IF;
				RETURN new; END $$;
			CREATE TRIGGER rule BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION rule();`)
		g := openWrittenAs(t, db, func(text string) string {
			text = strings.Replace(text, "status: String!, note: String,", "status: String!, note: String, small: Int,", 1)
			text = strings.Replace(text, "tenant: String!, name: String}", "tenant: String!, name: String, host: String, mood: {type: Enum, name: Mood, labels: [good, bad]}}", 1)
			if show {
				text = strings.Replace(text, "sslmode: disable", "sslmode: disable, show_raised: true", 1)
			}
			return text
		})
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		said := func(text string) string {
			if show {
				return text
			}
			return ""
		}
		db.Exec(t, `ALTER TYPE mood RENAME VALUE 'bad' TO 'worse'`)
		for _, line := range []struct{ text, want string }{
			{`mutation { insertCustomers(rows: [{id: 10, host: "10.0.0.1", mood: good}, {id: 11, host: "10.0.0.1/8", mood: good}, {id: 12, host: "nowhere", mood: good}]) { affected } }`, `null BAD_USER_INPUT: a value does not fit its column in customers (insertCustomers.rows.2.host)`},
			{`mutation { insertCustomers(rows: [{id: 10, mood: good}, {id: 11, mood: bad}]) { affected } }`, `null UNAVAILABLE: the source's table differs from the catalog: an enum has no such label any more (insertCustomers.rows.1.mood)`},
			{`mutation { updateCustomersByPk(id: 1, set: {host: "10.0.0.256"}) { id } }`, `null BAD_USER_INPUT: a value does not fit its column in customers (updateCustomersByPk.set.host)`},
			{`mutation { updateCustomersByPk(id: 1, set: {name: "x", host: "::1", mood: bad}) { id } }`, `null UNAVAILABLE: the source's table differs from the catalog: an enum has no such label any more (updateCustomersByPk.set.mood)`},
			{`mutation { updateCustomers(all: true, set: {host: "::1/129", mood: good}) { affected } }`, `null BAD_USER_INPUT: a value does not fit its column in customers (updateCustomers.set.host)`},
			{`mutation { insertOrders(rows: [{id: 10}, {id: 11}, {id: 1}, {id: 12}]) { affected } }`, `null CONFLICT: there is a row of orders with the same id (insertOrders.rows.2.id)`},
			{`mutation { insertOrders(rows: [{id: 10}, {id: 11}, {id: 10}]) { affected } }`, `null CONFLICT: there is a row of orders with the same id (insertOrders.rows.2.id)`},
			{`mutation { insertOrders(rows: [{id: 10, note: "a"}, {id: 11}, {id: 12, note: "first"}]) { affected } }`, `null CONFLICT: there is a row of orders with the same note (insertOrders.rows.2.note)`},
			{`mutation { a: insertOrdersOne(row: {id: 10}) { id } b: insertOrders(rows: [{id: 9}, {id: 10}]) { affected } }`, `null CONFLICT: there is a row of orders with the same id (b.rows.1.id)`},
			{`mutation { insertOrders(rows: [{id: 10, amount: 7}, {id: 11, amount: 7}]) { affected } }`, `null CONFLICT: there is a row of orders with the same amount, status (insertOrders.rows.1)`},
			{`mutation { insertOrders(rows: [{id: 10, status: "a"}, {id: 11, status: "bad"}]) { affected } }`, `null BAD_USER_INPUT: status of orders may not have such a value (insertOrders.rows.1.status)`},
			{`mutation { insertOrders(rows: [{id: 10}, {id: 11, customer_id: 1, amount: 0.5}]) { affected } }`, `null BAD_USER_INPUT: customer_id, amount of a row of orders may not have such values together (insertOrders.rows.1)`},
			{`mutation { updateOrdersByPk(id: 1, set: {status: "bad"}) { id } }`, `null BAD_USER_INPUT: status of orders may not have such a value (updateOrdersByPk.set.status)`},
			{`mutation { insertOrders(rows: [{id: 10, small: 1}, {id: 11, small: 40000}]) { affected } }`, `null BAD_USER_INPUT: a number is too large for its column in orders (insertOrders.rows.1.small)`},
			{`mutation { updateOrders(all: true, set: {small: 40000}) { affected } }`, `null BAD_USER_INPUT: a number is too large for its column in orders (updateOrders.set.small)`},
			{`mutation { insertCustomers(rows: [{id: 10}, {id: 11, name: "a name of more than twenty letters"}]) { affected } }`, `null BAD_USER_INPUT: a text is too long for its column in customers (insertCustomers.rows.1.name)`},
			{`mutation { insertOrders(rows: [{id: 10}, {id: 11, note: "null"}]) { affected } }`, `null BAD_USER_INPUT: status is never null (insertOrders.rows.1.status)`},
			{`mutation { insertOrders(rows: [{id: 10}, {id: 11}, {id: 12, note: "raise"}]) { affected } }`, `null BAD_USER_INPUT: a rule of the database's own refuses what would be written to orders` + said(": order 12 may not be so") + ` (insertOrders.rows.2)`},
			{`mutation { updateOrdersByPk(id: 1, set: {note: "raise"}) { id } }`, `null BAD_USER_INPUT: a rule of the database's own refuses what would be written to orders` + said(": order 1 may not be so") + ` (updateOrdersByPk.set)`},
			{`mutation { insertOrdersOne(row: {id: 12, note: "coded"}) { id } }`, `null BAD_USER_INPUT: a rule of the database's own refuses what would be written to orders` + said(": so not") + ` (insertOrdersOne.row)`},
			{`mutation { insertOrdersOne(row: {id: 12, note: "broken"}) { id } }`, `null UNAVAILABLE: a trigger or a function of the database's own failed`},
			{`mutation { insertBoxesOne(row: {id: 20, items: [{line: 1}, {line: 2}, {line: 1}]}) { id } }`, `null CONFLICT: there is a row of items with the same box_id, line (insertBoxesOne.row.items.2)`},
			{`{ orders { id note } }`, `{"orders":[{"id":1,"note":"first"}]}`},
		} {
			if got := short(t, g.query(t, ann, line.text)); got != line.want {
				t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
			}
		}
	}
}

// Transactions that are in each other's way are begun anew until the deadline; then that is said.
func TestInEachOthersWay(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+`
		CREATE SEQUENCE tries;
		CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$;
		CREATE TRIGGER never BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION never();`)
	g := openWrittenAs(t, db, func(text string) string {
		return strings.Replace(text, "sslmode: disable", "sslmode: disable, timeout: 3s", 1)
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	got := short(t, g.query(t, ann, `mutation { insertOrdersOne(row: {id: 12}) { id } }`))
	if got != `null UNAVAILABLE: others change the same rows of orders at this moment, and the change was undone each time that it was made` {
		t.Error(got)
	}
	if tries := one(t, db.Open(t), `SELECT (last_value > 5)::text FROM tries`); tries != "true" {
		t.Error("it was hardly tried")
	}
}

// A change that was made is told as made, also where a cell of its answer cannot be shown.
func TestAnswersOfChangesInParts(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	db.Exec(t, `UPDATE orders SET amount = 'NaN' WHERE id = 1`)
	for _, text := range []string{`mutation { updateOrdersByPk(id: 1, set: {note: "x"}) { id amount } }`, `mutation { updateOrders(where: {id: {eq: 1}}, set: {note: "y"}) { affected rows { id amount } } }`} {
		got := g.query(t, ann, text)
		if !strings.Contains(got, `"amount":null`) || !strings.Contains(got, `"applied":true`) {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// After migrations that leave what rows are as it is, and after ANALYZE, statements that connections keep fit their
// tables no more. Nobody who writes notices: each mutation is made, and once, on whichever connection.
func TestMigrationsThatNobodyNotices(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	const writers = 12
	round := 0
	write := func(why string) {
		t.Helper()
		var all sync.WaitGroup
		failed := make(chan string, writers)
		for by := range writers {
			id := 1000*(round+1) + by
			all.Go(func() {
				for _, m := range []struct{ text, variables string }{
					{`mutation ($r: OrdersInsert!) { insertOrdersOne(row: $r) { id note status amount } }`, `{"r":{"id":%[1]d,"note":"n%[1]d","amount":1}}`},
					{`mutation ($id: BigInt!, $n: String) { updateOrdersByPk(id: $id, set: {note: $n}) { id note status amount version } }`, `{"id":%[1]d,"n":"m%[1]d"}`},
					{`mutation ($id: BigInt!) { updateOrders(where: {id: {eq: $id}}, increment: {amount: 1}) { affected rows { note status amount } } }`, `{"id":%[1]d}`},
					{`mutation ($r: [OrdersInsert!]!) { insertOrders(rows: $r, onConflict: {key: id, update: [note]}) { affected rows { note status amount } } }`, `{"r":[{"id":%[1]d,"note":"o%[1]d"}]}`},
					{`mutation ($id: BigInt!) { insertOrdersOne(row: {id: $id, note: "gone"}) { note } deleteOrdersByPk(id: $id) { note status amount } }`, `{"id":9%[1]d}`},
					{`mutation ($id: BigInt!) { deleteOrders(where: {id: {eq: $id}}) { affected rows { note } } }`, `{"id":9%[1]d}`},
				} {
					m.text = strings.Replace(m.text, "gone", fmt.Sprint("gone ", id), 1)
					if got := short(t, g.withVariables(t, ann, m.text, fmt.Sprintf(m.variables, id))); strings.HasPrefix(got, "null") {
						failed <- m.text + ": " + got
						return
					}
				}
			})
		}
		all.Wait()
		close(failed)
		for answer := range failed {
			t.Errorf("%s: %s", why, answer)
		}
		round++
	}
	for range 3 {
		write("at first")
	}
	for _, migrate := range []string{
		`ALTER TABLE orders ALTER note TYPE varchar(100)`, `ANALYZE`, `ALTER TABLE orders ALTER status TYPE varchar(40), ALTER note TYPE text`,
		`ALTER TABLE orders ADD COLUMN more text, ALTER amount TYPE numeric(14,2)`, `CREATE INDEX ON orders (status)`,
	} {
		db.Exec(t, migrate)
		write(migrate)
		write(migrate + ", once more")
	}
	want := fmt.Sprintf("%d rows, amounts %d.00, versions %d", writers*round, 2*writers*round, 4*writers*round)
	if got := one(t, db.Open(t), `SELECT count(*) || ' rows, amounts ' || sum(amount) || ', versions ' || sum(version) FROM orders WHERE id >= 1000`); got != want {
		t.Errorf("there are %s, want %s", got, want)
	}
}

// An import that waits in vain for what another transaction holds is refused when it has waited once: whoever looked for the row
// that is refused would wait for it again, in each part, and two imports that wait for each other would both be refused.
func TestImportsWaitOnce(t *testing.T) {
	t.Parallel()
	w, db := openWritten(t)
	ann := w.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	const patience = time.Second
	db.Exec(t, `ALTER DATABASE `+db.Name+` SET lock_timeout = '1s'`)
	holder, err := db.Open(t).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback() }()
	if _, err := holder.ExecContext(t.Context(), `INSERT INTO orders (tenant, id, version) VALUES ('a', 1150, 1)`); err != nil {
		t.Fatal(err)
	}
	var body strings.Builder
	body.WriteString("id,note\n")
	for id := 1000; id < 1300; id++ {
		_, _ = fmt.Fprintf(&body, "%d,%s %d\n", id, strings.Repeat("x", 40), id)
	}
	for _, more := range []int{0, 4000} { // of the one way, and of the other
		for id := 2000; id < 2000+more; id++ {
			_, _ = fmt.Fprintf(&body, "%d,%s %d\n", id, strings.Repeat("x", 40), id)
		}
		began := time.Now()
		got := w.imported(t, ann, "orders", body.String())
		if took := time.Since(began); !strings.HasPrefix(got, "503 ") || took > 4*patience {
			t.Errorf("%d rows more: after %s: %s", more, took, got)
		}
	}
}
