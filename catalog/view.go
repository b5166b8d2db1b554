package catalog

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// View is what one principal may see of a catalog. Schema and plan both ask
// it, so what cannot be seen cannot be planned either. Principals with the
// same rights share a Key.
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
	rights    []*Right // of the principal's roles; empty when the catalog has no roles
}

// View is the view of a principal, as NewView computes it, kept for the next
// principal with the same rights. It is read-only.
func (c *Catalog) View(allTenants bool, roles, datasets []string) (*View, error) {
	if c.views == nil {
		return c.NewView(allTenants, roles, datasets)
	}
	key := viewKey{allTenants: allTenants}
	if len(roles) > 0 || datasets != nil {
		key.rest = fmt.Sprintf("%q %t %q", roles, datasets != nil, datasets)
	}
	c.views.mu.RLock()
	v := c.views.known[key]
	c.views.mu.RUnlock()
	if v != nil {
		return v, nil
	}
	v, err := c.NewView(allTenants, roles, datasets)
	if err != nil {
		return nil, err
	}
	c.views.mu.Lock()
	defer c.views.mu.Unlock()
	if c.views.known == nil || len(c.views.known) >= maxViews {
		c.views.known = make(map[viewKey]*View) // rights of tokens are few; whoever makes many pays by computing them again
	}
	c.views.known[key] = v
	return v, nil
}

// maxViews bounds the views kept.
const maxViews = 256

type viewKey struct {
	allTenants bool
	rest       string
}

// viewCache keeps views; the catalog they are of never changes.
type viewCache struct {
	mu    sync.RWMutex
	known map[viewKey]*View
}

// NewView computes the view of a principal: allTenants shows tenant columns,
// roles must all exist in the catalog, datasets narrows to those named (nil:
// no narrowing). A catalog without roles shows everything; a catalog with
// roles shows a principal without any of them nothing.
func (c *Catalog) NewView(allTenants bool, roles, datasets []string) (*View, error) {
	v := &View{datasets: make(map[string]*Visible)}
	roles = slices.Compact(slices.Sorted(slices.Values(roles)))
	for _, name := range roles {
		if c.Roles[name] == nil {
			return nil, fmt.Errorf("unknown role %q", name)
		}
	}
	for _, name := range datasets {
		if c.Dataset(name) == nil {
			return nil, fmt.Errorf("unknown dataset %q", name)
		}
	}
	for _, d := range c.Datasets {
		if datasets != nil && !slices.Contains(datasets, d.Name) {
			continue
		}
		if vis := c.visible(d, allTenants, roles); vis != nil {
			v.datasets[d.Name] = vis
			v.names = append(v.names, d.Name)
		}
	}
	v.Key = v.fingerprint(c.Generation)
	return v, nil
}

func (c *Catalog) visible(d *Dataset, allTenants bool, roles []string) *Visible {
	vis := &Visible{Dataset: d, columns: make(map[string]bool)}
	if len(c.Roles) == 0 {
		vis.Aggregate = true
	} else {
		for _, name := range roles {
			if right := c.Roles[name].Datasets[d.Name]; right != nil {
				vis.rights = append(vis.rights, right)
				vis.Aggregate = vis.Aggregate || right.Aggregate
			}
		}
		if len(vis.rights) == 0 {
			return nil
		}
	}
	for _, col := range d.Columns {
		if col == d.Tenant && !allTenants && !col.Expose {
			continue
		}
		if len(c.Roles) == 0 || slices.ContainsFunc(vis.rights, func(r *Right) bool { return r.Grants(col.Name) }) {
			vis.columns[col.Name] = true
		}
	}
	if len(vis.columns) == 0 {
		return nil
	}
	return vis
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

// Limits are how many rows the principal gets without asking, and at most.
func (d *Visible) Limits() (standard, most int) {
	most = d.Dataset.MaxLimit
	if len(d.rights) > 0 {
		byRole := 0
		for _, r := range d.rights {
			if r.Limit == 0 {
				byRole = most
			}
			byRole = max(byRole, r.Limit)
		}
		most = min(most, byRole)
	}
	return min(d.Dataset.Limit, most), most
}

// Relation returns a relation to a visible dataset, or nil.
func (v *View) Relation(d *Visible, name string) (*Relation, *Visible) {
	rel := d.Dataset.Relation(name)
	if rel == nil {
		return nil, nil
	}
	to := v.datasets[rel.To.Name]
	if to == nil || rel.Through != nil && v.datasets[rel.Through.Name] == nil {
		return nil, nil
	}
	return rel, to
}

// Measure returns a measure all of whose columns are visible, or nil.
func (v *View) Measure(d *Visible, name string) *Measure {
	m := d.Dataset.Measure(name)
	if m == nil || !d.Aggregate || !v.sees(d, m.Expr) {
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
	return !slices.ContainsFunc(e.Args, func(a *Expr) bool { return !v.sees(d, a) })
}

// fingerprint is equal for views that show the same; it names what is visible,
// not whose it is.
func (v *View) fingerprint(generation uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", generation)
	for _, name := range v.names {
		d := v.datasets[name]
		fmt.Fprintf(&b, ";%s,%t", name, d.Aggregate)
		for _, col := range d.Columns() {
			b.WriteByte(',')
			b.WriteString(col.Name)
		}
	}
	return b.String()
}
