package upstream

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"usher/catalog"
	"usher/datasource/trouble"
	"usher/fault"
	"usher/plan"
	"usher/principal"
	"usher/query"
)

// issuer is a token endpoint and the API that takes its tokens, one for each
// client.
type issuer struct {
	mu      sync.Mutex
	issued  map[string]int // by client
	revoked bool           // the API takes no token but the second of a client
	answer  func(http.ResponseWriter, *http.Request)
	form    string
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r.URL.Path != "/token" {
		var client string
		var n int
		_, err := fmt.Sscanf(r.Header.Get("Authorization"), "Bearer token-%s %d", &client, &n)
		if err != nil || n != i.issued[client] || i.revoked && n < 2 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		says(fmt.Sprintf(`{"data":[{"tenant_id":%q,"id":%d}]}`, client, n))(w, r)
		return
	}
	if i.answer != nil {
		i.answer(w, r)
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	i.form = r.PostFormValue("grant_type") + " " + r.PostFormValue("scope") + " " + r.PostFormValue("audience")
	if secret != "s-"+id || id == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	i.issued[id]++
	says(fmt.Sprintf(`{"access_token":"token-%s %d","token_type":"bearer","expires_in":3600}`, id, i.issued[id]))(w, r)
}

func (i *issuer) open(t *testing.T, change func(*catalog.SourceSpec)) *api {
	t.Helper()
	i.issued = make(map[string]int)
	url := serve(t, i.ServeHTTP)
	return open(t, url, catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Isolation = "upstream"
		s.OAuth2 = catalog.OAuth2Spec{
			TokenURL: url + "/token", ClientID: "{tenant}", ClientSecret: "{metadata.secret}",
			Scopes: []string{"a", "b"}, Params: map[string]catalog.Template{"audience": "of {tenant}"},
		}
		if change != nil {
			change(s)
		}
	})
}

func of(tenant string) principal.Principal {
	return principal.Principal{Tenant: tenant, TenantKey: tenant, Subject: "ann", Grant: principal.Grant{Metadata: map[string]query.Value{"secret": query.Text("s-" + tenant)}}}
}

func TestOAuth2(t *testing.T) {
	t.Parallel()
	for _, credentials := range []string{"header", "body"} {
		i := &issuer{}
		a := i.open(t, func(s *catalog.SourceSpec) { s.OAuth2.Credentials = credentials })
		for range 3 {
			for _, tenant := range []string{"acme", "zeta"} {
				got := asked(t, a, a.things(t, of(tenant), nil, "id"))
				if len(got) != 1 || got[0] != "tenant="+tenant+" id=1" {
					t.Errorf("%s: %q", tenant, got)
				}
			}
		}
		if i.issued["acme"] != 1 || i.issued["zeta"] != 1 || i.form != "client_credentials a b of zeta" {
			t.Errorf("%s: issued %v, form %q", credentials, i.issued, i.form)
		}
	}
}

// TestOAuth2Refresh: a token that is no longer taken is replaced once.
func TestOAuth2Refresh(t *testing.T) {
	t.Parallel()
	i := &issuer{}
	a := i.open(t, nil)
	q := a.things(t, of("acme"), nil, "id")
	asked(t, a, q)
	i.revoked = true
	if got := asked(t, a, q); len(got) != 1 || got[0] != "tenant=acme id=2" {
		t.Errorf("got %q", got)
	}
	refusing := &issuer{}
	b := refusing.open(t, func(s *catalog.SourceSpec) {
		s.BaseURL = serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	})
	_, err := b.fetch(t.Context(), b.things(t, of("acme"), nil, "id"))
	refused(t, err, fault.Unavailable, "does not accept the account")
	if refusing.issued["acme"] != 2 {
		t.Errorf("%d tokens for an API that takes none", refusing.issued["acme"])
	}
}

// TestOAuth2OneFetch: many who need the same token fetch one.
func TestOAuth2OneFetch(t *testing.T) {
	t.Parallel()
	i := &issuer{}
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	i.answer = func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		i.issued["acme"]++
		says(`{"access_token":"token-acme 1","token_type":"bearer"}`)(w, r)
	}
	a := i.open(t, nil)
	q := a.things(t, of("acme"), nil, "id")
	var group sync.WaitGroup
	ask := func() {
		group.Go(func() {
			if _, err := a.fetch(t.Context(), q); err != nil {
				t.Error(err)
			}
		})
	}
	ask()
	<-arrived
	for range 20 {
		ask()
	}
	close(release)
	group.Wait()
	if i.issued["acme"] != 1 {
		t.Errorf("%d tokens", i.issued["acme"])
	}
}

// TestOAuth2Failures: what a token endpoint answers is shown to nobody.
func TestOAuth2Failures(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"HTML":     sends("text/html", "<html>poison"),
		"no token": says(`{"token":"poison"}`),
		"no JSON":  says(`poison`),
		"a break":  says(`{"access_token":"poison\r\nX-Admin: 1"}`),
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/poison", http.StatusTemporaryRedirect)
		},
		"not found": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "poison", http.StatusNotFound) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := &issuer{answer: answer}
			a := i.open(t, nil)
			_, err := a.fetch(t.Context(), a.things(t, of("acme"), nil, "id"))
			refused(t, err, fault.Unavailable, "did not send rows")
			if text := err.Error(); strings.Contains(text, "poison") || strings.Contains(text, "s-acme") {
				t.Error(text)
			}
		})
	}
	i := &issuer{}
	a := i.open(t, nil)
	p := of("acme")
	p.Grant.Metadata = nil
	_, err := a.fetch(t.Context(), a.things(t, p, nil, "id"))
	refused(t, err, fault.Forbidden, "{metadata.secret}")
}

// TestOAuth2Unanswered: a token endpoint that is down, or refuses the client, is told apart from what an API sends, the same to
// whoever reads and to whoever writes. Nothing was asked of the API, so nobody wonders what was written.
func TestOAuth2Unanswered(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"error":"poison"}`, code) }
	}
	for name, c := range map[string]struct {
		answer  http.HandlerFunc // nil: nobody listens
		kind    trouble.Kind
		message string
		after   bool
	}{
		"down":                 {nil, trouble.Unreachable, "does not answer", true},
		"hang up":              {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, trouble.Unreachable, "does not answer", true},
		"a bad gateway":        {status(http.StatusBadGateway), trouble.Unreachable, "does not answer", true},
		"broken":               {status(http.StatusInternalServerError), trouble.Unreachable, "does not answer", true},
		"too many":             {status(http.StatusTooManyRequests), trouble.Busy, "has too much to do", true},
		"refused":              {status(http.StatusBadRequest), trouble.Login, "does not accept the account", false},
		"of a wrong secret":    {status(http.StatusUnauthorized), trouble.Login, "does not accept the account", false},
		"of one without right": {status(http.StatusForbidden), trouble.Login, "does not accept the account", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := &issuer{answer: c.answer}
			a := i.open(t, func(s *catalog.SourceSpec) {
				if c.answer == nil {
					s.OAuth2.TokenURL = "http://127.0.0.1:1/token"
				}
			})
			_, err := a.fetch(t.Context(), a.things(t, of("acme"), nil, "id"))
			refused(t, err, fault.Unavailable, c.message)
			f := fault.From(err)
			if f.RetryAfter > 0 != c.after || (c.kind == trouble.Login) != (f.Hint != "" && !c.after) || trouble.Of(err) != c.kind {
				t.Errorf("%s, to be tried again after %s: %q (%s)", f.Message, f.RetryAfter, f.Hint, trouble.Of(err))
			}
			if text := err.Error(); strings.Contains(text, "poison") || strings.Contains(text, "s-acme") {
				t.Error(text)
			}
		})
	}
}

// TestOAuth2OfAWrite: where there is no token nothing was sent, so nobody wonders whether the row is there.
func TestOAuth2OfAWrite(t *testing.T) {
	t.Parallel()
	var calls int
	url := serve(t, func(http.ResponseWriter, *http.Request) { calls++ })
	c, problems := catalog.Compile(catalog.Spec{
		Sources: map[string]catalog.SourceSpec{"partner": {
			Kind: "api", BaseURL: url, AllowPrivate: true, Isolation: "gateway",
			OAuth2: catalog.OAuth2Spec{TokenURL: "http://127.0.0.1:1/token", ClientID: "usher", ClientSecret: "s"},
		}},
		Strategies:      map[string]catalog.StrategySpec{"api": {Kind: "api", Source: "partner"}},
		DefaultStrategy: "api",
		Datasets: map[string]catalog.DatasetSpec{"things": {
			Tenant: catalog.TenancySpec{Column: "tenant"}, Key: catalog.Names{"id"}, Columns: columns, Writable: catalog.Operations{catalog.InsertRows},
			Bind: map[string]catalog.BindingSpec{"partner": {Writes: catalog.APIWritesSpec{Insert: &catalog.CallSpec{Path: "/{tenant}/things"}}}},
		}},
	}, nil)
	if catalog.Refused(problems) {
		t.Fatal(problems)
	}
	s, err := Open(c.Sources["partner"], Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	who := of("acme")
	who.Scopes = []principal.Scope{principal.ReadData, principal.WriteData}
	change, err := plan.BuildChange(query.Change{Dataset: "things", Kind: query.InsertOne, Field: query.Field{
		Key: "x", Name: "insertThingsOne", Args: query.Object{{Name: "row", Value: query.Object{{Name: "id", Value: query.Number("1")}}}}, Fields: []query.Field{{Key: "id", Name: "id"}},
	}}, c, who, now)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(change)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Insert(t.Context(), 0)
	refused(t, err, fault.Unavailable, "does not answer")
	if f := fault.From(err); f.Unknown || f.RetryAfter <= 0 || calls != 0 {
		t.Errorf("%v, to be tried again after %s; the API was called %d times", err, f.RetryAfter, calls)
	}
}
