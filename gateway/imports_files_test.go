package gateway_test

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/test/program"
)

func (i importing) count(t *testing.T, token string) string {
	t.Helper()
	return short(t, i.query(t, token, `{ ordersAggregate { count } }`))
}

// Many rows go into a file portion by portion, all or none of them, or so many at a time; others' rows
// stay as they are, and whoever comes next has the file.
func TestImportsIntoFiles(t *testing.T) {
	t.Parallel()
	i := openFileImports(t)
	ann, bob := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), i.keyOf(t, "bob", "b", "READ_DATA, WRITE_DATA")
	there := func(rows int) {
		t.Helper()
		if got, want := i.count(t, ann), fmt.Sprintf(`{"ordersAggregate":[{"count":%d}]}`, rows); got != want {
			t.Errorf("there are %s, want %s", got, want)
		}
	}
	send := func(path string, body io.Reader, want string, header ...string) {
		t.Helper()
		status, text := i.send(t.Context(), t, ann, path, body, header...)
		if got := fmt.Sprint(status, " ", text); got != want {
			t.Errorf("%s\n got %s\nwant %s", path, got, want)
		}
	}
	bad := "id: expected BigInt: a whole number from -9223372036854775808 to 9223372036854775807"
	send("/import/orders?format=csv", numbered(1000, 5999, 5500), failed(400, bad, `,"line":4502,"rows":0`))
	there(1)
	const behind = ",1,,\n"
	whole := func(last string) io.Reader { return io.MultiReader(numbered(1000, 5999, 0), strings.NewReader(last)) }
	send("/import/orders?format=csv", whole("1"+behind), failed(409, "there is a row of orders with the same id", `,"line":5002,"rows":0`))
	send("/import/orders?format=csv", whole("7000,3,,\n"), failed(404, "customer_id leads to no row of customers", `,"line":5002,"rows":0`))    // it is another's
	send("/import/orders?format=csv", whole("1000"+behind), failed(409, "the change of orders collides with a row that is there", `,"rows":0`)) // with one that went by
	there(1)
	send("/import/orders?format=csv&batch=2000", numbered(1000, 5999, 5500), failed(400, bad, `,"line":4502,"rows":4000`))
	there(4001)
	send("/import/orders?format=csv&batch=2000&from=4000", numbered(1000, 5999, 0), `200 {"rows":5000}`)
	there(5001)
	send("/import/orders?format=csv", numbered(10_000, 14_999, 0), `501 {"errors":[{"message":"idempotency keys are not kept where these rows are, and nothing was changed","extensions":{"code":"NOT_IMPLEMENTED","hint":"Send it without a key, or have usher.idempotency made there: the manual of writing has its statement.","rows":0}}]}`, "Idempotency-Key", "k")
	there(5001)

	// A sender that goes away in the middle leaves nothing, and does not keep the file.
	ctx, leave := context.WithCancel(t.Context())
	body, sender := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		i.send(ctx, t, ann, "/import/orders?format=csv", body)
	}()
	if _, err := io.Copy(sender, numbered(20_000, 26_000, 0)); err != nil {
		t.Error(err)
	}
	leave()
	_ = body.Close() // or the client waits for the rest of what it sends
	<-done
	if got := i.load(t, bob, "/import/orders?format=csv", "id,customer_id\n1000,3\n"); got != `200 {"rows":1}` { // the key is each tenant's
		t.Error(got)
	}
	there(5001)
	if got := i.count(t, bob); got != `{"ordersAggregate":[{"count":2}]}` {
		t.Error(got)
	}
	program.Soon(t, program.Patience, "nothing is held", func() bool { return i.Held() == 0 })
}

// A sender is waited for no longer than the source's timeout while others wait for the file, and by batches as
// long as it takes.
func TestImportsIntoFilesSlowly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile)
	text := fmt.Sprintf(written, "", "", 0, filepath.Join(dir, "store.duckdb"))
	from := strings.Index(text, "  shop: {kind: postgres")
	to := from + strings.IndexByte(text[from:], '\n')
	i := importing{writing: openFiles(t, dir, text[:from]+"  shop: {kind: duckdb, path: shop.duckdb, timeout: 1s}"+text[to:])}
	i.serve(t)
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	slowly := func(to int) io.Reader {
		body, sender := io.Pipe()
		go func() {
			_, err := io.Copy(sender, numbered(10_000, 15_999, 0))
			tick := time.NewTicker(250 * time.Millisecond)
			defer tick.Stop()
			for n := 16_000; n < to && err == nil; n += 1000 {
				<-tick.C
				rows := ""
				for row := range 1000 {
					rows += fmt.Sprintf("%d,1,,\n", n+row)
				}
				_, err = io.WriteString(sender, rows)
			}
			_ = sender.Close()
		}()
		return body
	}
	var status int
	var answer string
	for tries := 0; status == 0 && tries < 3; tries++ { // a client that sends on for too long may lose the answer with the connection
		status, answer = i.send(t.Context(), t, ann, "/import/orders?format=csv", slowly(1_000_000_000))
	}
	if status != 503 || !strings.Contains(answer, "the rows of orders come too slowly: others wait to write the same file") || !strings.Contains(answer, `"rows":0`) {
		t.Errorf("%d %s", status, answer)
	}
	if got := i.count(t, ann); got != `{"ordersAggregate":[{"count":1}]}` {
		t.Error(got)
	}
	if status, answer = i.send(t.Context(), t, ann, "/import/orders?format=csv&batch=1000", slowly(24_000)); status != 200 || answer != `{"rows":14000}` {
		t.Errorf("%d %s", status, answer)
	}
}

// Tenants with files of their own have their rows in these.
func TestImportsIntoFilesOfTenants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tenant := range []string{"a", "b"} {
		program.MakeDuckDB(t, filepath.Join(dir, "of_"+tenant+".duckdb"), "CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR UNIQUE)")
	}
	i := importing{writing: openFiles(t, dir, fmt.Sprintf(`
control: {path: %q, key: {id: a, secret: {env: KEY}}}
sources: {silo: {kind: duckdb, path: "of_{tenant}.duckdb", template: true}}
strategies: {own: {kind: database, source: silo}}
default_strategy: own
datasets:
  notes: {tenant: tenant, key: id, writable: true, cache: 1h, columns: {id: BigInt!, tenant: String!, text: String}, bind: {silo: {columns: {tenant: ~}}}}
`, filepath.Join(dir, "store.duckdb")))}
	i.serve(t)
	all := i.text(t, i.root, `mutation { admin { createServiceKey(input: {name: "all", allTenants: true, scopes: [READ_DATA, WRITE_DATA]}) { token } } }`, "token")
	ann, bob := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), i.keyOf(t, "bob", "b", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ token, path, body, want string }{
		{ann, "/import/notes?format=csv", "id,text\n1,\n2,\"\"\n", `200 {"rows":2}`},
		{ann, "/import/notes?format=csv", "id,text\n3,c\n4,\"\"\n", failed(409, "there is a row of notes with the same text", `,"line":3,"rows":0`)},
		{ann, "/import/notes?format=csv&tenant=b", "id,text\n3,c\n", failed(403, "whose rows are written is not for you to name", `,"rows":0`)},
		{ann, "/import/notes?format=csv", "id,tenant\n3,b\n", failed(400, "tenant of notes cannot be written", `,"line":1,"rows":0`)},
		{bob, "/import/notes?format=ndjson", `{"id":1,"text":"b"}`, `200 {"rows":1}`},
		{all, "/import/notes?format=ndjson&tenant=b", `{"id":2,"text":null}`, `200 {"rows":1}`},
	} {
		if got := i.load(t, line.token, line.path, line.body); got != line.want {
			t.Errorf("%s %s\n got %s\nwant %s", line.path, line.body, got, line.want)
		}
	}
	for token, want := range map[string]string{
		ann: `{"notes":[{"id":1,"text":null},{"id":2,"text":""}]}`,
		bob: `{"notes":[{"id":1,"text":"b"},{"id":2,"text":null}]}`,
	} {
		if got := short(t, i.query(t, token, `{ notes(orderBy: [{id: ASC}]) { id text } }`)); got != want {
			t.Errorf("the notes are %s, want %s", got, want)
		}
	}
}
