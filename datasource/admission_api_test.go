package datasource

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/admit"
	"usher/fault"
	"usher/pgtest"
)

// An API's bulkhead has the lines that databases have, and is counted with them.
func TestTenantsOfAnAPITakeTurns(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("tenant") == "loud" {
			<-release
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `[{"tenant": %q, "id": 1}]`, r.URL.Query().Get("tenant"))
	}))
	t.Cleanup(server.Close)
	g := open(t, pgtest.DB{}, Options{Waiting: admit.Limits{Waiting: 1, Wait: time.Minute}}, `
sources: {a: {kind: api, base_url: "`+server.URL+`", allow_private: true, isolation: upstream, max_concurrent: 2, query: {tenant: "{tenant}"}, pushdown: {filters: {id: [gt]}}}}
strategies: {shared: {kind: api, source: a}}
datasets: {items: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!}, bind: {a: {path: /items}}}}
`)
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(g)
	waiting := func() (n float64) {
		families, err := metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "usher_admission_waiting" && m.GetLabel()[0].GetValue() == "a" {
					n += m.GetGauge().GetValue()
				}
			}
		}
		return n
	}
	var group sync.WaitGroup
	ask := func(i int) error {
		_, err := g.ask(named("loud"), fmt.Sprintf("items(where: {id: {gt: %d}}) { id }", -i))
		return err
	}
	for i := range 2 {
		group.Go(func() {
			if err := ask(i); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting() != 1 {
		pass(time.Millisecond)
	}
	if err := ask(2); fault.From(err) == nil || fault.From(err).Code != fault.TooManyRequests {
		t.Errorf("its line is full, it is answered %v", err)
	}
	if rows, err := g.ask(named("quiet"), "items { id }"); err != nil || len(rows) != 1 {
		t.Errorf("the quiet tenant is answered %v, %v", rows, err)
	}
	close(release)
	group.Wait()
	if n := g.metrics.refused.Full.Load(); n != 1 {
		t.Errorf("%d refusals are counted", n)
	}
}
