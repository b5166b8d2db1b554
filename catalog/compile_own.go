package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// ownDraft is a tenant's own binding in the making.
type ownDraft struct {
	*Own
	at    place
	spec  OwnSpec
	table Table
	known bool // the source was asked for it, and table is what it said
}

// owns finds where tenants have tables of their own of the dataset. A source
// that says it has no such table refuses the questions of that tenant, and of
// nobody else; what is wrong in the configuration itself is a problem.
func (c *compiler) owns(d *draft) {
	for _, id := range slices.Sorted(maps.Keys(c.spec.Tenants)) {
		spec, ok := c.spec.Tenants[id].Bind[d.Name]
		if !ok {
			continue
		}
		at := c.at("tenants", id, "bind", d.Name)
		src := c.catalog.Sources[spec.Source]
		switch {
		case d.Common:
			at.problem("%s is common: its rows are everybody's, from one place", d.Name)
			continue
		case src == nil:
			at.in("source").problem("%s", unknown("source", spec.Source, c.catalog.Sources))
			continue
		}
		o := &ownDraft{Own: &Own{Tenant: id, Source: src.Name}, at: at, spec: spec}
		o.Binding = *c.ownBinding(at, src, d.storedName(), spec)
		if tables, asked := c.tables[src.Name]; asked {
			if o.table, o.known = lookupOwn(src, tables, &o.Binding); !o.known && o.table.Unread.All() {
				at.note("%s; this tenant's questions are refused until then", o.table.Unread.Lacks("the table "+tableName(&o.Binding)))
			} else if !o.known {
				at.note("%s has no table %s that its account may read, so this tenant's questions are refused", src.Name, cmp.Or(o.Path, tableName(&o.Binding)))
			}
		}
		d.own[id], d.Own[id] = o, o.Own
	}
}

// has tells whether the table has a column: those that are only some tenants' stand in
// a table of theirs and, but for extra ones, where records may lead them.
func (o *ownDraft) has(col *Column) bool {
	if o.Name != "" {
		return !col.Extra
	}
	return col.Only.For(o.Tenant)
}

func (c *compiler) ownBinding(at place, src *Source, dataset string, spec OwnSpec) *Binding {
	in := BindingSpec{Schema: spec.Schema, Table: spec.Table, Path: spec.Path, Rows: spec.Rows, Dataset: spec.Dataset}
	if src.API.Plugin != nil {
		return idBinding(at, src.Name, dataset, in)
	}
	if spec.Dataset != "" {
		at.problem("%s is no plugin; `dataset` names one of a plugin's", src.Name)
	}
	if src.Kind == API {
		b, _ := c.pathBinding(at, src, dataset, in)
		return b
	}
	b := tableBinding(at, src, dataset, in)
	tenantOnly(at.in("schema"), src.Template, b.Schema)
	return b
}

func lookupOwn(src *Source, tables map[string]Table, b *Binding) (Table, bool) {
	if src.Kind == API {
		t, ok := tables[b.Path]
		return t, ok
	}
	return lookup(tables, b)
}

// extras adds the columns that only tenants' own tables have. Tenants that name
// one alike share it: it is one column of the dataset, for these tenants only.
func (c *compiler) extras(d *draft) {
	declared := make(map[string]ColumnSpec)
	for _, id := range slices.Sorted(maps.Keys(d.own)) {
		o := d.own[id]
		for _, e := range o.spec.Extra {
			at, spec := o.at.in("extra", e.Name), e.Value
			if spec.Type == "" {
				at.in("type").problem("is missing")
				continue
			}
			if spec.OnlyTenants != nil {
				at.in("only_tenants").problem("an extra column is this tenant's alone; leave it out")
			}
			stored := spec.Column
			spec.Column = ""
			switch col := d.columns[e.Name]; {
			case col == nil:
				tc, _ := o.table.column(cmp.Or(stored, e.Name))
				col = c.column(at, d, e.Name, spec, tc)
				col.Only, col.Extra = Only{id}, true
				d.add(col, e.Name)
				declared[e.Name] = spec
			case !col.Extra:
				at.problem("%s has a column %s already; give this one another name, and say under `column` what the table calls it", d.Name, e.Name)
			case !reflect.DeepEqual(declared[e.Name], spec):
				at.problem("is declared otherwise for %s; give this one another name, and say under `column` what the table calls it", col.Only[0])
			default:
				col.Only = append(col.Only, id) // ids come sorted
			}
		}
	}
}

// storeOwn says how each tenant's own table keeps the columns, and compares. A
// difference refuses that tenant's questions when they meet it, so it is a note.
func (c *compiler) storeOwn(d *draft) {
	for _, id := range slices.Sorted(maps.Keys(d.own)) {
		o := d.own[id]
		o.Columns = make(map[string]Stored, len(d.Columns))
		for _, name := range slices.Sorted(maps.Keys(o.spec.Columns)) {
			col := d.columns[name]
			switch at := o.at.in("columns", name); {
			case col == nil && len(d.Columns) > 0, col != nil && !o.has(col):
				at.problem("there is no column %s", name)
			case col != nil && col.Extra:
				at.problem("say it under `extra`, as `column`")
			}
		}
		for _, col := range d.Columns {
			o.Columns[col.Name] = c.storedOwn(d, o, col)
		}
	}
}

func (c *compiler) storedOwn(d *draft, o *ownDraft, col *Column) Stored {
	if !o.has(col) {
		return Stored{Missing: true}
	}
	at := o.at.in("columns", col.Name)
	s := Stored{Name: d.physical[col.Name]}
	name, given := o.spec.Columns[col.Name]
	switch {
	case col.Extra:
		at = o.at.in("extra", col.Name)
		for _, e := range o.spec.Extra {
			if e.Name == col.Name {
				s.Name = cmp.Or(e.Value.Column, e.Name)
			}
		}
	case given && name == nil:
		if col != d.Tenant {
			at.problem("only the tenant column may be absent: then every row of the table is this tenant's")
		} else if o.Name != "" && !apart(c.catalog.Sources[o.Source]) {
			at.problem("several tenants may be read from here, and only the tenant column tells their rows apart; it may be absent in a template, and in an API with `isolation: upstream`")
		} else if _, there := o.table.column(s.Name); there {
			at.problem("the table has a column %q; leave this out, so that rows are confined by it", s.Name)
		}
		return Stored{Missing: true}
	case given:
		s.Name = *name
	}
	if !o.known {
		return s
	}
	tc, ok := o.table.column(s.Name)
	bad := ""
	switch {
	case !ok && col == d.Tenant:
		bad = fmt.Sprintf("there is no column %q; write ~ if every row of the table is this tenant's", s.Name)
	case !ok:
		bad = fmt.Sprintf("there is no column %q", s.Name)
	case col == d.Tenant && badTenant(tc) != "":
		bad = "it is " + badTenant(tc)
	default:
		bad = c.differs(o.Source, col, tc, o.table.View)
	}
	if bad != "" {
		at.note("%s, so %s that read it are refused", bad, o.whose())
	}
	s.Native, s.Form, s.ByCode, s.Collate, s.Default = tc.Native, formOf(col, tc), tc.ByCode, tc.Collation, tc.Default
	return s
}

// checkAlone refuses a table without a tenant column that anything else is read
// from too: that it is one tenant's own is all that keeps its rows apart. A
// template is another database for each tenant, and some APIs keep tenants apart
// themselves.
func (c *compiler) checkAlone() {
	type reader struct{ who, tenant string }
	readers := make(map[string][]reader)
	for _, d := range c.catalog.Datasets {
		for _, name := range slices.Sorted(maps.Keys(d.Bindings)) {
			for _, at := range whereabouts(c.catalog.Sources[name], d.Bindings[name]) {
				readers[at] = append(readers[at], reader{who: "the dataset " + d.Name})
			}
		}
		for _, id := range slices.Sorted(maps.Keys(d.Own)) {
			for _, at := range whereabouts(c.catalog.Sources[d.Own[id].Source], &d.Own[id].Binding) {
				readers[at] = append(readers[at], reader{who: d.Name + " of " + cmp.Or(d.Own[id].Tenant, "those who are bound by "+d.Own[id].Name), tenant: id})
			}
		}
	}
	for _, d := range c.catalog.Datasets {
		for _, id := range slices.Sorted(maps.Keys(d.Own)) {
			o, src := d.Own[id], c.catalog.Sources[d.Own[id].Source]
			if o.Name != "" || d.Tenant != nil && !o.Columns[d.Tenant.Name].Missing || apart(src) {
				continue
			}
			for _, at := range whereabouts(src, &o.Binding) {
				for _, r := range readers[at] {
					if r.tenant != id {
						c.work[d.Name].own[id].at.problem("%s is read from the same place, which without a tenant column must be this tenant's alone", r.who)
					}
				}
			}
		}
	}
}

// whereabouts tells places apart that rows come from, under whatever name of a
// source: each host and each cell of one is a place. Names that differ in case only may be one.
func whereabouts(src *Source, b *Binding) []string {
	switch src.Kind {
	case API:
		return []string{fmt.Sprintf("%s %q", src.API.BaseURL, b.Path)}
	case DuckDB:
		if file := src.DuckDB.Files[b.Table]; file != "" {
			return []string{"file " + file}
		}
		return []string{strings.ToLower(fmt.Sprintf("%s %q %q", src.DuckDB.Path, cmp.Or(b.Schema, duckdbSchema), b.Table))}
	case Postgres:
	}
	var out []string
	for _, p := range src.Postgres.Places() {
		servers, err := Servers(p.Host, p.Port)
		if err != nil {
			continue // a problem of the source's
		}
		for _, s := range servers {
			out = append(out, strings.ToLower(fmt.Sprintf("%s:%d %q %q %q", s.Host, s.Port, p.Database, b.Schema, b.Table)))
		}
	}
	return out
}
