package upstream

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/fault"
	"usher/principal"
	"usher/query"
)

// posts notes the requests of an API with two pages.
type posts struct {
	bodies []string
	media  []string
}

func (p *posts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	p.bodies = append(p.bodies, r.Method+" "+r.URL.RequestURI()+" "+string(text))
	p.media = append(p.media, r.Header.Get("Content-Type"))
	next := "17"
	if len(p.bodies) > 1 {
		next = "null"
	}
	says(`{"data":[{"tenant_id":"acme","id":1}],"next":`+next+`}`)(w, r)
}

func TestPost(t *testing.T) {
	t.Parallel()
	body := query.Object{
		{Name: "who", Value: query.Text("{tenant}/{metadata.v}")},
		{Name: "deep", Value: query.Object{{Name: "list", Value: query.List{query.Number("1.50"), query.Bool(true), query.Null{}, query.Text("<x>")}}}},
	}
	hostile := acme
	hostile.Grant.Metadata = map[string]query.Value{"v": query.Text("\",\"admin\":true,\"x\":\"\\\n&a=b")}
	value := `\",\"admin\":true,\"x\":\"\\\n&a=b`
	cases := map[string]struct {
		body  catalog.BodySpec
		pages catalog.PagesSpec
		media string
		want  []string
	}{
		"JSON": {
			catalog.BodySpec{JSON: body},
			catalog.PagesSpec{},
			"application/json",
			[]string{`POST /things {"deep":{"list":[1.50,true,null,"<x>"]},"who":"acme/` + value + `"}`},
		},
		"a cursor in JSON": {
			catalog.BodySpec{JSON: query.Object{}},
			catalog.PagesSpec{Kind: "cursor", Param: "/page/after", Size: "/page/size", Next: "/next", Limit: new(1)},
			"application/json",
			[]string{`POST /things {"page":{"size":1}}`, `POST /things {"page":{"after":17,"size":1}}`},
		},
		"pages in JSON": {
			catalog.BodySpec{JSON: query.Object{}},
			catalog.PagesSpec{Kind: "page", Param: "/p", Limit: new(2)},
			"application/json",
			[]string{`POST /things {"p":1}`},
		},
		"pages in the query": {
			catalog.BodySpec{JSON: query.List{}},
			catalog.PagesSpec{Kind: "page", Param: "p", Limit: new(2)},
			"application/json",
			[]string{`POST /things?p=1 []`},
		},
		"a form": {
			catalog.BodySpec{Form: map[string]catalog.Template{"v": "{metadata.v}", "k": "{tenant_key}"}},
			catalog.PagesSpec{Kind: "cursor", Param: "/after", Next: "/next", Limit: new(1)},
			"application/x-www-form-urlencoded",
			[]string{
				`POST /things k=acme&v=%22%2C%22admin%22%3Atrue%2C%22x%22%3A%22%5C%0A%26a%3Db`,
				`POST /things after=17&k=acme&v=%22%2C%22admin%22%3Atrue%2C%22x%22%3A%22%5C%0A%26a%3Db`,
			},
		},
		"nothing": {catalog.BodySpec{}, catalog.PagesSpec{}, "", []string{`POST /things `}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &posts{}
			a := open(t, serve(t, p.ServeHTTP), catalog.BindingSpec{}, func(s *catalog.SourceSpec) { s.Method, s.Body, s.Pages = "post", c.body, c.pages })
			asked(t, a, a.things(t, hostile, nil, "id"))
			if diff := cmp.Diff(c.want, p.bodies); diff != "" || p.media[0] != c.media {
				t.Errorf("%s, -want +got:\n%s", p.media[0], diff)
			}
			if name == "JSON" {
				var sent struct{ Who string }
				if err := json.Unmarshal([]byte(strings.TrimPrefix(p.bodies[0], "POST /things ")), &sent); err != nil || query.Text(sent.Who) != "acme/"+hostile.Grant.Metadata["v"].(query.Text) {
					t.Errorf("%q, %v", sent.Who, err)
				}
			}
		})
	}
}

// TestBodiesLackingValues: what a body or path lacks refuses the request
// before anything is sent.
func TestBodiesLackingValues(t *testing.T) {
	t.Parallel()
	text := query.Object{{Name: "a", Value: query.List{query.Text("{metadata.other}")}}}
	for name, change := range map[string]func(*catalog.SourceSpec, *catalog.BindingSpec){
		"JSON": func(s *catalog.SourceSpec, _ *catalog.BindingSpec) { s.Method, s.Body.JSON = "post", text },
		"form": func(s *catalog.SourceSpec, _ *catalog.BindingSpec) {
			s.Method, s.Body.Form = "post", map[string]catalog.Template{"a": "{metadata.other}"}
		},
		"path": func(_ *catalog.SourceSpec, b *catalog.BindingSpec) { b.Path = "/{metadata.other}/things" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			called := false
			var binding catalog.BindingSpec
			change(&catalog.SourceSpec{}, &binding)
			a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				called = true
				says(`{"data":[]}`)(w, r)
			}), binding, func(s *catalog.SourceSpec) { change(s, &catalog.BindingSpec{}) })
			_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
			refused(t, err, fault.Forbidden, "{metadata.other}")
			if called {
				t.Error("a call was made")
			}
		})
	}
}

// TestPaths: each tenant's value is one segment of the path, and names the
// tenant to an API that keeps tenants apart.
func TestPaths(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"acme": "/v1/tenants/acme/things", "a/b": "/v1/tenants/a%2Fb/things", "a?b#c": "/v1/tenants/a%3Fb%23c/things",
		"..": "", ".": "", "a/../b": "", "": "",
	} {
		var got string
		a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.URL.EscapedPath()
			says(`{"data":[]}`)(w, r)
		})+"/v1", catalog.BindingSpec{Path: "/tenants/{metadata.v}/things"}, func(s *catalog.SourceSpec) { s.Isolation = "upstream" })
		p := acme
		p.Grant = principal.Grant{Metadata: map[string]query.Value{"v": query.Text(value)}}
		_, err := a.fetch(t.Context(), a.things(t, p, nil, "id"))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", value, got, err)
		}
	}
}

// TestOverrides: an account of one's own leads elsewhere, with its own headers
// over the source's.
func TestOverrides(t *testing.T) {
	t.Parallel()
	tell := func(name string) string {
		return serve(t, func(w http.ResponseWriter, r *http.Request) {
			says(fmt.Sprintf(`{"data":[{"tenant_id":"acme","id":1,"name":%q}]}`, name+r.URL.Path+" "+r.Header.Get("X-Api-Key")+r.Header.Get("X-Own")+" "+r.Header.Get("X-Tenant")))(w, r)
		})
	}
	a := open(t, tell("source")+"/v1", catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.AllowHosts = []string{"127.0.0.1"}
		s.Headers = map[string]catalog.Template{"x-api-key": "common", "X-Tenant": "{tenant}"}
	})
	own := acme
	own.Grant.Accounts = map[string]principal.Account{"partner": {BaseURL: tell("own") + "/v2", Headers: map[string]string{"X-API-KEY": "mine", "x-own": "!"}}}
	for _, c := range []struct {
		p    principal.Principal
		want string
	}{
		{acme, "tenant=acme name=source/v1/things common acme"},
		{own, "tenant=acme name=own/v2/things mine! acme"},
	} {
		got := asked(t, a, a.things(t, c.p, nil, "name"))
		if len(got) != 1 || !strings.HasSuffix(strings.Replace(got[0], " id=1", "", 1), c.want) {
			t.Errorf("got %q, want %s", got, c.want)
		}
	}
}
