package setup

import (
	"bytes"
	"fmt"
	"slices"

	"usher/catalog"
)

// nobodys tells whether rows of a tenant's table may have none, and says how many the database believes have none:
// "" where it does not say. Of views, of which no column promises anything, nothing is said.
func (d *Draft) nobodys(t *table, ds *catalog.Dataset) (number string, some, may bool) {
	if ds.Tenant == nil || ds.Parent != nil || t.view || t.registry {
		return "", false, false
	}
	c := d.stored(t, ds, ds.Tenant)
	if c.Nulls == nil {
		return "", false, c.Nullable
	}
	return fmt.Sprintf("about %.0f", *c.Nulls), *c.Nulls >= 0.5, c.Nullable
}

// forAll tells of the rows of a tenants' table that have none, and writes them, behind #, as a dataset of their own, unless
// they look like somebody's all the same.
func (d *Draft) forAll(out *bytes.Buffer, t *table, ds *catalog.Dataset, number string) {
	if number != "" {
		number = " (the database's statistics: " + number + ")"
	}
	column := d.column(ds, ds.Tenant)
	fmt.Fprintf(out, "  # Rows of %s whose %s is null are shown to no tenant%s.\n", oneLine(d.called(t)), oneLine(column), number)
	columns, some := t.harmless(true)
	if !some || t.othersToo(d.tables) || len(columns) > 0 && !slices.Contains(columns, "  "+Scalar(column)+": {}") {
		fmt.Fprintf(out, "  # They look like somebody's, or cannot be told apart, so nothing is proposed for them.\n\n")
		return
	}
	fmt.Fprintf(out, "  # Should everybody see them, remove the # here.\n  # %s:\n", Scalar(d.free(t.dataset+"_for_all")))
	lines := []string{"common: true", fmt.Sprintf("filter: {%s: {isNull: true}}", Scalar(column))}
	lines = append(append(d.deletion(t, ds).among(lines), columns...), "relations: {}")
	b := d.binding(t)
	if b == (binding{}) {
		b.table = t.Name
	}
	for _, line := range append(lines, "bind: "+d.bind(b)) {
		fmt.Fprintf(out, "  #   %s\n", line)
	}
	out.WriteByte('\n')
}

// Tenantless names the tables of which rows may have no tenant, with how many have none where the database says it, and
// without those of which it says that none does.
func (d *Draft) Tenantless() []string {
	var out []string
	for _, t := range d.tables {
		if number, has := d.lacksTenants(t); has && number != "" {
			out = append(out, fmt.Sprintf("%s (%s)", d.called(t), number))
		} else if has {
			out = append(out, d.called(t))
		}
	}
	return out
}

// lacksTenants tells whether rows of a table that is served may have no tenant, and how many.
func (d *Draft) lacksTenants(t *table) (number string, has bool) {
	ds := d.datasetOf(t)
	if ds == nil || t.leftOut != "" {
		return "", false
	}
	number, some, may := d.nobodys(t, ds)
	return number, may && (some || number == "")
}

// Below names the tables whose rows belong to those of tables of which rows may have no tenant: they are nobody's with these.
func (d *Draft) Below() []string {
	var out []string
	for _, t := range d.tables {
		if d.datasetOf(t) == nil || t.leftOut != "" || t.parent == nil {
			continue
		}
		top := t
		for top.parent != nil {
			top = top.parent.to
		}
		if _, has := d.lacksTenants(top); has {
			out = append(out, d.called(t))
		}
	}
	return out
}
