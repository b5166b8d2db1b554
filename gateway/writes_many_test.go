package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/pgtest"
)

// Of tables that have grown since anybody counted their rows the server believes that they have few in many pages. Changing many
// of them takes a time for each all the same, and not one for each with each.
const manyTables = `
CREATE TABLE places (tenant text NOT NULL, id int NOT NULL, pos int, PRIMARY KEY (tenant, id)) WITH (autovacuum_enabled = false);
CREATE TABLE pairs (tenant text NOT NULL, a int NOT NULL, b int NOT NULL, pos int, PRIMARY KEY (tenant, a, b)) WITH (autovacuum_enabled = false);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER nothing BEFORE INSERT OR UPDATE ON pairs FOR EACH ROW EXECUTE FUNCTION nothing();
INSERT INTO places SELECT 'a', n, n FROM generate_series(1, 60000) n;
INSERT INTO pairs SELECT 'a', n, 1, n FROM generate_series(1, 60000) n;
DELETE FROM places WHERE id BETWEEN 3 AND 59998;
DELETE FROM pairs WHERE a BETWEEN 3 AND 59998;`

func TestManyRowsOfOldStatistics(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+manyTables)
	db.Exec(t, `VACUUM ANALYZE places`)
	db.Exec(t, `VACUUM ANALYZE pairs`)
	db.Exec(t, `INSERT INTO places SELECT 'a', 100000 + n, n FROM generate_series(1, 15000) n; INSERT INTO pairs SELECT 'a', 100000 + n / 2, n, n FROM generate_series(1, 15000) n`)
	g := openWrittenAs(t, db, func(text string) string {
		return strings.Replace(text, "{kind: postgres,", "{kind: postgres, timeout: 10s,", 1) + `  places: {tenant: tenant, key: [id], writable: true, columns: {tenant: String!, id: Int!, pos: Int}}
  pairs: {tenant: tenant, key: [a, b], writable: true, columns: {tenant: String!, a: Int!, b: Int!, pos: Int}}
`
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, of := range []struct{ name, where string }{{"Places", "id: {gt: 100000}"}, {"Pairs", "a: {gte: 100000}"}} {
		for _, text := range []string{
			`update%s(where: {%s}, limit: 3, increment: {pos: 1}) { affected }`,
			`update%s(where: {%s}, increment: {pos: 1}) { affected rows(limit: 1) { pos } }`,
			`delete%s(where: {%s}) { affected }`,
		} {
			for range 7 { // a server has a plan for any arguments from the sixth time on
				if !strings.Contains(text, "limit: 3") {
					break
				}
				g.query(t, ann, "mutation { "+fmt.Sprintf(text, of.name, of.where)+" }")
			}
			got := short(t, g.query(t, ann, "mutation { "+fmt.Sprintf(text, of.name, of.where)+" }"))
			if want := `"affected":15000`; !strings.Contains(got, want) && !strings.Contains(text, "limit: 3") {
				t.Errorf("%s of %s\n got %s\nwant %s", text, of.name, got, want)
			}
		}
	}
}
