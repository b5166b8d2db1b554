package datasource

import (
	"context"
	"maps"
	"sync"
	"time"

	"usher/catalog"
	"usher/datasource/postgres"
)

// lately remembers when rows were changed, for as long as a replica that is read from may be
// without them. Whoever reads rows of that tenant reads of a server that has all that was committed
// then: the one who wrote, and also others, whose answers are kept and joined by that one.
type lately struct {
	mu     sync.Mutex
	at     map[string]time.Time // by tenant; empty: rows of everybody
	latest time.Time
	swept  int // how many there were when old ones were forgotten
}

// leastSwept is how many are remembered before old ones are looked for.
const leastSwept = 256

// note says that rows of a tenant, or of everybody, have changed before now.
func (w *lately) note(tenant string, now time.Time, longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at == nil {
		w.at = make(map[string]time.Time)
	}
	w.at[tenant], w.latest = now, now
	if len(w.at) > max(leastSwept, 2*w.swept) {
		maps.DeleteFunc(w.at, func(_ string, at time.Time) bool { return now.Sub(at) > longest })
		w.swept = len(w.at)
	}
}

// since is the moment of which a tenant has to read everything; zero: any will do. A
// principal of all tenants reads rows of everybody.
func (w *lately) since(tenant string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if tenant == "" {
		return w.latest
	}
	own, all := w.at[tenant], w.at[""]
	if own.After(all) {
		return own
	}
	return all
}

// longest is how old the rows of a replica may be at most, of any source.
func longest(cat *catalog.Catalog) (most time.Duration) {
	for _, s := range cat.Sources {
		most = max(most, s.Postgres.MaxLag)
	}
	return most
}

// reread asks a server that has what was written before.
type reread struct {
	next
	written *lately // nil: there is one server
}

func (r *reread) ask(ctx context.Context, q *Question) (Answered, error) {
	if r.written != nil {
		if at := r.written.since(q.tenant); !at.IsZero() {
			ctx = postgres.Since(ctx, at)
		}
	}
	return r.next.ask(ctx, q)
}
