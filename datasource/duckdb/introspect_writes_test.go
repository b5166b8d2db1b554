package duckdb_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/datasource/duckdb"
)

// TestIntrospectWrites: all by which rows collide, what is filled in, and what refers
// to a table.
func TestIntrospectWrites(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t,
		"CREATE SEQUENCE numbers",
		`CREATE TABLE orders (tenant VARCHAR, id INTEGER DEFAULT nextval('numbers'), code UUID DEFAULT uuid(), "the day" DATE DEFAULT NULL,
			n INTEGER DEFAULT 1, twice INTEGER GENERATED ALWAYS AS (n * 2), PRIMARY KEY (tenant, id), UNIQUE (code))`,
		`CREATE UNIQUE INDEX by_day ON orders (tenant, "the day")`,
		"CREATE UNIQUE INDEX by_sum ON orders (tenant, (n + 1))",
		"CREATE INDEX only_order ON orders (n)",
		"CREATE TABLE items (tenant VARCHAR, order_id INTEGER, FOREIGN KEY (tenant, order_id) REFERENCES orders (tenant, id))",
		"CREATE VIEW seen AS SELECT n FROM orders",
	)}, duckdb.Options{})
	tables, err := db.Introspect(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]catalog.Table)
	for _, table := range tables {
		kept := catalog.Table{Kind: table.Kind, Colliding: table.Colliding, Referrers: table.Referrers}
		for _, c := range table.Columns {
			if c.Default != catalog.NoDefault || c.Made != catalog.NotMade {
				kept.Columns = append(kept.Columns, catalog.TableColumn{Name: c.Name, Default: c.Default, Made: c.Made})
			}
		}
		got[table.Name] = kept
	}
	want := map[string]catalog.Table{
		"items": {}, "seen": {Kind: catalog.AView},
		"orders": {
			Columns: []catalog.TableColumn{
				{Name: "id", Default: catalog.ByDefault, Made: catalog.Counted},
				{Name: "code", Default: catalog.ByDefault, Made: catalog.Random},
				{Name: "n", Default: catalog.ByDefault},
				{Name: "twice", Default: catalog.Computed},
			},
			Colliding: []catalog.CollidingBy{
				{Name: "orders_tenant_id_pkey", Columns: []string{"tenant", "id"}, Constraint: true},
				{Name: "orders_code_key", Columns: []string{"code"}, Constraint: true},
				{Name: "by_day", Columns: []string{"tenant", "the day"}},
				{Name: "by_sum", Columns: []string{"tenant"}, Expression: true},
			},
			Referrers: []catalog.Referrer{{Schema: "main", Table: "items", Columns: []string{"tenant", "order_id"}, RefColumns: []string{"tenant", "id"}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
