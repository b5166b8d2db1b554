package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"usher/query"

	"usher/fault"
	"usher/principal"
)

// View is what one principal may see of a catalog. Schema and plan both ask
// it, so what cannot be seen cannot be planned either. Views that show the same
// share a Key, whosesoever they are.
type View struct {
	Key      string
	datasets map[string]*Visible
	names    []string
}

// Visible is the part of a dataset that a view shows.
type Visible struct {
	Dataset   *Dataset
	Aggregate bool
	columns   map[string]bool
	granted   map[string]bool // columns before own roles restrict them; nil: none does
	hidden    map[string]bool // relations and measures that are only other tenants'
	rights    []*Right        // of the principal's roles; empty when the catalog has no roles
	own       []*Right        // of its tenant's own roles; empty when it holds none
	writing   *Writing        // nil: it writes nothing
}

// View is the view of a principal, kept for the next one with the same rights:
// it depends on the tenant's shape, not on the tenant. It is read-only. Every
// role of the principal must be one of the catalog's, or one of its tenant's
// own, whose specs the principal carries; every dataset of its grant must
// exist, or be left out for now.
//
// A catalog without roles shows everything that is for everybody or for the
// tenant; a catalog with roles shows a principal without any of them nothing.
// Roles of the catalog add up, and so do the tenant's own; but own roles only
// restrict what the others, or all, show.
func (c *Catalog) View(p principal.Principal) (*View, error) {
	if c.views == nil {
		return c.view(p)
	}
	key := c.viewKey(p)
	if v, ok := c.views.Get(key); ok {
		return v, nil
	}
	v, err := c.view(p)
	if err == nil {
		c.views.Add(key, v, 1)
	}
	return v, err
}

// maxViews bounds the views kept. Rights are few, since tenants share them;
// whoever makes many pays by computing them again.
const maxViews = 1024

type viewKey struct {
	allTenants bool
	writes     bool
	shape      string
	rest       string
}

func (c *Catalog) viewKey(p principal.Principal) viewKey {
	key := viewKey{allTenants: p.AllTenants, writes: slices.Contains(p.Scopes, principal.WriteData), shape: c.ShapeOf(p.Tenant)}
	if len(p.Roles)+len(p.RoleSpecs) > 0 || p.Grant.Datasets != nil {
		roles := distinct(p.Roles)
		specs := make([]string, len(roles))
		for i, name := range roles {
			specs[i] = p.RoleSpecs[name]
		}
		key.rest = fmt.Sprintf("%q %q %d %t %q", roles, specs, len(p.RoleSpecs), p.Grant.Datasets != nil, distinct(p.Grant.Datasets))
	}
	return key
}

func distinct(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// Everything is a view that nobody has: of all roles, tenants and datasets. All
// others show parts of it.
func (c *Catalog) Everything() *View {
	v := &View{datasets: make(map[string]*Visible)}
	for _, d := range c.Datasets {
		vis := &Visible{Dataset: d, Aggregate: true, columns: make(map[string]bool)}
		for _, col := range d.Columns {
			vis.columns[col.Name] = true
		}
		vis.writing = vis.writingOf(true)
		v.datasets[d.Name] = vis
		v.names = append(v.names, d.Name)
	}
	v.Key = v.fingerprint()
	return v
}

func (c *Catalog) view(p principal.Principal) (*View, error) {
	v := &View{datasets: make(map[string]*Visible)}
	held, err := c.held(p)
	if err != nil {
		return nil, err
	}
	for _, name := range p.Grant.Datasets {
		if c.Dataset(name) == nil && !c.Unreached.LeftOut(name) {
			return nil, fmt.Errorf("unknown dataset %q", name)
		}
	}
	for _, d := range c.Datasets {
		if p.Grant.Datasets != nil && !slices.Contains(p.Grant.Datasets, d.Name) {
			continue
		}
		if vis := c.visible(d, p, held); vis != nil {
			v.datasets[d.Name] = vis
			v.names = append(v.names, d.Name)
		}
	}
	v.Key = v.fingerprint()
	return v, nil
}

// heldRoles are a principal's roles: the catalog's and its tenant's own.
type heldRoles struct{ roles, own []*Role }

// held finds the roles of a principal. A name that means two roles, or none, is
// an error: whoever holds it is not known to be restricted enough.
func (c *Catalog) held(p principal.Principal) (heldRoles, error) {
	var out heldRoles
	for _, name := range distinct(p.Roles) {
		role, spec := c.Roles[name], p.RoleSpecs[name]
		switch {
		case role != nil && spec != "":
			return out, fmt.Errorf("the role %q is the tenant's own and the gateway's", name)
		case role != nil:
			out.roles = append(out.roles, role)
		case spec == "" || p.Tenant == "":
			return out, fmt.Errorf("unknown role %q", name)
		default:
			own, err := CompileRole(c, p.Tenant, name, []byte(spec))
			if err != nil {
				return out, errors.New(fault.From(err).Message)
			}
			out.own = append(out.own, own)
		}
	}
	for name := range p.RoleSpecs {
		if !slices.Contains(p.Roles, name) {
			return out, fmt.Errorf("the role %q has a spec and is not held", name)
		}
	}
	return out, nil
}

// rightsOn are the rights of roles on a dataset.
func rightsOn(d *Dataset, roles []*Role) []*Right {
	var out []*Right
	for _, role := range roles {
		if right := role.Datasets[d.Name]; right != nil {
			out = append(out, right)
		}
	}
	return out
}

func mayAggregate(rights []*Right) bool {
	return slices.ContainsFunc(rights, func(r *Right) bool { return r.Aggregate })
}

func grants(rights []*Right, column string) bool {
	return slices.ContainsFunc(rights, func(r *Right) bool { return r.Grants(column) })
}

func (c *Catalog) visible(d *Dataset, p principal.Principal, held heldRoles) *Visible {
	vis := &Visible{Dataset: d, Aggregate: true, columns: make(map[string]bool), rights: rightsOn(d, held.roles), own: rightsOn(d, held.own)}
	restricted := len(held.own) > 0
	if len(c.Roles) > 0 {
		if len(vis.rights) == 0 {
			return nil
		}
		vis.Aggregate = mayAggregate(vis.rights)
	}
	if restricted {
		if len(vis.own) == 0 {
			return nil
		}
		vis.Aggregate = vis.Aggregate && mayAggregate(vis.own)
		vis.granted = make(map[string]bool)
	}
	for _, col := range d.Columns {
		switch {
		case col == d.Tenant && !p.AllTenants && !col.Expose, !col.Only.For(p.Tenant):
			continue
		case len(c.Roles) > 0 && !grants(vis.rights, col.Name):
			continue
		}
		if restricted {
			vis.granted[col.Name] = true
		}
		if !restricted || grants(vis.own, col.Name) {
			vis.columns[col.Name] = true
		}
	}
	if len(vis.columns) == 0 {
		return nil
	}
	vis.hide(p.Tenant)
	if slices.Contains(p.Scopes, principal.WriteData) && (!d.Common || p.AllTenants) {
		vis.writing = vis.writingOf(p.AllTenants)
	}
	return vis
}

// hide takes away the relations and measures that are only other tenants'.
func (d *Visible) hide(tenant string) {
	hidden := func(only Only, name string) {
		if only.For(tenant) {
			return
		}
		if d.hidden == nil {
			d.hidden = make(map[string]bool)
		}
		d.hidden[name] = true
	}
	for _, rel := range d.Dataset.Relations {
		hidden(rel.Only, rel.Name)
	}
	for _, m := range d.Dataset.Measures {
		hidden(m.Only, m.Name)
	}
}

// Grants tells whether the right covers a column.
func (r *Right) Grants(column string) bool { return r.Columns == nil || r.Columns[column] }

// Names lists the visible datasets, sorted.
func (v *View) Names() []string { return slices.Clone(v.names) }

// Dataset returns the visible part of a dataset, or nil.
func (v *View) Dataset(name string) *Visible { return v.datasets[name] }

// Column returns a visible column, or nil.
func (d *Visible) Column(name string) *Column {
	if !d.columns[name] {
		return nil
	}
	return d.Dataset.Column(name)
}

// Columns lists the visible columns in declared order.
func (d *Visible) Columns() []*Column {
	var out []*Column
	for _, col := range d.Dataset.Columns {
		if d.columns[col.Name] {
			out = append(out, col)
		}
	}
	return out
}

// Key lists the key columns when every one of them is visible; otherwise the
// dataset has no key for this principal and the list is nil.
func (d *Visible) Key() []*Column {
	for _, col := range d.Dataset.Key {
		if !d.columns[col.Name] && col != d.Dataset.Tenant {
			return nil
		}
	}
	var out []*Column
	for _, col := range d.Dataset.Key {
		if d.columns[col.Name] {
			out = append(out, col)
		}
	}
	return out
}

// Rights are the rights of the principal's roles on the dataset. Empty means
// that the catalog has no roles and everything may be read.
func (d *Visible) Rights() []*Right { return slices.Clone(d.rights) }

// OwnRights are the rights of its tenant's own roles, which restrict Rights.
// Empty means that it holds no such role.
func (d *Visible) OwnRights() []*Right { return slices.Clone(d.own) }

// Granted returns a column that the principal may see before own roles restrict
// it, or nil: what the filters of own roles may name.
func (d *Visible) Granted(name string) *Column {
	if !d.granted[name] {
		return nil
	}
	return d.Dataset.Column(name)
}

// Limits are how many rows the principal gets without asking, and at most.
func (d *Visible) Limits() (standard, most int) {
	most = min(limitOf(d.rights, d.Dataset.MaxLimit), limitOf(d.own, d.Dataset.MaxLimit))
	return min(d.Dataset.Limit, most), most
}

// limitOf is the most generous limit of some rights.
func limitOf(rights []*Right, most int) int {
	if len(rights) == 0 {
		return most
	}
	byRole := 0
	for _, r := range rights {
		byRole = max(byRole, cmp.Or(r.Limit, most))
	}
	return min(most, byRole)
}

// Relation returns a relation to a visible dataset, or nil.
func (v *View) Relation(d *Visible, name string) (*Relation, *Visible) {
	rel := d.Dataset.Relation(name)
	if rel == nil || d.hidden[name] {
		return nil, nil
	}
	to := v.datasets[rel.To.Name]
	if to == nil || rel.Through != nil && v.datasets[rel.Through.Name] == nil {
		return nil, nil
	}
	return rel, to
}

// Measure returns a measure all of whose columns are visible, those of its filter as well, or nil.
func (v *View) Measure(d *Visible, name string) *Measure {
	m := d.Dataset.Measure(name)
	if m == nil || !d.Aggregate || d.hidden[name] || !v.sees(d, m.Expr) {
		return nil
	}
	return m
}

func (v *View) sees(d *Visible, e *Expr) bool {
	if e.Op == ExprColumn {
		at := d
		for _, step := range e.Path {
			_, to := v.Relation(at, step)
			if to == nil {
				return false
			}
			at = to
		}
		return at.columns[e.Column]
	}
	return v.seesWhere(d, e.Filter) && !slices.ContainsFunc(e.Args, func(a *Expr) bool { return !v.sees(d, a) })
}

// seesWhere tells whether all that a where names is visible: what is counted by it tells of it, row by row where
// rows are grouped by their key.
func (v *View) seesWhere(d *Visible, where query.Value) bool {
	seen := true
	d.Dataset.named(where, func(of *Dataset, col *Column) {
		at := v.datasets[of.Name]
		seen = seen && at != nil && at.columns[col.Name]
	}, func(of *Dataset, rel *Relation) {
		if at := v.datasets[of.Name]; seen && at != nil {
			_, to := v.Relation(at, rel.Name)
			seen = to != nil
		} else {
			seen = false
		}
	})
	return seen
}

// fingerprint is equal for views that show the same; it names what is visible,
// not whose it is.
func (v *View) fingerprint() string {
	var b strings.Builder
	for _, name := range v.names {
		d := v.datasets[name]
		fmt.Fprintf(&b, ";%s,%t", name, d.Aggregate)
		for _, col := range d.Columns() {
			b.WriteByte(',')
			b.WriteString(col.Name)
		}
		d.writingText(&b)
		for _, rel := range d.Dataset.Relations {
			if seen, _ := v.Relation(d, rel.Name); seen != nil && rel.Only != nil {
				b.WriteString(",>" + rel.Name)
			}
		}
		for _, m := range d.Dataset.Measures {
			if m.Only != nil && v.Measure(d, m.Name) != nil {
				b.WriteString(",+" + m.Name)
			}
		}
	}
	return b.String()
}
