package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// smallOrders is how many orders the tests' data has, and smallHash what its
// rows come to. A change of the data changes the hash; then count up version.
const (
	smallOrders = 2000
	smallHash   = "c51407557119e20add39c5cf9c243b9a245b9b815aace8fe826f48997bf8bf65"
)

func noon() time.Time { return time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC) }

func small(t *testing.T) *Data { return prepare(t, t.TempDir(), smallOrders, noon()) }

func prepare(t *testing.T, dir string, orders int, reference time.Time) *Data {
	t.Helper()
	d, err := Prepare(t.Context(), dir, Options{Orders: orders, Reference: reference})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// open returns a connection that reads a database of the data.
func open(t *testing.T, path string) *sql.Conn {
	t.Helper()
	conn, end, err := engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	for _, s := range []string{attach(path, "data (READ_ONLY)"), `USE data`} {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// lines returns a result as text, a row a line, columns between bars.
func lines(t *testing.T, conn *sql.Conn, statement string, args ...any) []string {
	t.Helper()
	_, out := table(t, conn, statement, args...)
	return out
}

// table returns the columns of a result too.
func table(t *testing.T, conn *sql.Conn, statement string, args ...any) (names, out []string) {
	t.Helper()
	statement = fmt.Sprintf(`SELECT COLUMNS(*)::VARCHAR FROM (%s)`, statement)
	rows, err := conn.QueryContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	if names, err = rows.Columns(); err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		cells := make([]sql.NullString, len(names))
		into := make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, c := range cells {
			if c.Valid {
				fmt.Fprintf(&b, "%q|", c.String)
			} else {
				b.WriteString("null|")
			}
		}
		out = append(out, b.String())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names, out
}

func count(t *testing.T, conn *sql.Conn, statement string) int {
	t.Helper()
	var n int
	if err := conn.QueryRowContext(t.Context(), statement).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func hashOf(t *testing.T, d *Data) string {
	t.Helper()
	conn, h := open(t, d.Shared()), sha256.New()
	for _, table := range apiDatasets() {
		for _, line := range lines(t, conn, `FROM `+table+` ORDER BY id`) {
			fmt.Fprintln(h, line)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestEqualOptionsMakeEqualData(t *testing.T) {
	t.Parallel()
	if got := hashOf(t, small(t)); got != smallHash {
		t.Errorf("rows come to %s, want %s", got, smallHash)
	}
	later := prepare(t, t.TempDir(), smallOrders, noon().AddDate(0, 0, 1))
	if got := hashOf(t, later); got == smallHash {
		t.Error("the reference day makes no difference")
	}
}

func TestTenantsFilesHoldTheSharedRows(t *testing.T) {
	t.Parallel()
	d := small(t)
	shared := open(t, d.Shared())
	counts := make(map[string]int)
	for _, tenant := range d.Tenants {
		own := open(t, d.TenantFile(tenant.ID))
		for table, column := range map[string]string{
			"distributors": "id", "orders": "distributor_id", "order_items": "distributor_id", "reviews": "distributor_id",
		} {
			want := lines(t, shared, `FROM `+table+` WHERE `+column+` = ? ORDER BY id`, tenant.ID)
			got := lines(t, own, `FROM `+table+` ORDER BY id`)
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%s of %s: %d rows in its own database differ from %d in the shared one",
					table, tenant.ID, len(got), len(want))
			}
			counts[table] += len(got)
		}
		if n := count(t, own, `SELECT count(*) FROM duckdb_tables() WHERE table_name IN ('products', 'promotions')`); n != 0 {
			t.Errorf("%s has %d common tables of its own", tenant.ID, n)
		}
	}
	for table, n := range counts {
		if all := count(t, shared, `SELECT count(*) FROM `+table); n != all || n == 0 {
			t.Errorf("%s: tenants have %d rows together, the shared database %d", table, n, all)
		}
	}
}

// What makes the data worth asking: each of these is a count that must not be 0.
func TestDataHasWhatQueriesStumbleOver(t *testing.T) {
	t.Parallel()
	conn := open(t, small(t).Shared())
	for what, statement := range map[string]string{
		"orders without a region":       `SELECT count(*) FROM orders WHERE region IS NULL`,
		"orders without a promotion":    `SELECT count(*) FROM orders WHERE promotion_id IS NULL`,
		"orders with a discount":        `SELECT count(*) FROM orders WHERE discount > 0`,
		"numbers beyond a double":       `SELECT count(*) FROM orders WHERE receipt_no::DOUBLE::BIGINT <> receipt_no`,
		"orders at the same time":       `SELECT count(*) - count(DISTINCT ordered_at) FROM orders`,
		"orders of equal total":         `SELECT count(*) - count(DISTINCT total) FROM orders`,
		"times with microseconds":       `SELECT count(*) FROM orders WHERE date_trunc('second', ordered_at) <> ordered_at`,
		"ids out of the order of time":  `SELECT count(*) FROM orders a JOIN orders b ON b.id = a.id + 1 WHERE b.ordered_at < a.ordered_at`,
		"reviews without a text":        `SELECT count(*) FROM reviews WHERE text IS NULL`,
		"texts beyond ASCII":            `SELECT count(*) FROM reviews WHERE strlen(text) > length(text)`,
		"texts with quotes":             `SELECT count(*) FROM reviews WHERE text LIKE '%"%'`,
		"reviews without a sentiment":   `SELECT count(*) FROM reviews WHERE sentiment IS NULL`,
		"angry reviews":                 `SELECT count(*) FROM reviews WHERE sentiment < 0`,
		"products without a category":   `SELECT count(*) FROM products WHERE category IS NULL`,
		"promotions of one product":     `SELECT count(*) FROM promotions WHERE product_id IS NOT NULL`,
		"promotions without an end":     `SELECT count(*) FROM promotions WHERE ends_on IS NULL`,
		"promotions still to come":      `SELECT count(*) FROM promotions WHERE starts_on > DATE '2026-07-15'`,
		"orders of the smallest tenant": `SELECT count(*) FROM orders WHERE distributor_id = 'popup-peppers'`,
	} {
		if count(t, conn, statement) == 0 {
			t.Errorf("there are no %s", what)
		}
	}
}

// What must never be: each of these is a count that must be 0.
func TestDataIsConsistent(t *testing.T) {
	t.Parallel()
	conn := open(t, small(t).Shared())
	for what, statement := range map[string]string{
		"missing orders":             `SELECT 2000 - count(DISTINCT id) FROM orders`,
		"repeated item ids":          `SELECT count(*) - count(DISTINCT id) FROM order_items`,
		"repeated review ids":        `SELECT count(*) - count(DISTINCT id) FROM reviews`,
		"items of another tenant":    `SELECT count(*) FROM order_items i LEFT JOIN orders o ON o.id = i.order_id WHERE o.distributor_id IS DISTINCT FROM i.distributor_id`,
		"reviews of another tenant":  `SELECT count(*) FROM reviews r LEFT JOIN orders o ON o.id = r.order_id WHERE o.distributor_id IS DISTINCT FROM r.distributor_id`,
		"reviews of nothing ordered": `SELECT count(*) FROM reviews r WHERE NOT EXISTS (FROM order_items i WHERE i.order_id = r.order_id AND i.product_id = r.product_id)`,
		"totals unlike their items":  `SELECT count(*) FROM orders o WHERE total <> (SELECT sum(quantity * unit_price) FROM order_items i WHERE i.order_id = o.id)`,
		"orders after the end":       `SELECT count(*) FROM orders WHERE ordered_at >= TIMESTAMPTZ '2026-07-15 00:00:00+00'`,
		"orders before the start":    `SELECT count(*) FROM orders WHERE ordered_at < TIMESTAMPTZ '2024-07-15 00:00:00+00'`,
		"reviews after the end":      `SELECT count(*) FROM reviews WHERE written_at >= TIMESTAMP '2026-07-15 00:00:00'`,
		"promotions out of season":   `SELECT count(*) FROM orders o JOIN promotions p ON p.id = o.promotion_id WHERE o.ordered_at::DATE NOT BETWEEN p.starts_on AND coalesce(p.ends_on, o.ordered_at::DATE)`,
		"sales below cost":           `SELECT count(*) FROM order_items i JOIN products p ON p.id = i.product_id WHERE unit_price <= cost`,
	} {
		if n := count(t, conn, statement); n != 0 {
			t.Errorf("there are %d %s", n, what)
		}
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestDataIsUsedAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(t *testing.T, d *Data)
		orders int
		day    time.Time
		again  bool
	}{
		"same day":             {orders: 200, day: noon().Add(time.Hour), again: true},
		"two weeks later":      {orders: 200, day: noon().AddDate(0, 0, 14), again: true},
		"fifteen days later":   {orders: 200, day: noon().AddDate(0, 0, 15)},
		"made for a later day": {orders: 200, day: noon().AddDate(0, 0, -1)},
		"more orders":          {orders: 201, day: noon()},
		"a missing file": {orders: 200, day: noon(), change: func(t *testing.T, d *Data) {
			if err := os.Remove(d.TenantFile(d.Tenants[3].ID)); err != nil {
				t.Fatal(err)
			}
		}},
		"another version": {orders: 200, day: noon(), change: func(t *testing.T, d *Data) {
			if err := writeFile(d.manifestFile(), []byte(`{"version":0,"orders":200,"reference":"2026-07-15T00:00:00Z"}`)); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			first := prepare(t, dir, 200, noon())
			before := stat(t, first.Shared())
			if test.change != nil {
				test.change(t, first)
			}
			second := prepare(t, dir, test.orders, test.day)
			if again := stat(t, second.Shared()).ModTime().Equal(before.ModTime()); again != test.again {
				t.Errorf("used again: %t, want %t", again, test.again)
			}
			want := test.day.Truncate(24 * time.Hour)
			if test.again {
				want = first.Reference
			}
			if !second.Reference.Equal(want) {
				t.Errorf("reference day %v, want %v", second.Reference, want)
			}
			if n := count(t, open(t, second.Shared()), `SELECT count(*) FROM orders`); n != test.orders {
				t.Errorf("%d orders, want %d", n, test.orders)
			}
			if !bytes.Equal(first.Secret, second.Secret) || len(first.Secret) < 32 {
				t.Error("the secret is not kept")
			}
		})
	}
}

func TestInterruptedMakingLeavesNoData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Prepare(ctx, dir, Options{Orders: smallOrders, Reference: noon()}); err == nil {
		t.Fatal("data was made although the context had ended")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A process killed in the middle has cleaned nothing up: the manifest is
// missing, files are in place or half written.
func TestKilledMakingIsDoneAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := prepare(t, dir, smallOrders, noon())
	if err := os.Remove(d.manifestFile()); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.Shared(), 4096); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, partial+"1", tenantFolder)
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	d = prepare(t, dir, smallOrders, noon())
	if got := hashOf(t, d); got != smallHash {
		t.Errorf("rows come to %s, want %s", got, smallHash)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 5 || len(hidden) != 0 {
		t.Errorf("in the directory: %v %v, want manifest, secret, key of the control store, shared database and tenants", left, hidden)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"too few orders":  {Orders: 99, Reference: noon()},
		"too many orders": {Orders: 10_000_001, Reference: noon()},
		"negative":        {Orders: -1, Reference: noon()},
		"no reference":    {Orders: 100},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		if _, err := Prepare(t.Context(), dir, o); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: a directory was made", name)
		}
	}
}

func TestDirectoryNamesAreTakenAsTheyAre(t *testing.T) {
	t.Parallel()
	d := prepare(t, filepath.Join(t.TempDir(), "it's [a] dir"), 100, noon())
	if n := count(t, open(t, d.Shared()), `SELECT count(*) FROM orders`); n != 100 {
		t.Errorf("%d orders, want 100", n)
	}
}

func TestProgressNamesTheStep(t *testing.T) {
	t.Parallel()
	said := make(chan string)
	p := startProgress(writerFunc(func(text []byte) { said <- string(text) }), time.Millisecond)
	p.step("reviews")
	for text := range said {
		if strings.Contains(text, "making sample data: reviews") {
			break
		}
	}
	go func() {
		for range said {
		}
	}()
	p.stop()
	close(said)
}

type writerFunc func([]byte)

func (f writerFunc) Write(text []byte) (int, error) {
	f(text)
	return len(text), nil
}
