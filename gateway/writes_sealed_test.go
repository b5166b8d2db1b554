package gateway_test

import (
	"strings"
	"testing"

	"usher/pgtest"
)

// What migrations do while one row after the other is written by the same mutation, each committed in the message
// that it is sent in; and what becomes of the next. What is told is what any other statement would be told.
func TestMigrationsBetweenSealedWrites(t *testing.T) {
	t.Parallel()
	const (
		insert  = `mutation Insert($r: OrdersInsert!) { insertOrdersOne(row: $r) { id note } }`
		update  = `mutation Update($id: BigInt!, $s: OrdersSet!) { updateOrdersByPk(id: $id, set: $s) { id note } }`
		changed = `null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed`
		trigger = `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %; END $$; CREATE TRIGGER t BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION f()`
	)
	for _, m := range []struct{ name, migrate, inserted, updated string }{
		{"a unique index", `CREATE UNIQUE INDEX of_all ON orders (note) WHERE id > 50`, changed, changed},
		{"a rule", `CREATE RULE away AS ON INSERT TO orders WHERE new.id = 77 DO ALSO SELECT 1`, changed, changed},
		{"a foreign key", `CREATE TABLE secrets (note text PRIMARY KEY); INSERT INTO secrets SELECT DISTINCT note FROM orders WHERE note IS NOT NULL; ALTER TABLE orders ADD FOREIGN KEY (note) REFERENCES secrets`, changed, changed},
		{"a trigger", strings.ReplaceAll(trigger, "%", `new.note := 'by trigger ' || new.id; RETURN new`), `{"insertOrdersOne":{"id":60,"note":"by trigger 60"}}`, `{"updateOrdersByPk":{"id":51,"note":"by trigger 51"}}`},
		{"a trigger that moves rows", strings.ReplaceAll(trigger, "%", `new.tenant := 'b'; RETURN new`), `null FORBIDDEN`, `null FORBIDDEN`},
		{"a trigger that takes rows away", `CREATE TABLE seen (id bigint); GRANT INSERT ON seen TO PUBLIC; ` + strings.ReplaceAll(trigger, "%", `INSERT INTO seen VALUES (new.id); RETURN NULL`), `null FORBIDDEN`, `null FORBIDDEN`},
		{"a table that inherits", `CREATE TABLE more_orders (UNIQUE (note)) INHERITS (orders)`, changed, changed},
		{"statistics", `ANALYZE orders`, `{"insertOrdersOne":{"id":60,"note":"60"}}`, `{"updateOrdersByPk":{"id":51,"note":"again"}}`},
		{"a longer text", `ALTER TABLE orders ALTER note TYPE text`, `{"insertOrdersOne":{"id":60,"note":"60"}}`, `{"updateOrdersByPk":{"id":51,"note":"again"}}`},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			g, db := openWritten(t)
			ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
			for _, id := range []string{"51", "52", "53"} {
				got := short(t, g.withVariables(t, ann, insert, `{"r":{"id":`+id+`,"note":"n`+id+`"}}`)) + short(t, g.withVariables(t, ann, update, `{"id":`+id+`,"s":{"note":"m`+id+`"}}`))
				if want := `{"insertOrdersOne":{"id":` + id + `,"note":"n` + id + `"}}{"updateOrdersByPk":{"id":` + id + `,"note":"m` + id + `"}}`; got != want {
					t.Fatal(got)
				}
			}
			db.Exec(t, m.migrate)
			const rows = `SELECT string_agg(o::text, ';' ORDER BY id) FROM orders o`
			before := one(t, db.Open(t), rows)
			for range 2 {
				got := short(t, g.withVariables(t, ann, update, `{"id":51,"s":{"note":"again"}}`))
				if !strings.HasPrefix(got, m.updated) {
					t.Errorf("updated: %s", got)
				}
			}
			if got := short(t, g.withVariables(t, ann, insert, `{"r":{"id":60,"note":"60"}}`)); !strings.HasPrefix(got, m.inserted) {
				t.Errorf("inserted: %s", got)
			}
			if after := one(t, db.Open(t), rows); strings.HasPrefix(m.updated, "null") && after != before {
				t.Errorf("there is\n%s\nand was\n%s", after, before)
			}
			if strings.Contains(m.migrate, "seen") && one(t, db.Open(t), `SELECT count(*)::text FROM seen`) != "0" {
				t.Error("what the trigger has done is committed")
			}
		})
	}
}

// A sealed write is refused in the words of any other, whoever's the rows are, and leaves nothing.
func TestSealedWritesAreRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables)
	g := openWrittenAs(t, db, func(text string) string { return text })
	keys := map[string]string{"a": g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), "b": g.keyOf(t, "bob", "b", "READ_DATA, WRITE_DATA")}
	const (
		insert = `mutation Insert($r: CustomersInsert!) { insertCustomersOne(row: $r) { id name } }`
		update = `mutation Update($id: BigInt!, $s: CustomersSet!) { updateCustomersByPk(id: $id, set: $s) { id name } }`
	)
	for _, line := range []struct{ tenant, text, variables, want string }{
		{"a", insert, `{"r":{"id":70,"name":"one"}}`, `{"insertCustomersOne":{"id":70,"name":"one"}}`},
		{"b", insert, `{"r":{"id":71,"name":"two"}}`, `{"insertCustomersOne":{"id":71,"name":"two"}}`},
		{"a", insert, `{"r":{"id":72,"name":"hidden"}}`, `null FORBIDDEN: what would be written to customers is not what you may write there`},
		{"a", insert, `{"r":{"id":72,"name":"usher_seal_broken"}}`, `{"insertCustomersOne":{"id":72,"name":"usher_seal_broken"}}`},
		{"a", update, `{"id":72,"s":{"name":"x"}}`, `{"updateCustomersByPk":{"id":72,"name":"x"}}`},
		{"b", update, `{"id":72,"s":{"name":"mine"}}`, `{"updateCustomersByPk":null}`},
		{"b", update, `{"id":999,"s":{"name":"mine"}}`, `{"updateCustomersByPk":null}`},
		{"a", update, `{"id":72,"s":{"name":"hidden"}}`, `null FORBIDDEN: what would be written to customers is not what you may write there`},
		{"a", update, `{"id":72,"s":{"name":"y"}}`, `{"updateCustomersByPk":{"id":72,"name":"y"}}`},
	} {
		if got := short(t, g.withVariables(t, keys[line.tenant], line.text, line.variables)); got != line.want {
			t.Errorf("%s sends %s\n got %s\nwant %s", line.tenant, line.variables, got, line.want)
		}
	}
	if got := one(t, db.Open(t), `SELECT string_agg(tenant || id || name, ' ' ORDER BY id) FROM customers WHERE id >= 70`); got != "a70one b71two a72y" {
		t.Errorf("there are %s", got)
	}
}
