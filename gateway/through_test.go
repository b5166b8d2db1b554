package gateway_test

import (
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// What migrations do to the table of the parents by which rows are a tenant's, and whether these are read afterwards.
var parentsAltered = []struct {
	name, tables, migrate string
	read                  bool
}{
	{name: "the key is gone", migrate: `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey; INSERT INTO boxes VALUES (2, 'a')`},
	{name: "the key holds the tenant, under the same name", migrate: `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey, ADD CONSTRAINT boxes_pkey PRIMARY KEY (tenant, id); INSERT INTO boxes VALUES (2, 'a')`},
	{name: "the key is of another column", migrate: `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey, ADD other serial PRIMARY KEY; INSERT INTO boxes VALUES (2, 'a')`},
	{name: "an index only", migrate: `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey; CREATE INDEX boxes_pkey ON boxes (id); INSERT INTO boxes VALUES (2, 'a')`},
	{name: "another table", migrate: `ALTER TABLE boxes RENAME TO boxes_before; CREATE TABLE boxes (id bigint, tenant text NOT NULL); INSERT INTO boxes SELECT id, tenant FROM boxes_before; INSERT INTO boxes VALUES (2, 'a')`},
	{name: "a view", migrate: `ALTER TABLE boxes RENAME TO boxes_before; CREATE VIEW boxes AS SELECT id, tenant FROM boxes_before UNION ALL SELECT 2, 'a'`},
	{name: "a table that inherits", migrate: `CREATE TABLE more_boxes () INHERITS (boxes); INSERT INTO more_boxes VALUES (2, 'a')`, read: true},
	{name: "the key, made anew", migrate: `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey; ALTER TABLE boxes ADD CONSTRAINT another PRIMARY KEY (id)`, read: true},
	{name: "the index, made anew", migrate: `REINDEX INDEX CONCURRENTLY boxes_pkey`, read: true},
	{name: "a column", migrate: `ALTER TABLE boxes ADD COLUMN more text`, read: true},
	{name: "a unique index is gone", tables: byIndex, migrate: `DROP INDEX CONCURRENTLY by_id; INSERT INTO boxes VALUES (2, 'a')`},
	{name: "a unique index is partial", tables: byIndex, migrate: `DROP INDEX by_id; CREATE UNIQUE INDEX by_id ON boxes (id) WHERE tenant = 'b'; INSERT INTO boxes VALUES (2, 'a')`},
	{name: "a unique index is of two columns", tables: byIndex, migrate: `DROP INDEX by_id; CREATE UNIQUE INDEX by_id ON boxes (id, tenant); INSERT INTO boxes VALUES (2, 'a')`},
	{name: "a unique index is of another column", tables: byIndex, migrate: `ALTER TABLE boxes ADD other serial; DROP INDEX by_id; CREATE UNIQUE INDEX by_id ON boxes (other); INSERT INTO boxes VALUES (2, 'a')`},
	{name: "a unique index, made anew", tables: byIndex, migrate: `REINDEX INDEX CONCURRENTLY by_id; CREATE UNIQUE INDEX more ON boxes (id); DROP INDEX by_id`, read: true},
	{name: "the key is gone, and one plan serves everybody", tables: manyBoxes, migrate: `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey; INSERT INTO boxes VALUES (2, 'a')`},
	{name: "a unique index is gone, and one plan serves everybody", tables: byIndex + ";" + manyBoxes, migrate: `DROP INDEX CONCURRENTLY by_id; INSERT INTO boxes VALUES (2, 'a')`},
	{
		name: "a key that is checked late is gone", tables: `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey; ALTER TABLE boxes ADD CONSTRAINT boxes_pkey PRIMARY KEY (id) DEFERRABLE`,
		migrate: `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey; INSERT INTO boxes VALUES (2, 'a')`,
	},
	{
		name: "partitions have the key no more", tables: `DROP TABLE boxes; CREATE TABLE boxes (id bigint PRIMARY KEY, tenant text NOT NULL) PARTITION BY HASH (id); CREATE TABLE part PARTITION OF boxes FOR VALUES WITH (MODULUS 1, REMAINDER 0); INSERT INTO boxes VALUES (1, 'a'), (2, 'b')`,
		migrate: `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey; INSERT INTO boxes VALUES (2, 'a')`,
	},
	{name: "the table is partitioned, with the key", migrate: partitionsBoxes}, // of whose rows a statement for the table before sees none
	{name: "the table is partitioned, and one plan serves everybody", tables: manyBoxes, migrate: partitionsBoxes},
	{name: "the table with a unique index is partitioned", tables: byIndex, migrate: partitionsBoxes},
	{name: "partitions are one table again", tables: strings.ReplaceAll(partitionsBoxes, "before", "old"), migrate: `ALTER TABLE boxes RENAME TO boxes_before; CREATE TABLE boxes (id bigint PRIMARY KEY, tenant text NOT NULL); INSERT INTO boxes SELECT * FROM boxes_before; CREATE TABLE more_boxes () INHERITS (boxes); INSERT INTO more_boxes VALUES (2, 'a')`},
	{name: "the table becomes a partition itself", migrate: `CREATE TABLE all_boxes (id bigint PRIMARY KEY, tenant text NOT NULL) PARTITION BY RANGE (id); ALTER TABLE all_boxes ATTACH PARTITION boxes FOR VALUES FROM (0) TO (100000)`, read: true},
}

const partitionsBoxes = `ALTER TABLE boxes RENAME TO boxes_before; CREATE TABLE boxes (id bigint PRIMARY KEY, tenant text NOT NULL) PARTITION BY RANGE (id); ` +
	`CREATE TABLE boxes_of_all PARTITION OF boxes FOR VALUES FROM (0) TO (100000); INSERT INTO boxes SELECT * FROM boxes_before`

const byIndex = `ALTER TABLE boxes DROP CONSTRAINT boxes_pkey; CREATE UNIQUE INDEX by_id ON boxes (id)`

// manyBoxes are so many that a list of them has one plan for everybody, with what is nested in it.
const manyBoxes = `INSERT INTO boxes SELECT n, 'a' FROM generate_series(1000, 3000) AS n; INSERT INTO items SELECT n, 1, 'x' FROM generate_series(1000, 3000) AS n; ANALYZE`

var childrenRead = []string{
	`{ boxes(where: {id: {in: [1, 2]}}) { id items { sku } } }`,
	`{ items { sku } }`, `{ boxes { items { sku } } }`, `{ itemsAggregate { count } }`, `{ boxes { id itemsAggregate { count } } }`,
	`{ itemsByPk(box_id: 2, line: 1) { sku } }`, `{ boxes(where: {items: {some: {sku: {eq: "y"}}}}) { id } }`,
	`mutation { updateItems(where: {box_id: {eq: 2}}, set: {sku: "mine"}) { affected } }`,
}

// Rows are whose their one parent is. Once nothing keeps a parent's key from another tenant, nobody reads
// or changes them, from the first statement on: what was asked before, and is kept ready, too.
func TestParentsLoseTheirKey(t *testing.T) {
	t.Parallel()
	for _, m := range parentsAltered {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			for _, pooler := range []string{"", "transaction"} {
				db := pgtest.Start(t).Database(t)
				db.Exec(t, writtenTables+m.tables)
				served := db
				if pooler != "" {
					served = db.Bouncer(t, pooler)
				}
				g := openWrittenAs(t, served, func(text string) string {
					if pooler != "" {
						text = strings.Replace(text, "sslmode: disable", "sslmode: disable, pooler: "+pooler, 1)
					}
					return text
				})
				ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
				before := make(map[string]string)
				for range 7 { // PostgreSQL has a plan for all by then, where there is one
					for _, text := range childrenRead {
						before[text] = short(t, g.query(t, ann, text))
						if strings.Contains(before[text], "UNAVAILABLE") || strings.Contains(before[text], `"y"`) {
							t.Fatalf("%s: %s", text, before[text])
						}
					}
				}
				for _, statement := range strings.Split(m.migrate, "; ") { // what runs concurrently is alone
					db.Exec(t, statement)
				}
				for _, text := range childrenRead {
					got := short(t, g.query(t, ann, text))
					switch {
					case m.read && (strings.Contains(got, `"y"`) || got != before[text] && !strings.Contains(m.migrate, "INHERITS")): // its rows are boxes, and nobody's parents
						t.Errorf("pooler %q: %s: %s, and before %s", pooler, text, got, before[text])
					case !m.read && !strings.Contains(got, "UNAVAILABLE: whose rows these are cannot be told"):
						t.Errorf("pooler %q: %s: %s", pooler, text, got)
					}
				}
			}
		})
	}
}

// A file that takes the place of another has to keep what whose rows they are relies on.
func TestParentsInAnotherFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.duckdb")
	program.MakeDuckDB(t, path, inFile)
	g := openWrittenFile(t, dir)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	g.check(t, ann, `{ items { sku } }`, `200 {"data":{"items":[{"sku":"x"}]}}`)
	replace(t, path, func(path string) {
		program.MakeDuckDB(t, path, strings.Replace(inFile, "boxes (id bigint PRIMARY KEY,", "boxes (id bigint NOT NULL,", 1)+"INSERT INTO boxes VALUES (2, 'a')")
	})
	for _, text := range childrenRead {
		if got := short(t, g.query(t, ann, text)); !strings.Contains(got, "UNAVAILABLE: whose rows these are cannot be told") {
			t.Errorf("%s: %s", text, got)
		}
	}
	replace(t, path, func(path string) { program.MakeDuckDB(t, path, inFile) })
	g.check(t, ann, `{ items { sku } }`, `200 {"data":{"items":[{"sku":"x"}]}}`)
}
