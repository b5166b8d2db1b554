package resolvers

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/graph"
	"usher/principal"
	"usher/query"
)

func TestViewerIsDescribedWithoutSecrets(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*60*60)
	got := describeViewer(principal.Principal{
		Subject: "ann", Issuer: "corp", TokenID: "t-1", Tenant: "acme", TenantKey: "17", Roles: []string{"clerk"},
		Kind: principal.Session, Scopes: []principal.Scope{principal.ReadData, principal.WriteData},
		Acting:  &principal.Acting{Subject: "root", Reason: "a ticket"},
		Expires: time.Date(2026, 11, 21, 12, 0, 0, 0, zone),
		Grant: principal.Grant{
			Strategy: "own", Timezone: "Europe/Berlin",
			Filters:    []principal.Filter{{Dataset: "orders", Where: query.Text("filter")}},
			Parameters: map[string]query.Value{"region": query.Text("north")},
			Metadata:   map[string]query.Value{"key": query.Text("value")},
		},
	})
	tenant, strategy, expires := "acme", "own", time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	want := &graph.Viewer{
		Subject: "ann", Tenant: &tenant, Roles: []string{"clerk"}, Strategy: &strategy, ExpiresAt: &expires, Timezone: "Europe/Berlin",
		TokenKind: graph.ViewerTokenKindSession, Scopes: []graph.Scope{graph.ScopeReadData, graph.ScopeWriteData},
		Acting: &graph.Acting{Subject: "root", Reason: "a ticket"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	operator := describeViewer(principal.Principal{Subject: "root", AllTenants: true, Kind: principal.JWT})
	if want := (&graph.Viewer{Subject: "root", AllTenants: true, Roles: []string{}, TokenKind: graph.ViewerTokenKindJwt, Scopes: []graph.Scope{}, Timezone: "UTC"}); !cmp.Equal(want, operator) {
		t.Errorf("an operator is described as %+v", operator)
	}
}

func TestDatasetIsDescribedAsFarAsItIsVisible(t *testing.T) {
	t.Parallel()
	columns := func(entries ...string) catalog.Ordered[catalog.ColumnSpec] {
		var out catalog.Ordered[catalog.ColumnSpec]
		for pair := range slices.Chunk(entries, 2) {
			out = append(out, catalog.Entry[catalog.ColumnSpec]{Name: pair[0], Value: catalog.ColumnSpec{Type: pair[1]}})
		}
		return out
	}
	bind := func(table string) map[string]catalog.BindingSpec {
		return map[string]catalog.BindingSpec{"main": {Table: table}}
	}
	compared := func(column, op string, v query.Value) query.Object {
		return query.Object{{Name: column, Value: query.Object{{Name: op, Value: v}}}}
	}
	cat, problems := catalog.Compile(catalog.Spec{
		Parameters: map[string]catalog.ParameterSpec{
			"regions": {Type: "[String!]"}, "floor": {Type: "Decimal", Default: query.Number("5")}, "since": {Type: "Date!"}, "unused": {Type: "Int"},
		},
		Sources:         map[string]catalog.SourceSpec{"main": {Kind: "duckdb", Path: "main.duckdb"}},
		Strategies:      map[string]catalog.StrategySpec{"shared": {Kind: "shared", Source: "main"}},
		DefaultStrategy: "shared",
		Roles: map[string]catalog.RoleSpec{
			"clerk": {Datasets: map[string]catalog.RightSpec{"orders": {
				Columns: []string{"id", "amount", "customer_id", "day"}, Aggregate: true, Limit: new(50), Filter: compared("region", "in", query.List{query.Text("$regions")}),
			}}},
			"all": {Datasets: map[string]catalog.RightSpec{"orders": {Limit: new(2000)}, "customers": {}}},
		},
		Datasets: map[string]catalog.DatasetSpec{
			"orders": {
				Filter: query.Object{{Name: "or", Value: query.List{
					compared("amount", "gte", query.Text("$parameters.floor")), compared("secret", "eq", query.Text("$subject")),
				}}},
				Label: "Orders", Tenant: catalog.TenancySpec{Column: "tenant_id"}, Key: catalog.Names{"id"}, Bind: bind("orders"),
				Columns: columns("id", "BigInt!", "tenant_id", "String!", "customer_id", "BigInt", "amount", "Decimal", "secret", "String", "region", "String", "day", "Date"),
				Relations: catalog.Ordered[catalog.RelationSpec]{
					{Name: "customer", Value: catalog.RelationSpec{To: "customers", On: map[string]string{"customer_id": "id"}}},
				},
				Measures: catalog.Ordered[catalog.MeasureSpec]{
					{Name: "revenue", Value: catalog.MeasureSpec{Expr: "sum(amount) / 2", Filter: compared("day", "gte", query.Text("$since"))}},
					{Name: "secrets", Value: catalog.MeasureSpec{Expr: "countDistinct(secret)"}},
					{Name: "hushed", Value: catalog.MeasureSpec{Expr: "count()", Filter: compared("secret", "eq", query.Text("x"))}},
				},
			},
			"customers": {Tenant: catalog.TenancySpec{Column: "tenant_id"}, Key: catalog.Names{"id"}, Bind: bind("customers"), Columns: columns("id", "BigInt!", "tenant_id", "String!")},
		},
	}, nil)
	if catalog.Refused(problems) {
		t.Fatal(problems)
	}
	view := func(role string) *catalog.View {
		v, err := cat.View(principal.Principal{Roles: []string{role}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	label := "Orders"
	want := &graph.Dataset{
		Name: "orders", Type: "Orders", Label: &label,
		Columns: []graph.DatasetColumn{
			{Name: "id", Type: "BigInt"}, {Name: "customer_id", Type: "BigInt", Nullable: true}, {Name: "amount", Type: "Decimal", Nullable: true}, {Name: "day", Type: "Date", Nullable: true},
		},
		Relations: []graph.DatasetRelation{},
		Measures:  []graph.DatasetMeasure{{Name: "revenue", Type: "Float"}},
		Parameters: []graph.DatasetParameter{
			{Name: "floor", Type: "Decimal"}, {Name: "regions", Type: "[String]", Required: true}, {Name: "since", Type: "Date", Required: true},
		},
		Key: []string{"id"}, Aggregate: true, Limit: 50, MaxLimit: 50,
	}
	if diff := cmp.Diff(want, describeDataset(cat, view("clerk"), "orders")); diff != "" {
		t.Errorf("to a clerk (-want +got):\n%s", diff)
	}
	for _, name := range []string{"customers", "planets"} {
		if got := describeDataset(cat, view("clerk"), name); got != nil {
			t.Errorf("%s is described to a clerk: %+v", name, got)
		}
	}
	got := describeDataset(cat, view("all"), "orders")
	if diff := cmp.Diff([]graph.DatasetRelation{{Name: "customer", To: "customers"}}, got.Relations); diff != "" {
		t.Errorf("relations (-want +got):\n%s", diff)
	}
	if got.Limit != 1000 || got.MaxLimit != 2000 {
		t.Errorf("a role with a limit of 2000 is told of %d and %d", got.Limit, got.MaxLimit)
	}
	// With both roles, the more generous limit counts.
	both, err := cat.View(principal.Principal{Roles: []string{"clerk", "all"}})
	if err != nil {
		t.Fatal(err)
	}
	if d := describeDataset(cat, both, "orders"); d.Limit != 1000 || d.MaxLimit != 2000 || !d.Aggregate || len(d.Parameters) != 3 {
		t.Errorf("with both roles: %+v", d)
	}
	if d := describeDataset(cat, both, "customers"); d.Limit != 1000 || d.MaxLimit != 10000 || len(d.Parameters) != 0 {
		t.Errorf("customers: %+v", d)
	}
	if got.Aggregate || len(got.Measures) > 0 {
		t.Errorf("a role without aggregates is offered them: %+v", got)
	}
}
