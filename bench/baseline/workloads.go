package main

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
)

// writeRows appends all rows as a JSON array.
type writeRows func(out []byte, rows *sql.Rows) ([]byte, error)

// part is a root field: its statement and how its rows are written.
type part struct {
	key, sql string
	write    writeRows
	children *part
	args     func(asked) []any // of the statement, behind the tenant; nil: there are none
}

// value is the one variable of a workload, as PostgreSQL reads it.
func value(q asked) []any { return []any{q.variable()} }

const (
	byMonth   = "date_trunc('month', ordered_at, 'UTC')"
	ofOrders  = " FROM orders WHERE tenant_id = $1 "
	newest    = "ORDER BY ordered_at DESC, id LIMIT "
	cellCount = "count"
)

func workloads() map[string][]part {
	return map[string][]part{
		"W1":              {list("", nil)},
		"W1_distinct":     {list("AND ordered_at < $2 ", value)},
		"Rights":          {list("AND region = ANY($2) AND amount >= $3 ", rights)},
		"Ids":             {byIDs()},
		"W1text":          {byText("", nil)},
		"W1text_distinct": {byText("AND reference > $2 ", value)},
		"W1text_texts":    {byText("AND reference > $2 ", value)},
		"W2":              {withItems("", nil)},
		"W2_distinct":     {withItems("AND o.amount >= $2 ", value)},
		"Documents":       {withItems("AND o.amount >= $2 ", value)},
		"W3":              {matrix("", nil)},
		"W3_kept":         {matrix("", nil)},
		"W3_distinct":     {matrix("AND ordered_at >= $2 ", value)},
		"W4":              tiles("", nil),
		"W4_distinct":     tiles("AND ordered_at >= $2 ", value),
		"W5":              {rows("", nil)},
		"W5_distinct":     {rows("AND id <= $2 ", value)},
		"W6":              {matrix("", nil)},
		"W6_distinct":     {matrix("AND ordered_at >= $2 ", value)},
	}
}

func newestColumns() writeRows {
	return objects(number("id"), text("customer"), text("region"), decimal("amount"), orderedAt())
}

func list(and string, args func(asked) []any) part {
	return part{key: "orders", sql: "SELECT id, customer, region, amount, ordered_at" + ofOrders + and + newest + "20", write: newestColumns(), args: args}
}

func byIDs() part {
	return part{
		key: "orders", sql: "SELECT id, customer, region, amount, ordered_at" + ofOrders + "AND id = ANY($2) ORDER BY id LIMIT 100",
		write: newestColumns(), args: func(q asked) []any { return []any{"{" + strings.Trim(q.variable(), "[]") + "}"} },
	}
}

func rights(q asked) []any { return []any{pq.Array(q.claims.Rights.Regions), q.claims.Rights.Least} }

func byText(and string, args func(asked) []any) part {
	return part{
		key: "orders", sql: "SELECT id, reference, customer, amount, status" + ofOrders + and + "ORDER BY reference, id LIMIT 20", args: args,
		write: objects(number("id"), text("reference"), text("customer"), decimal("amount"), text("status")),
	}
}

func withItems(and string, args func(asked) []any) part {
	return part{
		key: "orders", args: args,
		sql: "SELECT o.id, o.customer, o.amount, o.ordered_at, p.name, p.category FROM orders o LEFT JOIN products p ON p.id = o.product_id " +
			"WHERE o.tenant_id = $1 " + and + "ORDER BY o.ordered_at DESC, o.id LIMIT 20",
		children: &part{
			key: "items",
			sql: "SELECT order_id, sku, quantity, price FROM items WHERE tenant_id = $1 AND order_id = ANY($2) ORDER BY order_id, id",
		},
	}
}

func matrix(and string, args func(asked) []any) part {
	return part{
		key: "groups", sql: "SELECT " + byMonth + ", region, count(*), sum(amount)" + ofOrders + and + "GROUP BY 1, 2 ORDER BY 1, 2", args: args,
		write: objects(open("key"), orderedAt(), text("region"), end(), number(cellCount),
			open("amount"), decimal("sum"), end()),
	}
}

func rows(and string, args func(asked) []any) part {
	return part{
		key: "orders", sql: "SELECT id, reference, customer, region, status, amount, quantity, ordered_at" + ofOrders + and + newest + "1000", args: args,
		write: objects(number("id"), text("reference"), text("customer"), text("region"), text("status"), decimal("amount"),
			number("quantity"), orderedAt()),
	}
}

func tiles(and string, args func(asked) []any) []part {
	ofOrders := ofOrders + and
	sum := []column{open("amount"), decimal("sum"), end()}
	grouped := func(keys []column, rest ...column) writeRows {
		all := append([]column{open("key")}, keys...)
		return objects(append(append(all, end()), rest...)...)
	}
	all := []part{
		{
			key: "total", sql: "SELECT count(*), sum(amount), max(amount)" + ofOrders,
			write: objects(number(cellCount), open("amount"), decimal("sum"), decimal("max"), end()),
		},
		{
			key: "byRegion", sql: "SELECT region, count(*), sum(amount)" + ofOrders + "GROUP BY 1 ORDER BY 1",
			write: grouped([]column{text("region")}, append([]column{number(cellCount)}, sum...)...),
		},
		{
			key: "byMonth", sql: "SELECT " + byMonth + ", count(*), sum(amount)" + ofOrders + "GROUP BY 1 ORDER BY 1",
			write: grouped([]column{orderedAt()}, append([]column{number(cellCount)}, sum...)...),
		},
		{
			key: "byStatus", sql: "SELECT status, count(*)" + ofOrders + "GROUP BY 1 ORDER BY 1",
			write: grouped([]column{text("status")}, number(cellCount)),
		},
		{
			key: "byCategory",
			sql: "SELECT p.category, count(*), sum(o.amount) FROM orders o LEFT JOIN products p ON p.id = o.product_id " +
				"WHERE o.tenant_id = $1 " + and + "GROUP BY 1 ORDER BY 1",
			write: grouped([]column{open("product"), text("category"), end()}, append([]column{number(cellCount)}, sum...)...),
		},
		{
			key: "newest", sql: "SELECT id, customer, amount, ordered_at" + ofOrders + newest + "10",
			write: objects(number("id"), text("customer"), decimal("amount"), orderedAt()),
		},
		{
			key: "largest", sql: "SELECT id, customer, amount, region" + ofOrders + "ORDER BY amount DESC, id LIMIT 10",
			write: objects(number("id"), text("customer"), decimal("amount"), text("region")),
		},
		{
			key: "topCustomers", sql: "SELECT customer, sum(amount), count(*)" + ofOrders + "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
			write: grouped([]column{text("customer")}, append(sum, number(cellCount))...),
		},
		{
			key: "byQuantity", sql: "SELECT quantity, count(*)" + ofOrders + "GROUP BY 1 ORDER BY 1",
			write: grouped([]column{number("quantity")}, number(cellCount)),
		},
		{
			key: "customers", sql: "SELECT region, count(DISTINCT customer)" + ofOrders + "GROUP BY 1 ORDER BY 1",
			write: grouped([]column{text("region")}, open("customer"), number("countDistinct"), end()),
		},
	}
	for i := range all {
		all[i].args = args
	}
	return all
}

// nested writes orders with their product and items, the items read by one
// statement for all orders.
func (f *field) nested(ctx context.Context, out []byte, rows *sql.Rows, tenant string) ([]byte, error) {
	type order struct {
		id             int64
		customer       string
		amount         string
		at             time.Time
		name, category sql.NullString
	}
	orders := make([]order, 0, 20)
	ids := make([]int64, 0, 20)
	for rows.Next() {
		var o order
		if err := rows.Scan(&o.id, &o.customer, &o.amount, &o.at, &o.name, &o.category); err != nil {
			return out, err
		}
		orders, ids = append(orders, o), append(ids, o.id)
	}
	if err := rows.Err(); err != nil {
		return out, err
	}
	items, err := f.items(ctx, tenant, ids)
	if err != nil {
		return out, err
	}
	out = append(out, '[')
	for i, o := range orders {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"id":`...)
		out = strconv.AppendInt(out, o.id, 10)
		out = append(out, `,"customer":`...)
		out = quote(out, o.customer)
		out = append(out, `,"amount":`...)
		out = append(out, o.amount...)
		out = append(out, `,"orderedAt":"`...)
		out = o.at.UTC().AppendFormat(out, time.RFC3339Nano)
		if o.name.Valid {
			out = append(out, `","product":{"name":`...)
			out = quote(out, o.name.String)
			out = append(out, `,"category":`...)
			out = quote(out, o.category.String)
			out = append(out, '}')
		} else {
			out = append(out, `","product":null`...)
		}
		out = append(out, `,"items":[`...)
		out = append(out, items[o.id]...)
		out = append(out, ']', '}')
	}
	return append(out, ']'), nil
}

// items returns the JSON of each order's items.
func (f *field) items(ctx context.Context, tenant string, ids []int64) (map[int64][]byte, error) {
	rows, err := f.children.statement.QueryContext(ctx, tenant, pq.Array(ids))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	items := make(map[int64][]byte, len(ids))
	var id, quantity int64
	var sku, price sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&id, &sku, &quantity, &price); err != nil {
			return nil, err
		}
		out := items[id]
		if len(out) > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"sku":`...)
		out = quote(out, string(sku))
		out = append(out, `,"quantity":`...)
		out = strconv.AppendInt(out, quantity, 10)
		out = append(out, `,"price":`...)
		out = append(out, price...)
		items[id] = append(out, '}')
	}
	return items, rows.Err()
}
