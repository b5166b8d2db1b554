package schema_test

import (
	"fmt"
	"slices"
	"testing"

	"usher/catalog"
	"usher/query"
)

// compile makes a catalog of datasets in one DuckDB source.
func compile(tb testing.TB, datasets map[string]catalog.DatasetSpec, roles map[string]catalog.RoleSpec) *catalog.Catalog {
	tb.Helper()
	cat, problems := catalog.Compile(catalog.Spec{
		Sources:         map[string]catalog.SourceSpec{"main": {Kind: "duckdb", Path: "main.duckdb"}},
		Strategies:      map[string]catalog.StrategySpec{"shared": {Kind: "shared", Source: "main"}},
		DefaultStrategy: "shared",
		Roles:           roles,
		Datasets:        datasets,
	}, nil)
	if catalog.Refused(problems) {
		tb.Fatalf("the catalog is refused: %v", problems)
	}
	return cat
}

func columns(entries ...string) catalog.Ordered[catalog.ColumnSpec] {
	var out catalog.Ordered[catalog.ColumnSpec]
	for pair := range slices.Chunk(entries, 2) {
		out = append(out, catalog.Entry[catalog.ColumnSpec]{Name: pair[0], Value: catalog.ColumnSpec{Type: pair[1]}})
	}
	return out
}

func with(cols catalog.Ordered[catalog.ColumnSpec], name string, spec catalog.ColumnSpec) catalog.Ordered[catalog.ColumnSpec] {
	return append(cols, catalog.Entry[catalog.ColumnSpec]{Name: name, Value: spec})
}

var status = catalog.ColumnSpec{Type: "Enum", Name: "Status", Labels: []string{"OPEN", "PAID", "LOST"}}

// shop has every scalar and every kind of relation once.
func shop() map[string]catalog.DatasetSpec {
	return map[string]catalog.DatasetSpec{
		"orders": {
			Tenant: catalog.TenancySpec{Column: "tenant_id"}, Key: catalog.Names{"id"},
			Label: "Orders", Description: `What people ordered, in """quotes""".`,
			Columns: with(with(columns(
				"id", "BigInt!", "tenant_id", "String!", "customer_id", "BigInt", "region", "String", "ordered_at", "Timestamp!",
				"amount", "Decimal", "weight", "Float!", "quantity", "Int!", "tags", "[String]", "extra", "JSON",
				"picked", "Date", "slot", "Time", "noted", "LocalTimestamp", "took", "Interval", "gift", "Boolean", "token", "UUID",
				"image", "Bytes", "code", "ID",
			), "status", status), "secret", catalog.ColumnSpec{Type: "String", Label: "Secret", Description: "Not for everybody."}),
			Relations: catalog.Ordered[catalog.RelationSpec]{
				{Name: "customer", Value: catalog.RelationSpec{To: "customers", On: map[string]string{"customer_id": "id"}, Description: "Who ordered."}},
				{Name: "items", Value: catalog.RelationSpec{To: "items", Many: true, On: map[string]string{"id": "order_id"}}},
			},
			Measures: catalog.Ordered[catalog.MeasureSpec]{
				{Name: "revenue", Value: catalog.MeasureSpec{Expr: "sum(amount)", Label: "Revenue"}},
				{Name: "secrets", Value: catalog.MeasureSpec{Expr: "countDistinct(secret)"}},
			},
			Bind: bound("orders"),
		},
		"customers": {
			Tenant: catalog.TenancySpec{Column: "tenant_id"}, Key: catalog.Names{"id"},
			Columns: with(columns("id", "BigInt!", "tenant_id", "String!", "name", "String"), "status", status),
			Bind:    bound("customers"),
		},
		"items": {
			Tenant:  catalog.TenancySpec{Column: "tenant_id"},
			Columns: columns("order_id", "BigInt!", "tenant_id", "String!", "price", "Decimal!"),
			Bind:    bound("items"),
		},
		"blobs": {Common: true, Source: "main", Columns: columns("body", "JSON"), Bind: bound("blobs")},
	}
}

func bound(table string) map[string]catalog.BindingSpec {
	return map[string]catalog.BindingSpec{"main": {Table: table}}
}

func right(aggregate bool, columns ...string) catalog.RightSpec {
	return catalog.RightSpec{Columns: columns, Aggregate: aggregate}
}

// clerks may see a part of the shop; regional clerks see the same part of
// fewer rows.
func clerks() map[string]catalog.RoleSpec {
	regional := right(true, "id", "region", "amount", "customer_id")
	regional.Filter = query.Object{{Name: "region", Value: query.Object{{Name: "eq", Value: query.Text("north")}}}}
	return map[string]catalog.RoleSpec{
		"clerk":    {Datasets: map[string]catalog.RightSpec{"orders": right(true, "id", "region", "amount", "customer_id")}},
		"regional": {Datasets: map[string]catalog.RightSpec{"orders": regional}},
		"buyer":    {Datasets: map[string]catalog.RightSpec{"orders": right(false, "region"), "customers": right(false)}},
		"all":      {Datasets: map[string]catalog.RightSpec{"orders": right(true), "customers": right(true), "items": right(true), "blobs": right(true)}},
	}
}

// wide makes n datasets of 30 columns, each with a relation to the next.
func wide(n int) map[string]catalog.DatasetSpec {
	types := []string{"BigInt", "String", "Decimal", "Timestamp!", "Int", "Boolean"}
	out := make(map[string]catalog.DatasetSpec, n)
	for i := range n {
		cols := columns("id", "BigInt!", "tenant_id", "String!")
		for c := range 28 {
			cols = append(cols, columns(fmt.Sprintf("column_%d_%d", i%50, c), types[c%len(types)])...)
		}
		name := fmt.Sprintf("dataset_%d", i)
		out[name] = catalog.DatasetSpec{
			Tenant: catalog.TenancySpec{Column: "tenant_id"}, Key: catalog.Names{"id"}, Columns: cols, Bind: bound(name),
			Relations: catalog.Ordered[catalog.RelationSpec]{
				{Name: "next", Value: catalog.RelationSpec{To: fmt.Sprintf("dataset_%d", (i+1)%n), On: map[string]string{"id": "id"}}},
			},
		}
	}
	return out
}
