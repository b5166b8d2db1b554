package cli_test

import (
	"path/filepath"
	"strings"
	"testing"

	"usher/test/program"
)

const clientShop = `
server: {numbers: %s}
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
tenants:
  acme: {}
roles:
  all: {datasets: {orders: {aggregate: true}, lines: {aggregate: true}, visits: {aggregate: true}, countries: {aggregate: true}}}
  narrow: {datasets: {orders: {columns: [total], aggregate: true}, lines: {columns: [order_id, no]}}}
datasets:
  orders: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, total: Decimal}, relations: {lines: {to: lines, many: true, on: {id: order_id}}}}
  lines: {tenant: tenant, key: [order_id, no], columns: {order_id: Int!, tenant: String!, no: Int!}}
  visits: {tenant: tenant, columns: {id: Int!, tenant: String!}}
  countries: {common: true, source: shop, key: code, columns: {code: String!}}
`

// A module names what tells objects apart, as the one it is printed for sees
// them, and nothing of what they do not see.
func TestModulesOfClients(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), `
		CREATE TABLE orders (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, total DECIMAL(9, 2));
		CREATE TABLE lines (order_id INTEGER NOT NULL, tenant VARCHAR NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (order_id, no));
		CREATE TABLE visits (id INTEGER NOT NULL, tenant VARCHAR NOT NULL);
		CREATE TABLE countries (code VARCHAR PRIMARY KEY);`)
	exact, text := filepath.Join(dir, "exact.yml"), filepath.Join(dir, "text.yml")
	program.WriteFile(t, exact, strings.Replace(clientShop, "%s", "exact", 1))
	program.WriteFile(t, text, strings.Replace(clientShop, "%s", "string", 1))
	nodes := filepath.Join(dir, "nodes.yml")
	program.WriteFile(t, nodes, strings.Replace(strings.Replace(clientShop, "%s", "exact", 1), "server: {", "server: {relay: true, ", 1))
	for _, c := range []struct {
		args        []string
		lines, none []string
	}{
		{
			[]string{"-c", exact, "--client", "apollo", "--as", "acme", "--role", "all"},
			[]string{
				`  Query: { fields: { countriesAggregate: groups, linesAggregate: groups, ordersAggregate: groups, visitsAggregate: groups } },`,
				`  Orders: { keyFields: key("id"), fields: { linesAggregate: groups } },`,
				`  Lines: { keyFields: key("order_id", "no") },`,
				`  Countries: { keyFields: key("code") },`,
				`  Visits: { keyFields: false },`,
				`  OrdersKey: { keyFields: false },`,
				`  OrdersAggregate: { keyFields: false },`,
				`  OrdersConnection: { keyFields: false, merge: true },`,
				`  Viewer: { keyFields: false, merge: true },`,
				`  AdminQuery: { keyFields: false, merge: true },`,
				`      ordersConnection: pages(),`,
			},
			[]string{"tenant", "  Mutation:", "__"},
		},
		{
			[]string{"-c", exact, "--client", "apollo", "--all-tenants", "--role", "all"},
			[]string{
				`  Orders: { keyFields: key("tenant", "id"), fields: { linesAggregate: groups } },`,
				`  Lines: { keyFields: key("tenant", "order_id", "no") },`,
				`  Countries: { keyFields: key("code") },`,
				`  Visits: { keyFields: false },`,
			},
			nil,
		},
		{
			// Where the key, or for all tenants the tenant, is not seen, nothing tells rows apart.
			[]string{"-c", exact, "--client", "apollo", "--all-tenants", "--role", "narrow"},
			[]string{`  Orders: { keyFields: false },`, `  Lines: { keyFields: false },`},
			[]string{"Countries", "Visits", "linesAggregate"},
		},
		{
			[]string{"-c", exact, "--client", "graphcache", "--as", "acme", "--role", "all"},
			[]string{
				`  Orders: key("id"),`, `  Lines: key("order_id", "no"),`, `  Visits: none,`, `  OrdersKey: none,`, `  OrdersAggregate: none,`,
				`  PageInfo: none,`, `  Viewer: none,`, `  Table: none,`, `    ordersConnection: pages,`,
			},
			[]string{"tenant", "  Query: none", "__"},
		},
		{
			[]string{"-c", exact, "--client", "relay", "--all-tenants", "--role", "all"},
			[]string{`  Orders: ["tenant", "id"],`, `  Lines: ["tenant", "order_id", "no"],`, `  Countries: ["code"],`, `  BigInt: 'number',`, `  JSON: 'unknown',`},
			[]string{"Visits", "OrdersKey"},
		},
		{
			// An id that node finds is one among those of all types.
			[]string{"-c", nodes, "--client", "relay", "--as", "acme", "--role", "all"},
			[]string{`const nodes = ["Countries", "Lines", "Orders"]; // whose id is one among those of all types`, `  if (nodes.includes(type)) return object.id;`},
			[]string{`  Orders: [`, `  Lines: [`},
		},
		{
			[]string{"-c", text, "--client", "relay", "--as", "acme", "--role", "narrow"},
			[]string{`  Lines: ["order_id", "no"],`, `  BigInt: 'string',`, `  Decimal: 'string',`},
			[]string{"Orders", "tenant"},
		},
		{
			[]string{"-c", exact, "--client", "codegen", "--as", "acme", "--role", "all"},
			[]string{`    BigInt: { input: 'number | string', output: 'number' },`, `    Timestamp: { input: 'string', output: 'string' },`},
			[]string{"tenant"},
		},
		{
			[]string{"-c", text, "--client", "codegen", "--as", "acme", "--role", "all"},
			[]string{`    BigInt: { input: 'number | string', output: 'string' },`},
			nil,
		},
	} {
		printed, err := program.Command(t, append([]string{"schema"}, c.args...)...)
		if err != nil {
			t.Errorf("%q: %v", c.args, err)
			continue
		}
		for _, line := range c.lines {
			if !strings.Contains(printed, "\n"+line+"\n") {
				t.Errorf("%q lacks the line %s\n%s", c.args, line, printed)
			}
		}
		for _, part := range c.none {
			if strings.Contains(printed, part) {
				t.Errorf("%q has %s\n%s", c.args, part, printed)
			}
		}
	}
	_, err := program.Command(t, "schema", "-c", exact, "--client", "svelte")
	if err == nil || !strings.Contains(err.Error(), "apollo, codegen, graphcache, relay") {
		t.Errorf("an unknown client: %v", err)
	}
}
