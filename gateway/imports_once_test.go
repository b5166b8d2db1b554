package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"usher/test/program"
)

// An import with a key is made once, and goes on by itself behind the rows that are in.
func TestImportsWithKeysAreMadeOnce(t *testing.T) {
	t.Parallel()
	i := openImports(t, "")
	ann, bob := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), i.keyOf(t, "bob", "a", "READ_DATA, WRITE_DATA")
	csv := func(from, to int) string {
		var b strings.Builder
		b.WriteString("id,note\n")
		for id := from; id <= to; id++ {
			fmt.Fprintf(&b, "%d,n%d\n", id, id)
		}
		return b.String()
	}
	send := func(token, key, path, body string) string {
		status, text := i.send(t.Context(), t, token, "/import/orders?format=csv"+path, strings.NewReader(body), "Idempotency-Key", key)
		return fmt.Sprint(status, " ", text)
	}
	check := func(got, want string) {
		t.Helper()
		if part, within := strings.CutPrefix(want, "…"); !strings.HasPrefix(got, want) && (!within || !strings.Contains(got, part)) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	rows := func(want string) {
		t.Helper()
		if got := i.rows(t, `SELECT count(*) FROM orders WHERE id >= 100`); got != want {
			t.Errorf("%s rows are in, want %s", got, want)
		}
	}
	check(send(ann, "k", "", csv(100, 101)), `501 `) // nobody has made the table
	rows("0")
	if _, err := i.sql.ExecContext(t.Context(), onceTable(t)); err != nil {
		t.Fatal(err)
	}
	check(send(ann, "", "", csv(100, 101)), `400 `)
	check(send(ann, "a b", "", csv(100, 101)), `400 `)
	check(send(ann, strings.Repeat("k", 256), "", csv(100, 101)), `400 `)
	check(send(ann, "k", "&batch=5&from=1", csv(100, 101)), `400 `)
	check(send(ann, "k", "", csv(100, 101)+"x,y\n"), `400 `) // what failed has left no key
	rows("0")
	for range 3 {
		check(send(ann, "k", "", csv(100, 149)), `200 {"rows":50}`)
		rows("50")
	}
	check(send(ann, "k", "", strings.ReplaceAll(csv(100, 149), "n100", `"n100"`)), `200 {"rows":50}`) // the rows count, not how they are written
	check(send(ann, "k", "&batch=7", csv(100, 149)), `200 {"rows":50}`)
	for _, other := range []string{csv(100, 148), csv(100, 150), csv(101, 150), strings.Replace(csv(100, 149), "n149", "n150", 1), csv(100, 149)[:len("id,note\n")], strings.Replace(csv(100, 149), "id,note", "id,status", 1)} {
		check(send(ann, "k", "", other), `409 `)
	}
	check(send(bob, "k", "", csv(150, 151)), `200 {"rows":2}`) // another one's key
	rows("52")
	check(send(ann, "none", "", csv(1, 0)), `200 {"rows":0}`)
	check(send(ann, "none", "", csv(1, 0)), `200 {"rows":0}`)
	check(send(ann, "none", "", csv(200, 200)), `409 `)

	// One in batches goes on, whatever is behind the rows that are in.
	check(send(ann, "b", "&batch=10", csv(200, 224)+"x,y\n"), `…"rows":20`)
	rows("72")
	check(send(ann, "b", "&batch=10", csv(201, 224)), `409 `)
	check(send(ann, "b", "&batch=10", csv(200, 210)), `409 `)
	check(send(ann, "b", "&batch=10", csv(200, 224)+"x,y\n"), `…"rows":20`)
	for range 2 {
		check(send(ann, "b", "&batch=10", csv(200, 229)), `200 {"rows":30}`)
		rows("82")
	}
	check(send(ann, "b", "&batch=10", csv(200, 230)), `409 `)
	check(send(ann, "b", "&batch=10", csv(200, 219)), `409 `)

	// Of several at once one is made, and all are answered.
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { check(send(ann, "together", "", csv(300, 399)), `200 {"rows":100}`) })
	}
	all.Wait()
	rows("182")
	for range 4 { // in batches as well, whichever of them comes first each time
		all.Go(func() { check(send(ann, "besides", "&batch=7", csv(500, 699)), `200 {"rows":200}`) })
	}
	all.Wait()
	rows("382")
	check(send(ann, "besides", "&batch=7", csv(501, 700)), `409 `)
	rows("382")
	// A day later it is another import.
	if _, err := i.sql.ExecContext(t.Context(), `UPDATE usher.idempotency SET made_at = made_at - INTERVAL '25 hours'; DELETE FROM orders WHERE id >= 300`); err != nil {
		t.Fatal(err)
	}
	check(send(ann, "together", "", csv(400, 401)), `200 {"rows":2}`)
	rows("84")
}

// A file keeps keys as a server does, where its table is made there: of imports, and of mutations.
func TestFilesKeepKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	table, _, _ := strings.Cut(onceTable(t), "CREATE INDEX")
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile+";"+table)
	i := importing{writing: openWrittenFile(t, dir)}
	i.serve(t)
	ann, bob := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), i.keyOf(t, "bob", "a", "READ_DATA, WRITE_DATA")
	csv := func(from, to int, last string) string {
		var b strings.Builder
		b.WriteString("id,note\n")
		for id := from; id <= to; id++ {
			fmt.Fprintf(&b, "%d,n%d\n", id, id)
		}
		return b.String() + last
	}
	for _, c := range []struct{ token, key, path, body, want, rows string }{
		{ann, "k", "", csv(100, 119, "x,y\n"), `400 `, "0"}, // what failed has left no key
		{ann, "k", "", csv(100, 149, ""), `200 {"rows":50}`, "50"},
		{ann, "k", "", csv(100, 149, ""), `200 {"rows":50}`, "50"},
		{ann, "k", "&batch=7", strings.ReplaceAll(csv(100, 149, ""), "n100", `"n100"`), `200 {"rows":50}`, "50"},
		{ann, "k", "", csv(100, 148, ""), `409 `, "50"},
		{ann, "k", "", csv(100, 150, ""), `409 `, "50"},
		{ann, "k", "", csv(101, 150, ""), `409 `, "50"},
		{ann, "k", "&batch=5&from=1", csv(100, 149, ""), `400 `, "50"},
		{bob, "k", "", csv(150, 151, ""), `200 {"rows":2}`, "52"}, // another one's key
		{ann, "none", "", csv(1, 0, ""), `200 {"rows":0}`, "52"},
		{ann, "none", "", csv(1, 0, ""), `200 {"rows":0}`, "52"},
		{ann, "none", "", csv(200, 200, ""), `409 `, "52"},
		{ann, "b", "&batch=10", csv(200, 224, "x,y\n"), `400 `, "72"}, // it goes on, whatever is behind the rows that are in
		{ann, "b", "&batch=10", csv(201, 224, ""), `409 `, "72"},
		{ann, "b", "&batch=10", csv(200, 210, ""), `409 `, "72"},
		{ann, "b", "&batch=10", csv(200, 229, ""), `200 {"rows":30}`, "82"},
		{ann, "b", "&batch=10", csv(200, 229, ""), `200 {"rows":30}`, "82"},
		{ann, "b", "&batch=10", csv(200, 230, ""), `409 `, "82"},
	} {
		status, text := i.send(t.Context(), t, c.token, "/import/orders?format=csv"+c.path, strings.NewReader(c.body), "Idempotency-Key", c.key)
		if got := fmt.Sprint(status, " ", text); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s: %s, want %s", c.key, c.path, got, c.want)
		}
		if got, want := short(t, i.query(t, ann, `{ ordersAggregate(where: {id: {gte: 100}}) { count } }`)), `{"ordersAggregate":[{"count":`+c.rows+`}]}`; got != want {
			t.Errorf("%s %s: there are %s, want %s", c.key, c.path, got, want)
		}
	}
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv", strings.NewReader(csv(300, 399, "")), "Idempotency-Key", "together"); status != 200 || text != `{"rows":100}` {
				t.Errorf("several at once: %d %s", status, text)
			}
		})
	}
	all.Wait()
	for range 4 { // in batches as well, whichever of them comes first each time
		all.Go(func() {
			if status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv&batch=7", strings.NewReader(csv(700, 799, "")), "Idempotency-Key", "besides"); status != 200 || text != `{"rows":100}` {
				t.Errorf("several at once in batches: %d %s", status, text)
			}
		})
	}
	all.Wait()
	const body = `{"query": "mutation { insertOrders(rows: [{id: 500}, {id: 501}]) { affected rows { id } } }", "extensions": {"idempotencyKey": "m"}}`
	for range 2 {
		if got := short(t, plainAnswer(i.ask(t, ann, body))); got != `{"insertOrders":{"affected":2,"rows":[{"id":500},{"id":501}]}}` {
			t.Error(got)
		}
	}
	if got := short(t, plainAnswer(i.ask(t, ann, strings.ReplaceAll(body, "501", "502")))); !strings.Contains(got, "CONFLICT: the idempotency key stands for something else") {
		t.Error(got)
	}
	if got := short(t, i.query(t, ann, `{ ordersAggregate(where: {id: {gte: 100}}) { count } }`)); got != `{"ordersAggregate":[{"count":284}]}` {
		t.Error(got)
	}
}
