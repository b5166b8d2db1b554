package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/demo"
	"usher/pgtest"
	"usher/principal"
	"usher/test/inprocess"
)

// The sample data's day and the instant of every question.
var (
	shopDay = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	shopNow = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
)

const (
	shopOrders = 20_000
	shopTenant = "burrito-bros"
)

// moreMeasures stand beside the sample configuration's.
const moreMeasures = `      price:   {expr: "weightedAverage(unitPrice, quantity)"}
      margin:  {expr: "1 - sum(quantity * product.cost) / sum(quantity * unitPrice)"}
      perLine: {expr: "rate(quantity * unitPrice, 1)"}
      dear:    {expr: "percentile(unitPrice, 0.9)"}
      veggie:  {expr: sum(quantity), filter: {product: {vegetarian: {eq: true}}}}
`

// way is one way to ask usher and the database that holds the same rows.
type way struct {
	name     string
	gateway  *inprocess.Gateway
	strategy string
	db       *sql.DB
}

// openShop makes the sample data and loads the same rows into PostgreSQL. Of
// the three ways the last has tenants' rows in DuckDB and the chain's own
// tables in PostgreSQL, so what joins them runs in usher's own engine.
func openShop(t *testing.T) []way {
	t.Helper()
	data, err := demo.Prepare(t.Context(), t.TempDir(), demo.Options{Orders: shopOrders, Reference: shopDay})
	if err != nil {
		t.Fatal(err)
	}
	inDuckDB := string(demo.Config(data, "http://127.0.0.1:1")) // the API is not asked here
	inDuckDB = replace(t, inDuckDB, "      sold:    {", moreMeasures+"      sold:    {")
	pg := pgtest.Start(t).Database(t)
	inPostgres := replace(t, inDuckDB, "    kind: duckdb\n    path: shared.duckdb\n", fmt.Sprintf(
		"    kind: postgres\n    host: %s\n    port: %d\n    database: %s\n    user: %s\n    password: {env: PGPASSWORD}\n    sslmode: disable\n",
		pg.Host, pg.Port, pg.Name, pg.User))
	duckDB, postgres := openDuckDB(t, data.Shared()), pg.Open(t)
	copyShop(t, duckDB, postgres)

	setup := inprocess.Setup{File: data.Dir + "/usher.yml", Text: inDuckDB, Env: map[string]string{"PGPASSWORD": pg.Password}, Now: shopNow}
	a := inprocess.New(t, setup)
	setup.Text = inPostgres
	b := inprocess.New(t, setup)
	return []way{
		{"duckdb", a, "shared", duckDB},
		{"postgres", b, "shared", postgres},
		{"both", b, "database", postgres},
	}
}

func replace(t *testing.T, text, old, with string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("the sample configuration has not one %q", old)
	}
	return strings.Replace(text, old, with, 1)
}

// copyShop copies every table.
func copyShop(t *testing.T, from, to *sql.DB) {
	t.Helper()
	for table, definition := range map[string]string{
		"distributors": "id varchar NOT NULL, name varchar NOT NULL, city varchar NOT NULL, region varchar NOT NULL, seats integer, joined_on date NOT NULL",
		"orders": "id bigint NOT NULL, distributor_id varchar NOT NULL, region varchar, status varchar NOT NULL, channel varchar NOT NULL, " +
			"ordered_at timestamptz NOT NULL, promotion_id integer, discount numeric(12,2), total numeric(12,2) NOT NULL, receipt_no bigint NOT NULL",
		"order_items": "id bigint NOT NULL, order_id bigint NOT NULL, distributor_id varchar NOT NULL, product_id integer NOT NULL, " +
			"quantity integer NOT NULL, unit_price numeric(12,2) NOT NULL",
		"reviews": "id bigint NOT NULL, distributor_id varchar NOT NULL, order_id bigint NOT NULL, product_id integer NOT NULL, " +
			"rating integer NOT NULL, text varchar, written_at timestamp NOT NULL, sentiment float8",
		"products": "id integer PRIMARY KEY, name varchar NOT NULL, category varchar, cost numeric(12,2) NOT NULL, list_price numeric(12,2) NOT NULL, " +
			"vegetarian boolean, sku uuid NOT NULL",
		"promotions": "id integer PRIMARY KEY, name varchar NOT NULL, kind varchar NOT NULL, starts_on date NOT NULL, ends_on date, " +
			"discount_percent numeric(5,2) NOT NULL, product_id integer",
	} {
		if _, err := to.ExecContext(t.Context(), "CREATE TABLE "+table+" ("+definition+")"); err != nil {
			t.Fatal(err)
		}
		if err := copyTable(t.Context(), from, to, table); err != nil {
			t.Fatalf("copy %s: %v", table, err)
		}
	}
	if _, err := to.ExecContext(t.Context(), "ANALYZE"); err != nil {
		t.Fatal(err)
	}
}

// copyTable copies the rows of a table as text, which both engines read alike.
func copyTable(ctx context.Context, from, to *sql.DB, table string) error {
	rows, err := from.QueryContext(ctx, "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM "+table) //nolint:gosec // the tests name their own tables
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	tx, err := to.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	insert, err := tx.PrepareContext(ctx, "COPY "+table+" ("+strings.Join(columns, ", ")+") FROM STDIN")
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if _, err := insert.ExecContext(ctx); err != nil { // without a row it ends the copy
		return err
	}
	return tx.Commit()
}

// asTenant is the tenant of the questions, by the way's strategy.
func (w way) asTenant() principal.Principal {
	return principal.Principal{Subject: "ana", Tenant: shopTenant, TenantKey: shopTenant, Scopes: []principal.Scope{principal.ReadData}, Grant: principal.Grant{Strategy: w.strategy}}
}
