package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"usher/catalog"
	"usher/plan/plantest"
	"usher/principal"
)

const written = `
sources: {main: {kind: postgres, host: h, database: d, user: u}}
strategies: {shared: {kind: shared, source: main}}
roles:
  reader: {datasets: {orders: {}, prices: {}}}
  clerk:
    datasets:
      orders:
        columns: [id, region, note, made_by]
        filter: {region: {eq: north}}
        insert: {columns: [region, note], presets: {made_by: clerk}}
        update: {columns: [note]}
  boss: {datasets: {orders: {insert: {}, update: {check: {region: {neq: south}}}, delete: {filter: {note: {isNull: true}}}, include_deleted: true}, prices: {insert: {}, update: {}, delete: {}}}}
datasets:
  orders:
    tenant: tenant_id
    key: [tenant_id, id]
    writable: true
    version: version
    deleted: {at: gone}
    presets: {insert: {made_at: $now}}
    columns:
      {id: BigInt!, tenant_id: String!, region: String!, note: String, made_by: String, made_at: Timestamp, version: Int!, gone: Timestamp,
       special: {type: String, only_tenants: [acme]}}
  prices: {common: true, key: id, writable: true, columns: {id: Int!, price: Decimal}}
  fixed: {tenant: tenant_id, columns: {tenant_id: String!, a: Int}}
`

// mayWrite is what a view lets be written: +, ~ and - for inserting, changing and
// deleting, with the columns that may be given; ! behind those that must.
func mayWrite(v *catalog.View) string {
	var out []string
	for _, name := range v.Names() {
		d := v.Dataset(name)
		line := []string{name + ":"}
		if w := d.Writing(); w != nil {
			for i, g := range []*catalog.Granted{w.Insert, w.Update, w.Delete} {
				if g == nil {
					continue
				}
				part := []string{"+~-"[i : i+1]}
				for _, col := range g.Columns {
					if i == 0 && w.Of.Required(col) {
						part = append(part, col.Name+"!")
					} else {
						part = append(part, col.Name)
					}
					if g.Column(col.Name) != col {
						part = append(part, "?")
					}
				}
				line = append(line, strings.Join(part, " "))
			}
		}
		if d.IncludesDeleted() {
			line = append(line, "deleted")
		}
		out = append(out, strings.Join(line, " "))
	}
	return strings.Join(out, "\n")
}

func writer(tenant string, roles ...string) principal.Principal {
	return principal.Principal{
		Tenant: tenant, TenantKey: tenant, AllTenants: tenant == "", Roles: roles,
		Scopes: []principal.Scope{principal.ReadData, principal.WriteData},
	}
}

func TestWhatMayBeWritten(t *testing.T) {
	t.Parallel()
	withRoles := plantest.Catalog(t, written, nil)
	head, rest, _ := strings.Cut(written, "roles:\n")
	_, datasets, _ := strings.Cut(rest, "\ndatasets:")
	open := plantest.Catalog(t, head+"datasets:"+datasets, nil)
	reading := writer("acme", "boss")
	reading.Scopes = []principal.Scope{principal.ReadData, principal.Administer, principal.CreateTokens, principal.Explain}
	narrowed := writer("acme", "boss")
	narrowed.Grant.Datasets = []string{"prices"}
	own := func(spec string, roles ...string) principal.Principal {
		p := writer("acme", append(roles, "own")...)
		p.RoleSpecs = map[string]string{"own": spec}
		return p
	}
	const everyColumn = "id! region! note made_by"
	for name, c := range map[string]struct {
		of   *catalog.Catalog
		p    principal.Principal
		want string
	}{
		"without roles, a tenant": {open, writer("acme"), "fixed:\norders: + " + everyColumn + " special ~ id region note made_by special -\nprices:"},
		"another tenant":          {open, writer("globex"), "fixed:\norders: + " + everyColumn + " ~ id region note made_by -\nprices:"},
		"all tenants":             {open, writer(""), "fixed:\norders: + " + everyColumn + " ~ id region note made_by -\nprices: + id! price ~ id price -"},
		"without the scope":       {withRoles, reading, "orders: deleted\nprices:"},
		"no role":                 {withRoles, writer("acme"), ""},
		"reader":                  {withRoles, writer("acme", "reader"), "orders:\nprices:"},
		"clerk":                   {withRoles, writer("acme", "clerk"), "orders: + region! note ~ note"},
		"boss":                    {withRoles, writer("acme", "boss"), "orders: + " + everyColumn + " special ~ id region note made_by gone special - deleted\nprices:"},
		"boss of all":             {withRoles, writer("", "boss"), "orders: + " + everyColumn + " ~ id region note made_by gone - deleted\nprices: + id! price ~ id price -"},
		"narrowed":                {withRoles, narrowed, "prices:"},
		// A role of the tenant's own restricts: what it does not grant, nobody has by another.
		"own role that reads":  {withRoles, own(`{"datasets": {"orders": {}}}`, "boss"), "orders:"},
		"own role that writes": {withRoles, own(`{"datasets": {"orders": {"insert": {"columns": ["region"]}, "update": {}, "include_deleted": true}}}`, "boss"), "orders: + region! ~ id region note made_by gone special deleted"},
		"own role of a clerk": {
			withRoles, own(`{"datasets": {"orders": {"columns": ["note"], "update": {"check": {"note": {"neq": "x"}}}, "delete": {}}}}`, "clerk"),
			"orders: ~ note",
		},
		"own role without roles": {open, own(`{"datasets": {"orders": {"delete": {"filter": {"note": {"eq": "x"}}}}}}`), "orders: -"},
	} {
		v, err := c.of.View(c.p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := mayWrite(v); got != c.want {
			t.Errorf("%s may\n%s\nwant\n%s", name, got, c.want)
		}
	}
	if got := mayWrite(open.Everything()); got != "fixed:\norders: + "+everyColumn+" special ~ id region note made_by special -\nprices: + id! price ~ id price -" {
		t.Errorf("everything is\n%s", got)
	}
}

// The filter of one role never goes with the check or the columns of another: each
// grant stands for itself, and what a role leaves out is its own filter.
func TestGrantsStandAlone(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, written, nil)
	v, err := cat.View(writer("acme", "clerk", "boss", "reader"))
	if err != nil {
		t.Fatal(err)
	}
	w := v.Dataset("orders").Writing()
	var got []string
	for i, granted := range []*catalog.Granted{w.Insert, w.Update, w.Delete} {
		for _, g := range granted.Roles {
			var presets []string
			for _, p := range g.Presets {
				presets = append(presets, p.Column.Name+"="+queryText(p.Value))
			}
			got = append(got, strings.Join([]string{
				[]string{"insert", "update", "delete"}[i], g.Role, "filter", queryText(g.Filter), "check", queryText(g.Check), strings.Join(presets, ","),
			}, " "))
			if g.Covers("note") != true || g.Covers("region") != (g.Role == "boss" || i == 0) || g.Role == "clerk" && g.Covers("made_by") {
				t.Errorf("%s covers what it should not, or not what it should", got[len(got)-1])
			}
		}
		if granted.Own != nil {
			t.Errorf("there are grants of own roles: %v", granted.Own)
		}
	}
	want := []string{
		`insert boss filter none check none `, `insert clerk filter none check {region: {eq: "north"}} made_by="clerk"`,
		`update boss filter none check {region: {neq: "south"}} `, `update clerk filter {region: {eq: "north"}} check {region: {eq: "north"}} `,
		`delete boss filter {note: {isNull: true}} check none `,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the grants are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Views that let something else be written are not the same view, and one that was kept
// for a reader is not a writer's.
func TestWritersHaveViewsOfTheirOwn(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, written, nil)
	keys := make(map[string]string)
	reading := writer("acme", "boss")
	reading.Scopes = []principal.Scope{principal.ReadData}
	for name, p := range map[string]principal.Principal{
		"reading": reading, "boss": writer("acme", "boss"), "reader": writer("acme", "reader"), "of all": writer("", "boss"),
	} {
		v, err := cat.View(p)
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := keys[v.Key]; taken {
			t.Errorf("%s and %s share a view", name, other)
		}
		keys[v.Key] = name
	}
	for range 2 {
		for _, p := range []principal.Principal{reading, writer("acme", "boss")} {
			if v, _ := cat.View(p); (v.Dataset("orders").Writing() != nil) != slices.Contains(p.Scopes, principal.WriteData) {
				t.Errorf("with the scopes %v writing is %v", p.Scopes, v.Dataset("orders").Writing())
			}
		}
	}
}

// What a tenant's numbers could tell of others, or take from them, no tenant gives.
func TestTenantsGiveNoGlobalNumbers(t *testing.T) {
	t.Parallel()
	const file = `
sources: {main: {kind: postgres, host: h, database: d, user: u}}
strategies: {shared: {kind: shared, source: main}}
datasets: {orders: {tenant: tenant, writable: true, global_keys: GLOBAL}}
`
	tables := parseTables(t, `main public.orders
  tenant|String!|text
  id|Int!|integer|serial
  code|UUID!|uuid|random
  kind|String!|text|default
  always|Int!|integer|always
  name|String!|text
  primary id
  unique code tenant
  unique always
`)
	for _, global := range []string{"false", "true"} {
		cat := plantest.Catalog(t, strings.ReplaceAll(file, "GLOBAL", global), tables)
		for tenant, want := range map[string]string{
			"acme": "orders: + code kind name! ~ code kind name -",
			"":     "orders: + id code kind name! ~ id code kind name -",
		} {
			v, err := cat.View(writer(tenant))
			if err != nil {
				t.Fatal(err)
			}
			if got := mayWrite(v); got != want {
				t.Errorf("%q may %s, want %s", tenant, got, want)
			}
		}
	}
}
