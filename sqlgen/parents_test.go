package sqlgen_test

import (
	"strings"
	"testing"

	"usher/plan"
	"usher/plan/plantest"
	"usher/sqlgen"
)

// parents holds rows that are a tenant's through others: of a, of b, of nobody,
// of a parent that is not there, and without one. Labels are tenants' own, and
// some are stuck on another tenant's parcel.
const parents = `
CREATE TABLE boats (id bigint PRIMARY KEY, tenant text, name text);
INSERT INTO boats VALUES (1, 'a', 'Ann'), (2, 'b', 'Bo'), (3, NULL, 'Nobody'), (4, 'a', 'Empty');
CREATE TABLE parcels (id bigint PRIMARY KEY, boat bigint, weight int, sent date);
INSERT INTO parcels VALUES (10, 1, 5, '2026-05-01'), (11, 1, 7, '2026-06-01'), (20, 2, 100, '2026-06-02'), (30, 3, 1000, '2026-06-03'),
	(40, 99, 10000, '2026-06-04'), (50, NULL, 100000, '2026-06-05');
CREATE TABLE stickers (parcel bigint NOT NULL, label int NOT NULL);
INSERT INTO stickers VALUES (10, 1), (10, 1), (10, 2), (11, 1), (11, 3), (20, 1), (20, 3), (40, 1), (50, 1);
CREATE TABLE labels (id int PRIMARY KEY, tenant text, text text, made date);
INSERT INTO labels VALUES (1, 'a', 'one', '2026-06-01'), (2, 'a', 'two', '2026-05-01'), (3, 'b', 'three', '2026-06-01'), (4, NULL, 'four', '2026-06-01')`

const parentsDatasets = `
  boats:
    tenant: tenant
    key: id
    columns: {id: BigInt!, tenant: String, name: String}
    relations: {parcels: {to: parcels, many: true, on: {id: boat}}}
  parcels:
    tenant: {through: ship}
    key: id
    columns: {id: BigInt!, boat: BigInt, weight: Int, sent: Date}
    relations:
      ship: {to: boats, on: {boat: id}}
      labels: {to: labels, many: true, through: stickers, on: {id: parcel}, to_on: {label: id}}
      stickers: {to: stickers, many: true, on: {id: parcel}}
  stickers:
    tenant: {through: on}
    columns: {parcel: BigInt!, label: Int!}
    relations:
      on: {to: parcels, on: {parcel: id}}
      of: {to: labels, on: {label: id}}
  labels:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String, text: String, made: Date}
    relations: {stickers: {to: stickers, many: true, on: {id: label}}}
`

// TestParents asks for rows that are a tenant's through others, in every way
// that there is, and of both engines.
func TestParents(t *testing.T) {
	t.Parallel()
	e := start(t, parents, parentsDatasets)
	e.same("parcels { id ship { name } }", `[{"id":10,"ship":{"name":"Ann"}},{"id":11,"ship":{"name":"Ann"}}]`)
	e.same("parcelsAggregate { count weight { sum } }", `[{"count":2,"weight":{"sum":12}}]`)
	e.same("parcelsByPk(id: 20) { id }", `[]`)
	e.same("parcelsByPk(id: 50) { id }", `[]`)
	e.same("stickersAggregate { key { on { ship { name } } } count }", `[{"key":{"on":{"ship":{"name":"Ann"}}},"count":5}]`)
	e.same("boats { name parcels(limit: 1) { id } parcelsAggregate { count } }",
		`[{"name":"Ann","parcels":[{"id":10}],"parcelsAggregate":[{"count":2}]},{"name":"Empty","parcels":[],"parcelsAggregate":[{"count":0}]}]`)
	e.same("boats(where: {parcels: {some: {stickers: {some: {of: {text: {eq: \"two\"}}}}}}}) { name }", `[{"name":"Ann"}]`)
	e.same("boats(where: {parcels: {none: {}}}) { name }", `[{"name":"Empty"}]`)
	e.same("parcels { id labels { text } labelsAggregate { count } }",
		`[{"id":10,"labels":[{"text":"one"},{"text":"two"}],"labelsAggregate":[{"count":2}]},{"id":11,"labels":[{"text":"one"}],"labelsAggregate":[{"count":1}]}]`)
	e.same("parcels(where: {not: {labels: {some: {text: {eq: \"two\"}}}}}) { id }", `[{"id":11}]`)
	e.same("labels { text stickersAggregate { count } }", `[{"text":"one","stickersAggregate":[{"count":3}]},{"text":"two","stickersAggregate":[{"count":1}]}]`)

	// Through a link, of this period and the one before.
	e.same(`parcels { id labelsAggregate(compareTo: {made: {n: 1, unit: MONTH}}) { key { made } count previous { count } } }`,
		`[{"id":10,"labelsAggregate":[{"key":{"made":"2026-05-01"},"count":1,"previous":null},{"key":{"made":"2026-06-01"},"count":1,"previous":{"count":1}}]},`+
			`{"id":11,"labelsAggregate":[{"key":{"made":"2026-06-01"},"count":1,"previous":null}]}]`)
	e.same(`parcels { id labelsAggregate(where: {made: {gte: "2026-06-01", lt: "2026-07-01"}}, compareTo: {made: {n: 1, unit: MONTH}}) { count previous { count } } }`,
		`[{"id":10,"labelsAggregate":[{"count":1,"previous":{"count":1}}]},{"id":11,"labelsAggregate":[{"count":1,"previous":{"count":0}}]}]`)

	// Of all tenants everything is seen, and what is related is one tenant's.
	e.all = true
	e.same("parcels { id ship { name } }", `[{"id":10,"ship":{"name":"Ann"}},{"id":11,"ship":{"name":"Ann"}},{"id":20,"ship":{"name":"Bo"}},`+
		`{"id":30,"ship":{"name":"Nobody"}},{"id":40,"ship":null},{"id":50,"ship":null}]`)
	e.same("stickers(orderBy: [{parcel: ASC}, {label: ASC}]) { parcel of { text } }", `[{"parcel":10,"of":{"text":"one"}},{"parcel":10,"of":{"text":"one"}},`+
		`{"parcel":10,"of":{"text":"two"}},{"parcel":11,"of":{"text":"one"}},{"parcel":11,"of":null},{"parcel":20,"of":null},{"parcel":20,"of":{"text":"three"}},`+
		`{"parcel":40,"of":null},{"parcel":50,"of":null}]`)
	e.same("labels { text stickersAggregate { count } stickers { parcel } }", `[{"text":"one","stickersAggregate":[{"count":3}],"stickers":[{"parcel":10},{"parcel":10},{"parcel":11}]},`+
		`{"text":"two","stickersAggregate":[{"count":1}],"stickers":[{"parcel":10}]},{"text":"three","stickersAggregate":[{"count":1}],"stickers":[{"parcel":20}]},`+
		`{"text":"four","stickersAggregate":[{"count":0}],"stickers":[]}]`)
	e.same(`parcels(where: {labels: {some: {text: {neq: "x"}}}}) { id labels { text } }`,
		`[{"id":10,"labels":[{"text":"one"},{"text":"two"}]},{"id":11,"labels":[{"text":"one"}]},{"id":20,"labels":[{"text":"three"}]}]`)
	e.same("stickersAggregate { key { of { text } } count }", `[{"key":{"of":{"text":"one"}},"count":3},{"key":{"of":{"text":"three"}},"count":1},`+
		`{"key":{"of":{"text":"two"}},"count":1},{"key":{"of":{"text":null}},"count":4}]`)
}

const manyParents = `
CREATE TABLE clients (id int PRIMARY KEY, tenant text NOT NULL, name text, rest text DEFAULT repeat('x', 900));
CREATE TABLE orders (id int PRIMARY KEY, client int REFERENCES clients, at timestamptz, rest text DEFAULT repeat('x', 900));
CREATE TABLE lines (order_id int REFERENCES orders, no int, quantity int, at timestamptz, rest text DEFAULT repeat('x', 900), PRIMARY KEY (order_id, no));
INSERT INTO clients SELECT n, 't' || CASE WHEN n <= 20 THEN 0 ELSE n % 200 END, 'c' || n FROM generate_series(1, 1000) AS n;
UPDATE clients SET tenant = 'a' WHERE id BETWEEN 5 AND 9;
INSERT INTO orders SELECT n, n % 1000 + 1, '2026-01-01'::timestamptz + n * interval '7 minutes' FROM generate_series(1, 3000) AS n;
INSERT INTO lines SELECT n, l, l, '2026-01-01'::timestamptz + n * interval '7 minutes' FROM generate_series(1, 3000) AS n, generate_series(1, 3) AS l;
CREATE INDEX by_tenant ON clients (tenant);
CREATE INDEX by_client ON orders (client);
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET random_page_cost = 1.1', current_database()); END $$;
ANALYZE`

const manyParentsDatasets = `
  clients:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, name: String}
    relations: {orders: {to: orders, many: true, on: {id: client}}}
  orders:
    tenant: {through: owner}
    key: id
    columns: {id: Int!, client: Int, at: Timestamp}
    relations:
      owner: {to: clients, on: {client: id}}
      lines: {to: lines, many: true, on: {id: order_id}}
  lines:
    tenant: {through: order}
    key: [order_id, no]
    columns: {order_id: Int!, no: Int!, quantity: Int, at: Timestamp}
    relations: {order: {to: orders, on: {order_id: id}}}
`

// TestParentsPlans shows that PostgreSQL begins with the tenant's parents and
// finds their children by an index, and reads nobody else's.
func TestParentsPlans(t *testing.T) {
	t.Parallel()
	db := start(t, manyParents, manyParentsDatasets)
	for name, c := range map[string]struct {
		query string
		want  []string
	}{
		"rows over two steps":      {`lines(where: {quantity: {gt: 2}}) { no quantity }`, []string{"by_tenant", "by_client", "lines_pkey"}},
		"what leads to them":       {`lines { no order { at owner { name } } }`, []string{"by_tenant", "by_client", "lines_pkey"}},
		"groups":                   {`linesAggregate { key { at(by: MONTH) } quantity { sum } }`, []string{"by_tenant", "by_client", "lines_pkey"}},
		"nested":                   {`clients { orders { lines { no } } }`, []string{"by_client", "lines_pkey"}},
		"one by its key":           {`linesByPk(order_id: 7, no: 2) { quantity }`, []string{"lines_pkey", "orders_pkey"}},
		"those that have some":     {`orders(where: {lines: {some: {quantity: {eq: 2}}}}) { id }`, []string{"by_tenant", "by_client", "lines_pkey"}},
		"a page, with their count": {`linesConnection(first: 5) { nodes { no } totalCount }`, []string{"by_tenant", "by_client", "lines_pkey"}},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := plan.Build(plantest.Request(t, c.query), db.cat, plantest.Principal(t, `tenant: "a", strategy: "pg"`), now)
			if err != nil {
				t.Fatal(err)
			}
			s, err := sqlgen.Together(q.Root(), sqlgen.Postgres)
			if err != nil {
				t.Fatal(err)
			}
			got := explained(t, db, s)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s is not read:\n%s", want, got)
				}
			}
			for _, never := range []string{"Seq Scan", "SubPlan"} {
				if strings.Contains(got, never) {
					t.Errorf("%s:\n%s", never, got)
				}
			}
		})
	}
}

// What proves of a parent's table that whose rows are is known costs nothing when a statement runs: the planner
// leaves nothing of it.
func TestProofsOfParentsCostNothing(t *testing.T) {
	t.Parallel()
	e := start(t, parents, parentsDatasets)
	for _, query := range []string{"parcels { id ship { name } }", "parcelsAggregate { count }", "boats { parcels { id } }"} {
		q, err := plan.Build(plantest.Request(t, query), e.cat, plantest.Principal(t, `tenant: "a", strategy: "pg"`), now)
		if err != nil {
			t.Fatal(err)
		}
		s, err := sqlgen.Together(q.Root(), sqlgen.Postgres)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(s.Text, sqlgen.SharedKey) || !strings.Contains(s.Text, sqlgen.OtherKind) {
			t.Fatalf("%s proves nothing:\n%s", query, s.Text)
		}
		got := explained(t, e, s)
		for _, never := range []string{"pg_partition_root", "usher_needs", "One-Time Filter", "pg_index"} {
			if strings.Contains(got, never) {
				t.Errorf("%s: %s in\n%s", query, never, got)
			}
		}
	}
}
