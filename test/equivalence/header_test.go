package equivalence

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"usher/catalog"
	"usher/principal"
)

// subjects notes for each request to an API who it says is asking.
type subjects struct {
	next http.Handler
	mu   sync.Mutex
	seen []string // tenant and subject
}

// ServeHTTP implements http.Handler.
func (s *subjects) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.seen = append(s.seen, r.Header.Get(apiTenant)+" "+r.Header.Get("X-Subject"))
	s.mu.Unlock()
	s.next.ServeHTTP(out, r)
}

// TestHeaders: whatever runs at the same time, an API that keeps tenants apart
// is told the tenant that asks, and each tenant gets its own answer.
func TestHeaders(t *testing.T) {
	w := newWorld()
	a := newAPI(w, true, "")
	record := &subjects{next: a}
	url := serve(t, record)
	source := a.source(url)
	source.Headers["X-Subject"] = "{subject}"
	common, commonURL := startAPI(t, w, false)
	products := common.source(commonURL)
	products.Pushdown = catalog.PushdownSpec{}
	spec := w.spec(map[string]catalog.SourceSpec{"apart": source, "common": products},
		map[string]catalog.StrategySpec{"apart": {Kind: "api", Source: "apart"}}, "common")
	hideTenant(spec, "apart")
	g := newGateway(t, spec)
	op := operation{Query: "{ orders(limit: 5) { id items { line product { name } } } eventsAggregate { count } }"}
	who := func(tenant string, n int) principal.Principal {
		return principal.Principal{
			Subject: fmt.Sprintf("%s-%d", tenant, n), Tenant: tenant, TenantKey: tenant, Scopes: []principal.Scope{principal.ReadData},
		}
	}
	alone := make(map[string][]byte)
	for _, tenant := range tenants {
		alone[tenant] = g.askAs(t.Context(), who(tenant, -1), op)
	}
	if bytes.Equal(alone[tenants[0]], alone[tenants[1]]) || bytes.Contains(alone[tenants[0]], []byte(`"errors"`)) {
		t.Fatalf("the answers tell nothing: %s", alone[tenants[0]])
	}
	const asked = 200
	var group errgroup.Group
	group.SetLimit(12)
	for n := range asked {
		tenant := tenants[n*7%len(tenants)]
		group.Go(func() error {
			if got := g.askAs(t.Context(), who(tenant, n), op); !bytes.Equal(got, alone[tenant]) {
				return fmt.Errorf("%s got %s, not %s", tenant, got, alone[tenant])
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Errorf("%v\nthe log ends:\n%s", err, g.log)
	}
	told := make(map[string]bool)
	for _, seen := range record.seen {
		tenant, subject, _ := strings.Cut(seen, " ")
		if tenant == "" || !strings.HasPrefix(subject, tenant+"-") {
			t.Errorf("a request of %q was made for the tenant %q", subject, tenant)
		}
		told[subject] = true
	}
	if len(told) != asked+len(tenants) {
		t.Errorf("the API heard of %d operations of %d", len(told), asked+len(tenants))
	}
}
