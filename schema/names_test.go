package schema_test

import (
	"strings"
	"testing"

	"usher/catalog"
	"usher/principal"
	"usher/schema"
)

// A dataset may be called like a field or type of administration where there
// is none; where there is, that is said at start, not when the first
// administrator comes.
func TestDatasetsNamedLikeAdministration(t *testing.T) {
	t.Parallel()
	cat := compile(t, map[string]catalog.DatasetSpec{
		"admin":   {Common: true, Source: "main", Columns: columns("id", "Int"), Bind: bound("a")},
		"tenants": {Common: true, Source: "main", Type: "AdminTenant", Columns: columns("id", "Int"), Bind: bound("t")},
	}, nil)
	view, err := cat.View(principal.Principal{AllTenants: true})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := schema.NewBuilder()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := plain.BuildAll(view); err != nil || s.Administers() {
		t.Error(err)
	}
	full, err := schema.NewBuilder(schema.Administration)
	if err != nil {
		t.Fatal(err)
	}
	_, err = full.BuildAll(view)
	if err == nil || !strings.Contains(err.Error(), `the query field "admin" exists already`) || !strings.Contains(err.Error(), `the type "AdminTenant" exists already`) {
		t.Errorf("got %v", err)
	}
}

// Administration has one name of its own in the query type: what tables are
// usually called is free for datasets.
func TestNamesOfAdministrationAreFree(t *testing.T) {
	t.Parallel()
	datasets := make(map[string]catalog.DatasetSpec)
	names := []string{"users", "roles", "tenants", "tokens", "keys", "serviceKeys", "auditLog", "user", "role", "tenant", "token", "key"}
	for _, name := range names {
		datasets[name] = catalog.DatasetSpec{Common: true, Source: "main", Key: catalog.Names{"id"}, Columns: columns("id", "Int!"), Bind: bound(name)}
	}
	view, err := compile(t, datasets, nil).View(principal.Principal{AllTenants: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := schema.NewBuilder(schema.Administration)
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.BuildAll(view)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, ok := s.Roots[name]; !ok || s.AST.Query.Fields.ForName(name) == nil || !s.Administers() {
			t.Errorf("there is no dataset %s", name)
		}
	}
}
