package catalog

import (
	"maps"
	"slices"
	"strings"
)

// offered notes what the file says of writing and nobody is offered, since it could not be done.
func (c *compiler) offered(d *draft) {
	w, at := d.Writes, d.at.in("writable")
	if w == nil {
		return
	}
	if len(d.Key) == 0 && !d.Unsettled && len(d.Columns) > 0 {
		at.note("%s has no key, so no mutation of it is offered: what was written is found again by the key, and what is changed is named by it; %s", d.Name, d.keysToBe())
		return
	}
	if !w.Insert {
		return
	}
	places, lacking := d.writtenIn(), 0
	say := func(at place, source string, b *Binding) {
		switch {
		case !d.WritableIn(b):
		case b.Target.first():
			lacking++
			at.note("insert of %s cannot succeed in %s: the row of %s by which one is a tenant's has to be there before, and its foreign key to %s lets it be there only afterwards; give %s a tenant column, or leave insert out of `writable`",
				d.Name, source, d.Parent.To.Name, sqlTable(b), sqlTable(b))
		case len(b.Target.unfilled) > 0:
			lacking++
			at.note("insert of %s cannot succeed in %s: of %s %s NOT NULL, without a default and not among the dataset's columns; give it a default, or make it a column of the dataset, which a preset or whoever inserts fills in",
				d.Name, source, sqlTable(b), areOrIs(b.Target.unfilled))
		}
	}
	for _, source := range d.sources {
		say(at, source, d.Bindings[source])
	}
	for _, id := range slices.Sorted(maps.Keys(d.own)) {
		say(d.own[id].at, d.own[id].Source, &d.own[id].Binding)
	}
	w.unfillable = lacking > 0 && lacking == len(places)
}

// first tells whether a row has to be there before the one can be that it is a tenant's by: that one refers to it.
func (t *Target) first() bool {
	return slices.ContainsFunc(t.Referrers, func(r *Reference) bool { return r.backs })
}

func areOrIs(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, ", ") + " are"
}

// keysToBe says what could be the key of a dataset that has none.
func (d *draft) keysToBe() string {
	var keys []string
	t, _ := d.main()
	for _, set := range t.UniqueSets() {
		var names []string
		for _, physical := range set {
			col := d.storedAs(physical)
			if tc, ok := t.column(physical); col == nil || !ok || tc.Nullable || !col.Type.Groupable() || d.merges(col) || col.Only != nil {
				names = nil
				break
			}
			if col != d.Tenant || len(set) == 1 {
				names = append(names, col.Name)
			}
		}
		switch len(names) {
		case 0:
		case 1:
			keys = append(keys, "`key: "+names[0]+"`")
		default:
			keys = append(keys, "`key: ["+strings.Join(names, ", ")+"]`")
		}
	}
	if keys == nil {
		return "no UNIQUE constraint of NOT NULL columns that it has could be its `key`: give the table one, or serve the columns of one"
	}
	return "say " + strings.Join(keys, " or ") + ", which a UNIQUE constraint keeps"
}

// unfilled are the columns of a table that keep rows of the dataset from being inserted.
func (d *draft) unfilled(b *Binding, t Table) []string {
	if t.hides() || t.Fills {
		return nil
	}
	var out []string
	for _, tc := range t.Columns {
		if !tc.Nullable && tc.Default == NoDefault && d.columnsIn(b, []string{tc.Name}) == nil {
			out = append(out, tc.Name)
		}
	}
	return out
}
