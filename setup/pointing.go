package setup

import (
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
	"usher/value"
)

// Names of columns end like this where these lead to rows of other tables, and like
// those that follow where they lead to somebody.
var (
	pointers = strings.Fields("id ids uid uuid guid by ref fk")
	somebody = strings.Fields("user author creator owner editor assignee assigner reviewer approver member customer client employee manager sender recipient initiator")
)

// What many tables have of their own: a table that ends with such a word is no other's.
var general = strings.Fields("state status type kind level category class group parent owner source target item key value stat usage setting log event")

// pointsTo finds the table that a column of a table is called like a reference to: target_project_id is one to
// projects, and interception_id to gateway_interceptions where there is no other such table. It is nil where there is
// none, or where only the name's end tells, as that of author_id does: then the column leads somewhere all the same.
func (t *table) pointsTo(c catalog.TableColumn, tables []*table) (to *table, points bool) {
	switch parts := words(c.Name); {
	case !identifies(c.Type):
		return nil, false
	case len(parts) == 0 || len(parts) == 1 && slices.Contains(references, parts[0]) && slices.Contains(t.PrimaryKey, c.Name):
		return nil, false
	case slices.Equal(t.PrimaryKey, []string{c.Name}) && (len(parts) == 1 || called(parts[:len(parts)-1], t)):
		return nil, false
	case len(parts) > 1 && slices.Contains(pointers, parts[len(parts)-1]):
		to = t.calledLike(parts[:len(parts)-1], c, tables)
		return to, to != nil || !slices.Equal(t.PrimaryKey, []string{c.Name})
	case c.Type.Scalar == value.UUID, !c.Type.Text() && slices.Contains(somebody, parts[len(parts)-1]):
		to = t.calledLike(parts, c, tables)
		return to, to != nil || !slices.Equal(t.PrimaryKey, []string{c.Name})
	case singular(parts[len(parts)-1]) == parts[len(parts)-1]: // the others count something
		to = t.keyedLike(parts, c, tables)
		return to, to != nil
	}
	return nil, false
}

// pointing are the columns that are called like references to rows of tables, by the ids of these or by what else tells them
// apart: customer_key, where customers have a key of that name or of the name key.
func (t *table) pointing(tables []*table) map[string]bool {
	out := make(map[string]bool)
	for _, c := range t.Columns {
		to, _ := t.pointsTo(c, tables)
		parts := words(c.Name)
		if n := len(parts) - 1; to == nil && n > 0 && parts[n] == "key" {
			to, _ = t.keyedBy(parts, tables, func(to *table, key catalog.TableColumn) bool { return to.differsIn([]string{key.Name}) })
		}
		out[c.Name] = to != nil
	}
	return out
}

// keyedBy is the table of which a key is called like one, and that key: customer_key, of customers; what is one, tells says.
func (t *table) keyedBy(parts []string, tables []*table, tells func(to *table, key catalog.TableColumn) bool) (*table, catalog.TableColumn) {
	n := len(parts) - 1
	for _, to := range tables {
		if to == t || !called(parts[:n], to) {
			continue
		}
		if i := slices.IndexFunc(to.Columns, func(c catalog.TableColumn) bool {
			own := words(c.Name)
			return (slices.Equal(own, parts) || slices.Equal(own, parts[n:])) && tells(to, c)
		}); i >= 0 {
			return to, to.Columns[i]
		}
	}
	return nil, catalog.TableColumn{}
}

// identifies tells whether values of a type may be those of a key.
func identifies(t value.Type) bool {
	switch t.Scalar {
	case value.Int, value.BigInt, value.Decimal, value.UUID, value.JSON:
		return true
	}
	return t.Text()
}

// calledLike is the table whose name is a thing's, or ends with it; the longest part of the thing's name counts.
func (t *table) calledLike(thing []string, c catalog.TableColumn, tables []*table) *table {
	for i := range thing {
		if to := t.keyedLike(thing[i:], c, tables); to != nil {
			return to
		}
	}
	if slices.Contains(general, strings.Join(thing, "")) || len(thing) == 1 && slices.Contains(somebody, thing[0]) {
		return nil
	}
	var found *table
	for _, to := range tables {
		if to == t || !called(thing, to) || !to.takes(c) {
			continue
		}
		if found != nil {
			return nil // it could be either
		}
		found = to
	}
	return found
}

// keyedLike is the table of that name which has a key that the column may hold, that of the same schema first.
func (t *table) keyedLike(thing []string, c catalog.TableColumn, tables []*table) *table {
	var found *table
	one := strings.Join(thing, "")
	for _, to := range tables {
		if to != t && isPlural(one, to.endings()[0]) && to.takes(c) && (found == nil || to.Schema == t.Schema) {
			found = to
		}
	}
	return found
}

// called tells whether the name of a table ends with the thing's.
func called(thing []string, t *table) bool {
	one := strings.Join(thing, "")
	return slices.ContainsFunc(t.endings(), func(ending string) bool { return isPlural(one, ending) })
}

// endings are the table's name without gaps, and what is left of it without its first word, its first two and so on.
func (t *table) endings() []string {
	if t.ends == nil {
		parts := words(t.Name)
		t.ends = []string{strings.Join(parts, "")}
		for i := 1; i < len(parts); i++ {
			t.ends = append(t.ends, strings.Join(parts[i:], ""))
		}
	}
	return t.ends
}

// takes tells whether a column may hold keys of the table; nobody knows of a table without one.
func (t *table) takes(c catalog.TableColumn) bool {
	key, ok := t.soleKey()
	return !ok || key.Type.Scalar == c.Type.Scalar || key.Type.Exact() && c.Type.Exact() || key.Type.Text() && c.Type.Text() || c.Type.List || c.Type.Scalar == value.JSON
}

// soleKey is the one column of the primary key, or the column id.
func (t *table) soleKey() (catalog.TableColumn, bool) {
	if len(t.PrimaryKey) == 1 {
		return t.column(t.PrimaryKey[0])
	}
	return t.column("id")
}

// references tells whether a column is in a foreign key.
func (t *table) references(column string) bool {
	return slices.ContainsFunc(t.ForeignKeys, func(fk catalog.ForeignKey) bool { return slices.Contains(fk.Columns, column) })
}

// guesses finds the ways to tenants' rows of which no foreign key says, and of what leads to tables that have only
// such: these stay left out, with what may be written. A way that another table comes to have later counts for those before it.
func guesses(tables []*table) {
	var found []*table
	for changed := true; changed; {
		changed = false
		for _, t := range tables {
			if !t.open() || t.view || t.tools() {
				continue
			}
			if why := t.guess(tables, func(*through) bool { return true }); len(t.ways) > 0 {
				t.undecided, t.leftOut, changed = true, why, true
				found = append(found, t)
			}
		}
	}
	led := make(edges)
	for _, t := range tables {
		if led[t] = t.ways; t.parent != nil {
			led[t] = []*through{t.parent}
		}
	}
	for _, t := range found {
		t.ways = nil
		t.leftOut = t.guess(tables, func(w *through) bool { return led.reaches(w.to, map[*table]bool{t: true}) })
	}
}

func (t *table) guess(tables []*table, leads func(*through) bool) (why string) {
	var guessed []string
	for _, fk := range t.ForeignKeys {
		to := find(tables, fk.RefSchema, fk.RefTable, t.Schema)
		if w := (&through{key: fk, to: to}); to != nil && to != t && to.undecided && leads(w) {
			t.ways = append(t.ways, w)
		}
	}
	if len(t.ways) == 1 {
		return orphaned(t.ways[0])
	}
	if len(t.ways) > 1 {
		return "nothing tells which of the rows that it references is its owner: that of " + listed(t.ways)
	}
	for _, w := range t.pointers(tables) {
		if (w.to.tenant != "" || w.to.parent != nil || w.to.undecided) && leads(w) {
			t.ways = append(t.ways, w)
			guessed = append(guessed, fmt.Sprintf("%s to %s", w.key.Columns[0], w.to.Name))
		}
	}
	if more := len(guessed) - maxSeen; more > 0 {
		guessed = append(guessed[:maxSeen], fmt.Sprintf("and %d more", more))
	}
	return "no foreign key says whose its rows are, though it has columns that look like references: " + strings.Join(guessed, ", ")
}

// pointers are the ways by columns that are called like references to one row that may be somebody's, though no foreign key says so.
func (t *table) pointers(tables []*table) []*through {
	return slices.DeleteFunc(t.meant(tables), func(w *through) bool { return w.to.common })
}

// meant are the ways by columns that are called like references to one row, though no foreign key says so.
func (t *table) meant(tables []*table) []*through {
	var out []*through
	for _, c := range t.Columns {
		to, _ := t.pointsTo(c, tables)
		if to == nil || to.view || c.Type.List || c.Type.Scalar == value.JSON || t.references(c.Name) || t.kindOf(c.Name) != "" || theirs(c, words(c.Name)) {
			continue
		}
		if key, ok := to.soleKey(); ok {
			out = append(out, &through{to: to, guess: true, key: catalog.ForeignKey{Columns: []string{c.Name}, RefSchema: to.Schema, RefTable: to.Name, RefColumns: []string{key.Name}}})
		}
	}
	return out
}

// link finds the relations that no foreign key says: between tables that are served, or would be once somebody has chosen, by columns
// that are called like the one table and may hold its key, and of which none is withheld.
func (t *table) link(tables []*table) {
	never := func(of *table) bool { return of.leftOut != "" && !of.undecided }
	if t.view || never(t) {
		return
	}
	for _, w := range t.meant(tables) {
		from, _ := t.column(w.key.Columns[0])
		key, _ := w.to.column(w.key.RefColumns[0])
		known := slices.ContainsFunc(t.ways, func(other *through) bool { return slices.Equal(other.key.Columns, w.key.Columns) })
		if known || never(w.to) || t.closed(from) != "" || w.to.closed(key) != "" || !w.to.differsIn(w.key.RefColumns) || kindOfKey(from) != kindOfKey(key) {
			continue
		}
		t.links = append(t.links, w)
	}
}

// kindOf is the column that names the table which another one leads to (a polymorphic association); empty if there is none.
func (t *table) kindOf(column string) string {
	parts := words(column)
	n := len(parts) - 1
	if n < 1 || parts[n] != "id" {
		return ""
	}
	for _, other := range t.Columns {
		if (other.Type.Text() || other.Type.Scalar == value.Enum) && slices.Equal(words(other.Name), append(slices.Clone(parts[:n]), "type")) {
			return other.Name
		}
	}
	return ""
}
