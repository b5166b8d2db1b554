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
	choices, named := len(owners)/2, make(map[string]bool)
	for _, w := range d.ways(t) {
		from, key, name := w.key.Columns[0], w.key.RefColumns[0], w.named()
		if named[name] {
			name += "_by_" + from
		}
		if w.to.leftOut == "" || t.list && w.to.list || d.proposesCommon(w.to) || !w.to.differsIn([]string{key}) || !graphqlName.MatchString(from) || !graphqlName.MatchString(key) || !graphqlName.MatchString(name) || t.has(name) {
			continue
		}
		named[name] = true
		choices++
		owners = append(owners, fmt.Sprintf("tenant: {through: %s}   # %s, once that is served%s", Scalar(name), oneLine(w.String()), t.without(w)))
		if above := d.typedAbove(w.to, nil); above != "" {
			owners = append(owners, fmt.Sprintf("filter: {%s: {%s}}   # with that line: what hides rows of %s hides none here", Scalar(name), above, oneLine(w.to.Name)))
		}
		relations = append(relations, fmt.Sprintf("  %s: {to: %s, on: {%s: %s}}", Scalar(name), Scalar(w.to.dataset), Scalar(from), Scalar(key)))
	}
	if choices > 1 {
		owners = append([]string{"# one of these:"}, owners...)
	}
	if len(relations) > 0 {
		relations = append([]string{"relations:"}, relations...)
	}
	return slices.Concat(owners, relations)
}

// proposesCommon tells whether a table that is left out is proposed for everybody: then nothing is a tenant's by it.
func (d *Draft) proposesCommon(t *table) bool {
	return !t.undecided && !t.has(d.Column) && t.through == nil && len(d.ways(t)) == 0 && len(d.typed(t)) == 0 && !d.looksOwned(t)
}

// looksOwned tells whether something speaks against showing a table to everybody.
func (d *Draft) looksOwned(t *table) bool {
	return t.somebodys(d.tables) || t.unlike(d.tables) != "" || t.made() != ""
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

// named is what a relation is called that is written by hand: as its column is without the end of a reference, or as what it leads to.
func (w *through) named() string {
	from := w.key.Columns[0]
	if name := Referred(from); name != from {
		return name
	}
	return singular(w.to.dataset)
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

// typedAbove is what holds of the rows of a table that are tenants', where it is left out since a column names the table that
// another one leads to, or leads to such a table: of what leads to it, it has to be said once more. Empty: nothing is known of that.
func (d *Draft) typedAbove(t *table, below []*table) string {
	if t.leftOut == "" || t.undecided || slices.Contains(below, t) { // what is undecided is proposed as rows of others, whatever else it names
		return ""
	}
	if pairs := d.typed(t); len(pairs) > 0 {
		return pairs[0].condition()
	}
	ways := t.ways
	if len(ways) == 0 {
		ways = d.ways(t)
	}
	for _, w := range ways {
		if above := d.typedAbove(w.to, append(below, t)); above != "" {
			name := w.named()
			if ds := d.all.Dataset(d.served(t.dataset)); ds != nil {
				if rel := d.relationOf(ds, w); rel != nil {
					name = relationNames(ds)[slices.Index(ds.Relations, rel)]
				}
			}
			return Scalar(name) + ": {" + above + "}"
		}
	}
	return ""
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
	remark := ""
	switch {
	case p.tenants == "" && len(p.labels) > 0:
		remark = "   # which of " + oneLine(strings.Join(p.labels, ", "))
	case p.tenants == "":
		remark = "   # what it says of tenants"
	case len(p.labels) == 0:
		remark = "   # or however it spells that of tenants"
	}
	return fmt.Sprintf("filter: {%s}%s", p.condition(), remark)
}

// condition is what holds of the rows that are tenants'.
func (p typed) condition() string {
	return fmt.Sprintf("%s: {eq: %s}", Scalar(p.kind), Scalar(cmp.Or(p.tenants, "WHICH")))
}
