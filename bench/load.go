package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/lib/pq"
)

// The databases: everybody's rows in the order of code points and in a
// language's, and each siloed tenant's own.
const (
	shopC  = "shop_c"
	shopEN = "shop_en"
)

func silo(tenant string) string { return "silo_" + tenant }

const tables = `
CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, category text NOT NULL, price numeric(12,2) NOT NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id text NOT NULL, reference text NOT NULL, customer text NOT NULL, region text,
	status text NOT NULL, amount numeric(12,2) NOT NULL, quantity int NOT NULL, product_id int NOT NULL, ordered_at timestamptz NOT NULL);
CREATE TABLE items (id bigint PRIMARY KEY, tenant_id text NOT NULL, order_id bigint NOT NULL, sku text NOT NULL, quantity int NOT NULL,
	price numeric(12,2) NOT NULL);`

// ownTables are those of a database that holds one tenant.
const ownTables = `
CREATE TABLE orders (id bigint PRIMARY KEY, reference text NOT NULL, customer text NOT NULL, region text,
	status text NOT NULL, amount numeric(12,2) NOT NULL, quantity int NOT NULL, product_id int NOT NULL, ordered_at timestamptz NOT NULL);
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint NOT NULL, sku text NOT NULL, quantity int NOT NULL, price numeric(12,2) NOT NULL);`

// The indexes anybody would make. Where text does not order by code point by
// itself, the index has to say so, and so in databases of tenants, which nobody looks into beforehand.
const (
	indexes = `
CREATE INDEX ON orders (tenant_id, ordered_at);
CREATE INDEX ON items (tenant_id, order_id);
CREATE INDEX ON orders (tenant_id, reference%s);`
	ownIndexes = `
CREATE INDEX ON orders (ordered_at);
CREATE INDEX ON items (order_id);
CREATE INDEX ON orders (reference COLLATE "C");`
)

// policies show the peer the rows of the tenant that its session names. It looks
// for grants of the tables themselves.
const policies = `
GRANT SELECT ON products, orders, items TO ` + peerReader + `;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders USING (tenant_id = current_setting('jwt.claims.tenant', true));
CREATE POLICY tenant ON items USING (tenant_id = current_setting('jwt.claims.tenant', true));`

// load fills the databases unless an earlier run has.
func load(ctx context.Context, c *cluster, p plan) error {
	complete := filepath.Join(c.folder, "loaded")
	want := fmt.Sprintf("%+v version %d databases %d locales %t\n", p.data, version, p.databases, p.locales)
	if got, err := os.ReadFile(complete); err == nil && string(got) == want {
		progress("the data of an earlier run is reused")
		return nil
	}
	if err := os.RemoveAll(complete); err != nil {
		return err
	}
	began := time.Now()
	if err := c.do("postgres", func(db *sql.DB) error {
		for _, role := range []string{reader, peerReader} { // databases of an earlier run may depend on them
			if err := execute(ctx, db, "DO $$BEGIN CREATE ROLE "+role+"; EXCEPTION WHEN duplicate_object THEN NULL; END$$", "GRANT pg_read_all_data TO "+role); err != nil {
				return err
			}
		}
		// Row-level security is the peer's way; the others put the tenant into their statements.
		return execute(ctx, db, "ALTER ROLE "+reader+" LOGIN BYPASSRLS PASSWORD "+pq.QuoteLiteral(c.password),
			"ALTER ROLE "+peerReader+" LOGIN PASSWORD "+pq.QuoteLiteral(c.password))
	}); err != nil {
		return err
	}
	files := filepath.Join(c.folder, "files")
	if err := os.MkdirAll(files, 0o755); err != nil { //nolint:gosec // PostgreSQL's account has to get in
		return err
	}
	if err := c.own(files); err != nil { // it writes the silos' files
		return err
	}
	progress("making %d orders of %d tenants", p.data.orders, p.data.tenants)
	if err := p.data.write(files); err != nil {
		return err
	}
	if err := loadShop(ctx, c, shopC, "LOCALE 'C'", "", files); err != nil {
		return err
	}
	if p.locales {
		if err := loadShop(ctx, c, shopEN, "LOCALE 'C.UTF-8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'", ` COLLATE "C"`, files); err != nil {
			return err
		}
	}
	if p.databases > 0 {
		for _, tenant := range p.data.siloed(p.databases) {
			if err := loadSilo(ctx, c, tenant, files); err != nil {
				return err
			}
		}
	}
	progress("loaded in %s", time.Since(began).Round(time.Second))
	return errors.Join(os.RemoveAll(files), os.WriteFile(complete, []byte(want), 0o600))
}

func loadShop(ctx context.Context, c *cluster, database, locale, collation, files string) error {
	progress("loading %s", database)
	if err := create(ctx, c, database, locale); err != nil {
		return err
	}
	return c.do(database, func(db *sql.DB) error {
		// In one transaction: rows of a table made in it are not logged twice.
		text := "BEGIN;" + tables
		for _, table := range []string{"products", "orders", "items"} {
			text += "COPY " + table + " FROM " + pq.QuoteLiteral(tableFile(files, table)) + ";"
		}
		return execute(ctx, db, text+fmt.Sprintf(indexes, collation)+policies+"COMMIT;", "VACUUM (ANALYZE)", "CHECKPOINT")
	})
}

func loadSilo(ctx context.Context, c *cluster, tenant, files string) error {
	progress("loading %s", silo(tenant))
	orders, items := pq.QuoteLiteral(tableFile(files, "own_orders")), pq.QuoteLiteral(tableFile(files, "own_items"))
	key := pq.QuoteLiteral(tenant)
	err := c.do(shopC, func(db *sql.DB) error {
		return execute(ctx, db,
			"COPY (SELECT id, reference, customer, region, status, amount, quantity, product_id, ordered_at FROM orders WHERE tenant_id = "+key+
				" ORDER BY id) TO "+orders,
			"COPY (SELECT id, order_id, sku, quantity, price FROM items WHERE tenant_id = "+key+" ORDER BY id) TO "+items)
	})
	if err != nil {
		return err
	}
	if err := create(ctx, c, silo(tenant), "LOCALE 'C'"); err != nil {
		return err
	}
	return c.do(silo(tenant), func(db *sql.DB) error {
		return execute(ctx, db, "BEGIN;"+ownTables+"COPY orders FROM "+orders+"; COPY items FROM "+items+";"+ownIndexes+"COMMIT;", "VACUUM (ANALYZE)")
	})
}

func create(ctx context.Context, c *cluster, database, locale string) error {
	return c.do("postgres", func(db *sql.DB) error {
		name := pq.QuoteIdentifier(database)
		return execute(ctx, db, "DROP DATABASE IF EXISTS "+name, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' "+locale)
	})
}

func execute(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, text := range statements {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%w in %s", err, text)
		}
	}
	return nil
}

func (c *cluster) do(database string, fn func(*sql.DB) error) error {
	db, err := sql.Open("postgres", c.dsn(superuser, database))
	if err != nil {
		return err
	}
	return errors.Join(fn(db), db.Close())
}
