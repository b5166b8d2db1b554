package catalog

import (
	"fmt"
	"maps"
	"slices"
)

// A binding of a dataset that names its source is one of which tenants' records choose. It
// is no tenant's own, so that a tenant who comes later needs no change of the file:
// what keeps tenants apart there is the tenant column, the database of each, or the API.

// Chosen is the key in Dataset.Own of a binding by its name. It is no tenant's id.
func Chosen(name string) string { return "=" + name }

// Key is the binding's key in Dataset.Own.
func (o *Own) Key() string {
	if o.Name != "" {
		return Chosen(o.Name)
	}
	return o.Tenant
}

// choices finds the bindings that records may name.
func (c *compiler) choices(d *draft) {
	for _, name := range slices.Sorted(maps.Keys(d.spec.Bind)) {
		spec, at := d.spec.Bind[name], d.at.in("bind", name)
		if spec.Source == "" {
			continue
		}
		src := c.catalog.Sources[spec.Source]
		switch {
		case src == nil:
			at.in("source").problem("%s", unknown("source", spec.Source, c.catalog.Sources))
			continue
		case d.Common:
			at.problem("%s is common: its rows are everybody's, from one place", d.Name)
			continue
		case c.catalog.Sources[name] != nil:
			at.problem("is the name of a source; a binding that records name has a name of its own")
			continue
		case badPlain(name) != "":
			at.problem("%s", badPlain(name))
			continue
		case spec.Writes != (APIWritesSpec{}):
			at.in("writes").problem("what is written by calls is written where a strategy leads; leave it out here")
		}
		o := &ownDraft{Own: &Own{Name: name, Source: src.Name}, at: at, spec: OwnSpec{
			Source: spec.Source, Schema: spec.Schema, Table: spec.Table, Path: spec.Path, Rows: spec.Rows, Dataset: spec.Dataset, Columns: spec.Columns,
		}}
		o.Binding = *c.ownBinding(at, src, d.storedName(), o.spec)
		c.checkApart(d, o, src)
		if tables, asked := c.tables[src.Name]; asked {
			if o.table, o.known = lookupOwn(src, tables, &o.Binding); !o.known && !src.Template {
				at.note("%s has no such table or path, so the questions of tenants who are bound by it are refused", src.Name)
			}
		}
		d.own[Chosen(name)], d.Own[Chosen(name)] = o, o.Own
	}
}

// checkApart refuses a binding where nothing would keep apart the tenants whose records
// name it. That a tenant column is absent is judged where columns are.
func (c *compiler) checkApart(d *draft, o *ownDraft, src *Source) {
	switch {
	case src.API.Isolation == ByUpstream && src.API.Plugin == nil && !placeholder.MatchString(o.Path) && !src.API.says(placeholder.MatchString):
		o.at.in("path").problem("holds no placeholder such as {tenant}, and nothing else tells the API whose rows to send")
	case d.spec.Tenant.Through != "" && !apart(src):
		o.at.problem("these rows are a tenant's by others, which must be in the same place for all; such a binding is for a template, or an API with `isolation: upstream`")
	}
}

// apart tells whether a source keeps tenants apart without a tenant column.
func apart(src *Source) bool { return src.Template || src.API.Isolation == ByUpstream }

// whose says whose questions are answered from a table.
func (o *Own) whose() string {
	if o.Name != "" {
		return "questions of tenants who are bound by it"
	}
	return "this tenant's questions"
}

// CheckBindings refuses bindings that a tenant's record names and there are not, or
// that would take the place of what the configuration says of this tenant.
func (c *Catalog) CheckBindings(tenant string, by map[string]string) error {
	for _, dataset := range slices.Sorted(maps.Keys(by)) {
		name := by[dataset]
		switch d := c.byName[dataset]; {
		case d == nil && c.Unreached.left[dataset]: // nothing is read of it
		case d == nil:
			return fmt.Errorf("a binding is named for the unknown dataset %q", dataset)
		case d.Common:
			return fmt.Errorf("a binding is named where none leads: %s", commonHas(dataset))
		case d.Own[tenant] != nil:
			return fmt.Errorf("the configuration has a binding of %s that is this tenant's own", dataset)
		case d.Own[Chosen(name)] == nil:
			return fmt.Errorf("unknown binding %q of the dataset %s", name, dataset)
		}
	}
	return nil
}

// Choices are the bindings of a dataset that records may name, by name.
func (d *Dataset) Choices() []*Own {
	var out []*Own
	for _, key := range slices.Sorted(maps.Keys(d.Own)) {
		if own := d.Own[key]; own.Name != "" {
			out = append(out, own)
		}
	}
	return out
}
