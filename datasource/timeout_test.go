package datasource

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"usher/datasource/deadline"
	"usher/fault"
	"usher/pgtest"
)

// The timeout of each source below, and how much later an answer may come.
const (
	sourcesTimeout = 400 * time.Millisecond
	late           = 250 * time.Millisecond
)

// slowFile is a database whose view takes for ever.
func slowFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "slow.duckdb")
	connector, err := duckdb.NewConnector(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	for _, statement := range []string{
		"CREATE TABLE quick AS SELECT 'acme' AS tenant, 1::INTEGER AS id",
		"CREATE VIEW slow AS SELECT 'acme' AS tenant, (count(*) % 1000)::INTEGER AS id FROM range(1000000000) a, range(1000000000) b WHERE (a.range + b.range) % 7 = 3",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// silence is an API that takes every call and answers none.
func silence(t *testing.T) string {
	t.Helper()
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-ended:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() {
		close(ended)
		server.Close()
	})
	return server.URL
}

// TestSourceTimeout: usher waits for a source as long as its timeout says,
// whatever the server makes of it and however long the request may take.
func TestSourceTimeout(t *testing.T) {
	t.Parallel()
	servers := pgtest.StartOwn(t)
	db := servers.Database(t)
	db.Exec(t, `CREATE VIEW slow AS SELECT 'acme'::text AS tenant, 1 AS id FROM pg_sleep(60);
		CREATE TABLE quick AS SELECT 'acme'::text AS tenant, 1 AS id`)
	g := open(t, db, Options{}, fmt.Sprintf(`
sources:
  pg: {%s, timeout: 400ms}
  file: {kind: duckdb, path: %q, timeout: 400ms}
  api: {kind: api, base_url: %q, allow_private: true, isolation: gateway, timeout: 400ms}
strategies: {shared: {kind: shared, source: pg}}
default_strategy: shared
datasets:
  quick: {common: true, source: pg, key: id, columns: {id: Int!}, bind: {pg: {table: quick}}}
  sleepy: {common: true, source: pg, key: id, columns: {id: Int!}, bind: {pg: {table: slow}}}
  heavy: {common: true, source: file, key: id, columns: {id: Int!}, bind: {file: {table: slow}}}
  silent: {common: true, source: api, key: id, columns: {id: Int!}}
`, server(db), slowFile(t), silence(t)))
	in := func(text string) {
		t.Helper()
		took := time.Hour
		for n := range 3 { // a machine that has much to do is late once; who does not look at the time is so each time
			began := time.Now()
			rows, err := g.ask(named("acme"), text)
			if err == nil || n == 0 && fault.From(err).Code != fault.Timeout { // that the server does not answer is known then
				t.Errorf("%s: %v, %v", text, rows, err)
			}
			if took = min(took, time.Since(began)); took <= sourcesTimeout+late {
				return
			}
		}
		t.Errorf("%s: the answer comes after %s at best", text, took)
	}
	_, err := g.ask(named("acme"), `quick { id }`)
	for range 5 { // to connect counts, too
		if err != nil {
			_, err = g.ask(named("acme"), `quick { id }`)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	in(`sleepy { id }`)
	in(`sleepyAggregate { count }`)
	in(`heavy { id }`)
	in(`silent { id }`)
	servers.Freeze(t)
	in(`quick { id }`)
	in(`sleepy { id }`)
}

// TestSlowSourceIsAskedOnce: whoever shares a question shares that its source
// was too slow, and does not ask it once more.
func TestSlowSourceIsAskedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f group[string, int]
		var runs int
		began, ended := make(chan struct{}), make(chan struct{})
		var group sync.WaitGroup
		ask := func(run func(context.Context) (int, error)) {
			group.Go(func() {
				_, _, err := f.do(t.Context(), "q", func(ctx context.Context) (int, error) {
					ctx, cancel := deadline.Within(ctx, sourcesTimeout)
					defer cancel()
					return run(ctx)
				})
				if fault.From(err).Code != fault.Timeout {
					t.Error(err)
				}
			})
		}
		ask(func(ctx context.Context) (int, error) {
			runs++
			close(began)
			<-ctx.Done()
			<-ended
			return 0, fault.From(ctx.Err())
		})
		<-began
		for range 5 {
			ask(func(ctx context.Context) (int, error) { runs++; return 0, fault.From(ctx.Err()) })
		}
		synctest.Wait()
		close(ended)
		group.Wait()
		if runs != 1 {
			t.Errorf("it was asked %d times", runs)
		}
	})
}
