package resolvers

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	driver "github.com/duckdb/duckdb-go/v2"

	"usher/cursor"
	"usher/datasource"
	"usher/graph"
	"usher/plan/plantest"
	"usher/principal"
)

const relayConfig = `
sources: {main: {kind: duckdb, path: $path}}
strategies: {shared: {kind: shared, source: main}}
roles:
  clerk: {datasets: {orders: {columns: [id, region], filter: {region: {eq: EU}}}}}
  blind: {datasets: {orders: {columns: [region]}}}
  all: {datasets: {orders: {aggregate: true}, lines: {aggregate: true}, units: {}, notes: {}}}
datasets:
  orders:
    tenant: tenant_id
    key: id
    columns: {id: BigInt!, tenant_id: String!, region: String, id_: String}
    relations: {lines: {to: lines, many: true, on: {id: order_id}}}
  lines:
    tenant: tenant_id
    key: [order_id, sold_at]
    columns: {order_id: BigInt!, tenant_id: String!, sold_at: Timestamp!, amount: {type: Decimal, precision: 9, scale: 2}}
    relations: {order: {to: orders, on: {order_id: id}}}
  units: {common: true, source: main, key: name, columns: {name: String!, id: String}}
  notes: {tenant: tenant_id, columns: {id: BigInt, tenant_id: String!}}
`

type relayed struct {
	t      *testing.T
	engine *graph.Engine
}

func openRelay(t *testing.T) relayed {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop.duckdb")
	connector, err := driver.NewConnector(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	if _, err := db.ExecContext(t.Context(), `
CREATE TABLE orders (id BIGINT NOT NULL, tenant_id VARCHAR NOT NULL, region VARCHAR, id_ VARCHAR);
INSERT INTO orders VALUES (1, 'acme', 'EU', 'x'), (2, 'acme', 'US', 'y'), (1, 'rival', 'EU', 'z'), (7, 'rival', 'EU', 'z');
CREATE TABLE lines (order_id BIGINT NOT NULL, tenant_id VARCHAR NOT NULL, sold_at TIMESTAMPTZ NOT NULL, amount DECIMAL(9,2));
INSERT INTO lines VALUES (1, 'acme', '2026-01-31 23:30:00.123456+00', 5), (1, 'rival', '2026-01-31 23:30:00.123456+00', 6);
CREATE TABLE units (name VARCHAR NOT NULL, id VARCHAR);
INSERT INTO units VALUES ('kg"', 'same'), ('t', 'same');
CREATE TABLE notes (id BIGINT, tenant_id VARCHAR NOT NULL);
INSERT INTO notes VALUES (1, 'acme');`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, strings.ReplaceAll(relayConfig, "$path", path), nil)
	sources, err := datasource.New(cat, datasource.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sources.Close() })
	sealer, err := cursor.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	data := NewDatasets(sources, sealer, false, NewPlanned())
	engine, err := graph.NewEngine(cat, &Resolver{Data: data}, data, graph.Options{OpenID: data.OpenID, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return relayed{t, engine}
}

func of(tenant string, roles ...string) principal.Principal {
	p := principal.Principal{Subject: "ann", Tenant: tenant, TenantKey: tenant, Roles: roles, Scopes: []principal.Scope{principal.ReadData}}
	p.AllTenants = tenant == ""
	return p
}

func (r relayed) ask(who principal.Principal, text string, variables map[string]any) string {
	r.t.Helper()
	ctx := principal.With(r.t.Context(), who)
	op, errs := r.engine.CreateOperationContext(ctx, &graphql.RawParams{Query: text, Variables: variables})
	var response *graphql.Response
	if errs != nil {
		response = r.engine.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	} else {
		responses, ctx := r.engine.DispatchOperation(ctx, op)
		response = responses(ctx)
	}
	out, err := json.Marshal(response)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(out)
}

// ids are those of the rows that a list of somebody shows.
func (r relayed) ids(who principal.Principal, list string) []string {
	r.t.Helper()
	var got struct {
		Data map[string][]struct{ ID string }
	}
	answer := r.ask(who, "{ list: "+list+" { id } }", nil)
	if err := json.Unmarshal([]byte(answer), &got); err != nil || got.Data["list"] == nil {
		r.t.Fatal(answer)
	}
	var ids []string
	for _, row := range got.Data["list"] {
		ids = append(ids, row.ID)
	}
	return ids
}

func (r relayed) want(who principal.Principal, text string, variables map[string]any, want string) {
	r.t.Helper()
	if got := r.ask(who, text, variables); got != want {
		r.t.Errorf("%s %v\n got %s\nwant %s", text, variables, got, want)
	}
}

// A row is found again by its id, with what whoever asks may see of it.
func TestNodes(t *testing.T) {
	t.Parallel()
	r := openRelay(t)
	acme := of("acme", "all")
	orders, lines, units := r.ids(acme, "orders(orderBy: {id: ASC})"), r.ids(acme, "lines"), r.ids(acme, "units(orderBy: {name: ASC})")
	if again := r.ids(acme, "orders(orderBy: {id: ASC})"); again[0] != orders[0] || orders[0] == orders[1] || len(units) != 2 || units[0] == units[1] {
		t.Errorf("ids are %v, then %v; of units %v", orders, again, units)
	}
	const find = `query($id: ID!) { node(id: $id) { __typename id ... on Orders { id_ id__ region lines { amount order { id } } } ... on Lines { sold_at amount } ... on Units { name unit: id_ } } }`
	is := func(id string) map[string]any { return map[string]any{"id": id} }
	r.want(acme, find, is(orders[0]), `{"data":{"node":{"__typename":"Orders","id":"`+orders[0]+`","id_":1,"id__":"x","region":"EU","lines":[{"amount":5.00,"order":{"id":"`+orders[0]+`"}}]}}}`)
	r.want(acme, find, is(lines[0]), `{"data":{"node":{"__typename":"Lines","id":"`+lines[0]+`","sold_at":"2026-01-31T23:30:00.123456Z","amount":5.00}}}`)
	r.want(acme, find, is(units[0]), `{"data":{"node":{"__typename":"Units","id":"`+units[0]+`","name":"kg\"","unit":"same"}}}`)
	r.want(acme, `query($ids: [ID!]!) { nodes(ids: $ids) { ... on Orders { region } ...n } } fragment n on Node { id }`, map[string]any{"ids": []any{orders[1], "nonsense", orders[0]}},
		`{"data":{"nodes":[{"region":"US","id":"`+orders[1]+`"},null,{"region":"EU","id":"`+orders[0]+`"}]}}`)
	r.want(acme, `query($id: ID!) { a: node(id: $id) { ... on Orders { x: region } ... on Units { x: id_ } } b: node(id: $id) { ... on Lines { amount } } }`, is(orders[0]), `{"data":{"a":{"x":"EU"},"b":{}}}`)
	r.want(acme, `{ nodes(ids: []) { id } orders(limit: 1) { ... on Node { id } } }`, nil, `{"data":{"nodes":[],"orders":[{"id":"`+orders[0]+`"}]}}`)
	r.want(acme, `{ ordersConnection(first: 1) { edges { node { id } } } ordersByPk(id: 2) { id id_ } }`, nil,
		`{"data":{"ordersConnection":{"edges":[{"node":{"id":"`+orders[0]+`"}}]},"ordersByPk":{"id":"`+orders[1]+`","id_":2}}}`)

	// As Relay's compiler writes what is fetched again, and the next page.
	r.want(acme, `query OrdersRowQuery($id: ID!) { node(id: $id) { __typename ...Orders_row id } } fragment Orders_row on Orders { id_ region lines { amount id } id }`, is(orders[0]),
		`{"data":{"node":{"__typename":"Orders","id_":1,"region":"EU","lines":[{"amount":5.00,"id":"`+lines[0]+`"}],"id":"`+orders[0]+`"}}}`)
	r.want(acme, `query OrdersPageQuery($after: String, $first: Int = 10) { ...OrdersList_list_2HEEH6 }
		fragment OrdersList_list_2HEEH6 on Query { ordersConnection(first: $first, after: $after, orderBy: [{region: ASC}]) {
			edges { node { region id __typename } cursor } pageInfo { hasNextPage } } }`, map[string]any{"after": nil, "first": json.Number("0")},
		`{"data":{"ordersConnection":{"edges":[],"pageInfo":{"hasNextPage":true}}}}`)

	// What is no row of theirs is null, whatever it is.
	const short = `query($id: ID!) { node(id: $id) { id } }`
	const none = `{"data":{"node":null}}`
	rival := r.ids(of("rival", "all"), "orders(orderBy: {id: ASC})")
	cursors := r.ask(acme, `{ ordersConnection(first: 1) { pageInfo { endCursor } } }`, nil)
	for what, id := range map[string]string{
		"another tenant's": rival[0], "another tenant's, of a row that is not there here": rival[1], "no id": "nonsense", "nothing": "", "a key": "1",
		"one that was changed": orders[0][:len(orders[0])-2] + "AA", "a cursor": strings.Split(strings.Split(cursors, `endCursor":"`)[1], `"`)[0],
	} {
		if got := r.ask(acme, short, is(id)); got != none {
			t.Errorf("%s: %s", what, got)
		}
	}
	// Rights are those of whoever asks, when they ask.
	r.want(of("acme", "clerk"), short, is(orders[0]), `{"data":{"node":{"id":"`+orders[0]+`"}}}`)
	r.want(of("acme", "clerk"), short, is(orders[1]), none) // filtered
	r.want(of("acme", "clerk"), short, is(lines[0]), none)  // no such dataset
	if got := r.ask(of("acme", "blind"), short, is(orders[0])); !strings.Contains(got, `"GRAPHQL_VALIDATION_FAILED"`) && got != none {
		t.Errorf("who does not see the key: %s", got)
	}
	// Rows of all tenants are told by the tenant too.
	all := of("", "all")
	everybody := r.ids(all, "orders(orderBy: [{id: ASC}, {tenant_id: ASC}])")
	for i, want := range []string{`"acme"`, `"rival"`} {
		r.want(all, `query($id: ID!) { node(id: $id) { ... on Orders { tenant_id id_ } } }`, is(everybody[i]), `{"data":{"node":{"tenant_id":`+want+`,"id_":1}}}`)
	}
	r.want(all, short, is(orders[0]), none)
	r.want(acme, short, is(everybody[0]), none)
}

// Rows without an identity have no id, and what is asked of Node is checked.
func TestNodesOfTheSchema(t *testing.T) {
	t.Parallel()
	r := openRelay(t)
	acme := of("acme", "all")
	r.want(acme, `{ notes { id_ } __type(name: "Node") { kind fields { name } possibleTypes { name } } o: __type(name: "Orders") { interfaces { name } } n: __type(name: "Notes") { interfaces { name } } }`, nil,
		`{"data":{"notes":[{"id_":1}],"__type":{"kind":"INTERFACE","fields":[{"name":"id"}],"possibleTypes":[{"name":"Lines"},{"name":"Orders"},{"name":"Units"}]},`+
			`"o":{"interfaces":[{"name":"Node"}]},"n":{"interfaces":[]}}}`)
	for text, want := range map[string]string{
		`{ node(id: "x") { region } }`:               `Cannot query field \"region\" on type \"Node\".`,
		`{ notes { id } }`:                           `Cannot query field \"id\" on type \"Notes\".`,
		`{ orders { id: region } }`:                  `cannot be called \"id\"`,
		`{ node(id: "x") { ... on Notes { id_ } } }`: `GRAPHQL_VALIDATION_FAILED`,
		`{ node(id: "x") { ... on Orders { x: region } ... on Lines { x: amount } } }`:                   `conflict`,
		`{ node(id: "x") { ... on Orders { x: region x: id__ } } }`:                                      `conflict`,
		fmt.Sprintf(`{ nodes(ids: [%s]) { id } }`, strings.TrimSuffix(strings.Repeat(`"x",`, 101), ",")): `names more than 100 ids`,
	} {
		if got := r.ask(acme, text, nil); !strings.Contains(got, want) {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}
