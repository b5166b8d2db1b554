package inspect

import (
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
	"usher/setup"
)

// mixed tells whether rows of several tenants are in a dataset's table of a source.
func mixed(source *catalog.Source, d *catalog.Dataset, b *catalog.Binding) bool {
	_, own := tenantColumn(d, b)
	return !d.Common && !source.Template && (own || d.Parent != nil)
}

// unjudged says, in a line, by what a row that is written may reach other tenants' rows without anybody's judgement: columns
// that look like references and are held by nothing, and triggers.
func unjudged(cat *catalog.Catalog, source *catalog.Source, d *catalog.Dataset, b *catalog.Binding, held map[string]catalog.Table, names *setup.Pointing) []string {
	if !mixed(source, d, b) {
		return nil
	}
	var said []string
	if columns, helps := unheld(cat, source, d, b, held, names); len(columns) > 0 {
		said = append(said, fmt.Sprintf("%s %s held by no foreign key and no relation: ids of other tenants' rows are taken, which views that join by them, and triggers, may show or change; %s",
			strings.Join(columns, ", "), either(columns, "looks like a reference and is", "look like references and are"), strings.Join(helps, "; ")))
	}
	if t := held[catalog.TableKey(b.Schema, b.Table)]; len(t.Reaching) > 0 {
		said = append(said, fmt.Sprintf("of its triggers %s may read or change other rows, of this table as well, and nobody judges whose: they are safe only where all that they read and change, in whichever table, is confined to the tenant of the row that they run for", strings.Join(t.Reaching, ", ")))
	}
	if said == nil {
		return nil
	}
	return []string{fmt.Sprintf("datasets.%s: %s", d.Name, strings.Join(said, "; and "))}
}

// unheld are the columns that are given a value, look like references, and are held by nothing; and what helps.
func unheld(cat *catalog.Catalog, source *catalog.Source, d *catalog.Dataset, b *catalog.Binding, held map[string]catalog.Table, names *setup.Pointing) (columns, helps []string) {
	var relations, free []string // free: no relation can hold them
	for _, p := range names.Unheld(catalog.TableKey(b.Schema, b.Table)) {
		i := slices.IndexFunc(d.Columns, func(col *catalog.Column) bool { s := b.Columns[col.Name]; return !s.Missing && s.Name == p.Column })
		if i < 0 || d.Columns[i] == d.Owner() || d.ByReference(d.Columns[i]) || !given(cat, d, d.Columns[i]) {
			continue
		}
		col := d.Columns[i]
		columns = append(columns, col.Name)
		to, key := led(cat, source, held, p)
		switch {
		case to != nil:
			relations = append(relations, fmt.Sprintf("%s: {to: %s, on: {%s: %s}}", relationName(d, col, relations), setup.Scalar(to.Name), setup.Scalar(col.Name), setup.Scalar(key.Name)))
		case p.Kind != "":
			free = append(free, col.Name+" (by "+p.Kind+" it leads to several tables)")
		default:
			free = append(free, col.Name)
		}
	}
	if relations != nil {
		helps = append(helps, "`relations: {"+strings.Join(relations, ", ")+"}` would hold "+either(relations, "it", "them")+" (another's is NOT_FOUND)")
	}
	if free != nil {
		helps = append(helps, "no relation to what is served holds "+strings.Join(free, ", ")+": where that matters leave "+either(free, "it", "them")+" out of the `columns` that roles write, preset "+either(free, "it", "them")+", or make "+either(free, "it no column", "them no columns")+" of the dataset")
	}
	return columns, helps
}

// led is the dataset whose row a column leads to, if one is served, and the column there that names the row.
func led(cat *catalog.Catalog, source *catalog.Source, held map[string]catalog.Table, p setup.Pointer) (*catalog.Dataset, *catalog.Column) {
	for _, to := range cat.Datasets {
		b := to.Bindings[source.Name]
		if b == nil || p.Key == "" || p.Kind != "" || catalog.TableKey(b.Schema, b.Table) != p.To {
			continue
		}
		key := slices.DeleteFunc(slices.Clone(to.Key), func(col *catalog.Column) bool { return col == to.Tenant })
		if len(key) == 1 && b.Columns[key[0].Name].Name == p.Key {
			return to, key[0]
		}
		tenant, _ := tenantColumn(to, b)
		tells := slices.ContainsFunc(held[p.To].UniqueSets(), func(set []string) bool {
			return slices.Contains(set, p.Key) && !slices.ContainsFunc(set, func(name string) bool { return name != p.Key && name != tenant })
		})
		i := slices.IndexFunc(to.Columns, func(col *catalog.Column) bool { s := b.Columns[col.Name]; return !s.Missing && s.Name == p.Key })
		if tells && i >= 0 {
			return to, to.Columns[i]
		}
	}
	return nil, nil
}

// relationName is a name for the relation of a column that is free.
func relationName(d *catalog.Dataset, col *catalog.Column, others []string) string {
	name := setup.Referred(col.Name)
	for !d.FreeField(name) || slices.ContainsFunc(others, func(other string) bool { return strings.HasPrefix(other, name+":") }) {
		name += "_row"
	}
	return name
}

// given tells whether somebody may give a column a value.
func given(cat *catalog.Catalog, d *catalog.Dataset, col *catalog.Column) bool {
	insert, update := d.Writes.Gives(col, false)
	if insert, update = insert && d.Writes.Inserts(), update && d.Writes.Update; len(cat.Roles) == 0 {
		return insert || update
	}
	covers := func(op string, of func(*catalog.Right) *catalog.WriteGrant) bool {
		return slices.ContainsFunc(granting(cat, d, op), func(r *catalog.Role) bool { return of(r.Datasets[d.Name]).Covers(col.Name) })
	}
	return insert && covers(catalog.InsertRows, func(r *catalog.Right) *catalog.WriteGrant { return r.Insert }) ||
		update && covers(catalog.UpdateRows, func(r *catalog.Right) *catalog.WriteGrant { return r.Update })
}

func either(of []string, one, several string) string {
	if len(of) == 1 {
		return one
	}
	return several
}
