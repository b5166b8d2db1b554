package types

import "testing"

// TestSchemas: a file may name several schemas of a database, tables of the same
// name in them, and names that need quotes; foreign keys lead from one to the
// other.
func TestSchemas(t *testing.T) {
	t.Parallel()
	const config = `
datasets:
  customers: {tenant: tenant}
  orders: {tenant: tenant, bind: {main: {table: sales.orders}}}
  archived: {tenant: tenant, bind: {main: {schema: archive, table: orders}}}
  dotted: {tenant: tenant, bind: {main: {table: '"my.sales"."order ""items"""'}}}
tenants:
  t3: {bind: {orders: {source: main, table: archive.orders}}}
`
	const rows = `
INSERT INTO customers VALUES (1, 't1', 'Ann'), (2, 't2', 'Bob');
INSERT INTO sales.orders VALUES (1, 't1', 1, 5), (2, 't2', 2, 6), (3, 't3', NULL, 7);
INSERT INTO archive.orders VALUES (10, 't1', 50), (30, 't3', 70);
INSERT INTO "my.sales"."order ""items""" VALUES (100, 't1', 1);`
	const postgresTables = `
CREATE SCHEMA sales; CREATE SCHEMA archive; CREATE SCHEMA "my.sales";
CREATE TABLE customers (id int PRIMARY KEY, tenant text NOT NULL, name text);
CREATE TABLE sales.orders (id int PRIMARY KEY, tenant text NOT NULL, customer_id int REFERENCES customers, total numeric(10,2));
CREATE TABLE archive.orders (id int PRIMARY KEY, tenant text NOT NULL, total numeric(10,2));
CREATE TABLE "my.sales"."order ""items""" (id int PRIMARY KEY, tenant text NOT NULL, order_id int REFERENCES sales.orders);`
	const duckTables = `
CREATE SCHEMA sales; CREATE SCHEMA archive; CREATE SCHEMA "my.sales";
CREATE TABLE customers (id int PRIMARY KEY, tenant text NOT NULL, name text);
CREATE TABLE sales.orders (id int PRIMARY KEY, tenant text NOT NULL, customer_id int, total numeric(10,2));
CREATE TABLE archive.orders (id int PRIMARY KEY, tenant text NOT NULL, total numeric(10,2));
CREATE TABLE "my.sales"."order ""items""" (id int PRIMARY KEY, tenant text NOT NULL, order_id int);`
	pg := postgres.open(t, postgresTables+rows, config)
	duck := duckDB.open(t, duckTables+rows, config)
	for _, g := range []*gateway{pg, duck} {
		g.answers(t, `{orders {id total} archived {id total} dotted {id}}`, `{"data":{"orders":[{"id":1,"total":5.00}],"archived":[{"id":10,"total":50.00}],"dotted":[{"id":100}]}}`)
		// A tenant's own table may be in a schema of its own.
		g.answersTo(t, "t3", `{orders {id total}}`, `{"data":{"orders":[{"id":30,"total":70.00}]}}`)
	}
	pg.answers(t, `{dotted {id order {id customer {name}}} customers {orders {dotted {id}}}}`,
		`{"data":{"dotted":[{"id":100,"order":{"id":1,"customer":{"name":"Ann"}}}],"customers":[{"orders":[{"dotted":[{"id":100}]}]}]}}`)
}

// TestPartitions: partitions are one table, and what each of them references is
// what the table does.
func TestPartitions(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, `
CREATE SCHEMA parts;
CREATE TABLE customers (id int PRIMARY KEY, tenant text NOT NULL, name text);
CREATE TABLE payments (id int, tenant text NOT NULL, customer_id int, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE parts.p2025 PARTITION OF payments FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE parts.p2026 PARTITION OF payments FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (tenant);
CREATE TABLE parts.p2026t1 PARTITION OF parts.p2026 FOR VALUES IN ('t1');
ALTER TABLE parts.p2025 ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE parts.p2026t1 ADD FOREIGN KEY (customer_id) REFERENCES customers;
INSERT INTO customers VALUES (1, 't1', 'Ann');
INSERT INTO payments VALUES (1, 't1', 1, '2025-06-01'), (2, 't1', 1, '2026-06-01');`, `
datasets: {customers: {tenant: tenant}, payments: {tenant: tenant}}`)
	g.answers(t, `{customers {name payments(orderBy: [{id: ASC}]) {id}} payments(orderBy: [{id: ASC}]) {customer {name}}}`,
		`{"data":{"customers":[{"name":"Ann","payments":[{"id":1},{"id":2}]}],"payments":[{"customer":{"name":"Ann"}},{"customer":{"name":"Ann"}}]}}`)
}
