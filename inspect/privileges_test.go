package inspect_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lib/pq"

	"usher/config"
	"usher/inspect"
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

// Accounts that are each tenant's, schemas of their own and roles that are named for them are compared when a tenant is named.
func TestWhatTheWritersOfTenantsLack(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	role := func(name string) string { return db.Name + "_" + name }
	db.Exec(t, `
		CREATE TABLE orders (tenant text, id int, no serial, note text, PRIMARY KEY (tenant, id));
		CREATE TABLE products (id int PRIMARY KEY, name text);
		CREATE SCHEMA of_acme; CREATE TABLE of_acme.notes (id int PRIMARY KEY, text text); CREATE SCHEMA of_globex; CREATE TABLE of_globex.notes (id int PRIMARY KEY, text text);
		CREATE TABLE tasks (tenant text, id int, PRIMARY KEY (tenant, id));
		CREATE SCHEMA usher; CREATE TABLE usher.idempotency (tenant text, subject text, key text, asked text, answer text, made_at timestamptz);
		CREATE ROLE `+role("acme")+` LOGIN PASSWORD `+pq.QuoteLiteral(db.Password)+`; CREATE ROLE `+role("t_acme")+`; CREATE ROLE `+role("t_globex")+`;
		GRANT `+role("t_acme")+`, `+role("t_globex")+` TO `+pq.QuoteIdentifier(db.User)+`;
		GRANT ALL ON SCHEMA usher, public TO `+role("t_globex")+`; GRANT ALL ON tasks, usher.idempotency TO `+role("t_globex")+`;
		GRANT USAGE ON SCHEMA of_acme TO `+role("acme")+`; GRANT SELECT ON orders, products, of_acme.notes TO `+role("acme")+`;
		GRANT SELECT ON tasks TO `+role("t_acme")+`; REVOKE CREATE ON SCHEMA public FROM PUBLIC; REVOKE TEMPORARY ON DATABASE `+db.Name+` FROM PUBLIC;`)
	const account = "kind: postgres, sslmode: disable, host: %[1]s, port: %[2]d, database: %[3]q, user: %[4]q, password: {env: PASSWORD}"
	dir := t.TempDir()
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, `
control: {path: control.duckdb}
sources:
  shop: {`+account+`, allow_hosts: [%[1]q]}
  apart: {`+account+`, schema: "of_{tenant}", template: true, allow_hosts: [%[1]q]}
  told: {`+account+`, session: {role: "%[5]s_t_{tenant}"}}
strategies: {all: {source: shop, datasets: {notes: apart, tasks: told}}}
tenants:
  acme: {accounts: {shop: {user: %[5]s_acme, password: {env: PASSWORD}}, apart: {user: %[5]s_acme, password: {env: PASSWORD}}}}
  globex: {}
datasets:
  orders: {tenant: tenant, writable: true}
  products: {common: true, source: shop, key: id}
  notes: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, text: String}, bind: {apart: {columns: {tenant: ~}}}}
  tasks: {tenant: tenant, writable: [insert, delete]}
`, db.Host, db.Port, db.Name, db.User, db.Name), func(string) (string, bool) { return db.Password, true })
	if err != nil {
		t.Fatal(err)
	}
	r, err := inspect.Check(t.Context(), cfg)
	if err != nil || len(r.Problems) > 0 {
		t.Fatal(err, r)
	}
	of := func(tenant string) []string {
		t.Helper()
		problems, notes, tried, err := inspect.Tenant(t.Context(), cfg, r.Catalog, tenant)
		if err != nil || len(tried) != 3 {
			t.Fatal(err, tried)
		}
		return slices.Concat(problems, notes)
	}
	if lacks := of("globex"); len(lacks) != 1 || !strings.Contains(lacks[0], "tenant globex: sources.told: the role "+role("t_globex")+" lacks TEMPORARY on the database") {
		t.Errorf("of a tenant whose accounts have all:\n%s", strings.Join(lacks, "\n"))
	}
	said := ""
	for range 4 {
		for _, line := range of("acme") {
			said += strings.ReplaceAll(line, `"`, "") + "\n"
			at := strings.LastIndex(line, ": GRANT ")
			if at < 0 || !strings.HasPrefix(line, "tenant acme: ") {
				t.Fatalf("nothing grants: %s", line)
			}
			db.Exec(t, line[at+2:])
		}
	}
	if left := of("acme"); len(left) > 0 {
		t.Errorf("still:\n%s", strings.Join(left, "\n"))
	}
	for _, want := range []string{
		"datasets.orders.writable: the role " + role("acme") + " lacks INSERT on public.orders, to insert: GRANT INSERT ON public.orders TO " + role("acme"),
		"GRANT USAGE ON SEQUENCE public.orders_no_seq TO " + role("acme"), "GRANT DELETE ON public.orders TO " + role("acme"),
		"GRANT INSERT ON of_acme.notes TO " + role("acme"), "GRANT DELETE ON of_acme.notes TO " + role("acme"),
		"GRANT INSERT ON public.tasks TO " + role("t_acme"), "GRANT DELETE ON public.tasks TO " + role("t_acme"), "lacks UPDATE on public.tasks, to lock what is deleted",
		"GRANT USAGE ON SCHEMA usher TO " + role("acme"), "GRANT USAGE ON SCHEMA usher TO " + role("t_acme"), "GRANT TEMPORARY ON DATABASE " + db.Name + " TO " + role("acme"),
	} {
		if !strings.Contains(said, want) {
			t.Errorf("nobody says %s:\n%s", want, said)
		}
	}
	for _, not := range []string{"of_globex", "UPDATE ON public.products", "of_{tenant}"} {
		if strings.Contains(said, not) {
			t.Errorf("it says %s", not)
		}
	}
}

// What the account that reads lacks is said with the statement that grants it, be it SELECT on a table or a column, or
// USAGE on the schema, which leaves the privileges on tables as they are.
func TestWhatTheReaderLacks(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, "CREATE TABLE orders (tenant text NOT NULL, id int NOT NULL, note text, PRIMARY KEY (tenant, id)); REVOKE ALL ON SCHEMA public FROM PUBLIC")
	reader := db.Role(t, "GRANT USAGE ON SCHEMA public TO $role; GRANT SELECT ON orders TO $role")
	for _, datasets := range []string{
		"\n  orders: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, note: String}}\n",
		"\n  sales: {tenant: tenant, key: id, bind: {shop: {table: orders}}, columns: {tenant: String!, id: Int!, note: String}}\n",
	} {
		for revoked, want := range map[string][2]string{
			"REVOKE USAGE ON SCHEMA public FROM $role": {"may not read the table public.orders: ", `GRANT USAGE ON SCHEMA "public" TO "$role";`},
			"REVOKE SELECT ON orders FROM $role":       {"may not read the table public.orders: ", `GRANT SELECT ON "public"."orders" TO "$role";`},
			"REVOKE SELECT ON orders FROM $role; GRANT SELECT (tenant, id) ON orders TO $role": {
				`may not read the column "note" of public.orders: `, `GRANT SELECT ("note") ON "public"."orders" TO "$role";`,
			},
		} {
			db.Exec(t, strings.ReplaceAll(revoked, "$role", reader.User))
			grant := strings.ReplaceAll(want[1], "$role", reader.User)
			if said := strings.Join(checkShop(t, reader, datasets).Problems, "\n"); !strings.Contains(said, "the account "+reader.User+" "+want[0]+grant) {
				t.Errorf("after %s:\n%s", revoked, said)
			}
			db.Exec(t, grant)
			if left := checkShop(t, reader, datasets).Problems; len(left) > 0 {
				t.Errorf("after %s:\n%s", grant, strings.Join(left, "\n"))
			}
		}
	}
}
