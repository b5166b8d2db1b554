package gateway_test

import (
	"strings"
	"testing"

	"usher/pgtest"
)

// Tenants are told apart by the collation that their columns were found to have: a migration that gives them one to which
// different texts are equal shows no rows of others, and has none written, from the first question on.
func TestACollationMadeLaterMakesNoTenantsEqual(t *testing.T) {
	t.Parallel()
	for name, migration := range map[string]string{
		"tenant columns": `ALTER TABLE orders DROP CONSTRAINT orders_tenant_customer_id_fkey; ALTER TABLE customers ALTER tenant TYPE text COLLATE either;
			ALTER TABLE orders ALTER tenant TYPE text COLLATE either; ALTER TABLE boxes ALTER tenant TYPE text COLLATE either; ALTER TABLE docs ALTER tenant TYPE text COLLATE either`,
		"keys":   `ALTER TABLE parts ALTER box TYPE text COLLATE either; ALTER TABLE crates ALTER id TYPE text COLLATE either`,
		"domain": `CREATE DOMAIN whose AS text COLLATE either; ALTER TABLE docs ALTER tenant TYPE whose; ALTER TABLE boxes ALTER tenant TYPE whose`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.Start(t).Database(t)
			db.Exec(t, writtenTables+`
				CREATE COLLATION either (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
				CREATE TABLE docs (id int PRIMARY KEY, tenant text NOT NULL, note text);
				CREATE TABLE crates (id text NOT NULL, tenant text NOT NULL);
				CREATE UNIQUE INDEX ON crates (id COLLATE "C");
				CREATE TABLE parts (id int PRIMARY KEY, box text NOT NULL);
				UPDATE orders SET customer_id = NULL;
				UPDATE customers SET tenant = upper(tenant), id = id + 10 WHERE id = 3;
				UPDATE boxes SET tenant = CASE id WHEN 2 THEN 'A' ELSE tenant END;
				UPDATE orders SET tenant = 'A' WHERE tenant = 'b';
				INSERT INTO docs VALUES (1, 'a', 'mine'), (2, 'A', 'theirs');
				INSERT INTO crates VALUES ('x', 'a'), ('X', 'A');
				INSERT INTO parts VALUES (1, 'x'), (2, 'X');`)
			of := openWrittenAs(t, db, func(text string) string {
				return text + `
  docs: {tenant: tenant, key: [id], writable: true, global_keys: true, columns: {tenant: String!, id: Int!, note: String}}
  crates: {tenant: tenant, key: [id], columns: {tenant: String!, id: String!}}
  parts: {tenant: {through: crate}, key: [id], writable: true, global_keys: true, columns: {id: Int!, box: String!}, relations: {crate: {to: crates, on: {box: id}}}}
`
			})
			ann := of.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA, EXPORT_DATA")
			const all = `{ orders { id } customers { id } items { box_id } docs { id } crates { id } parts { id } ordersAggregate { count } docsAggregate { count } partsAggregate { count } }`
			before := of.query(t, ann, all)
			if !strings.Contains(before, `"orders":[{"id":1}]`) || !strings.Contains(before, `"parts":[{"id":1}]`) || !strings.Contains(before, `"docs":[{"id":1}]`) {
				t.Fatalf("before: %s", before)
			}
			db.Exec(t, migration)
			for range 3 {
				if after := of.query(t, ann, all+" # again"); after != before {
					t.Errorf("before %s\nafter  %s", before, after)
				}
			}
			for _, text := range []string{
				`updateDocs(all: true, set: {note: "changed"}) { affected }`, `updateDocsByPk(id: 2, set: {note: "changed"}) { id }`,
				`deleteDocs(all: true) { affected }`, `deletePartsByPk(id: 2) { id }`, `updateParts(all: true, set: {box: "x"}) { affected }`,
			} {
				_ = of.query(t, ann, "mutation { "+text+" }") // it may be refused
			}
			var docs, parts int
			if err := db.Open(t).QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM docs WHERE id = 2 AND note = 'theirs'), (SELECT count(*) FROM parts WHERE id = 2 AND box COLLATE \"C\" = 'X')").Scan(&docs, &parts); err != nil || docs != 1 || parts != 1 {
				t.Errorf("of another tenant's rows are left %d of docs, %d of parts; %v", docs, parts, err)
			}
		})
	}
}
