package setup

import (
	"cmp"
	"slices"
	"strings"

	"usher/catalog"
	"usher/value"
)

// Pointer is a column that looks like a reference to rows, and that no foreign key holds.
type Pointer struct {
	Column string
	To     string // TableKey of the table that it is called like; empty: nobody knows which
	Key    string // the column there to whose values it leads; empty: nobody knows
	Kind   string // the column that says which table a row leads to, of those that lead to several; empty: there is none
}

// Pointing knows of a source's tables which columns look like references.
type Pointing struct {
	tables []*table
	byKey  map[string]*table
}

// NewPointing makes a Pointing of the tables that a source was found to hold, by TableKey.
func NewPointing(tables map[string]catalog.Table) *Pointing {
	p := &Pointing{byKey: make(map[string]*table, len(tables))}
	for key, t := range tables {
		if t.Unread.All() {
			continue
		}
		p.byKey[key] = &table{Table: t, view: t.View}
		if !t.View { // whose rows are those of tables
			p.tables = append(p.tables, p.byKey[key])
		}
	}
	slices.SortFunc(p.tables, func(a, b *table) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Schema, b.Schema)) })
	return p
}

// Unheld are the columns of a table, by TableKey, that look like references and are held by no foreign key. Where only the
// end of a name tells, the values have to be such as keys are here: texts that others have made are often called ids, too.
func (p *Pointing) Unheld(key string) (out []Pointer) {
	t := p.byKey[key]
	if t == nil {
		return nil
	}
	for _, c := range t.Columns {
		if t.references(c.Name) || len(words(c.Name)) == 1 && slices.Contains(pointers, plain(c.Name)) { // which is its own
			continue
		}
		found := Pointer{Column: c.Name, Kind: t.kindOf(c.Name)}
		to, points := t.pointsTo(c, p.tables)
		if to == nil && points && t.pointsToItself(c) {
			to = t
		}
		switch {
		case found.Kind != "":
		case to != nil:
			found.To = catalog.TableKey(to.Schema, to.Name)
			if column, ok := to.soleKey(); ok && !c.Type.List && c.Type.Scalar != value.JSON {
				found.Key = column.Name
			}
		case !points || c.Type.Scalar == value.JSON || c.Type.Scalar != value.UUID && !t.takes(catalog.TableColumn{Type: c.Type.Elem()}):
			continue
		}
		out = append(out, found)
	}
	return out
}

// pointsToItself tells whether a column is called like a reference to another row of its table, as previous_order_id of
// orders is.
func (t *table) pointsToItself(c catalog.TableColumn) bool {
	thing := words(c.Name)
	thing = thing[:len(thing)-1]
	if slices.Equal(thing, []string{"parent"}) {
		return t.takes(c)
	}
	for i := range thing {
		if isPlural(strings.Join(thing[i:], ""), t.endings()[0]) {
			return t.takes(c)
		}
	}
	return false
}
