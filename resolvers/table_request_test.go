package resolvers

import (
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/query"
)

func ptr[T any](v T) *T { return &v }

func written(v query.Value) graphql.Omittable[*graph.JSON] {
	return graphql.OmittableOf(&graph.JSON{Written: v})
}

func object(name string, v query.Value) query.Object { return query.Object{{Name: name, Value: v}} }

var clerk = principal.Principal{Subject: "ann", Tenant: "acme", TenantKey: "acme", Roles: []string{"clerk"}}

// A table query is planned as the field that asks the same.
func TestTableIsPlannedAsItsField(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, strings.ReplaceAll(shopConfig, "$path", "shop.duckdb"), nil)
	who := clerk
	who.Roles = []string{"all"}
	view, err := cat.View(who)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	f := func(q graph.TableQuery, field string) {
		t.Helper()
		asked, _, err := tableRequest(view, q)
		if err != nil {
			t.Fatalf("%s: %v", field, err)
		}
		got, err := plan.Build(asked, cat, who, now)
		if err != nil {
			t.Fatalf("%s: %v", field, err)
		}
		want, err := plan.Build(plantest.Request(t, field), cat, who, now)
		if err != nil {
			t.Fatal(err)
		}
		if g, w := plan.Dump(got), plan.Dump(want); g != w {
			t.Errorf("%s\ngot\n%s\nwant\n%s", field, g, w)
		}
	}

	f(graph.TableQuery{Dataset: "orders", Measures: []graph.TableMeasure{{Function: ptr("count")}}}, `ordersAggregate { count }`)
	f(graph.TableQuery{
		Dataset: "orders",
		Dimensions: []graph.TableDimension{
			{Column: "region"},
			{Column: "customer.segment", As: ptr("segment")},
			{Column: "ordered_at", By: ptr("MONTH")},
			{Column: "amount", Bin: ptr("0.50")},
		},
		Measures: []graph.TableMeasure{
			{Column: ptr("amount"), Function: ptr("sum"), As: ptr("total")},
			{Measure: ptr("revenue")},
			{Function: ptr("count"), As: ptr("n")},
			{Column: ptr("weight"), Function: ptr("percentile"), P: ptr(0.95)},
		},
		Where:    written(object("region", object("in", query.List{query.Text("EU"), query.Text("US")}))),
		Having:   written(object("count", object("gt", query.Number("1")))),
		OrderBy:  written(query.List{object("revenue", query.Text("DESC")), object("key", object("region", query.Enum("ASC")))}),
		Limit:    ptr(5),
		Offset:   ptr(2),
		Timezone: ptr("Asia/Tokyo"),
	}, `ordersAggregate(where: {region: {in: ["EU", "US"]}}, having: {count: {gt: 1}}, orderBy: [{revenue: DESC}, {key: {region: ASC}}],
		limit: 5, offset: 2, timezone: "Asia/Tokyo") {
		key { region customer { segment } ordered_at_month: ordered_at(by: MONTH) amount_bin: amount(bin: 0.50) }
		amount { total: sum } revenue n: count weight { weight_percentile: percentile(p: 0.95) } }`)
	f(graph.TableQuery{
		Dataset: "orders", Columns: []string{"id", "tags", "region"}, Where: written(object("customer", object("segment", object("isNull", query.Bool(true))))),
		OrderBy: written(object("region", query.Text("DESC"))), Limit: ptr(10),
	}, `orders(where: {customer: {segment: {isNull: true}}}, orderBy: {region: DESC}, limit: 10) { id tags region }`)
}

func TestTableSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, strings.ReplaceAll(shopConfig, "$path", "shop.duckdb"), nil)
	f := func(role string, code fault.Code, message string, q graph.TableQuery) {
		t.Helper()
		who := clerk
		who.Roles = []string{role}
		view, err := cat.View(who)
		if err != nil {
			t.Fatal(err)
		}
		asked, _, err := tableRequest(view, q)
		if err == nil {
			_, err = plan.Build(asked, cat, who, time.Unix(0, 0))
		}
		if got := fault.From(err); got == nil || got.Code != code || got.Message != message {
			t.Errorf("got %v, want %s: %s", err, code, message)
		}
	}
	count := []graph.TableMeasure{{Function: ptr("count")}}
	columns := func(names ...string) graph.TableQuery { return graph.TableQuery{Dataset: "orders", Columns: names} }
	by := func(dimensions ...graph.TableDimension) graph.TableQuery {
		return graph.TableQuery{Dataset: "orders", Dimensions: dimensions}
	}
	of := func(measures ...graph.TableMeasure) graph.TableQuery {
		return graph.TableQuery{Dataset: "orders", Measures: measures}
	}

	// What may not be seen is unknown, in the same words.
	f("all", fault.NotFound, `there is no dataset "planets"`, graph.TableQuery{Dataset: "planets", Columns: []string{"id"}})
	f("clerk", fault.NotFound, `there is no dataset "customers"`, graph.TableQuery{Dataset: "customers", Columns: []string{"id"}})
	f("clerk", fault.BadUserInput, `columns[1]: orders has no column "secret"`, columns("id", "secret"))
	f("all", fault.BadUserInput, `columns[1]: orders has no column "secrat"`, columns("id", "secrat"))
	f("all", fault.BadUserInput, `columns[0]: orders has no column "tenant_id"`, columns("tenant_id"))
	f("clerk", fault.BadUserInput, `columns[0]: orders has no relation "customer"`, columns("customer.segment"))
	f("clerk", fault.BadUserInput, `measures[0]: orders has no measure "secrets"`, of(graph.TableMeasure{Measure: ptr("secrets")}))
	f("clerk", fault.BadUserInput, `measures[0]: orders has no column "secret"`, of(graph.TableMeasure{Column: ptr("secret"), Function: ptr("min")}))
	f("clerk", fault.BadUserInput, `orders has no field "secret" to filter by`, graph.TableQuery{
		Dataset: "orders", Columns: []string{"id"}, Where: written(object("secret", object("eq", query.Text("x")))),
	})
	f("reader", fault.Forbidden, `no role of yours may aggregate orders`, of(count...))

	// Kinds of tables.
	f("all", fault.BadUserInput, `the table has no columns`, graph.TableQuery{Dataset: "orders"})
	f("all", fault.BadUserInput, `columns are of rows, dimensions and measures of groups; a table has one of the two`,
		graph.TableQuery{Dataset: "orders", Columns: []string{"id"}, Measures: count})
	f("all", fault.BadUserInput, `having is a condition on groups, and this table has rows; use where`,
		graph.TableQuery{Dataset: "orders", Columns: []string{"id"}, Having: graphql.OmittableOf[*graph.JSON](nil)})
	f("all", fault.TooComplex, `a table of 201 columns is too wide; at most 200 are allowed`, columns(make([]string, 201)...))

	// Columns and their names.
	f("all", fault.BadUserInput, `columns[1]: another column is named "id"`, columns("id", "id"))
	f("all", fault.BadUserInput, `columns[0]: orders has no column ""`, columns(""))
	f("all", fault.BadUserInput, `columns[0]: customers has no column ""`, columns("customer."))
	f("all", fault.BadUserInput, `columns[0]: the relation "orders" leads to many rows; a table follows those to one row`, columns("customer.orders.id"))
	f("all", fault.TooComplex, `columns[0]: the path has more than 10 relations`, columns(strings.Repeat("customer.", 11)+"id"))
	f("all", fault.BadUserInput, `dimensions[0]: its name is empty`, by(graph.TableDimension{Column: "id", As: ptr("")}))
	f("all", fault.BadUserInput, `dimensions[1]: another column is named "id_bin"`,
		by(graph.TableDimension{Column: "id", Bin: ptr("1")}, graph.TableDimension{Column: "id", Bin: ptr("2")}))

	// Dimensions.
	f("all", fault.BadUserInput, `dimensions[0]: rows cannot be grouped by "tags", which is of type [String]`, by(graph.TableDimension{Column: "tags"}))
	f("all", fault.BadUserInput, `dimensions[0]: "region" has no units of time; its type is String`, by(graph.TableDimension{Column: "region", By: ptr("DAY")}))
	f("all", fault.BadUserInput, `dimensions[0]: "weight" has no bins; its type is Float`, by(graph.TableDimension{Column: "weight", Bin: ptr("1")}))
	f("all", fault.BadUserInput, `bin must be a positive number of the column's type, Decimal`, by(graph.TableDimension{Column: "amount", Bin: ptr("wide")}))
	f("all", fault.BadUserInput, `bin must be a positive number of the column's type, BigInt`, by(graph.TableDimension{Column: "id", Bin: ptr("0")}))

	// Measures.
	f("all", fault.BadUserInput, `measures[0]: it has neither a function nor a measure`, of(graph.TableMeasure{}))
	f("all", fault.BadUserInput, `measures[1]: a named measure has its function and column already; leave them out`,
		of(count[0], graph.TableMeasure{Measure: ptr("revenue"), Function: ptr("sum")}))
	f("all", fault.BadUserInput, `measures[0]: count counts rows and takes nothing; countDistinct counts the values of a column`,
		of(graph.TableMeasure{Function: ptr("count"), Column: ptr("id")}))
	f("all", fault.BadUserInput, `measures[0]: the function "sum" needs a column`, of(graph.TableMeasure{Function: ptr("sum")}))
	f("all", fault.BadUserInput, `measures[0]: "region" has no function "sum"; its type is String`, of(graph.TableMeasure{Function: ptr("sum"), Column: ptr("region")}))
	f("all", fault.BadUserInput, `measures[0]: "amount" has no function "evil()"; its type is Decimal`, of(graph.TableMeasure{Function: ptr("evil()"), Column: ptr("amount")}))
	f("all", fault.BadUserInput, `measures[0]: the function percentile needs p, from 0 to 1`, of(graph.TableMeasure{Function: ptr("percentile"), Column: ptr("amount")}))
	f("all", fault.BadUserInput, `measures[0]: the function "sum" takes no p`, of(graph.TableMeasure{Function: ptr("sum"), Column: ptr("amount"), P: ptr(0.5)}))
	f("all", fault.BadUserInput, `the percentile p must be a number from 0 to 1`,
		of(graph.TableMeasure{Function: ptr("percentile"), Column: ptr("amount"), P: ptr(1.5)}))

	// What package plan refuses, as for the field.
	f("all", fault.TooComplex, `limit 11 is more than the 10 rows allowed for orders`, graph.TableQuery{Dataset: "orders", Columns: []string{"id"}, Limit: ptr(11)})
	f("clerk", fault.TooComplex, `limit 3 is more than the 2 rows allowed for orders`, graph.TableQuery{Dataset: "orders", Measures: count, Limit: ptr(3)})
	f("all", fault.BadUserInput, `the comparison of region is empty`,
		graph.TableQuery{Dataset: "orders", Columns: []string{"id"}, Where: written(object("region", query.Object{}))})
	f("all", fault.BadUserInput, `where is null; leave it out to ask without it`,
		graph.TableQuery{Dataset: "orders", Columns: []string{"id"}, Where: graphql.OmittableOf[*graph.JSON](nil)})
	f("all", fault.BadUserInput, `where is null; leave it out to ask without it`,
		graph.TableQuery{Dataset: "orders", Columns: []string{"id"}, Where: written(query.Text("region = 1"))})
}
