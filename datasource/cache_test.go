package datasource

import (
	"fmt"
	"testing"
	"time"

	"usher/catalog"
	"usher/pgtest"
	"usher/plan"
	"usher/plan/plantest"
	"usher/value"
)

// shop is a database with orders of tenants and products common to all, and
// its catalog: orders may be 30 seconds old, products a minute, stock not at all.
func shop(t *testing.T) (*catalog.Catalog, pgtest.DB) {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, tenant text NOT NULL, product_id int NOT NULL, amount int NOT NULL);
CREATE TABLE stock (product_id int PRIMARY KEY, pieces int NOT NULL);
INSERT INTO products VALUES (1, 'bean');
INSERT INTO orders VALUES (1, 'a', 1, 10), (2, 'b', 1, 20);
INSERT INTO stock VALUES (1, 5);`)
	cat := plantest.Catalog(t, fmt.Sprintf(`
sources: {pg: {kind: postgres, host: %s, port: %d, database: %s, user: %s, password: {env: P}, sslmode: disable}}
strategies: {shared: {kind: shared, source: pg}}
default_strategy: shared
datasets:
  orders:
    tenant: tenant
    key: id
    cache: 30s
    columns: {id: Int!, tenant: String!, product_id: Int!, amount: Int!}
    relations: {product: {to: products, on: {product_id: id}}, stock: {to: stock, on: {product_id: product_id}}}
  products: {common: true, source: pg, key: id, cache: 1m, columns: {id: Int!, name: String!}, relations: {}}
  stock: {common: true, source: pg, key: product_id, columns: {product_id: Int!, pieces: Int!}, relations: {}}
`, db.Host, db.Port, db.Name, db.User), nil)
	cat.Sources["pg"].Postgres.Password = db.Password
	return cat, db
}

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func TestKeptAnswers(t *testing.T) {
	t.Parallel()
	cat, db := shop(t)
	at := &clock{now: time.Unix(1_800_000_000, 0)}
	sources, err := New(cat, Options{Clock: at.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sources.Close() })
	ask := func(tenant, text, want string, age, maxAge time.Duration) {
		t.Helper()
		q, err := plan.Build(plantest.Request(t, text), cat, plantest.Principal(t, `tenant: "`+tenant+`"`), at.now)
		if err != nil {
			t.Fatal(err)
		}
		question, err := sources.Prepare(q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := question.Bind(q.Binding()).Answer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		row := got.Results[0].Rows.Row(0)
		if text := value.WireText(row.Cell(got.Results[0].Rows.Width() - 1)); text != want || got.Age != age || got.MaxAge != maxAge {
			t.Errorf("%s asks %s: %s, %s of %s old; want %s, %s of %s", tenant, text, text, got.Age, got.MaxAge, want, age, maxAge)
		}
	}
	const sum, names, withProduct, withStock = `ordersAggregate { amount { sum } }`, `products { name }`,
		`orders { amount product { name } }`, `orders { stock { pieces } }`
	ask("a", sum, "10", 0, 30*time.Second)
	ask("b", sum, "20", 0, 30*time.Second)
	ask("a", names, "bean", 0, time.Minute)
	ask("a", withProduct, "bean", 0, 30*time.Second)
	ask("a", withStock, "5", 0, 0)
	db.Exec(t, `UPDATE orders SET amount = amount + 1; UPDATE products SET name = 'corn'; UPDATE stock SET pieces = 6`)

	at.now = at.now.Add(29 * time.Second)
	ask("a", sum, "10", 29*time.Second, 30*time.Second)
	ask("b", sum, "20", 29*time.Second, 30*time.Second)
	ask("b", names, "bean", 29*time.Second, time.Minute) // common data is everybody's
	ask("a", withProduct, "bean", 29*time.Second, 30*time.Second)
	ask("b", withProduct, "corn", 0, 30*time.Second)
	ask("a", withStock, "6", 0, 0)

	sources.Purge("b", "orders")
	ask("a", sum, "10", 29*time.Second, 30*time.Second)
	ask("b", sum, "21", 0, 30*time.Second)
	sources.Purge("a", "products") // a change told by one tenant; the rows are everybody's
	ask("b", names, "corn", 0, time.Minute)
	ask("a", withProduct, "corn", 0, 30*time.Second)

	at.now = at.now.Add(time.Second)
	ask("a", sum, "11", 0, 30*time.Second)
	at.now = at.now.Add(-time.Hour) // a clock that was set back makes nothing younger
	ask("a", sum, "11", 0, 30*time.Second)
}

// Rows that a request of the catalog before has changed are forgotten by the sources of the
// next one too, as long as both answer.
func TestNextForgetsWithTheOneBefore(t *testing.T) {
	t.Parallel()
	before, err := New(&catalog.Catalog{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	next := before.Next(&catalog.Catalog{})
	key := cacheKey{target: plan.Target{Source: "a"}}
	keep := func() {
		next.cache.put(key, &kept{at: time.Now(), tenant: "a", datasets: []string{"orders"}}, next.cache.purges.Load())
		if _, ok := next.cache.get(key, time.Hour); !ok {
			t.Fatal("nothing is kept")
		}
	}
	for what, changed := range map[string]func(){
		"a change here": func() { before.Purge("a", "orders") }, "a change that is told": func() { before.Changed("a", "orders", []string{"a"}) },
	} {
		keep()
		if changed(); next.cache.entries.Len() != 0 {
			t.Errorf("%s leaves what the next sources keep", what)
		}
	}
	for _, s := range []*Sources{before, next} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(next.all()) != 0 {
		t.Error("closed sources are alive")
	}
}
