package upstream

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/fault"
	"usher/plugin"
)

// TestNullWhereNoneIs: an API that sends no value for a column that is never
// null has sent a wrong value, in whatever form. The rows of other tenants are
// nobody's business.
func TestNullWhereNoneIs(t *testing.T) {
	t.Parallel()
	const good, others = `{"tenant_id":"acme","id":1,"name":null}`, `{"tenant_id":"globex","id":null},{"tenant_id":"globex"}`
	for name, row := range map[string]string{
		"null":            `{"tenant_id":"acme","id":null,"name":"poison"}`,
		"missing":         `{"tenant_id":"acme","name":"poison"}`,
		"null, and again": `{"id":null,"tenant_id":"acme","id":null}`,
	} {
		a := open(t, serve(t, says(`{"data":[`+others+`,`+good+`,`+row+`]}`)), catalog.BindingSpec{}, nil)
		rows, err := a.fetch(t.Context(), a.things(t, acme, nil, "id", "name"))
		refused(t, err, fault.Unavailable, "the API of things sent row 4 with a wrong value: id: it is null or missing, and this column is never null")
		if diff := cmp.Diff([]string{"tenant=acme id=1 name=null"}, rows); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	a := open(t, serve(t, says(`{"data":[`+others+`,`+good+`]}`)), catalog.BindingSpec{}, nil)
	if rows := asked(t, a, a.things(t, acme, nil, "id", "name")); len(rows) != 1 {
		t.Errorf("got %q", rows)
	}
	told := func(s *catalog.SourceSpec) {
		s.Isolation, s.Headers = "upstream", map[string]catalog.Template{"X-Tenant": "{tenant}"}
	}
	a = open(t, serve(t, says(`{"data":[{"name":"n"}]}`)), catalog.BindingSpec{Columns: map[string]*string{"tenant": nil}}, told)
	_, err := a.fetch(t.Context(), a.things(t, acme, nil, "name"))
	refused(t, err, fault.Unavailable, "id: it is null or missing")
}

func TestPluginNullWhereNoneIs(t *testing.T) {
	t.Parallel()
	b := &fakePlugin{rows: []map[string]any{
		{"tenant_id": "globex", "name": "theirs"},
		{"tenant_id": "acme", "id": 1},
		{"tenant_id": "acme", "name": "poison"},
	}}
	h, err := plugin.Handler(b, plugin.Options{Secret: pluginSecret})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	a := plugged(t, server.URL, nil)
	_, err = a.fetch(t.Context(), a.things(t, acme, nil, "id", "name"))
	refused(t, err, fault.Unavailable, "with a wrong value: id: it is null or missing")
	b.rows = b.rows[:2]
	if rows := asked(t, a, a.things(t, acme, nil, "id", "name")); len(rows) != 1 {
		t.Errorf("got %q", rows)
	}
}
