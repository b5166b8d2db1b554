package plan

import (
	"slices"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/value"
)

// A principal of all tenants names the tenant whose rows it writes, and the change is planned
// as that one's own: stamped with its key, confined to its rows, led to its source. So nothing
// can set another tenant, or imply one by what a row leads to. What it may write and
// what it is shown are its own rights, the tenant column among it.
//
// Without a name rows of all tenants are updated and deleted where they are told apart: by their
// key and their tenant together, which has to be the same afterwards.

// Tenant is a tenant as the registry knows it.
type Tenant struct {
	ID      string
	Key     string // in tenant columns
	Routing principal.Routing
}

// TenantArgument names the tenant whose rows are written.
const TenantArgument = "tenant"

// NamedTenant is the id of the tenant that a change names; false: it names none.
func NamedTenant(r query.Change) (string, bool) {
	id, _ := arguments(r.Field.Args).get(TenantArgument)
	text, ok := id.(query.Text)
	return string(text), ok
}

// BuildChangeOf makes the plan of a change of one tenant's rows by a principal of all
// tenants. A principal of one tenant names none.
func BuildChangeOf(t Tenant, r query.Change, cat *catalog.Catalog, p principal.Principal, now time.Time) (Change, error) {
	if !p.AllTenants || t.ID == "" || t.Key == "" {
		return Change{}, fault.New(fault.Forbidden, "whose rows are written is not for you to name")
	}
	d := cat.Dataset(r.Dataset)
	if d != nil && d.Common {
		return Change{}, fault.New(fault.BadUserInput, "rows of %s are no tenant's: they are common to all", d.Name)
	}
	view, err := cat.View(p)
	if err != nil {
		return Change{}, grantFault("%v", err)
	}
	p.AllTenants, p.Tenant, p.TenantKey, p.Routing = false, t.ID, t.Key, t.Routing
	return buildChange(r, cat, principal.Slotted{Principal: p}, changeOf{view: view}, now, nil)
}

// BuildChangeOfAll makes the plan of a change of rows of all tenants, but for those of whom nothing is
// written, which are named by their keys.
func BuildChangeOfAll(closed []string, r query.Change, cat *catalog.Catalog, p principal.Principal, now time.Time) (Change, error) {
	return buildChange(r, cat, principal.Slotted{Principal: p}, changeOf{closed: closed}, now, nil)
}

// ofOpen is true of rows of tenants of whom something is written. A row without a tenant is nobody's, so nobody writes it.
func (cb *changeBuilder) ofOpen(lb *levelBuilder) Expr {
	col := cb.vis.Dataset.Tenant
	if col == nil || !cb.p.AllTenants {
		return all(nil)
	}
	var open []Expr
	if col.Nullable {
		open = append(open, not(predicate(IsNull, lb.read(0, col))))
	}
	var keys []value.Value
	for _, key := range cb.closed {
		if v, err := value.Parse(col.Type, key); err == nil { // else no row has it
			keys = append(keys, v)
		}
	}
	if len(keys) > 0 {
		open = append(open, not(among(In, lb.read(0, col), keys)))
	}
	return all(open)
}

// namedTenant is what stands in the tenant column for whoever has named the tenant, where the
// source has no such column because all of its rows are that one's.
func (lb *levelBuilder) namedTenant(ref int, col *catalog.Column) (string, bool) {
	u := lb.uses[ref]
	if !lb.named || col != u.dataset.Tenant || !u.binding.Columns[col.Name].Missing || !col.Type.Text() || lb.l.refs[ref].target.Kind == catalog.API {
		return "", false
	}
	return lb.tenantKey(), true
}

// ofAll refuses what a principal of all tenants cannot do without a name.
func (cb *changeBuilder) ofAll() error {
	d := cb.vis.Dataset
	if !cb.p.AllTenants || d.Common {
		return nil
	}
	if _, given := cb.args.get(TenantArgument); given { // by no text, or somebody has not looked it up
		return cb.nameIt()
	}
	if d.Tenant != nil && !cb.c.kind.Inserts() && cb.c.kind != query.UpdateByKey && cb.c.kind != query.DeleteByKey && !cb.called() {
		return nil
	}
	return cb.nameIt()
}

func (cb *changeBuilder) nameIt() error {
	return fault.New(fault.Forbidden, "rows of %s are written as one tenant", cb.vis.Dataset.Name).
		WithHint("name the tenant whose rows they are: %s: …", TenantArgument)
}

// keyColumns are what tells rows apart: their key, and for whoever writes those of all
// tenants, within which a key holds, the tenant's too.
func (cb *changeBuilder) keyColumns() []*catalog.Column {
	d := cb.vis.Dataset
	if !cb.p.AllTenants || d.Tenant == nil || slices.Contains(d.Key, d.Tenant) {
		return d.Key
	}
	return append(slices.Clone(d.Key), d.Tenant)
}
