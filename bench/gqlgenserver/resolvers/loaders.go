package resolvers

import (
	"context"
	"time"

	"github.com/graph-gophers/dataloader/v7"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"usher/bench/gqlgenserver/model"
)

// loaders collect the keys of one request, so that related rows are read by
// one statement for all of them.
type loaders struct {
	products *dataloader.Loader[int, *model.Product]
	byOrder  *dataloader.Loader[int64, []*model.Item]
}

// wait is how long a loader waits for further keys; its own default is 16 ms.
const wait = time.Millisecond

type loadersKey struct{}

// WithLoaders returns a context with loaders of its own.
func WithLoaders(ctx context.Context, db *sqlx.DB) context.Context {
	return context.WithValue(ctx, loadersKey{}, &loaders{
		products: dataloader.NewBatchedLoader(productsByID(db), dataloader.WithWait[int, *model.Product](wait)),
		byOrder:  dataloader.NewBatchedLoader(itemsByOrder(db), dataloader.WithWait[int64, []*model.Item](wait)),
	})
}

func loadersFrom(ctx context.Context) *loaders { return ctx.Value(loadersKey{}).(*loaders) }

func (l *loaders) product(ctx context.Context, id int) (*model.Product, error) {
	return l.products.Load(ctx, id)()
}

func (l *loaders) items(ctx context.Context, order int64) ([]*model.Item, error) {
	return l.byOrder.Load(ctx, order)()
}

func productsByID(db *sqlx.DB) dataloader.BatchFunc[int, *model.Product] {
	return func(ctx context.Context, ids []int) []*dataloader.Result[*model.Product] {
		var products []*model.Product
		err := db.SelectContext(ctx, &products, `SELECT id, name, category, price FROM products WHERE id = ANY($1)`, pq.Array(ids))
		byID := make(map[int]*model.Product, len(products))
		for _, p := range products {
			byID[p.ID] = p
		}
		results := make([]*dataloader.Result[*model.Product], len(ids))
		for i, id := range ids {
			results[i] = &dataloader.Result[*model.Product]{Data: byID[id], Error: err}
		}
		return results
	}
}

func itemsByOrder(db *sqlx.DB) dataloader.BatchFunc[int64, []*model.Item] {
	return func(ctx context.Context, orders []int64) []*dataloader.Result[[]*model.Item] {
		tenant, err := tenantFrom(ctx)
		var items []*model.Item
		if err == nil {
			err = db.SelectContext(ctx, &items, `SELECT id, order_id, sku, quantity, price FROM items
				WHERE tenant_id = $1 AND order_id = ANY($2) ORDER BY order_id, id`, tenant, pq.Array(orders))
		}
		byOrder := make(map[int64][]*model.Item, len(orders))
		for _, item := range items {
			byOrder[item.OrderID] = append(byOrder[item.OrderID], item)
		}
		results := make([]*dataloader.Result[[]*model.Item], len(orders))
		for i, order := range orders {
			results[i] = &dataloader.Result[[]*model.Item]{Data: byOrder[order], Error: err}
		}
		return results
	}
}
