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
)

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
}

// Of many who upsert one new key at once each inserts the row or changes it, also where a
// transaction sees one state of several tables. A row that is not shown stays a conflict.
func TestUpsertsOfOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{"", "    filter: {or: [{customer_id: {isNull: true}}, {customer: {name: {neq: gone}}}]}\n"} {
		db := pgtest.Start(t).Database(t)
		db.Exec(t, writtenTables)
		g := openWrittenAs(t, db, func(text string) string { return strings.Replace(text, "    version: version\n", "    version: version\n"+filter, 1) })
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
