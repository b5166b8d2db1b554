package main

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"usher/plugin"
)

// broker answers from the stores of the client that a question is about.
type broker struct{ clients map[string]client }

// client is where one client's orders are: what was sold over the counter and
// what was sold on the web are in two stores.
type client struct{ counter, web store }

var orders = plugin.Dataset{
	ID: "orders", Name: "Orders", Description: "Over the counter and on the web.",
	Columns: []plugin.DatasetColumn{
		{ID: "client", Name: "Client", Type: plugin.Hierarchy},
		{ID: "id", Name: "Number", Type: plugin.Hierarchy},
		{ID: "channel", Name: "Channel", Type: plugin.Hierarchy},
		{ID: "product", Name: "Product", Type: plugin.Hierarchy},
		{ID: "quantity", Name: "Quantity", Type: plugin.Numeric},
		{ID: "placed", Name: "Placed", Type: plugin.Datetime},
	},
}

// Datasets implements plugin.Plugin.
func (b *broker) Datasets(context.Context, plugin.Caller) ([]plugin.Dataset, error) {
	return []plugin.Dataset{orders}, nil
}

// Query implements plugin.Plugin.
func (b *broker) Query(_ context.Context, q plugin.Query, rows *plugin.Rows) error {
	if q.Dataset != orders.ID {
		return plugin.Errorf(http.StatusNotFound, "there is no dataset %q", q.Dataset)
	}
	if q.Pushdown {
		return plugin.Errorf(http.StatusNotImplemented, "this broker sends rows, not groups")
	}
	columns, err := q.Of(orders)
	if err != nil {
		return err
	}
	// The metadata decides which stores are opened. A question that names no
	// client has no answer: it must not have everybody's.
	tenant := q.Caller.User.Text("tenant")
	own, ok := b.clients[tenant]
	if !ok {
		return plugin.Errorf(http.StatusForbidden, "the metadata names no client of this broker")
	}
	merged := slices.Concat(own.counter.read("counter"), own.web.read("web"))
	slices.SortStableFunc(merged, func(a, b sale) int {
		return cmp.Or(a.placed.Compare(b.placed), cmp.Compare(a.id, b.id))
	})
	for _, s := range merged {
		row := map[string]any{
			"client": tenant, "id": s.id, "channel": s.channel, "product": s.product, "quantity": s.quantity, "placed": s.placed,
		}
		if slices.ContainsFunc(q.Filters, func(f plugin.Filter) bool { return !f.Match(row[f.Column]) }) {
			continue
		}
		cells := make([]any, len(columns))
		for i, c := range columns {
			cells[i] = row[c.ID]
		}
		if err := rows.Write(cells...); err != nil {
			return err
		}
	}
	return nil
}
