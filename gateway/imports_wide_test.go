package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/pgtest"
)

// A table of as many columns as a server lets it have takes many rows at once as it takes few.
func TestImportsOfManyColumns(t *testing.T) {
	t.Parallel()
	const columns = 1500
	db := pgtest.Start(t).Database(t)
	var made, dataset, header, cells strings.Builder
	for n := range columns {
		_, _ = fmt.Fprintf(&made, ", c%d int", n)
		_, _ = fmt.Fprintf(&dataset, ", c%d: Int", n)
		_, _ = fmt.Fprintf(&header, ",c%d", n)
		_, _ = fmt.Fprintf(&cells, ",%d", 100_000+n)
	}
	db.Exec(t, writtenTables+`CREATE TABLE wide (tenant text NOT NULL, id int NOT NULL`+made.String()+`, PRIMARY KEY (tenant, id))`)
	g := openWrittenAs(t, db, func(text string) string {
		return text + "\n  wide: {tenant: tenant, key: [id], writable: true, columns: {tenant: String!, id: Int!" + dataset.String() + "}}\n"
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	next := 0
	for _, rows := range []int{1, 40} { // as arguments of a statement, and by the session's table
		body := "id" + header.String() + "\n"
		for range rows {
			next++
			body += fmt.Sprintf("%d%s\n", next, cells.String())
		}
		if got := g.imported(t, ann, "wide", body); got != fmt.Sprintf(`200 {"rows":%d}`+"\n", rows) {
			t.Errorf("%d rows: %.300s", rows, got)
		}
	}
	if got := one(t, db.Open(t), `SELECT count(*)::text || ' ' || sum(c1499)::text FROM wide`); got != "41 4161459" {
		t.Error(got)
	}
}
