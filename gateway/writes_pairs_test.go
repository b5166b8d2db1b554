package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

const pairedTables = `
CREATE TABLE %[1]slabels (%[2]sid bigint NOT NULL, label text NOT NULL, PRIMARY KEY (%[3]sid));
CREATE TABLE %[1]sproducts (%[2]sid bigint NOT NULL, sku text NOT NULL, PRIMARY KEY (%[3]sid));
CREATE TABLE %[1]sproduct_labels (%[2]sproduct_id bigint NOT NULL, label_id bigint NOT NULL, PRIMARY KEY (%[3]sproduct_id, label_id));
CREATE TABLE %[1]snotes (%[2]sid bigint NOT NULL, product_id bigint, gone timestamptz, PRIMARY KEY (%[3]sid));
INSERT INTO %[1]slabels VALUES (%[4]s1, 'new');
INSERT INTO %[1]sproducts VALUES (%[4]s1, 'one'), (%[4]s2, 'two');`

func paired(schema, tenant string) string {
	if tenant == "" {
		return fmt.Sprintf(pairedTables, schema, "", "", "")
	}
	return fmt.Sprintf(pairedTables, schema, "tenant text NOT NULL, ", "tenant, ", "'"+tenant+"', ")
}

// TestWritesWherePairsNameTheTenant: relations that pair the tenant columns, too, lead to the same rows where a tenant's
// own tables have no such column, and are written in the same way: rows that lead to others, nested rows, links and what is unlinked.
func TestWritesWherePairsNameTheTenant(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, paired("", "a")+"CREATE SCHEMA of_p;"+paired("of_p.", "")+`
INSERT INTO products VALUES ('theirs', 3, 'three'); INSERT INTO labels VALUES ('theirs', 2, 'old'); INSERT INTO notes VALUES ('theirs', 1, 1), ('theirs', 9, 3)`)
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "of_d.duckdb"), paired("", ""))
	g := openWritingOf(t, db, `
control: {path: %[4]q, key: {id: a, secret: {env: KEY}}}
sources:
  main: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}
  apart: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable, schema: "of_{tenant}", template: true}
  silo: {kind: duckdb, path: "`+dir+`/of_{tenant}.duckdb", template: true}
strategies: {shared: {source: main}, apart: {source: apart}, silo: {source: silo}}
default_strategy: shared
datasets:
  labels: {tenant: tenant, key: id, writable: true, columns: {tenant: String!, id: BigInt!, label: String!}, bind: &own {apart: {columns: {tenant: ~}}, silo: {columns: {tenant: ~}}}}
  products: {tenant: tenant, key: id, writable: true, columns: {tenant: String!, id: BigInt!, sku: String!}, bind: *own, relations: {links: {to: product_labels, many: true, on: {tenant: tenant, id: product_id}, on_delete: cascade}, notes: {to: notes, many: true, on: {tenant: tenant, id: product_id}, on_delete: unlink}}}
  product_labels: {tenant: tenant, key: [product_id, label_id], writable: true, columns: {tenant: String!, product_id: BigInt!, label_id: BigInt!}, bind: *own, relations: {product: {to: products, on: {tenant: tenant, product_id: id}}, label: {to: labels, on: {tenant: tenant, label_id: id}}}}
  notes: {tenant: tenant, key: id, writable: true, deleted: {at: gone}, columns: {tenant: String!, id: BigInt!, product_id: BigInt, gone: Timestamp}, bind: *own, relations: {product: {to: products, on: {tenant: tenant, product_id: id}}}}
`)
	keys := make(map[string]string)
	for tenant, strategy := range map[string]string{"a": "shared", "p": "apart", "d": "silo"} {
		g.check(t, g.root, `mutation { admin { createTenant(input: {id: "`+tenant+`", strategy: "`+strategy+`"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"`+tenant+`"}}}}`)
		keys[tenant] = g.keyOf(t, "of "+tenant, tenant, "READ_DATA, WRITE_DATA")
	}
	for _, line := range []struct{ text, want string }{
		{`mutation { insertProductLabelsOne(row: {product_id: 1, label_id: 1}) { product { sku } label { label } } }`, `{"insertProductLabelsOne":{"product":{"sku":"one"},"label":{"label":"new"}}}`},
		{`mutation { insertProductLabelsOne(row: {product_id: 3, label_id: 1}) { label_id } }`, `null NOT_FOUND: product_id leads to no row of products (insertProductLabelsOne.row.product_id)`},
		{
			`mutation { insertNotes(rows: [{id: 1, product_id: 1}, {id: 2, product: {link: {id: 2}}}, {id: 3}, {id: 4, product: {insert: {id: 4, sku: "four"}}}]) { affected rows { id product { sku } } } }`,
			`{"insertNotes":{"affected":4,"rows":[{"id":1,"product":{"sku":"one"}},{"id":2,"product":{"sku":"two"}},{"id":3,"product":null},{"id":4,"product":{"sku":"four"}}]}}`,
		},
		{`mutation { insertNotesOne(row: {id: 5, product: {link: {id: 3}}}) { id } }`, `null NOT_FOUND: product_id leads to no row of products (insertNotesOne.row.product.link.id)`},
		{`mutation { insertProductsOne(row: {id: 5, sku: "five", links: [{label_id: 1}], notes: [{id: 5}]}) { links { label { label } } notes { id } } }`, `{"insertProductsOne":{"links":[{"label":{"label":"new"}}],"notes":[{"id":5}]}}`},
		{`mutation { updateNotesByPk(id: 3, set: {product_id: 2}) { product { sku } } }`, `{"updateNotesByPk":{"product":{"sku":"two"}}}`},
		{`mutation { updateNotesByPk(id: 3, set: {product_id: 3}) { id } }`, `null NOT_FOUND: product_id leads to no row of products (updateNotesByPk.set.product_id)`},
		{`mutation { updateNotes(where: {product: {sku: {eq: "two"}}}, set: {product: {link: {id: 4}}}) { affected } }`, `{"updateNotes":{"affected":2}}`},
		{`mutation { insertNotes(rows: [{id: 3, product_id: 5}, {id: 6, product_id: 5}], onConflict: {key: id, update: [product_id]}) { rows { product { sku } } } }`, `{"insertNotes":{"rows":[{"product":{"sku":"five"}},{"product":{"sku":"five"}}]}}`},
		{`mutation { insertNotes(rows: [{id: 3, product_id: 3}], onConflict: {key: id, update: [product_id]}) { affected } }`, `null NOT_FOUND: product_id leads to no row of products (insertNotes.rows.0.product_id)`},
		{`mutation { updateNotesByPk(id: 1, set: {product: {unlink: true}}) { product_id } }`, `{"updateNotesByPk":{"product_id":null}}`},
		{`mutation { deleteNotesByPk(id: 2) { id } }`, `{"deleteNotesByPk":{"id":2}}`},
		{`mutation { deleteProductsByPk(id: 5) { sku } }`, `{"deleteProductsByPk":{"sku":"five"}}`},
		{
			`{ products { id sku links { label_id } notes { id } } product_labels { product_id label_id } notes { id product_id product { sku } } labels { id } }`,
			`{"products":[{"id":1,"sku":"one","links":[{"label_id":1}],"notes":[]},{"id":2,"sku":"two","links":[],"notes":[]},{"id":4,"sku":"four","links":[],"notes":[{"id":4}]}],"product_labels":[{"product_id":1,"label_id":1}],"notes":[{"id":1,"product_id":null,"product":null},{"id":3,"product_id":null,"product":null},{"id":4,"product_id":4,"product":{"sku":"four"}},{"id":5,"product_id":null,"product":null},{"id":6,"product_id":null,"product":null}],"labels":[{"id":1}]}`,
		},
	} {
		for _, tenant := range []string{"a", "p", "d"} {
			if got := short(t, g.query(t, keys[tenant], line.text)); got != line.want {
				t.Errorf("%s: %s\n got %s\nwant %s", tenant, line.text, got, line.want)
			}
		}
	}
	i := importing{writing: g}
	i.serve(t)
	for _, tenant := range []string{"a", "p", "d"} {
		for rows, want := range map[string]string{"10,2\n11,4\n": `200 {"rows":2}`, "12,2\n13,3\n": `404 `} {
			status, text := i.send(t.Context(), t, keys[tenant], "/import/notes?format=csv", strings.NewReader("id,product_id\n"+rows))
			if got := fmt.Sprint(status, " ", text); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s %s", tenant, rows, got)
			}
		}
	}
	// What is shared stays told apart, also for whoever is of all tenants.
	all := g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "all", allTenants: true, scopes: [READ_DATA, WRITE_DATA]}) { token } } }`, "token")
	if got := short(t, g.query(t, all, `mutation { updateNotesByPk(tenant: "a", id: 1, set: {product_id: 3}) { id } }`)); !strings.Contains(got, "NOT_FOUND") {
		t.Errorf("a note of a leads to what is not a's: %s", got)
	}
	if got := short(t, g.query(t, all, `{ notes(where: {tenant: {eq: "theirs"}}) { id product { sku } } }`)); got != `{"notes":[{"id":1,"product":null},{"id":9,"product":{"sku":"three"}}]}` {
		t.Errorf("others' notes are %s", got)
	}
}
