package setup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
	"usher/value"
)

// owners are the lines that say whose the rows of a table are that is left out: those of others that are, once these are
// served, or of a tenant where a column may lead to one.
func (d *Draft) owners(t *table) []string {
	var owners, relations []string
	for _, p := range d.typed(t) {
		owners = append(owners, fmt.Sprintf("tenant: %s   # where %s names tenants, which this filter sees to", Scalar(p.id), Scalar(p.kind)), p.filter())
	}
	pairs, named := len(owners), make(map[string]bool)
	for _, w := range d.ways(t) {
		from, key := w.key.Columns[0], w.key.RefColumns[0]
		name := Referred(from)
		if name == from {
			name = singular(w.to.dataset)
		}
		if named[name] {
			name += "_by_" + from
		}
		if w.to.leftOut == "" || !w.to.differsIn([]string{key}) || !graphqlName.MatchString(from) || !graphqlName.MatchString(key) || !graphqlName.MatchString(name) || t.has(name) {
			continue
		}
		named[name] = true
		null := ""
		if !t.always(w.key) {
			null = "; a row without one is nobody's"
		}
		owners = append(owners, fmt.Sprintf("tenant: {through: %s}   # %s, once that is served%s", Scalar(name), oneLine(w.String()), null))
		relations = append(relations, fmt.Sprintf("  %s: {to: %s, on: {%s: %s}}", Scalar(name), Scalar(w.to.dataset), Scalar(from), Scalar(key)))
	}
	if len(owners)-pairs/2 > 1 {
		owners = append([]string{"# one of these:"}, owners...)
	}
	if len(relations) > 0 {
		relations = append([]string{"relations:"}, relations...)
	}
	return slices.Concat(owners, relations)
}

// ways are the references of a table that is left out, by foreign keys and by names.
func (d *Draft) ways(t *table) []*through {
	var ways []*through
	for _, fk := range t.ForeignKeys {
		if to := find(d.tables, fk.RefSchema, fk.RefTable, t.Schema); to != nil && to != t && len(fk.Columns) == 1 {
			ways = append(ways, &through{key: fk, to: to})
		}
	}
	return append(ways, t.pointers(d.tables)...)
}

// typed are the pairs of columns of which one names a table, and the other a row of it that may be a tenant.
func (d *Draft) typed(t *table) []typed {
	kind := "" // of the tenants' keys
	for _, other := range d.tables {
		kind = cmp.Or(kind, other.keyKind())
	}
	var out []typed
	for _, c := range t.Columns {
		name := t.kindOf(c.Name)
		if name == "" || kindOfKey(c) != kind || !graphqlName.MatchString(c.Name) || !graphqlName.MatchString(name) {
			continue
		}
		says, _ := t.column(name)
		p := typed{id: c.Name, kind: name, labels: says.Type.Labels}
		for _, thing := range d.things() {
			if says.Type.Scalar != value.Enum {
				p.tenants = cmp.Or(p.tenants, strings.ToUpper(thing[:1])+thing[1:])
			} else if i := slices.IndexFunc(p.labels, func(label string) bool { return singular(plain(label)) == singular(plain(thing)) }); i >= 0 {
				p.tenants = cmp.Or(p.tenants, p.labels[i])
			}
		}
		out = append(out, p)
	}
	return out
}

// things are what a tenant may be called: as the list of tenants is, or as the tenant column is without its end.
func (d *Draft) things() []string {
	var out []string
	for _, t := range d.tables {
		if t.registry {
			out = append(out, catalog.Camel(singular(t.Name)))
		}
	}
	if parts := words(d.Column); len(parts) > 1 {
		parts = parts[:len(parts)-1]
		out = append(out, catalog.Camel(strings.Join(parts, "_")))
	}
	return slices.DeleteFunc(out, func(thing string) bool { return !graphqlName.MatchString(thing) })
}

// typed is a pair of columns of which one says what the other leads to.
type typed struct {
	id, kind string
	tenants  string   // what kind says of tenants; empty: that is not known
	labels   []string // what kind may say, if that is known
}

func (p typed) filter() string {
	is, remark := p.tenants, ""
	switch {
	case p.tenants == "" && len(p.labels) > 0:
		is, remark = "WHICH", "   # which of "+oneLine(strings.Join(p.labels, ", "))
	case p.tenants == "":
		is, remark = "WHICH", "   # what it says of tenants"
	case len(p.labels) == 0:
		remark = "   # or however it spells that of tenants"
	}
	return fmt.Sprintf("filter: {%s: {eq: %s}}%s", Scalar(p.kind), Scalar(is), remark)
}
