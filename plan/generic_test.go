package plan_test

import (
	"strings"
	"testing"
	"time"

	"usher/catalog"
	"usher/plan"
	"usher/plan/plantest"
	"usher/value"
)

// spread is a column of a million rows.
func spread(name string, typ value.Scalar, each, most float64, inIndex bool) catalog.TableColumn {
	return catalog.TableColumn{
		Name: name, Native: "text", Type: value.Of(typ), Supported: true, ByCode: true,
		Spread: &catalog.Spread{Rows: 1_000_000, Each: each, Most: most, InIndex: inIndex},
	}
}

const genericShop = `
sources: {pg: {kind: postgres, host: db.example, database: d, user: u, password: {env: P}}}
strategies: {shared: {kind: shared, source: pg}}
roles:
  all: {datasets: {orders: {aggregate: true}, items: {aggregate: true}, products: {}, lines: {aggregate: true}, marks: {}, lineMarks: {}, plain: {}}}
  cut: {datasets: {orders: {filter: {status: {eq: "open"}}}}}
  tied: {datasets: {orders: {filter: {product: {name: {eq: "a"}}}}, products: {}}}
datasets:
  products: {common: true, source: pg, key: id, columns: {id: Int!, name: String!}, relations: {}}
  plain: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, at: String!}, relations: {}}
  orders:
    tenant: tenant
    key: id
    columns: {tenant: String!, id: Int!, at: String!, day: String!, maybe: String, amount: Int!, status: String!, note: String!, kind: String!, product_id: Int!}
    relations:
      product: {to: products, on: {product_id: id}}
      items: {to: items, many: true, on: {id: order_id}}
      lines: {to: lines, many: true, on: {id: order_id}}
      marks: {to: marks, many: true, on: {id: order_id}}
      other: {to: lines, many: true, on: {id: other_id}}
  items:
    tenant: tenant
    key: id
    columns: {tenant: String!, id: Int!, order_id: Int!, sku: String!}
    relations: {}
  lines:
    tenant: {through: order}
    key: id
    columns: {id: Int!, order_id: Int!, other_id: Int!}
    relations: {order: {to: orders, on: {order_id: id}}, marks: {to: lineMarks, many: true, on: {id: line_id}}}
  marks:
    tenant: {through: order}
    key: id
    columns: {id: Int!, order_id: Int!}
    relations: {order: {to: orders, on: {order_id: id}}}
  lineMarks:
    tenant: {through: line}
    key: id
    columns: {id: Int!, line_id: Int!}
    bind: {pg: {table: line_marks}}
    relations: {line: {to: lines, on: {line_id: id}}}
`

// genericTables has tenants of so many rows on average, of whom the largest has
// most.
func genericTables(each, most float64) catalog.Introspected {
	maybe := spread("maybe", value.String, 1, 1, true)
	maybe.Nullable = true
	tenant := spread("tenant", value.String, each, most, true)
	table := func(name string, indexes [][]string, columns ...catalog.TableColumn) catalog.Table {
		return catalog.Table{Schema: "public", Name: name, PrimaryKey: []string{"id"}, Indexes: indexes, Columns: columns}
	}
	id := spread("id", value.Int, 1, 1, true)
	unknown := func(c catalog.TableColumn) catalog.TableColumn { c.Spread = nil; return c }
	return catalog.Introspected{"pg": {
		"public.products": table("products", [][]string{{"id"}}, id, spread("name", value.String, 1, 1, false)),
		"public.plain":    table("plain", [][]string{{"id"}, {"tenant", "at"}}, unknown(tenant), unknown(id), unknown(spread("at", value.String, 1, 1, true))),
		"public.orders": table("orders", [][]string{{"id"}, {"tenant", "at"}, {"tenant", "day"}, {"tenant", "maybe"}, {"kind"}, {"tenant", "note"}},
			tenant, id, spread("at", value.String, 1, 1, true), spread("day", value.String, 200_000, 200_000, true), maybe,
			spread("amount", value.Int, 20, 20, false), spread("status", value.String, 250_000, 400_000, false), spread("note", value.String, 1, 1, true),
			spread("kind", value.String, 1000, 1000, true), spread("product_id", value.Int, 100, 5000, false)),
		"public.items":      table("items", [][]string{{"id"}, {"tenant", "order_id"}}, tenant, id, spread("order_id", value.Int, 3, 50, true), spread("sku", value.String, 10, 10, false)),
		"public.lines":      table("lines", [][]string{{"id"}, {"order_id"}, {"other_id"}}, id, spread("order_id", value.Int, 3, 50, true), spread("other_id", value.Int, 3, 50, true)),
		"public.marks":      table("marks", [][]string{{"id"}, {"order_id"}}, id, spread("order_id", value.Int, 3, 5000, true)),
		"public.line_marks": table("line_marks", [][]string{{"id"}, {"line_id"}}, id, spread("line_id", value.Int, 3, 50, true)),
	}}
}

// A list is planned for anybody where its rows come along an index, whoever asks;
// where that would be wrong for somebody, for whoever asks.
func TestGeneric(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query      string
		each, most float64
		grant      string
		want       bool
	}{
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id amount }`, want: true},
		{query: `orders(orderBy: [{at: DESC}], limit: 20, offset: 40) { id amount }`, want: true},
		{query: `orders(orderBy: [{at: DESC}], limit: 20, offset: 400) { id amount }`}, // the average tenant is sorted
		{query: `orders(orderBy: [{at: DESC}]) { id amount }`},                         // a thousand
		{query: `orders(limit: 20) { id amount }`},                                     // no index of a tenant's has the order
		{query: `orders(orderBy: [{day: DESC}], limit: 20) { id amount }`},             // most are of one day
		{query: `orders(orderBy: [{maybe: ASC}], limit: 20) { id amount }`},            // nulls stand elsewhere in the index
		{query: `orders(orderBy: [{amount: ASC}], limit: 20) { id }`},
		{query: `orders(orderBy: [{product: {name: ASC}}], limit: 20) { id }`},
		{query: `orders(orderBy: [{at: DESC}, {product: {name: ASC}}], limit: 20) { id }`},

		// Who has few rows where somebody has many is the average; where all have few, nobody is hurt.
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id }`, each: 30, most: 900_000},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id }`, each: 30, most: 60, want: true},
		{query: `orders(where: {amount: {gte: 5}}, orderBy: [{at: DESC}], limit: 20) { id }`, each: 30, most: 60},

		// Conditions.
		{query: `orders(where: {amount: {gte: 5}}, orderBy: [{at: DESC}], limit: 20) { id }`, want: true},
		{query: `orders(where: {at: {gte: "2"}}, orderBy: [{at: DESC}], limit: 20) { id }`, want: true},
		{query: `orders(where: {at: {gte: "2", lt: "3"}}, orderBy: [{at: DESC}], limit: 20) { id }`}, // rarely as many as are wanted, a planner thinks
		{query: `orders(where: {amount: {gte: 5, lt: 7}}, orderBy: [{at: DESC}], limit: 20) { id }`}, // likewise
		{query: `orders(where: {status: {eq: "open"}}, orderBy: [{at: DESC}], limit: 20) { id }`, want: true},
		{query: `orders(where: {or: [{status: {eq: "open"}}, {amount: {lt: 5}}]}, orderBy: [{at: DESC}], limit: 20) { id }`, want: true},
		{query: `orders(where: {product_id: {eq: 1}}, orderBy: [{at: DESC}], limit: 20) { id }`},       // unevenly spread
		{query: `orders(where: {amount: {eq: 1}}, orderBy: [{at: DESC}], limit: 20) { id }`},           // rare
		{query: `orders(where: {kind: {eq: "x"}}, orderBy: [{at: DESC}], limit: 20) { id }`},           // has an index
		{query: `orders(where: {note: {gt: "x"}}, orderBy: [{at: DESC}], limit: 20) { id }`},           // likewise
		{query: `orders(where: {status: {startsWith: "o"}}, orderBy: [{at: DESC}], limit: 20) { id }`}, // LIKE
		{query: `orders(where: {maybe: {isNull: true}}, orderBy: [{at: DESC}], limit: 20) { id }`},
		{query: `orders(where: {not: {amount: {gte: 5}}}, orderBy: [{at: DESC}], limit: 20) { id }`},
		{query: `orders(where: {product: {name: {eq: "a"}}}, orderBy: [{at: DESC}], limit: 20) { id }`},
		{query: `orders(where: {items: {some: {sku: {eq: "a"}}}}, orderBy: [{at: DESC}], limit: 20) { id }`},

		// Pages behind the first.
		{query: `ordersConnection(orderBy: [{at: DESC}], first: 20, after: ["x", "7"]) { nodes { id } }`, want: true},
		{query: `ordersConnection(orderBy: [{at: ASC}], first: 20, after: ["x", "7"]) { nodes { id } }`, want: true},
		{query: `ordersConnection(orderBy: [{at: DESC}], last: 20, before: ["x", "7"]) { nodes { id } }`, want: true},
		{query: `ordersConnection(orderBy: [{maybe: DESC}], first: 20, after: ["x", "7"]) { nodes { id } }`},
		{query: `orders(where: {or: [{note: {gt: "x"}}, {note: {eq: "x"}}]}, orderBy: [{at: DESC}], limit: 20) { id }`}, // has an index of its own

		// What is found by a key.
		{query: `orders(where: {id: {in: [1, 2]}}, orderBy: [{id: ASC}], limit: 100) { id }`, want: true},
		{query: `orders(where: {id: {in: [1, 2]}}) { id }`, want: true},
		{query: `orders(where: {id: {eq: 1}, status: {eq: "open"}, product_id: {gt: 5}}, orderBy: [{amount: DESC}]) { id }`, want: true},
		{query: `items(where: {order_id: {in: [1, 2]}}) { id }`, want: true},
		{query: `products(where: {id: {in: [1, 2]}}) { name }`, want: true},
		{query: `orders(where: {id: {in: [1, 2]}}, limit: 20) { id product { name } }`, want: true},
		{query: `orders(where: {id: {in: [1, 2]}}) { id }`, each: 30, most: 900_000}, // those of the average tenant are read rather
		{query: `orders(where: {id: {in: [1, 2]}}) { id }`, each: 30, most: 60, want: true},
		{query: `orders(where: {kind: {in: ["x"]}}) { id }`}, // many rows
		{query: `orders(where: {product_id: {eq: 5}}) { id }`},
		{query: `orders(where: {id: {gt: 1}}) { id }`},
		{query: `orders(where: {not: {id: {in: [1, 2]}}}) { id }`},
		{query: `orders(where: {or: [{id: {eq: 1}}, {amount: {gt: 1}}]}) { id }`},
		{query: `orders(where: {id: {in: [1, 2]}, product: {name: {eq: "a"}}}) { id }`},
		{query: `orders(where: {id: {in: [1, 2]}, items: {some: {sku: {eq: "a"}}}}) { id }`},
		{query: `ordersAggregate(where: {id: {in: [1, 2]}}) { count }`},
		{query: `lines(where: {id: {in: [1, 2]}}) { id }`},
		{query: `plain(where: {id: {in: [1, 2]}}) { id }`},

		// What is joined and nested.
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id product { name } }`, want: true},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id items(limit: 5) { sku } }`, want: true},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id items(where: {sku: {gt: "a"}}) { sku } product { name } }`, want: true},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id items(where: {id: {gt: 7}}) { sku } }`},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id itemsAggregate { count } }`},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id lines { id } }`, want: true}, // whose they are is said by what they are nested in
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id lines(limit: 2) { id } }`, want: true},
		{query: `orders(where: {id: {in: [1, 2]}}) { id lines { id } }`, each: 200_000, most: 900_000, want: true},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id lines(where: {id: {gt: 7}}) { id } }`},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id lines { id order { at } } }`, want: true},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id lines { id marks { id } } }`}, // two steps away
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id marks { id } }`},              // some order has thousands
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id other { id } }`},              // these say nothing of whose they are
		{query: `orders(orderBy: [{at: DESC}], limit: 100) { id lines { id } }`},             // all of the average tenant's are read rather
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id linesAggregate { count } }`},
		{query: `lines(orderBy: [{id: DESC}], limit: 20) { id }`},
		{query: `products(orderBy: [{id: ASC}], limit: 20) { id }`, want: true},
		{query: `products(where: {name: {gt: "a"}}, orderBy: [{id: ASC}], limit: 20) { id }`, want: true},

		// Groups, counts, single rows, and what nothing is known of.
		{query: `ordersAggregate { count }`},
		{query: `ordersAggregate(orderBy: [{key: {at: DESC}}], limit: 20) { key { at } count }`},
		{query: `ordersConnection(orderBy: [{at: DESC}], first: 20) { nodes { id } }`, want: true},
		{query: `ordersConnection(orderBy: [{at: DESC}], first: 20) { nodes { id } totalCount }`},
		{query: `plain(orderBy: [{at: DESC}], limit: 20) { id }`},

		// Rights.
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id }`, grant: `roles: ["cut"]`, want: true},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id }`, grant: `roles: ["tied"]`},
		{query: `orders(where: {id: {in: [1, 2]}}) { id }`, grant: `roles: ["cut"]`, want: true},
		{query: `orders(where: {id: {in: [1, 2]}}) { id }`, grant: `roles: ["tied"]`},
		{query: `orders(where: {id: {in: [1, 2]}}) { id }`, grant: `allTenants: true, roles: ["all"]`},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id lines { id } }`, grant: `allTenants: true, roles: ["all"]`},
		{query: `orders(orderBy: [{at: DESC}], limit: 20) { id }`, grant: `allTenants: true, roles: ["all"]`},
	} {
		if c.each == 0 {
			c.each, c.most = 2000, 200_000
		}
		if c.grant == "" {
			c.grant = `roles: ["all"]`
		}
		if !strings.HasPrefix(c.grant, "allTenants") {
			c.grant = `tenant: "a", ` + c.grant
		}
		cat := plantest.Catalog(t, genericShop, genericTables(c.each, c.most))
		q, err := plan.Build(plantest.Request(t, c.query), cat, plantest.Principal(t, c.grant), time.Unix(0, 0))
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if got := q.Root().Generic(); got != c.want {
			t.Errorf("%s for %s with %v rows of %v at most: %t", c.query, c.grant, c.each, c.most, got)
		}
	}
}
