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
		"tenants": {Common: true, Source: "main", Type: "Tenant", Columns: columns("id", "Int"), Bind: bound("t")},
	}, nil)
	view, err := cat.View(principal.Principal{AllTenants: true})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := schema.NewBuilder()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.BuildAll(view); err != nil {
		t.Error(err)
	}
	full, err := schema.NewBuilder(schema.Administration)
	if err != nil {
		t.Fatal(err)
	}
	_, err = full.BuildAll(view)
	if err == nil || !strings.Contains(err.Error(), `the query field "tenants" exists already`) || !strings.Contains(err.Error(), `the type "Tenant" exists already`) {
		t.Errorf("got %v", err)
	}
}
