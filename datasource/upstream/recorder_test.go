package upstream

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/principal"
	"usher/query"
)

// TestRecorder: of 20,000 interleaved requests of two tenants, with paths,
// headers, parameters, bodies and tokens of their own, each carries exactly
// its own values, and each answer goes to who asked for it.
func TestRecorder(t *testing.T) {
	t.Parallel()
	const each, workers = 10_000, 8
	var tokens, served, mixed atomic.Int64
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			tokens.Add(1)
			id, _, _ := r.BasicAuth()
			says(`{"access_token":"token-`+id+`","token_type":"Bearer"}`)(w, r)
			return
		}
		who := strings.Split(r.URL.Path, "/")[1]
		served.Add(1)
		if r.Header.Get("Authorization") != "Bearer token-"+who || r.Header.Get("X-Secret") != "secret-"+who || r.Header.Get("X-Subject") != "subject-"+who ||
			r.PostFormValue("canary") != "canary-"+who || r.URL.Query().Get("key") != "key-"+who || len(r.Header.Values("Cookie")) != 0 {
			mixed.Add(1)
		}
		says(fmt.Sprintf(`{"data":[{"tenant_id":%q,"id":%s,"name":%q}]}`, "key-"+who, r.URL.Query().Get("id"), "of "+who))(w, r)
	})
	a := open(t, server, catalog.BindingSpec{Path: "/{tenant}/things"}, func(s *catalog.SourceSpec) {
		s.Isolation, s.Method, s.Idempotent = "upstream", "post", true
		s.OAuth2 = catalog.OAuth2Spec{TokenURL: server + "/token", ClientID: "{tenant}", ClientSecret: "x"}
		s.Headers = map[string]catalog.Template{"X-Secret": "{metadata.secret}", "X-Subject": "{subject}"}
		s.Query = map[string]catalog.Template{"key": "{tenant_key}"}
		s.Body.Form = map[string]catalog.Template{"canary": "{metadata.canary}"}
		s.Pushdown = catalog.PushdownSpec{Filters: map[string][]string{"id": {"eq"}}}
	})
	var group sync.WaitGroup
	for worker := range 2 * workers {
		who := []string{"acme", "zeta"}[worker%2]
		p := principal.Principal{
			Tenant: who, TenantKey: "key-" + who, Subject: "subject-" + who,
			Grant: principal.Grant{Metadata: map[string]query.Value{"secret": query.Text("secret-" + who), "canary": query.Text("canary-" + who)}},
		}
		group.Go(func() {
			for i := worker / 2; i < each; i += workers {
				n := strconv.Itoa(i)
				got, err := a.fetch(t.Context(), a.things(t, p, query.Object{where("id", "eq", query.Number(n))}, "id", "name"))
				if err != nil || len(got) != 1 || got[0] != "tenant=key-"+who+" id="+n+" name=of "+who {
					t.Errorf("%s %s: %q, %v", who, n, got, err)
					return
				}
			}
		})
	}
	group.Wait()
	if mixed.Load() != 0 || served.Load() != 2*each || tokens.Load() < 2 {
		t.Errorf("%d of %d requests carried another's values; %d tokens", mixed.Load(), served.Load(), tokens.Load())
	}
}

// TestNothingIsLeft: fetches that fail, end early or are left leave no
// goroutine and no place behind.
func TestNothingIsLeft(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("as") {
		case "half":
			says(`{"data":[`)(w, r)
			panic(http.ErrAbortHandler)
		case "hang":
			<-r.Context().Done()
		case "big":
			says(`{"data":[`)(w, r)
			row := []byte(strings.Repeat(`{"x":"`+strings.Repeat("x", 10_000)+`"},`, 10))
			for range 1000 {
				if _, err := w.Write(row); err != nil {
					return
				}
			}
		default:
			says(`{"data":[{"tenant_id":"acme","id":1}]}`)(w, r)
		}
	}))
	t.Cleanup(server.Close)
	before := runtime.NumGoroutine()
	a := open(t, server.URL, catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Query, s.MaxBytes = map[string]catalog.Template{"as": "{subject}"}, new(int64(4_000_000))
	})
	as := func(subject string) plan.Query {
		p := acme
		p.Subject = subject
		return a.things(t, p, nil, "id")
	}
	var group sync.WaitGroup
	for i := range 40 {
		q := as([]string{"half", "hang", "big", "well"}[i%4])
		group.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%4 == 1 {
				go cancel()
			}
			_, _ = a.fetch(ctx, q)
		})
	}
	group.Wait()
	account := a.account(server.URL)
	_ = a.Close()
	server.CloseClientConnections()
	for range 1_000_000 {
		if runtime.NumGoroutine() <= before {
			break
		}
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", before, n, stacks[:runtime.Stack(stacks, true)])
	}
	allFree(t, account, defaultCalls)
}

// TestMemory: an API that sends without end is read in a bounded part of the
// memory, up to max_bytes.
func TestMemory(t *testing.T) {
	row := []byte(strings.Repeat(`{"tenant_id":"zeta","name":"`+strings.Repeat("x", 1000)+`"},`, 1000))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		says(`{"data":[`)(w, r)
		for range 1024 {
			if _, err := w.Write(row); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	a := open(t, server.URL, catalog.BindingSpec{}, func(s *catalog.SourceSpec) { s.Timeout = new(time.Minute) })
	q := a.things(t, acme, nil, "id", "name")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := a.fetch(t.Context(), q)
	runtime.ReadMemStats(&after)
	refused(t, err, fault.TooComplex, "more than the 268435456 bytes")
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("%d bytes were allocated for 256 MiB of a gigabyte", n)
	}
}
