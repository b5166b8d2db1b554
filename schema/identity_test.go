package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/catalog"
	"usher/principal"
	"usher/schema"
)

// odd are datasets whose columns, relations and measures have the names that
// caches keep objects by.
func odd(t *testing.T) *catalog.Catalog {
	t.Helper()
	return compile(t, map[string]catalog.DatasetSpec{
		"orders": {
			Tenant: catalog.TenancySpec{Column: "shop"}, Key: catalog.Names{"id"},
			Columns: columns("id", "Int!", "_id", "String", "id_", "String", "shop", "String!", "line", "Int"),
			Relations: catalog.Ordered[catalog.RelationSpec]{
				{Name: "house", Value: catalog.RelationSpec{To: "houses", On: map[string]string{"line": "no", "id_": "street"}}},
			},
			Measures: catalog.Ordered[catalog.MeasureSpec]{{Name: "id__", Value: catalog.MeasureSpec{Expr: "count()"}}},
			Bind:     bound("orders"),
		},
		"houses": {
			Common: true, Source: "main", Key: catalog.Names{"no", "street"}, Columns: columns("no", "Int!", "street", "String!", "id", "String"),
			Relations: catalog.Ordered[catalog.RelationSpec]{
				{Name: "_id_", Value: catalog.RelationSpec{To: "houses", On: map[string]string{"no": "no", "street": "street"}}},
			},
			Bind: bound("houses"),
		},
		"visits": {Tenant: catalog.TenancySpec{Column: "shop"}, Columns: columns("id", "Int", "shop", "String!"), Bind: bound("visits")},
		"lines": {
			Tenant: catalog.TenancySpec{Through: "order"}, Key: catalog.Names{"no"}, Columns: columns("no", "Int!", "order_id", "Int!"),
			Relations: catalog.Ordered[catalog.RelationSpec]{
				{Name: "order", Value: catalog.RelationSpec{To: "orders", On: map[string]string{"order_id": "id"}}},
			},
			Bind: bound("lines"),
		},
		"shops": {Tenant: catalog.TenancySpec{Column: "shop"}, Key: catalog.Names{"shop", "no"}, Columns: with(columns("no", "Int!"), "shop", catalog.ColumnSpec{Type: "String!", Expose: true}), Bind: bound("shops")},
	}, nil)
}

func administered(t *testing.T, cat *catalog.Catalog, who principal.Principal, a schema.Audience) *schema.Schema {
	t.Helper()
	view, err := cat.View(who)
	if err != nil {
		t.Fatal(err)
	}
	b, err := schema.NewBuilder(schema.Administration)
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Build(view, a)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What caches of clients take for the identity of an object is one, or it is
// not there.
func TestOnlyEntitiesHaveAnIdentity(t *testing.T) {
	t.Parallel()
	cat := odd(t)
	for _, all := range []bool{true, false} {
		s := administered(t, cat, principal.Principal{AllTenants: all, Tenant: map[bool]string{false: "acme"}[all]}, schema.Holder|schema.Reader|schema.Administrator|schema.Member)
		rows := make(map[string][]string)
		for _, o := range s.Objects(all) {
			def := s.AST.Types[o.Type]
			for _, name := range o.Key {
				if def.Fields.ForName(name) == nil {
					t.Errorf("%s is kept by %s, which it has not", o.Type, name)
				}
			}
			if o.Row {
				rows[o.Type] = o.Key
				continue
			}
			for _, name := range []string{"id", "_id"} {
				if f := def.Fields.ForName(name); f != nil && (!slices.Equal(o.Key, []string{"id"}) || f.Type.String() != "String!") {
					t.Errorf("%s is nothing of its own and has a field %s", o.Type, name)
				}
			}
		}
		want := map[string][]string{"Orders": {"id"}, "Houses": {"no", "street"}, "Visits": nil, "Shops": {"shop", "no"}, "Lines": {"no"}}
		if all {
			want["Orders"], want["Lines"] = []string{"shop", "id"}, nil // through the order, which tells nothing
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("rows, all tenants %t (-want +got):\n%s", all, diff)
		}
		for object, names := range map[string]string{
			"OrdersKey": "id_ _id_ id__ house", "HousesKey": "id_ _id__", "OrdersAggregate": "id_ _id_ id__ id___", "VisitsAggregate": "id_",
		} {
			for _, name := range strings.Fields(names) {
				if s.AST.Types[object].Fields.ForName(name) == nil {
					t.Errorf("%s has no field %s", object, name)
				}
				if got := s.NameOf(object, name); name != "house" && got != strings.TrimSuffix(name, "_") {
					t.Errorf("%s of %s is taken for %s", name, object, got)
				}
			}
		}
		if got := s.NameOf("Orders", "id_"); got != "id_" {
			t.Errorf("a column id_ is taken for %s", got)
		}
	}
	// Who is of all tenants and does not see the tenant has nothing to tell rows by.
	hidden := compile(t, map[string]catalog.DatasetSpec{
		"orders": {Tenant: catalog.TenancySpec{Column: "shop"}, Key: catalog.Names{"id"}, Columns: columns("id", "Int!", "shop", "String!"), Bind: bound("orders")},
	}, map[string]catalog.RoleSpec{"r": {Datasets: map[string]catalog.RightSpec{"orders": {Columns: []string{"id"}}}}})
	s := administered(t, hidden, principal.Principal{AllTenants: true, Roles: []string{"r"}}, schema.Holder|schema.Reader)
	for all, want := range map[bool][]string{true: nil, false: {"id"}} {
		at := slices.IndexFunc(s.Objects(all), func(o schema.Object) bool { return o.Type == "Orders" })
		if got := s.Objects(all)[at]; !slices.Equal(got.Key, want) || !got.Row {
			t.Errorf("all tenants %t: %+v", all, got)
		}
	}
}

func TestAliasesOfIdentity(t *testing.T) {
	t.Parallel()
	s := administered(t, odd(t), principal.Principal{Tenant: "acme"}, schema.Holder|schema.Reader|schema.Administrator)
	for _, c := range []struct {
		object, field, alias string
		want                 bool
	}{
		{"Orders", "id", "id", true},
		{"Orders", "id", "_id", true}, // the whole key
		{"Orders", "line", "id", false},
		{"Orders", "_id", "id", false},
		{"Orders", "line", "id_", true},
		{"Houses", "no", "id", false}, // a part of the key
		{"Houses", "street", "_id", false},
		{"Visits", "id", "_id", false},
		{"OrdersKey", "id_", "id", false},
		{"OrdersAggregate", "count", "_id", false},
		{"OrdersConnection", "totalCount", "id", false},
		{"AdminTenant", "name", "id", false},
		{"AdminQuery", "tenants", "id", false},
		{"Orders", "line", "__typename", false},
		{"Query", "orders", "__typename", false},
		{"Orders", "__typename", "__typename", true},
		{"Orders", "__typename", "kind", true},
		{"Query", "orders", "id", true}, // there is one
		{"__Type", "name", "id", true},
	} {
		def := s.AST.Types[c.object]
		if def == nil || def.Kind != ast.Object {
			t.Fatalf("there is no type %s", c.object)
		}
		if got := s.Alias(def, c.field, c.alias); got != c.want {
			t.Errorf("%s.%s as %s: %t", c.object, c.field, c.alias, got)
		}
	}
}

// With Relay all rows that have an identity are nodes, and no other field of a
// row is called id.
func TestRelay(t *testing.T) {
	t.Parallel()
	b, err := schema.NewBuilder(schema.Relay)
	if err != nil {
		t.Fatal(err)
	}
	for all, want := range map[bool]string{false: "Houses Lines Orders Shops", true: "Houses Orders Shops"} {
		view, err := odd(t).View(principal.Principal{AllTenants: all, Tenant: map[bool]string{false: "acme"}[all]})
		if err != nil {
			t.Fatal(err)
		}
		audience := schema.Holder | schema.Reader
		if all {
			audience |= schema.OfAll
		}
		s, err := b.Build(view, audience)
		if err != nil {
			t.Fatal(err)
		}
		reload(t, s.SDL())
		var nodes []string
		for _, def := range s.AST.PossibleTypes["Node"] {
			nodes = append(nodes, def.Name)
			if id := def.Fields.ForName("id"); id == nil || id.Type.String() != "ID!" || s.AST.Implements[def.Name][0].Name != "Node" {
				t.Errorf("%s is no node: %v", def.Name, id)
			}
		}
		slices.Sort(nodes)
		if got := strings.Join(nodes, " "); got != want {
			t.Errorf("all tenants %t: nodes are %s, want %s", all, got, want)
		}
		for _, o := range s.Objects(all) {
			id := s.AST.Types[o.Type].Fields.ForName("id")
			if (id != nil) != slices.Equal(o.Key, []string{"id"}) || slices.Contains(nodes, o.Type) != (id != nil) || len(o.Key) > 1 {
				t.Errorf("%s has the key %v and the field %v", o.Type, o.Key, id)
			}
		}
		if got := s.Identity("Orders"); strings.Join(got, " ") != map[bool]string{false: "id", true: "shop id"}[all] {
			t.Errorf("the id of an order is made of %v", got)
		}
	}
}
