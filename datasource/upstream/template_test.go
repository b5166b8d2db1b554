package upstream

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/principal"
	"usher/query"
)

func TestTemplateErrors(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{", "}", "a}b", "{}", "{tenent}", "{metadata}", "{metadata.}", "{parameters.}", "{tenant", "{{tenant}}", "{tenant}}", "{ tenant }", "{TENANT}"} {
		if _, err := parseTemplate(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
		for _, spec := range []catalog.APISpec{
			{BaseURL: "http://x", Headers: map[string]string{"X-A": text}},
			{BaseURL: "http://x", Query: map[string]string{"a": text}},
		} {
			if _, err := Open(&catalog.Source{Name: "s", Kind: catalog.API, API: spec}, Options{}); err == nil {
				t.Errorf("%q is opened", text)
			}
		}
	}
	for _, spec := range []catalog.APISpec{
		{},
		{BaseURL: "x"},
		{BaseURL: "ftp://x"},
		{BaseURL: "http://"},
		{BaseURL: "http://u:p@x"},
		{BaseURL: "http://x?a=b"},
		{BaseURL: "http://x#a"},
		{BaseURL: "http://x", Headers: map[string]string{"X-A": "a\r\nX-B: b"}},
	} {
		if _, err := Open(&catalog.Source{Name: "s", Kind: catalog.API, API: spec}, Options{}); err == nil {
			t.Errorf("%+v is opened", spec)
		}
	}
	if _, err := Open(&catalog.Source{Name: "s", Kind: catalog.DuckDB}, Options{}); err == nil {
		t.Error("a database is opened")
	}
}

// identity is one that a plan carries.
func identity(t *testing.T, p principal.Principal) plan.Identity {
	t.Helper()
	a := open(t, "http://x", catalog.BindingSpec{}, nil)
	return a.things(t, p, nil, "id").Identity()
}

// TestTemplates fills one placeholder with hostile values in each place.
func TestTemplates(t *testing.T) {
	t.Parallel()
	no := ""
	cases := []struct{ value, header, path, query string }{
		{"acme", "acme", "/v1/acme/x", "q=acme"},
		{"a b", "a b", "/v1/a%20b/x", "q=a+b"},
		{"a/b", "a/b", "/v1/a%2Fb/x", "q=a%2Fb"},
		{"//evil.example", "//evil.example", "/v1/%2F%2Fevil.example/x", "q=%2F%2Fevil.example"},
		{"a?b=c#d", "a?b=c#d", "/v1/a%3Fb=c%23d/x", "q=a%3Fb%3Dc%23d"},
		{"a&b=c;d", "a&b=c;d", "/v1/a&b=c%3Bd/x", "q=a%26b%3Dc%3Bd"},
		{"%2e%2e%2f", "%2e%2e%2f", "/v1/%252e%252e%252f/x", "q=%252e%252e%252f"},
		{"user@evil", "user@evil", "/v1/user@evil/x", "q=user%40evil"},
		{"{tenant}", "{tenant}", "/v1/%7Btenant%7D/x", "q=%7Btenant%7D"},
		{"ñ", "ñ", "/v1/%C3%B1/x", "q=%C3%B1"},
		{"..", "..", no, "q=.."},
		{".", ".", no, "q=."},
		{"../../admin", "../../admin", no, "q=..%2F..%2Fadmin"},
		{`a\..\b`, `a\..\b`, no, `q=a%5C..%5Cb`},
		{"a\r\nX-B: b", no, no, "q=a%0D%0AX-B%3A+b"},
		{"a\x00", no, no, "q=a%00"},
		{"a\tb", no, no, "q=a%09b"},
		{" a", no, "/v1/%20a/x", "q=+a"},
	}
	text := func(tmpl string, id plan.Identity, encode func(string) (string, error)) string {
		parsed, err := parseTemplate(tmpl)
		if err != nil {
			t.Fatal(err)
		}
		out, err := parsed.fill(id, encode)
		if err != nil && (fault.From(err).Code != fault.Forbidden || !strings.Contains(fault.From(err).Message, "{metadata.v}")) {
			t.Error(err)
		}
		return out
	}
	none := open(t, "http://x", catalog.BindingSpec{}, nil).things(t, acme, nil, "id").Override("partner")
	r, err := newRequests(catalog.APISpec{BaseURL: "https://api.example/v1/", Query: map[string]string{"q": "{metadata.v}"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		id := identity(t, principal.Principal{Tenant: "acme", TenantKey: "acme", Grant: principal.Grant{Metadata: map[string]query.Value{"v": query.Text(c.value)}}})
		if got := text("{metadata.v}", id, inHeader); got != c.header {
			t.Errorf("header %q: got %q, want %q", c.value, got, c.header)
		}
		path := ""
		if to, err := r.at("/{metadata.v}/x", id); err == nil {
			path = to.EscapedPath()
			if to.Host != "api.example" || to.Scheme != "https" || to.RawQuery != "" {
				t.Errorf("path %q leads to %s", c.value, to)
			}
		}
		if path != c.path {
			t.Errorf("path %q: got %q, want %q", c.value, path, c.path)
		}
		p, err := r.first("/x", id, none, plan.Pushed{}, catalog.APISpec{})
		if err != nil {
			t.Fatal(err)
		}
		if next, err := p.next(); err != nil || next.url.RawQuery != c.query {
			t.Errorf("query %q: got %q, want %q", c.value, next.url.RawQuery, c.query)
		}
	}
	dots := identity(t, principal.Principal{Tenant: "acme", TenantKey: "acme", Subject: ".", Grant: principal.Grant{Metadata: map[string]query.Value{"v": query.Text("x")}}})
	if _, err := r.at("/a/.{subject}/b", dots); fault.From(err).Code != fault.Forbidden {
		t.Errorf("two dots of two parts: %v", err)
	}
	for _, path := range []string{"x", "/x?y", "/x#y", "/%zz", "/{nobody}"} {
		if _, err := r.at(path, dots); err == nil || fault.From(err).Code != fault.Internal {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// TestMissingValues: what a template lacks refuses the request by name, before
// anything is sent.
func TestMissingValues(t *testing.T) {
	t.Parallel()
	everybody := principal.Principal{AllTenants: true, TenantKey: "acme"}
	for _, c := range []struct {
		template string
		p        principal.Principal
		missing  bool
	}{
		{"{tenant}", acme, false},
		{"{tenant_key}", acme, false},
		{"{subject}", acme, false},
		{"{metadata.api_token}", acme, false},
		{"{metadata.empty}", acme, true},
		{"{metadata.other}", acme, true},
		{"{subject}", principal.Principal{Tenant: "acme", TenantKey: "acme"}, true},
		{"{tenant}", everybody, true},
		{"{tenant_key}", everybody, true},
	} {
		for _, place := range []string{"header", "query"} {
			called := false
			spec := catalog.APISpec{BaseURL: serve(t, func(w http.ResponseWriter, r *http.Request) {
				called = true
				says(`{"data":[]}`)(w, r)
			}), AllowPrivate: true, Rows: "/data", MaxRows: 1, MaxBytes: 100, Pages: catalog.Pages{Kind: catalog.NoPages}}
			if place == "header" {
				spec.Headers = map[string]string{"X-A": "a " + c.template}
			} else {
				spec.Query = map[string]string{"a": c.template}
			}
			a := open(t, spec.BaseURL, catalog.BindingSpec{}, nil)
			q := a.things(t, c.p, nil, "id")
			partner := *a.catalog.Sources["partner"]
			partner.API = spec
			s, err := Open(&partner, Options{})
			if err != nil {
				t.Fatal(err)
			}
			err = s.fetchNothing(t.Context(), q)
			if c.missing {
				refused(t, err, fault.Forbidden, c.template)
			} else if err != nil {
				t.Errorf("%s: %v", c.template, err)
			}
			if called && c.missing {
				t.Errorf("%s: a call was made", c.template)
			}
		}
	}
}

// TestWhoseRequest: under load each request carries its own principal's values
// and no others.
func TestWhoseRequest(t *testing.T) {
	t.Parallel()
	a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		who := r.Header.Get("X-Tenant")
		if r.URL.Query().Get("as") != "of "+who || r.Header.Get("Authorization") != "Bearer token-"+who || r.Header.Get("Cookie") != "" {
			http.Error(w, "mixed", http.StatusBadRequest)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: who, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
		says(`{"data":[{"tenant_id":"`+who+`","id":1}]}`)(w, r)
	}), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Isolation = "upstream"
		s.Headers = map[string]catalog.Template{"X-Tenant": "{tenant}", "Authorization": "Bearer {metadata.api_token}"}
		s.Query = map[string]catalog.Template{"as": "of {subject}"}
	})
	var group sync.WaitGroup
	for _, who := range []string{"a", "b", "c", "d"} {
		q := a.things(t, principal.Principal{
			Tenant: who, TenantKey: who, Subject: who, Grant: principal.Grant{Metadata: map[string]query.Value{"api_token": query.Text("token-" + who)}},
		}, nil, "id")
		group.Go(func() {
			for range 200 {
				if got, err := a.fetch(t.Context(), q); err != nil || len(got) != 1 || got[0] != "tenant="+who+" id=1" {
					t.Errorf("%s got %q, %v", who, got, err)
					return
				}
			}
		})
	}
	group.Wait()
}
