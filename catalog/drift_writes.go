package catalog

import (
	"slices"
	"strings"
)

// WriteDrift says how a table, which stands where another was looked into, must not be
// written to though that one may: rows of tenants could collide in it, or it takes
// others along.
func (d *Dataset) WriteDrift(b *Binding, tables []Table) []string {
	i := slices.IndexFunc(tables, func(t Table) bool { return t.Name == b.Table })
	if i < 0 || !d.WritableIn(b) {
		return nil
	}
	t, work := tables[i], &draft{Dataset: d}
	var out []string
	for _, by := range t.colliding() {
		if k := work.uniqueKey(b, by, t, d.Common); !t.hides() && !k.Tenant && !k.Made && !d.Writes.GlobalKeys {
			out = append(out, work.collides(b, t, k, true))
		}
	}
	if t.hides() != b.Target.Unsure || t.Triggers && !b.Target.Triggers {
		out = append(out, sqlTable(b)+" is "+t.kindText()+", or has triggers, and the table that was looked into is not so")
	}
	if !d.Writes.Delete {
		return out
	}
	for _, r := range t.Referrers {
		known := slices.ContainsFunc(b.Target.Referrers, func(k *Reference) bool {
			return k.at.Schema == r.Schema && k.at.Table == r.Table && k.OnDelete == r.OnDelete && slices.Equal(k.at.Columns, r.Columns) && slices.Equal(k.at.Sets, r.Sets)
		})
		if r.OnDelete != NoAction && !known {
			out = append(out, "deleting changes rows of "+quotedName(r.Schema)+"."+quotedName(r.Table)+" (ON DELETE "+strings.ToUpper(string(r.OnDelete))+
				"), which it does not in the table that was looked into")
		}
	}
	return out
}
