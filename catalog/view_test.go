package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"usher/catalog"
	"usher/plan/plantest"
	"usher/principal"
)

const viewed = `
sources: {main: {kind: duckdb, path: main.duckdb}}
strategies: {shared: {kind: shared, source: main}}
roles:
  clerk: {datasets: {orders: {columns: [id, region], aggregate: true}}}
  north: {datasets: {orders: {columns: [region, id], filter: {region: {eq: north}}, limit: 5, aggregate: true}}}
  buyer: {datasets: {orders: {columns: [region, amount]}, customers: {columns: [id, name]}}}
  chief: {datasets: {orders: {aggregate: true}, customers: {aggregate: true}}}
  hidden: {datasets: {orders: {columns: [tenant_id], aggregate: true}}}
  nobody: {datasets: {}}
datasets:
  orders:
    tenant: tenant_id
    key: [id]
    columns: {id: BigInt!, tenant_id: String!, customer_id: BigInt, region: String, amount: Decimal}
    relations: {customer: {to: customers, on: {customer_id: id}}}
    measures:
      regions: countDistinct(region)
      revenue: sum(amount)
      names: countDistinct(customer.name)
      mixed: sum(amount) / countDistinct(region)
      rows: count()
  customers:
    tenant: tenant_id
    key: [id, tenant_id]
    columns: {id: BigInt!, tenant_id: {type: String!, expose: true}, name: String}
    relations: {orders: {to: orders, many: true, on: {id: customer_id}}}
    measures: {people: count()}
  regions: {common: true, source: main, columns: {name: String}}
`

func view(t *testing.T, cat *catalog.Catalog, allTenants bool, datasets []string, roles ...string) *catalog.View {
	t.Helper()
	v, err := cat.View(principal.Principal{AllTenants: allTenants, Roles: roles, Grant: principal.Grant{Datasets: datasets}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shown writes what a view shows: datasets with columns, key, relations and
// measures.
func shown(v *catalog.View) string {
	var out []string
	for _, name := range v.Names() {
		d := v.Dataset(name)
		line := []string{name + ":"}
		for _, c := range d.Columns() {
			line = append(line, c.Name)
		}
		for _, c := range d.Key() {
			line = append(line, "key="+c.Name)
		}
		for _, r := range d.Dataset.Relations {
			if rel, to := v.Relation(d, r.Name); rel != nil {
				line = append(line, rel.Name+">"+to.Dataset.Name)
			}
		}
		for _, m := range d.Dataset.Measures {
			if m := v.Measure(d, m.Name); m != nil {
				line = append(line, m.Name+"()")
			}
		}
		out = append(out, strings.Join(line, " "))
	}
	return strings.Join(out, "\n")
}

func TestView(t *testing.T) {
	t.Parallel()
	withRoles := plantest.Catalog(t, viewed, nil)
	roles, rest, _ := strings.Cut(viewed, "roles:\n")
	_, datasets, _ := strings.Cut(rest, "\ndatasets:")
	open := plantest.Catalog(t, roles+"datasets:"+datasets, nil)

	f := func(cat *catalog.Catalog, allTenants bool, narrowed []string, roles []string, want ...string) {
		t.Helper()
		if got := shown(view(t, cat, allTenants, narrowed, roles...)); got != strings.Join(want, "\n") {
			t.Errorf("%v of %v, all tenants %t\ngot\n%s\nwant\n%s", roles, narrowed, allTenants, got, strings.Join(want, "\n"))
		}
	}

	// Without roles everything is shown, but the tenant column to tenants only
	// where it is exposed.
	f(open, false, nil, nil,
		"customers: id tenant_id name key=id key=tenant_id orders>orders people()",
		"orders: id customer_id region amount key=id customer>customers regions() revenue() names() mixed() rows()",
		"regions: name")
	f(open, true, nil, nil,
		"customers: id tenant_id name key=id key=tenant_id orders>orders people()",
		"orders: id tenant_id customer_id region amount key=id customer>customers regions() revenue() names() mixed() rows()",
		"regions: name")

	// With roles, those of the principal say what there is.
	f(withRoles, false, nil, nil)
	f(withRoles, true, nil, nil)
	f(withRoles, false, nil, []string{"nobody"})
	f(withRoles, false, nil, []string{"clerk"}, "orders: id region key=id regions() rows()")
	f(withRoles, false, nil, []string{"north"}, "orders: id region key=id regions() rows()")
	f(withRoles, false, nil, []string{"buyer"}, "customers: id name key=id orders>orders", "orders: region amount customer>customers")
	// A role does not show the tenant column to a tenant; nothing else is left.
	f(withRoles, false, nil, []string{"hidden"})
	f(withRoles, true, nil, []string{"hidden"}, "orders: tenant_id rows()")

	// Several roles show what each of them shows, and measures over it.
	union := []string{"customers: id name key=id orders>orders", "orders: id region amount key=id customer>customers regions() revenue() names() mixed() rows()"}
	f(withRoles, false, nil, []string{"clerk", "buyer"}, union...)
	f(withRoles, false, nil, []string{"buyer", "nobody", "clerk", "buyer"}, union...)
	f(withRoles, true, nil, []string{"clerk", "buyer", "hidden"}, union[0], strings.Replace(union[1], "id region", "id tenant_id region", 1))

	// A grant narrows to datasets; relations and measures go with them.
	f(open, false, []string{}, nil)
	f(open, false, []string{"orders"}, nil, "orders: id customer_id region amount key=id regions() revenue() mixed() rows()")
	f(open, false, []string{"regions", "customers", "regions"}, nil, "customers: id tenant_id name key=id key=tenant_id people()", "regions: name")
	f(withRoles, false, []string{"orders", "regions"}, []string{"buyer"}, "orders: region amount")
}

func TestAViewOfWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, viewed, nil)
	for want, v := range map[string][2][]string{
		`unknown role "emperor"`:    {{"clerk", "emperor"}, nil},
		`unknown dataset "planets"`: {{"clerk"}, {"orders", "planets"}},
		`unknown role ""`:           {{""}, nil},
	} {
		if got, err := cat.View(principal.Principal{Roles: v[0], Grant: principal.Grant{Datasets: v[1]}}); got != nil || err == nil || err.Error() != want {
			t.Errorf("got %v, %v, want %s", got, err, want)
		}
	}
	v := view(t, cat, false, nil, "buyer")
	if v.Dataset("regions") != nil || v.Dataset("planets") != nil {
		t.Error("what the role does not name is there")
	}
	orders := v.Dataset("orders")
	for _, name := range []string{"id", "tenant_id", "customer_id", "nothing", ""} {
		if c := orders.Column(name); c != nil {
			t.Errorf("the column %s is there", c.Name)
		}
	}
	if c := orders.Column("amount"); c == nil || c.Name != "amount" {
		t.Error("the column amount is not there")
	}
	if orders.Key() != nil {
		t.Error("there is a key without its column")
	}
	for _, name := range []string{"items", "name", ""} {
		if rel, to := v.Relation(orders, name); rel != nil || to != nil {
			t.Errorf("the relation %s is there", name)
		}
	}
	if m := v.Measure(orders, "revenue"); m != nil || v.Measure(orders, "nothing") != nil {
		t.Error("a role that may not aggregate has measures")
	}
}

// Views have equal keys where they show the same, whoever's they are.
func TestViewKeys(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, viewed, nil)
	groups := [][]*catalog.View{
		{
			view(t, cat, false, nil, "clerk"), view(t, cat, false, nil, "north"), view(t, cat, false, nil, "north", "clerk", "nobody"),
			view(t, cat, true, nil, "clerk"), view(t, cat, false, []string{"orders", "customers"}, "clerk"),
		},
		{view(t, cat, false, nil), view(t, cat, false, nil, "nobody"), view(t, cat, false, []string{}, "chief"), view(t, cat, false, nil, "hidden")},
		{view(t, cat, false, nil, "buyer")},
		{view(t, cat, false, nil, "buyer", "clerk"), view(t, cat, false, nil, "clerk", "buyer")},
		{view(t, cat, false, nil, "chief"), view(t, cat, false, nil, "chief", "clerk", "buyer")},
		{view(t, cat, true, nil, "chief")},
		{view(t, cat, false, []string{"orders"}, "chief")},
		{view(t, cat, true, nil, "hidden")},
	}
	for i, group := range groups {
		for _, v := range group {
			if shown(v) != shown(group[0]) {
				t.Fatalf("group %d shows different things:\n%s\n%s", i, shown(v), shown(group[0]))
			}
			if v.Key != group[0].Key {
				t.Errorf("%q and %q are keys of views that show the same", v.Key, group[0].Key)
			}
			for j, other := range groups {
				if i != j && v.Key == other[0].Key {
					t.Errorf("groups %d and %d share the key %q", i, j, v.Key)
				}
			}
		}
	}
}

// What a caller gets is its own: changing it changes no view.
func TestAViewIsReadOnly(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, viewed, nil)
	v := view(t, cat, false, nil, "chief")
	names, rights := v.Names(), v.Dataset("orders").Rights()
	names[0], rights[0] = "changed", nil
	if !slices.Equal(v.Names(), []string{"customers", "orders"}) || v.Dataset("orders").Rights()[0] == nil {
		t.Errorf("the view changed: %v", v.Names())
	}
}
