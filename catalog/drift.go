package catalog

import (
	"fmt"
	"slices"

	"usher/value"
)

// Drift is how a table is not what a dataset promises.
type Drift struct {
	Missing bool              // there is no such table
	Columns map[string]string // by column: how it differs
	Shared  []string          // datasets of which a row may be two tenants' now, since it may lead to two rows here
}

const notThere = "it is not there"

// Lacks tells whether a column differs in that the table has none of it.
func (d Drift) Lacks(column string) bool { return d.Columns[column] == notThere }

// Differs tells whether there is anything to say.
func (d Drift) Differs() bool { return d.Missing || len(d.Columns) > 0 || len(d.Shared) > 0 }

// Drift compares the tables of a schema with what the dataset promises of the
// one it is bound to.
func (d *Dataset) Drift(b *Binding, tables []Table) Drift {
	for _, t := range tables {
		if t.Name == b.Table && !t.Unread.All() {
			return d.driftOf(b, t)
		}
	}
	return Drift{Missing: true}
}

func (d *Dataset) driftOf(b *Binding, t Table) Drift {
	out := Drift{Columns: make(map[string]string)}
	for _, col := range d.Columns {
		stored := b.Columns[col.Name]
		if stored.Missing {
			continue
		}
		tc, ok := t.column(stored.Name)
		switch {
		case !ok && slices.Contains(t.Unread.Columns, stored.Name):
			out.Columns[col.Name] = t.Unread.Lacks("it", stored.Name)
		case !ok:
			out.Columns[col.Name] = notThere
		case col == d.Tenant && badTenant(tc) != "":
			out.Columns[col.Name] = "it is " + badTenant(tc)
		case stored.Form != formOf(col, tc) && (formOf(col, tc).Converted() || stored.Form == value.Address || stored.Form == value.InUTC):
			out.Columns[col.Name] = fmt.Sprintf("it is %s, which is read otherwise than the column is", tc.Native)
		default:
			if bad := differs(col, tc, t.View); bad != "" {
				out.Columns[col.Name] = bad
			}
		}
	}
	for _, r := range d.relied {
		if d.Bindings[r.source] == b && !(&draft{Dataset: d}).tellsApart(t, b, r.columns) {
			out.Shared = append(out.Shared, r.by)
		}
	}
	return out
}
