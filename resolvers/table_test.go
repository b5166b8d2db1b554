package resolvers

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	driver "github.com/duckdb/duckdb-go/v2"

	"usher/catalog"
	"usher/cursor"
	"usher/datasource"
	"usher/graph"
	"usher/plan/plantest"
	"usher/principal"
)

const shopConfig = `
sources: {main: {kind: duckdb, path: $path}}
strategies: {shared: {kind: shared, source: main}}
roles:
  clerk: {datasets: {orders: {columns: [id, region, amount, customer_id], aggregate: true, limit: 2}}}
  reader: {datasets: {orders: {}, customers: {}}}
  all: {datasets: {orders: {aggregate: true}, customers: {aggregate: true}}}
datasets:
  orders:
    tenant: tenant_id
    key: id
    limit: 3
    max_limit: 10
    columns:
      id: BigInt!
      tenant_id: String!
      customer_id: BigInt
      region: {type: String, label: Region}
      amount: {type: Decimal, precision: 30, scale: 2}
      weight: Float
      ordered_at: Timestamp!
      tags: "[String]"
      secret: String
    relations:
      customer: {to: customers, on: {customer_id: id}}
    measures:
      revenue: {expr: sum(amount), label: Revenue}
      secrets: countDistinct(secret)
  customers:
    tenant: tenant_id
    key: id
    columns: {id: BigInt!, tenant_id: String!, segment: {type: String, label: Segment}}
    relations:
      orders: {to: orders, many: true, on: {id: customer_id}}
`

// shop serves the shop of a database file to the principals of its roles.
type shop struct {
	engine  *graph.Engine
	data    *Datasets
	catalog *catalog.Catalog
}

func openShop(t *testing.T, numbersAsText bool) shop {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop.duckdb")
	connector, err := driver.NewConnector(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	if _, err := db.ExecContext(t.Context(), `
CREATE TABLE orders (id BIGINT NOT NULL, tenant_id VARCHAR NOT NULL, customer_id BIGINT, region VARCHAR, amount DECIMAL(30,2), weight DOUBLE,
	ordered_at TIMESTAMPTZ NOT NULL, tags VARCHAR[], secret VARCHAR);
INSERT INTO orders VALUES
	(1, 'acme', 1, 'EU', 1234567890123456789012345678.91, 1.5, '2026-01-31 23:30:00+00', ['a', NULL], 'x'),
	(2, 'acme', 1, 'EU', 20.50, 'NaN', '2026-02-01 10:00:00+00', NULL, 'x'),
	(3, 'acme', 2, 'US', 5, 2, '2026-02-03 10:00:00+00', [], 'y'),
	(4, 'acme', NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', ['b'], NULL),
	(9, 'rival', 1, 'EU', 7, 7, '2026-01-01 00:00:00+00', NULL, 'z');
CREATE TABLE customers (id BIGINT NOT NULL, tenant_id VARCHAR NOT NULL, segment VARCHAR);
INSERT INTO customers VALUES (1, 'acme', 'retail'), (2, 'acme', 'trade'), (1, 'rival', 'spies');`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, strings.ReplaceAll(shopConfig, "$path", path), nil)
	sources, err := datasource.New(cat, datasource.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sources.Close() })
	sealer, err := cursor.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	data := NewDatasets(sources, sealer, numbersAsText, NewPlanned())
	engine, err := graph.NewEngine(cat, &Resolver{Data: data}, data, graph.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return shop{engine, data, cat}
}

// ask answers a document as JSON text.
func (s shop) ask(t *testing.T, role, text, variables string) string {
	t.Helper()
	return s.askWith(t, role, text, variables, nil)
}

func (s shop) askWith(t *testing.T, role, text, variables string, extensions map[string]any) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ctx = principal.With(ctx, principal.Principal{Subject: "ann", Tenant: "acme", TenantKey: "acme", Roles: []string{role}, Scopes: []principal.Scope{principal.ReadData}})
	params := &graphql.RawParams{Query: text, Extensions: extensions}
	if variables != "" {
		d := json.NewDecoder(strings.NewReader(variables))
		d.UseNumber()
		if err := d.Decode(&params.Variables); err != nil {
			t.Fatal(err)
		}
	}
	op, errs := s.engine.CreateOperationContext(ctx, params)
	var response *graphql.Response
	if errs != nil {
		response = s.engine.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	} else {
		responses, ctx := s.engine.DispatchOperation(ctx, op)
		response = responses(ctx)
	}
	out, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestTable(t *testing.T) {
	t.Parallel()
	s := openShop(t, false)
	f := func(role, query, want string) {
		t.Helper()
		if got := s.ask(t, role, `{ table(query: `+query+`) { columns { name type label } rows } }`, ""); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
		}
	}

	f("all", `{dataset: "orders", dimensions: [{column: "customer.segment"}, {column: "region", as: "Where"}],
		measures: [{function: "count"}, {column: "amount", function: "sum"}, {measure: "revenue", as: "r"}, {column: "id", function: "percentile", p: 0.5}],
		orderBy: [{key: {customer: {segment: DESC}}}]}`,
		`{"data":{"table":{"columns":[{"name":"customer.segment","type":"String","label":"Segment"},{"name":"Where","type":"String","label":"Region"},`+
			`{"name":"count","type":"BigInt","label":null},{"name":"amount_sum","type":"Decimal","label":null},{"name":"r","type":"Decimal","label":"Revenue"},`+
			`{"name":"id_percentile","type":"Float","label":null}],`+
			`"rows":[["trade","US",1,5.00,5.00,3],["retail","EU",2,1234567890123456789012345699.41,1234567890123456789012345699.41,1],[null,null,1,null,null,4]]}}}`)
	f("all", `{dataset: "orders", dimensions: [{column: "region"}], limit: 2, offset: 1}`,
		`{"data":{"table":{"columns":[{"name":"region","type":"String","label":"Region"}],"rows":[["US"],[null]]}}}`)
	f("all", `{dataset: "orders", dimensions: [{column: "ordered_at", by: MONTH}], measures: [{function: "count", as: "n"}], timezone: "Europe/Madrid"}`,
		`{"data":{"table":{"columns":[{"name":"ordered_at_month","type":"Timestamp","label":null},{"name":"n","type":"BigInt","label":null}],`+
			`"rows":[["2026-02-01T00:00:00+01:00",3],["2026-03-01T00:00:00+01:00",1]]}}}`)
	f("all", `{dataset: "orders", dimensions: [{column: "id", bin: 2}, {column: "id", bin: "3", as: "third"}], limit: 2}`,
		`{"data":{"table":{"columns":[{"name":"id_bin","type":"BigInt","label":null},{"name":"third","type":"BigInt","label":null}],"rows":[[0,0],[2,0]]}}}`)
	f("all", `{dataset: "orders", measures: [{function: "count"}], where: {amount: {gte: 1234567890123456789012345678.91}}}`,
		`{"data":{"table":{"columns":[{"name":"count","type":"BigInt","label":null}],"rows":[[1]]}}}`)
	f("all", `{dataset: "orders", measures: [{function: "count"}], where: {amount: {gte: 1234567890123456789012345678.92}}}`,
		`{"data":{"table":{"columns":[{"name":"count","type":"BigInt","label":null}],"rows":[[0]]}}}`)
	f("all", `{dataset: "orders", dimensions: [{column: "region"}], measures: [{function: "count"}], having: {count: {gt: 1}}}`,
		`{"data":{"table":{"columns":[{"name":"region","type":"String","label":"Region"},{"name":"count","type":"BigInt","label":null}],"rows":[["EU",2]]}}}`)
	f("reader", `{dataset: "orders", columns: ["id", "customer.segment", "tags"], orderBy: {id: DESC}, limit: 4}`,
		`{"data":{"table":{"columns":[{"name":"id","type":"BigInt","label":null},{"name":"customer.segment","type":"String","label":"Segment"},`+
			`{"name":"tags","type":"[String]","label":null}],"rows":[[4,null,["b"]],[3,"trade",[]],[2,"retail",null],[1,"retail",["a",null]]]}}}`)
}

func TestWhatIsSaidBesideATable(t *testing.T) {
	t.Parallel()
	s := openShop(t, false)
	f := func(text, variables, want string) {
		t.Helper()
		if got := s.ask(t, "all", text, variables); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
	f(`{ t: table(query: {dataset: "orders", columns: ["id", "weight"]}) { __typename data: rows } orders { id } }`, "",
		`{"errors":[{"message":"the value is not finite, which JSON cannot hold","path":["t","data",1,1],"extensions":{"code":"NOT_IMPLEMENTED"}}],`+
			`"data":{"t":{"__typename":"Table","data":[[1,1.5],[2,null],[3,2]]},"orders":[{"id":1},{"id":2},{"id":3}]},`+
			`"extensions":{"truncated":[["t","data"],["orders"]]}}`)
	f(`{ table(query: {dataset: "orders", columns: ["weight"]}) { columns { type } } }`, "",
		`{"data":{"table":{"columns":[{"type":"Float"}]}}}`)
	f(`query($q: TableQuery!) { table(query: $q) { rows } }`,
		`{"q": {"dataset": "orders", "columns": ["amount"], "where": {"amount": {"eq": 1234567890123456789012345678.91}}, "orderBy": {"amount": "DESC"}}}`,
		`{"data":{"table":{"rows":[[1234567890123456789012345678.91]]}}}`)
	f(`query($q: TableQuery!) { table(query: $q) { rows } viewer { tenant } }`, `{"q": {"dataset": "orders", "columns": ["id"], "where": null}}`,
		`{"errors":[{"message":"where is null; leave it out to ask without it","path":["table"],"locations":[{"line":1,"column":26}],"extensions":{"at":"table.where","code":"BAD_USER_INPUT"}}],`+
			`"data":{"table":null,"viewer":{"tenant":"acme"}}}`)
}

func TestTableNumbersAsText(t *testing.T) {
	t.Parallel()
	s := openShop(t, true)
	got := s.ask(t, "all", `{ table(query: {dataset: "orders", columns: ["id", "amount", "weight"], limit: 1}) { rows } orders(limit: 1) { amount } }`, "")
	want := `{"data":{"table":{"rows":[["1","1234567890123456789012345678.91",1.5]]},"orders":[{"amount":"1234567890123456789012345678.91"}]}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A request says how it wants numbers, whatever the server says and however
// the request before it wanted them.
func TestNumbersOfARequest(t *testing.T) {
	t.Parallel()
	const text = `{ table(query: {dataset: "orders", columns: ["id", "amount", "weight"], limit: 1}) { rows } orders(limit: 1) { id } ordersConnection(first: 1) { totalCount } }`
	const asText = `{"data":{"table":{"rows":[["1","1234567890123456789012345678.91",1.5]]},"orders":[{"id":"1"}],"ordersConnection":{"totalCount":"4"}}}`
	const exact = `{"data":{"table":{"rows":[[1,1234567890123456789012345678.91,1.5]]},"orders":[{"id":1}],"ordersConnection":{"totalCount":4}}}`
	for configured, usual := range map[bool]string{true: asText, false: exact} {
		s := openShop(t, configured)
		for range 2 { // the second time all is known
			for _, c := range []struct {
				asked any
				want  string
			}{{"string", asText}, {"exact", exact}, {"number", exact}, {nil, usual}, {"string", asText}} {
				if got := s.askWith(t, "all", text, "", map[string]any{"numbers": c.asked}); got != c.want {
					t.Errorf("%v, configured %t\n got %s\nwant %s", c.asked, configured, got, c.want)
				}
			}
			if got := s.ask(t, "all", text, ""); got != usual {
				t.Errorf("configured %t\n got %s\nwant %s", configured, got, usual)
			}
		}
		for _, bad := range []any{"text", "", true, 1, []any{"string"}, map[string]any{}} {
			if got := s.askWith(t, "all", text, "", map[string]any{"numbers": bad}); !strings.Contains(got, `extensions.numbers must be`) || !strings.Contains(got, `"code":"BAD_USER_INPUT"`) {
				t.Errorf("%v: %s", bad, got)
			}
		}
	}
}
