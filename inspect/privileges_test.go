package inspect_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lib/pq"

	"usher/pgtest"
)

// A check compares what statements need with what the account that writes may do, and names
// the grants: with these, and no other, it has nothing to say.
func TestWhatTheWriterLacks(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE customers (tenant text, id int, name text, PRIMARY KEY (tenant, id));
		CREATE TABLE products (id int PRIMARY KEY, name text);
		CREATE TABLE regions (id int PRIMARY KEY, name text);
		CREATE TABLE orders (tenant text, id int, no serial, customer_id int, product_id int, note text, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, customer_id) REFERENCES customers);
		CREATE TABLE items (tenant text, id int, order_id int, PRIMARY KEY (tenant, id));
		CREATE TABLE logs (tenant text, id int, order_id int, PRIMARY KEY (tenant, id));
		CREATE TABLE boxes (tenant text, id int PRIMARY KEY);
		CREATE TABLE shelves (box_id int, id int, region_id int, PRIMARY KEY (box_id, id));
		CREATE TABLE kept (tenant text, id int, note text, version int NOT NULL, gone timestamptz, by text, PRIMARY KEY (tenant, id));
		CREATE SCHEMA usher; CREATE TABLE usher.idempotency (tenant text, subject text, key text, asked text, answer text, made_at timestamptz);
		CREATE ROLE `+db.Name+`_w LOGIN PASSWORD `+pq.QuoteLiteral(db.Password)+`;
		REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE TEMPORARY ON DATABASE `+db.Name+` FROM PUBLIC;`)
	const datasets = `
  customers: {tenant: tenant}
  products: {common: true, source: shop, key: id}
  regions: {common: true, source: shop, key: id}
  orders:
    tenant: tenant
    writable: true
    relations:
      customer: {to: customers, on: {customer_id: id}}
      product: {to: products, on: {product_id: id}}
      items: {to: items, many: true, on: {id: order_id}, on_delete: cascade}
      logs: {to: logs, many: true, on: {id: order_id}, on_delete: unlink}
  items: {tenant: tenant, writable: [delete]}
  logs: {tenant: tenant, writable: [update]}
  boxes: {tenant: tenant}
  shelves: {tenant: {through: box}, key: [box_id, id], writable: [insert], relations: {box: {to: boxes, on: {box_id: id}}, region: {to: regions, on: {region_id: id}}}}
  kept: {tenant: tenant, writable: [delete], version: version, deleted: {at: gone, by: by}}
`
	shop := strings.Replace(writableShop, "password: {env: PASSWORD}", "password: {env: PASSWORD}, writer: {user: "+db.Name+"_w, password: {env: PASSWORD}}", 1)
	lacks := func() (out []string) {
		t.Helper()
		r := checkShopAs(t, db, shop, datasets)
		if r.Catalog == nil {
			t.Fatal(strings.Join(r.Problems, "\n"))
		}
		for _, line := range slices.Concat(r.Problems, r.Notes) {
			if strings.Contains(line, " lacks ") {
				out = append(out, line)
			}
		}
		return out
	}
	said := ""
	for range 4 { // of a table in a schema that may not be used more is said when it may
		for _, line := range lacks() {
			said += line + "\n"
			at := strings.LastIndex(line, ": GRANT ")
			if at < 0 {
				t.Fatalf("nothing grants: %s", line)
			}
			db.Exec(t, line[at+2:])
		}
	}
	if left := lacks(); len(left) > 0 {
		t.Errorf("still:\n%s", strings.Join(left, "\n"))
	}
	w := db.Name + "_w"
	said = strings.ReplaceAll(said, `"`, "")
	for _, want := range []string{
		"lacks INSERT on public.orders, to insert: GRANT INSERT ON public.orders TO " + w,
		"lacks UPDATE on public.customers, to lock what a row leads to: GRANT UPDATE (tenant) ON public.customers TO " + w,
		"GRANT DELETE ON public.orders TO " + w, "GRANT UPDATE ON public.orders TO " + w, "GRANT SELECT ON public.products TO " + w,
		"lacks DELETE on public.items, to delete: GRANT DELETE ON public.items TO " + w, "GRANT UPDATE (tenant) ON public.items TO " + w,
		"GRANT UPDATE ON public.logs TO " + w, "lacks UPDATE on public.boxes", "GRANT INSERT ON public.shelves TO " + w,
		"lacks UPDATE on public.kept, to stamp what is deleted: GRANT UPDATE ON public.kept TO " + w,
		"lacks USAGE on the sequence public.orders_no_seq, which fills what a row does not give: GRANT USAGE ON SEQUENCE public.orders_no_seq TO " + w,
		"GRANT USAGE ON SCHEMA usher TO " + w, "sources.shop: the role " + w + " lacks DELETE on usher.idempotency", "GRANT TEMPORARY ON DATABASE " + db.Name,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("nobody says %s", want)
		}
	}
	for _, not := range []string{"UPDATE ON public.products", "INSERT ON public.kept", "DELETE ON public.kept", "DELETE ON public.shelves", "INSERT ON public.customers", "DELETE on public.logs"} {
		if strings.Contains(said, not) {
			t.Errorf("it says %s", not)
		}
	}

	// What is taken away is noticed, also where some columns are left.
	db.Exec(t, "REVOKE INSERT, DELETE ON orders FROM "+w+"; GRANT INSERT (tenant, id) ON orders TO "+w+"; REVOKE UPDATE (tenant) ON customers FROM "+w)
	got := strings.ReplaceAll(strings.Join(lacks(), "\n"), `"`, "")
	for _, want := range []string{"GRANT INSERT (no, customer_id, product_id, note) ON public.orders TO " + w, "GRANT DELETE ON public.orders TO " + w, "GRANT UPDATE (tenant) ON public.customers TO " + w} {
		if !strings.Contains(got, want) {
			t.Errorf("nobody says %s:\n%s", want, got)
		}
	}
	db.Exec(t, "GRANT UPDATE (name) ON customers TO "+w) // any column will do
	if got := strings.Join(lacks(), "\n"); strings.Contains(got, "customers") {
		t.Errorf("to lock, it says %s", got)
	}
}
