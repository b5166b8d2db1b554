// Package resolvers answers GraphQL with sqlx, as servers written by hand
// around gqlgen do.
package resolvers

import (
	"context"
	"errors"

	"github.com/jmoiron/sqlx"

	"usher/bench/gqlgenserver/graph"
	"usher/bench/gqlgenserver/model"
)

// Resolver is the root of all resolvers.
type Resolver struct {
	DB *sqlx.DB
}

type tenantKey struct{}

// WithTenant returns a context of requests of a tenant.
func WithTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

func tenantFrom(ctx context.Context) (string, error) {
	tenant, ok := ctx.Value(tenantKey{}).(string)
	if !ok {
		return "", errors.New("the request has no tenant")
	}
	return tenant, nil
}

func (r *Resolver) orders(ctx context.Context, order graph.OrdersOrder, limit int) ([]*model.Order, error) {
	tenant, err := tenantFrom(ctx)
	if err != nil {
		return nil, err
	}
	by := map[graph.OrdersOrder]string{
		graph.OrdersOrderNewest: "ordered_at DESC, id", graph.OrdersOrderLargest: "amount DESC, id", graph.OrdersOrderReference: "reference, id",
	}[order]
	var orders []*model.Order
	err = r.DB.SelectContext(ctx, &orders, `SELECT id, reference, customer, region, status, amount, quantity, product_id, ordered_at
		FROM orders WHERE tenant_id = $1 ORDER BY `+by+` LIMIT $2`, tenant, limit)
	return orders, err
}

func (r *Resolver) groups(ctx context.Context, query string, args ...any) ([]*model.Group, error) {
	tenant, err := tenantFrom(ctx)
	if err != nil {
		return nil, err
	}
	var groups []*model.Group
	err = r.DB.SelectContext(ctx, &groups, query, append([]any{tenant}, args...)...)
	return groups, err
}
