package catalog_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"usher/catalog"
	"usher/fault"
	"usher/plan/plantest"
	"usher/principal"
)

const shaped = `
sources: {main: {kind: duckdb, path: main.duckdb}, acme: {kind: duckdb, path: acme.duckdb}}
strategies: {shared: {kind: shared, source: main}}
tenants: {acme: {bind: {orders: {source: acme, extra: {loyalty: Int}}}}}
datasets:
  orders:
    tenant: tenant
    key: [id]
    columns:
      id: BigInt!
      tenant: String!
      amount: Decimal
      margin: {type: Decimal, only_tenants: [globex, acme]}
      customer_id: {type: BigInt, only_tenants: [initech]}
    relations: {customer: {to: customers, on: {customer_id: id}}}
    measures:
      revenue: sum(amount)
      profit: sum(margin)
      secret: {expr: sum(amount), only_tenants: [initech]}
      names: countDistinct(customer.name)
      loyal: {expr: count(), filter: {loyalty: {gt: 1}}}
  customers: {tenant: tenant, key: [id], columns: {id: BigInt!, tenant: String!, name: String}}
`

// withRoles is the configuration with roles.
func withRoles(roles string) string {
	return strings.Replace(shaped, "datasets:", "roles:\n"+roles+"datasets:", 1)
}

func seen(t *testing.T, cat *catalog.Catalog, p principal.Principal) *catalog.View {
	t.Helper()
	v, err := cat.View(p)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What is only some tenants' exists for them alone, not for whoever may see all.
func TestOnlyTenants(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, shaped, nil)
	const customers = "customers: id name key=id\n"
	f := func(p principal.Principal, want string) {
		t.Helper()
		if got := shown(seen(t, cat, p)); got != want {
			t.Errorf("%q is shown\n%s\nwant\n%s", p.Tenant, got, want)
		}
	}
	f(principal.Principal{Tenant: "acme"}, customers+"orders: id amount margin loyalty key=id revenue() profit() loyal()")
	f(principal.Principal{Tenant: "globex"}, customers+"orders: id amount margin key=id revenue() profit()")
	f(principal.Principal{Tenant: "initech"}, customers+"orders: id amount customer_id key=id customer>customers revenue() secret() names()")
	f(principal.Principal{Tenant: "hooli"}, customers+"orders: id amount key=id revenue()")
	f(principal.Principal{}, customers+"orders: id amount key=id revenue()")
	f(principal.Principal{AllTenants: true}, "customers: id tenant name key=id\norders: id tenant amount key=id revenue()")
	all := shown(cat.Everything())
	want := "customers: id tenant name key=id\n" +
		"orders: id tenant amount margin customer_id loyalty key=id customer>customers revenue() profit() secret() names() loyal()"
	if all != want {
		t.Errorf("everything is\n%s\nwant\n%s", all, want)
	}
}

// Tenants that see the same share a view, however many they are.
func TestTenantsShareViews(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, shaped, nil)
	views, keys := make(map[*catalog.View]bool), make(map[string]bool)
	for i := range 1000 {
		v := seen(t, cat, principal.Principal{Tenant: fmt.Sprintf("tenant%d", i)})
		views[v], keys[v.Key] = true, true
	}
	if len(views) != 1 || len(keys) != 1 {
		t.Errorf("1000 tenants without fields of their own have %d views with %d keys", len(views), len(keys))
	}
	for _, id := range []string{"acme", "globex", "initech"} {
		v := seen(t, cat, principal.Principal{Tenant: id})
		views[v], keys[v.Key] = true, true
	}
	if len(views) != 4 || len(keys) != 4 {
		t.Errorf("4 kinds of tenants have %d views with %d keys", len(views), len(keys))
	}

	// Where roles hide what differs, the views are others and show the same.
	cat = plantest.Catalog(t, withRoles("  clerk: {datasets: {orders: {columns: [id, amount, customer_id, loyalty], aggregate: true}}}\n"), nil)
	clerk := func(id string) *catalog.View {
		return seen(t, cat, principal.Principal{Tenant: id, Roles: []string{"clerk"}})
	}
	if clerk("globex").Key != clerk("hooli").Key {
		t.Error("views that show the same have several keys")
	}
	if clerk("initech").Key == clerk("hooli").Key || clerk("acme").Key == clerk("hooli").Key {
		t.Error("a view with a column or a measure and one without share a key")
	}
	if a, b := cat.ShapeOf("acme"), cat.ShapeOf("hooli"); a == b || b != "" {
		t.Errorf("the shapes are %q and %q", a, b)
	}
}

// Roles of a tenant's own take away, whatever they name.
func TestOwnRolesRestrict(t *testing.T) {
	t.Parallel()
	const (
		clerk = "  clerk: {datasets: {orders: {columns: [id, amount], limit: 7, aggregate: true}}}\n"
		chief = "  chief: {datasets: {orders: {}, customers: {}}}\n"
	)
	open, roles := plantest.Catalog(t, shaped, nil), plantest.Catalog(t, withRoles(clerk+chief), nil)
	specs := map[string]string{
		"all":      `{"datasets": {"orders": {"aggregate": true}, "customers": {}}}`,
		"ids":      `{"datasets": {"orders": {"columns": ["id"], "limit": 3}}}`,
		"margins":  `{"datasets": {"orders": {"columns": ["margin"], "aggregate": true}}}`,
		"filtered": `{"datasets": {"orders": {"columns": ["id"], "filter": {"margin": {"gt": 1}}}}}`,
	}
	f := func(cat *catalog.Catalog, held string, limit int, want string) {
		t.Helper()
		p := principal.Principal{Tenant: "acme", Roles: strings.Fields(held), RoleSpecs: make(map[string]string)}
		for _, name := range p.Roles {
			if specs[name] != "" {
				p.RoleSpecs[name] = specs[name]
			}
		}
		v := seen(t, cat, p)
		if got := shown(v); got != want {
			t.Errorf("%s are shown\n%s\nwant\n%s", held, got, want)
		}
		if vis := v.Dataset("orders"); vis != nil {
			if _, most := vis.Limits(); most != limit {
				t.Errorf("%s may have %d orders, want %d", held, most, limit)
			}
		}
	}
	// Without roles in the catalog they restrict what is for the tenant.
	f(open, "all", 10_000, "customers: id name key=id\norders: id amount margin loyalty key=id revenue() profit() loyal()")
	f(open, "ids", 3, "orders: id key=id")
	f(open, "margins", 10_000, "orders: margin profit()") // loyal counts by loyalty, which they do not show
	f(open, "ids margins", 10_000, "orders: id margin key=id profit()")
	// With roles they restrict what those show, and are nothing by themselves.
	f(roles, "all", 0, "")
	f(roles, "all clerk", 7, "orders: id amount key=id revenue()")
	f(roles, "ids clerk", 3, "orders: id key=id")
	f(roles, "margins clerk", 0, "")
	f(roles, "margins chief", 10_000, "orders: margin")
	f(roles, "ids margins clerk chief", 10_000, "orders: id margin key=id profit()")
	f(roles, "chief", 10_000, "customers: id name key=id\norders: id amount margin loyalty key=id")

	v := seen(t, roles, principal.Principal{Tenant: "acme", Roles: []string{"chief", "filtered"}, RoleSpecs: map[string]string{"filtered": specs["filtered"]}})
	vis := v.Dataset("orders")
	if vis.Column("margin") != nil || vis.Granted("margin") == nil || vis.Granted("tenant") != nil || len(vis.OwnRights()) != 1 {
		t.Error("a filter may not name what the other roles grant")
	}
}

// A role that is not known to restrict refuses.
func TestOwnRolesFailClosed(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, withRoles("  clerk: {datasets: {orders: {}}}\n"), nil)
	const spec = `{"datasets": {"orders": {}}}`
	f := func(p principal.Principal, want string) {
		t.Helper()
		for range 2 { // a refusal is not remembered as anything else
			if v, err := cat.View(p); v != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v with %v: %v, want %s", p.Roles, slices.Sorted(maps.Keys(p.RoleSpecs)), err, want)
			}
		}
	}
	if _, err := cat.View(principal.Principal{Tenant: "acme", Roles: []string{"clerk"}}); err != nil {
		t.Fatal(err)
	}
	f(principal.Principal{Tenant: "acme", Roles: []string{"clerk", "gone"}}, `unknown role "gone"`)
	f(principal.Principal{AllTenants: true, Roles: []string{"own"}, RoleSpecs: map[string]string{"own": spec}}, `unknown role "own"`)
	f(principal.Principal{Tenant: "acme", Roles: []string{"clerk"}, RoleSpecs: map[string]string{"clerk": spec}}, "the tenant's own and the gateway's")
	f(principal.Principal{Tenant: "acme", Roles: []string{"clerk"}, RoleSpecs: map[string]string{"own": spec}}, "is not held")
	f(principal.Principal{Tenant: "acme", Roles: []string{"own"}, RoleSpecs: map[string]string{"own": "{}"}}, "grants nothing")
}

func TestCompileRole(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, withRoles("  clerk: {datasets: {orders: {}}}\n"), nil)
	f := func(tenant, name, spec string, want ...string) {
		t.Helper()
		role, err := catalog.CompileRole(cat, tenant, name, []byte(spec))
		if len(want) == 0 {
			if err != nil || role.Name != name {
				t.Errorf("%s for %s: %v", spec, tenant, err)
			}
			return
		}
		if role != nil || err == nil || fault.From(err).Code != fault.BadUserInput || fault.From(err).Message != strings.Join(want, "\n") {
			t.Errorf("%s for %s: %v, want\n%s", spec, tenant, err, strings.Join(want, "\n"))
		}
	}
	own := `{"datasets": {"orders": {"columns": ["id", "margin", "loyalty"], "filter": {"or": [{"margin": {"gt": 1.5}}, {"loyalty": {"isNull": true}}]}, "limit": 5}}}`
	f("acme", "own", own)
	f("globex", "own", own,
		"roles.own.datasets.orders.columns.2: orders has no column loyalty", "roles.own.datasets.orders.filter.or.1.loyalty: orders has no column loyalty")
	f("acme", "clerk", own, "the name clerk is one of the gateway's roles; choose another")
	f("acme", "a b", own, `"a b" is no name; use letters, digits, _ and -`)
	f("acme", "own", `{"datasets": {"orders": {"filter": {"customer": {"name": {"eq": "x"}}, "tenant": {"eq": "globex"}}}}}`,
		"roles.own.datasets.orders.filter.customer: orders has no column customer", "roles.own.datasets.orders.filter.tenant: orders has no column tenant")
	f("acme", "own", `{"datasets": {"orders": {"columns": [], "limit": 0, "aggregate": "yes", "filter": [], "more": 1}, "nothing": {}}, "inherits": []}`,
		"roles.own.datasets.orders.aggregate: must be true or false",
		`roles.own.datasets.orders.filter: must be an object such as {"region": {"eq": "EU"}}`,
		"roles.own.datasets.orders.more: unknown key; there are columns, filter, aggregate, limit, insert, update, delete and include_deleted",
		"roles.own.datasets.orders.columns: is empty; a role that may see nothing of the dataset leaves it out",
		"roles.own.datasets.orders.limit: must be a whole number from 1 to the dataset's maximum, 10000",
		"roles.own.datasets.orders.filter: must be a mapping such as {region: {eq: EU}}",
		"roles.own.datasets.nothing: there is no dataset nothing", "roles.own.inherits: unknown key; a role has `datasets`")
	f("acme", "own", `{"datasets": {"orders": {"insert": {"presets": {}, "columns": 1, "filter": {}}, "update": {"check": [], "filter": 1}, "delete": true, "include_deleted": 1}}}`,
		"roles.own.datasets.orders.insert.presets: unknown key; there are columns, check", "roles.own.datasets.orders.insert.columns: must be a list of names",
		"roles.own.datasets.orders.insert.filter: unknown key; there are columns, check",
		`roles.own.datasets.orders.update.check: must be an object such as {"region": {"eq": "EU"}}`, `roles.own.datasets.orders.update.filter: must be an object such as {"region": {"eq": "EU"}}`,
		"roles.own.datasets.orders.delete: must be an object", "roles.own.datasets.orders.include_deleted: must be true or false",
		"roles.own.datasets.orders.insert: nothing of orders may be written in this way",
		"roles.own.datasets.orders.insert.columns: is empty, so nothing could be written; leave it out for all that the role shows",
		"roles.own.datasets.orders.update: nothing of orders may be written in this way",
		"roles.own.datasets.orders.update.filter: must be a mapping such as {region: {eq: EU}}", "roles.own.datasets.orders.update.check: must be a mapping such as {region: {eq: EU}}",
		"roles.own.datasets.orders.delete: nothing of orders may be written in this way")
	f("acme", "own", `{"datasets": {"orders": {"include_deleted": true}}}`, "roles.own.datasets.orders.include_deleted: orders keeps no deleted rows")
	for _, limit := range []string{"-3", "1.5", `"5"`, "null", "10001", "12345678901234567890"} {
		f("acme", "own", `{"datasets": {"orders": {"limit": `+limit+`}}}`, "roles.own.datasets.orders.limit: must be a whole number from 1 to the dataset's maximum, 10000")
	}
	f("acme", "own", `{"datasets": {"orders": {}, "orders": {}}}`, `own: it is no JSON that can be read: the name "orders" is there twice`)
	f("acme", "own", `[]`, "roles.own: must be an object")
	f("acme", "own", `{"datasets": {"orders": {"filter": {"id": {"eq": "$nothing"}}}}}`,
		"roles.own.datasets.orders.filter.id.eq: $nothing: there is no parameter nothing")
}
