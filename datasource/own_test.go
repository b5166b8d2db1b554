package datasource

import (
	"testing"

	"usher/pgtest"
)

// Tables of tenants' own are looked at when they are used first, and when a
// statement fails on them; what differs in one is that tenant's alone.
func TestDriftOfOwnTables(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE SCHEMA acme; CREATE SCHEMA globex;
		CREATE TABLE orders (tenant text NOT NULL, id bigint PRIMARY KEY, note text);
		INSERT INTO orders VALUES ('acme', 1, 'base'), ('globex', 2, 'base'), ('hooli', 3, 'base');
		CREATE TABLE acme.orders (id bigint PRIMARY KEY, note text, points int);
		INSERT INTO acme.orders VALUES (11, 'own', 7);
		CREATE TABLE globex.sales (tenant text NOT NULL, id bigint PRIMARY KEY, note text);
		INSERT INTO globex.sales VALUES ('globex', 21, 'own'), ('hooli', 22, 'own');
		CREATE TABLE bad (tenant text NOT NULL, id text PRIMARY KEY, note text);
		INSERT INTO bad VALUES ('initech', 'x', 'own');`)
	g := open(t, db, Options{}, `
sources: {shop: {`+server(db)+`}}
strategies: {shared: {kind: shared, source: shop}}
tenants:
  acme: {bind: {orders: {source: shop, table: acme.orders, columns: {tenant: ~}, extra: {points: Int}}}}
  globex: {bind: {orders: {source: shop, table: globex.sales}}}
  initech: {bind: {orders: {source: shop, table: bad}}}
  dead: {bind: {orders: {source: shop, table: nowhere.orders}}}
datasets:
  orders: {tenant: tenant, key: id, columns: {tenant: String!, id: BigInt!, note: String}}
`)
	all := "orders { id note }"
	for range 2 {
		g.want(named("acme"), "orders { id note points }", "11|own|7")
		g.want(named("globex"), all, "21|own")
		g.want(named("hooli"), all, "3|base")
		g.refused(named("initech"), all, "orders.id is not what the catalog says", "orders.id of shop of all")
		g.want(named("initech"), "ordersAggregate { count }", "1")
		if _, err := g.ask(named("dead"), all); err == nil {
			t.Error("a schema that is not there is read")
		}
	}
	db.Exec(t, "ALTER TABLE globex.sales DROP COLUMN note; ALTER TABLE acme.orders RENAME points TO score")
	for range 2 {
		g.refused(named("globex"), all, "orders.note is not what the catalog says in this tenant's database: it is not there", "there")
		g.refused(named("acme"), "orders { points }", "orders.points is not what the catalog says", "there")
		g.want(named("globex"), "orders { id }", "21")
		g.want(named("acme"), all, "11|own")
		g.want(named("hooli"), all, "3|base")
	}
}
