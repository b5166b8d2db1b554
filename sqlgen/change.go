package sqlgen

import (
	"cmp"
	"strconv"
	"strings"

	"usher/plan"
	"usher/slot"
	"usher/value"
)

// ChangeDialect is the spelling of an engine that rows are written in.
type ChangeDialect interface {
	Dialect
	// Given is a text as a value of a table's column, which the engine then assigns to it.
	Given(x string, f plan.Field, table string) string
	// Added is the sum of two numbers of a column, or fails where the engine would make it infinite.
	Added(x, y string, f plan.Field) string
	// Texts makes rows c0, c1, … n of the lists bound to the placeholders, in their order.
	Texts(placeholders []string) string
	// Returns tells that a statement that changes or removes rows may return something of
	// each. Otherwise it returns how many they are.
	Returns() bool
	// Lock ends a statement whose rows of a table are kept as they are.
	Lock(how Lock, table string) string
	// ReadAt is a number that is another whenever a statement which is kept has been read anew, as it is when
	// one of its tables has become another; empty: nothing tells that.
	ReadAt() string
	// Types asks for the columns of a table and what each is of, below all domains.
	Types(schema, table string) string
}

// Lock is how rows are kept as they are until the transaction ends.
type Lock uint8

// The locks.
const (
	NoLock   Lock = iota
	ToChange      // they are about to be changed
	ToRefer       // they are referred to, and stay whose they are
)

// changed is what the table is called that a statement changes.
const changed = "w"

// Insert writes the statement that inserts rows. It returns the key of each, in their
// order; its arguments are the values that all have, then a list for each column.
func Insert(i plan.Insert, u plan.Upsert, d ChangeDialect) (Statement, error) {
	if !stamped(i) {
		return Statement{}, ErrNotPlanned
	}
	w := &writer{d: d, l: u.Level(), args: &arguments{}, written: named(i.Table())}
	names, values, texts := w.toInsert(i, d)
	w.put("INSERT INTO ")
	w.into(i.Table())
	w.inserted(names, values, texts)
	w.upsert(u, d)
	own := anyRow
	if d.Returns() {
		own = ownRow(i.Table(), i.Stamps(), i.Column, values)
	}
	w.returning(i, own)
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}

func (w *writer) inserted(names, values []string, texts string) {
	w.put(" (", strings.Join(names, ", "), ") SELECT ", strings.Join(values, ", "), " FROM ", texts, " AS i ORDER BY i.n")
}

// stamped tells rows that are the tenant's, if they are any tenant's.
func stamped(i plan.Insert) bool {
	stamped := i.Table().TenantColumn() == ""
	for n := range i.Stamps() {
		stamped = stamped || i.Column(n).Name == i.Table().TenantColumn()
	}
	return stamped && i.Columns() > 0 && i.Rows() > 0 && i.Keys() > 0 && i.Table().ScopeKind() != 0
}

// toInsert binds the values of rows: the columns, what each of them gets of a row i, and those rows.
func (w *writer) toInsert(i plan.Insert, d ChangeDialect) (names, values []string, texts string) {
	var lists []string
	for n := range i.Columns() {
		f := i.Column(n)
		names = append(names, Identifier(f.Stored))
		if n < i.Stamps() {
			values = append(values, w.given(i.Value(n, 0), f, d))
			continue
		}
		values = append(values, d.Given("i.c"+strconv.Itoa(len(lists)), f, w.written))
		lists = append(lists, "")
	}
	for n := i.Stamps(); n < i.Columns(); n++ {
		if texts, plain := i.Texts(n); plain && i.Column(n).Type.Scalar != value.Interval {
			lists[n-i.Stamps()] = w.bind(d.KeyList(texts), asItStands)
			continue
		}
		items := make([]value.Value, i.Rows())
		for row := range items {
			given := i.Value(n, row)
			if w.err == nil && given.Open() && (given.List() || len(items) > 1) {
				w.err = ErrOpen
				return nil, nil, ""
			}
			items[row] = textOf(given, d)
		}
		lists[n-i.Stamps()] = w.texts(items, d)
	}
	if len(lists) == 0 { // as many rows as there are items
		lists = append(lists, w.bind(d.KeyList(make(value.Values, i.Rows())), asItStands))
	}
	return names, values, d.Texts(lists)
}

// texts binds what rows get in a column as one argument. What comes later is of one row.
func (w *writer) texts(items []value.Value, d Dialect) string {
	if term, later := items[0].Term(); later && len(items) == 1 {
		as, err := term.Then("an item for "+d.TextType(), func(text string, _ slot.Inputs) (string, error) {
			return d.KeyList(value.Values{value.Bound(value.Of(value.String), value.Cell{Kind: value.KindText, Text: []byte(text)})}), nil
		})
		if err != nil && w.err == nil {
			w.err = err
		}
		return w.place(bound{cast: "texts", term: as.Number() + 1}, asItStands)
	}
	return w.bind(d.KeyList(value.Values(items)), asItStands)
}

// returning ends a statement that inserts rows with their keys, each if it is of the own tenant's.
func (w *writer) returning(i plan.Insert, own func(key string) string) {
	w.put(" RETURNING ")
	for n := range i.Keys() {
		if n > 0 {
			w.put(", ")
		}
		f := i.Key(n)
		w.put(own(w.d.InternalText(w.d.Read(Identifier(f.Stored), f), f.Type)))
	}
}

// ownRow makes null of the key of a row that a trigger has made another tenant's: within the own one it may be
// another row's. The columns that all rows have the same values in are given first.
func ownRow(r plan.Ref, stamps int, column func(int) plan.Field, values []string) func(key string) string {
	for n := range stamps {
		if r.TenantColumn() != "" && column(n).Name == r.TenantColumn() {
			return func(key string) string {
				return "CASE WHEN " + changed + "." + Identifier(column(n).Stored) + " = " + values[n] + " THEN " + key + " END"
			}
		}
	}
	return anyRow
}

// anyRow is for engines that have no triggers.
func anyRow(key string) string { return key }

// asItStands is a placeholder whose type the statement says elsewhere.
func asItStands(placeholder string) string { return placeholder }

// upsert writes what becomes of rows that are there already: those that the level holds are
// changed, and of all others nothing comes back.
func (w *writer) upsert(u plan.Upsert, d ChangeDialect) {
	if u.Keys() == 0 {
		return
	}
	w.put(" ON CONFLICT (")
	for i := range u.Keys() {
		if i > 0 {
			w.put(", ")
		}
		w.put(Identifier(u.Key(i).Stored))
	}
	if u.Finds() {
		w.put(") DO NOTHING")
		return
	}
	w.put(") DO UPDATE SET ")
	for i := range u.Sets() {
		if i > 0 {
			w.put(", ")
		}
		s := u.Set(i)
		name := Identifier(s.Column().Stored)
		w.put(name, " = ")
		switch {
		case u.Inserted(i):
			w.put("EXCLUDED.", name)
		case s.Added():
			w.put(changed, ".", name, " + ", w.given(s.Value(), s.Column(), d))
		default:
			w.put(w.given(s.Value(), s.Column(), d))
		}
	}
	w.put(" WHERE ")
	w.shown(u)
}

// shown tells a row that is there already and may be changed.
func (w *writer) shown(u plan.Upsert) {
	for i := range u.Identity() {
		w.sameBy = append(w.sameBy, u.IdentityColumn(i))
	}
	w.put("EXISTS (SELECT 1 FROM ")
	w.from(w.alone)
	w.put(" WHERE ")
	w.same()
	w.put(")")
}

// Update writes the statement that changes rows of the level: those with the keys that its
// first arguments list. It returns the number of each key, or how many rows they are.
func Update(u plan.Update, d ChangeDialect) (Statement, error) {
	l := u.Level()
	if l.Refs() == 0 || l.Links() == 0 || u.Sets() == 0 {
		return Statement{}, ErrNotPlanned
	}
	w := &writer{d: d, l: l, args: &arguments{}, parents: l.Links()}
	w.put("UPDATE ")
	w.into(l.Ref(0))
	w.sets(u, d, changed)
	w.put(" FROM ")
	w.named(d)
	return Statement{Text: w.b.String(), Args: w.args.Args, Parents: w.parents, Single: l.Refs() == 1}, w.err
}

// sets writes what the columns become of the table that is called so.
func (w *writer) sets(u plan.Update, d ChangeDialect, called string) {
	w.put(" SET ")
	for n := range u.Sets() {
		if n > 0 {
			w.put(", ")
		}
		s := u.Set(n)
		name := Identifier(s.Column().Stored)
		given := w.given(s.Value(), s.Column(), d)
		if s.Added() {
			given = d.Added(called+"."+name, given, s.Column())
		}
		w.put(name, " = ", given)
	}
}

// Delete writes the statement that removes rows of the level: those with the keys that
// its first arguments list. It returns the number of each key, and beside it what is told of the
// table, if that is asked.
func Delete(l plan.Level, told string, d ChangeDialect) (Statement, error) {
	if l.Refs() == 0 || l.Links() == 0 {
		return Statement{}, ErrNotPlanned
	}
	w := &writer{d: d, l: l, args: &arguments{}, parents: l.Links()}
	w.put("DELETE FROM ")
	w.into(l.Ref(0))
	w.put(" USING ")
	w.named(d)
	if told != "" && d.Returns() {
		w.put(", ", told)
	}
	return Statement{Text: w.b.String(), Args: w.args.Args, Parents: w.parents, Single: l.Refs() == 1}, w.err
}

// into names the table that is changed. Which of its rows are is said by named, or by the scope
// itself where the statement is sealed, or they are new and stamped.
func (w *writer) into(r plan.Ref) { w.intoAs(r, changed) }

func (w *writer) intoAs(r plan.Ref, called string) {
	w.written = named(r)
	w.put(w.written, " AS ", called)
}

// named is the name of a reference's table.
func named(r plan.Ref) string {
	if r.Schema() == "" {
		return Identifier(r.Table())
	}
	return Identifier(r.Schema()) + "." + Identifier(r.Table())
}

// named ties the table that is changed to the rows of the level that have the keys: its
// reference, with the scope in it. A row is the same if it has the same key of the
// same tenant.
func (w *writer) named(d ChangeDialect) {
	w.from(w.belonging)
	w.put(" WHERE ")
	w.same()
	w.condition(" AND ", w.l.Where())
	if d.Returns() {
		w.put(" RETURNING p.n")
	}
}

// same writes that a row of the table that is changed is one of the level's reference.
func (w *writer) same() {
	r := w.l.Ref(0)
	same := make(map[string]bool)
	tie := func(name string) {
		for i := range r.Fields() {
			if f := r.Field(i); f.Name == name && f.Of == 0 && !same[name] {
				if len(same) > 0 {
					w.put(" AND ")
				}
				same[name] = true
				own := changed + "." + Identifier(f.Stored)
				if !atUse(f) { // as it is read inside the reference
					own = w.d.Read(own, f)
				}
				w.put(own, " = ", table(0), ".", Identifier(f.Name))
			}
		}
	}
	for _, name := range w.sameBy {
		tie(name)
	}
	for i := range w.l.Links() {
		tie(w.l.Link(i).Own().Name())
	}
	if r.TenantColumn() != "" {
		tie(r.TenantColumn())
	}
}

// Chosen writes the statement that chooses rows, which are kept as they are until the
// transaction ends.
func Chosen(l plan.Level, d ChangeDialect) (Statement, error) {
	if l.Refs() == 0 || l.Links() > 0 || l.Grouped() {
		return Statement{}, ErrNotPlanned
	}
	w := &writer{d: d, l: l, args: &arguments{}}
	w.rows()
	if Lockable(l) {
		w.put(d.Lock(ToChange, table(0)))
	}
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}

// Lockable tells whether the rows of a level can be locked where they are read: nothing is
// joined inside their reference.
func Lockable(l plan.Level) bool { return l.Ref(0).Policies() == 0 }

// Named writes the statement that reads the rows of a level that have the keys its
// first arguments list: in the order of the level, then of the keys. The first cell is
// the number of the key.
func Named(l plan.Level, lock Lock, d ChangeDialect) (Statement, error) {
	statement, err := Keyed(l, d)
	if err == nil && lock != NoLock {
		statement.Text += d.Lock(lock, table(0))
	}
	return statement, err
}

// Checked is Keyed with one more cell at the end: what is told of the table.
func Checked(l plan.Level, told string, d Dialect) (Statement, error) { return keyed(l, told, d) }

// Keyed is Named for rows that nobody changes meanwhile.
func Keyed(l plan.Level, d Dialect) (Statement, error) { return keyed(l, "", d) }

func keyed(l plan.Level, told string, d Dialect) (Statement, error) {
	if l.Refs() == 0 || l.Links() == 0 || l.Grouped() {
		return Statement{}, ErrNotPlanned
	}
	w := &writer{d: d, l: l, args: &arguments{}, parents: l.Links()}
	w.put("SELECT p.n, ")
	w.columns()
	if told != "" {
		w.put(", ", told)
	}
	w.put(" FROM ")
	w.from(w.belonging)
	w.condition(" WHERE ", l.Where())
	if l.Orders() > 0 {
		w.orderBy(" ORDER BY ")
		w.put(", p.n")
	} else {
		w.put(" ORDER BY p.n")
	}
	w.limit()
	return Statement{Text: w.b.String(), Args: w.args.Args, Parents: w.parents, Single: l.Refs() == 1}, w.err
}

// given binds one value for a column.
func (w *writer) given(g plan.Given, f plan.Field, d ChangeDialect) string {
	if g.Null() {
		return "NULL"
	}
	cast := func(n string) string { return d.Given("CAST("+n+" AS "+d.TextType()+")", f, w.written) }
	if g.List() && g.Open() {
		w.err = cmp.Or(w.err, ErrOpen)
		return "NULL"
	}
	if g.List() {
		return w.bind(textOf(g, d).Text(), cast)
	}
	return w.bindValue(g.Value(), cast)
}

// Taken writes the statement that makes what a column is given one of its type, and does nothing with it: it fails
// where that is none.
func Taken(g plan.Given, f plan.Field, d ChangeDialect) (Statement, error) {
	w := &writer{d: d, args: &arguments{}}
	w.put("SELECT CAST(", w.given(g, f, d), " AS ", f.Native, ") IS NULL")
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}

// textOf is a value as the text that Given reads.
func textOf(g plan.Given, d Dialect) value.Value {
	text := func(s string) value.Value {
		return value.Bound(value.Of(value.String), value.Cell{Kind: value.KindText, Text: []byte(s)})
	}
	switch {
	case g.Null():
		return value.Value{}
	case g.List():
		items := make([]value.Value, g.Items())
		for i := range items {
			if items[i] = g.Item(i); !items[i].Null() {
				items[i] = text(argText(items[i]))
			}
		}
		return text(d.KeyList(value.Values(items)))
	case g.Value().Type().Scalar == value.Interval:
		return text(argText(g.Value()))
	}
	return g.Value()
}
