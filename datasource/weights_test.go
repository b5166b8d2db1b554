package datasource

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"usher/admit"
	"usher/pgtest"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/value"
)

// weighing is a source of two tenants, of which one weighs three times as much.
func weighing(t *testing.T, conns int) *gate {
	t.Helper()
	_, db := numbered(t, pgtest.Start(t))
	db.Exec(t, `INSERT INTO items VALUES ('heavy', 2000, 'h'), ('light', 2001, 'l'), ('quiet', 2002, 'q'); CREATE TABLE naps (tenant text NOT NULL, id int NOT NULL); INSERT INTO naps VALUES ('heavy', 1), ('light', 1), ('quiet', 1);
CREATE VIEW slow AS SELECT tenant, id, (pg_sleep(0.01) IS NULL)::text AS nap FROM naps`)
	return open(t, db, Options{Waiting: admit.Limits{Wait: time.Minute}, Exports: 20}, fmt.Sprintf(`
sources: {a: {`+server(db)+`, max_conns: %d}}
strategies: {shared: {kind: shared, source: a}}
tenants: {heavy: {}, light: {}, quiet: {}}
datasets:
  items: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, note: String!}, bind: {a: {table: items}}}
  slow: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, nap: String!}, bind: {a: {table: slow}}}
`, conns))
}

// Rows are served as tenants weigh, three to one.
func TestRowsAreServedByWeight(t *testing.T) {
	t.Parallel()
	g := weighing(t, 4)
	var mu sync.Mutex
	served := make(map[string]int)
	var group sync.WaitGroup
	for _, who := range []string{"heavy", "light"} {
		for w := range 16 {
			group.Go(func() {
				for i := w; ; i += 16 {
					rows, err := g.askIn(admit.Weighing(g.Context(), map[string]int{"heavy": 3}[who]), named(who), fmt.Sprintf("slow(where: {id: {gt: %d}}) { nap }", -i))
					if err != nil || len(rows) != 1 {
						t.Errorf("%s is answered %v, %v", who, rows, err)
						return
					}
					mu.Lock()
					done := served["heavy"]+served["light"] >= 400
					if !done {
						served[who]++
					}
					mu.Unlock()
					if done {
						return
					}
				}
			})
		}
	}
	group.Wait()
	if ratio := float64(served["heavy"]) / float64(served["light"]); ratio < 2.3 || ratio > 3.7 {
		t.Errorf("served are %v, want three to one", served)
	}
}

// Exports that go on and on leave half of the connections to those who are waited for, and
// nobody waits for them.
func TestExportsComeAfterQuestions(t *testing.T) {
	t.Parallel()
	g := weighing(t, 4)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var group sync.WaitGroup
	reading := make(chan struct{}, 10)
	for _, who := range []string{"heavy", "light"} {
		for range 5 {
			group.Go(func() {
				p := named(who)
				p.Scopes = []principal.Scope{principal.ReadData, principal.ExportData}
				planned, err := plan.BuildExport(plantest.Request(g, "items { note }"), g.cat, p, now)
				if err != nil {
					t.Error(err)
					return
				}
				export, err := g.PrepareExport(planned)
				if err != nil {
					t.Error(err)
					return
				}
				own, share := g.budget.Begin(ctx)
				defer share.End()
				_, err = export.Run(own, func(*value.Result) error {
					reading <- struct{}{}
					<-ctx.Done()
					return io.ErrClosedPipe
				})
				if err == nil {
					t.Error("an export that nobody reads has ended")
				}
			})
		}
	}
	for range 2 {
		<-reading
	}
	for i := range 50 {
		if _, err := g.ask(named("quiet"), fmt.Sprintf("items(where: {id: {gt: %d}}) { note }", -i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(reading); n != 0 {
		t.Errorf("%d more exports than half of the connections are read", n)
	}
	cancel()
	group.Wait()
}
