// Package sqlgen owns the SQL: Render turns a level of a plan into the text of
// one statement and its arguments. Values are only ever arguments, identifiers
// come from the catalog and are quoted, and every reference is written in one
// place, as a subquery that holds its scope. What the engines spell in
// different ways is in Dialect and nowhere else. It refuses levels that
// package plan did not make, and cannot fail on anything a caller wrote.
package sqlgen

import (
	"errors"
	"strconv"
	"strings"

	"usher/plan"
)

// Statement is one SQL statement. A nested level's first Parents arguments are
// lists of its parents' keys, made with Dialect.List, and come before Args;
// its first column is the number of the parent, counted from 1.
type Statement struct {
	Text    string
	Args    Args
	Parents int
	Single  bool // of one that names rows by their keys: it reads one table
}

// ErrNotPlanned is returned for the zero value of a plan.
var ErrNotPlanned = errors.New("sqlgen: the level was not made by plan.Build")

// ErrOpen is returned for a statement that has no text before its values are known.
var ErrOpen = errors.New("sqlgen: the values of the statement come later, and are not arguments of their own")

// rowMark is true in every row of a reference, and of an earlier period's groups,
// which tells those that are there behind an outer join. No column can have its name.
const rowMark = "__row"

// Render writes the statement of one level.
func Render(l plan.Level, d Dialect) (Statement, error) {
	if l.Refs() == 0 {
		return Statement{}, ErrNotPlanned
	}
	w := &writer{d: d, l: l, args: &arguments{}, parents: l.Links()}
	w.level()
	return Statement{Text: w.b.String(), Args: w.args.Args, Parents: w.parents}, w.err
}

func (w *writer) level() {
	switch {
	case w.l.Grouped():
		w.groups()
	case w.l.Links() > 0:
		w.nestedRows()
	default:
		w.rows()
	}
}

// writer writes one statement.
type writer struct {
	b       strings.Builder
	d       Dialect
	l       plan.Level
	args    *arguments
	parents int
	inside  int  // 1 + the reference whose subquery is being written, or 0
	others  bool // groups beyond the best are one
	keyed   bool // keys are columns of the first reference's rows
	marked  bool // groups are marked as being there
	rowless bool // counts are of no rows
	part    *part
	written string   // the table that is written to, as it stands in statements
	sameBy  []string // by which the row of an upsert is found in its level
	err     error
}

func (w *writer) put(parts ...string) {
	for _, p := range parts {
		w.b.WriteString(p)
	}
}

func table(ref int) string { return "t" + strconv.Itoa(ref) }

// rows writes a list at the root.
func (w *writer) rows() {
	w.root(func() {
		w.put(" FROM ")
		w.from(w.alone)
		w.condition(" WHERE ", w.l.Where())
	})
}

// root writes the page of a root.
func (w *writer) root(from func()) {
	if w.part != nil {
		w.placed(from)
		return
	}
	w.put("SELECT ")
	w.columns()
	from()
	w.orderBy(" ORDER BY ")
	w.limit()
}

// columns writes what is returned, in wire form.
func (w *writer) columns() {
	for i := range w.l.Columns() {
		if i > 0 {
			w.put(", ")
		}
		e := w.l.Column(i)
		x := w.stored(e) // all its digits, which the answer then judges
		wire := w.d.ResultText
		if w.part != nil { // the parts of a script share their columns
			wire = w.d.InternalText
		}
		w.put(wire(x, e.Type()), " AS c", strconv.Itoa(i))
	}
	if w.l.Columns() == 0 {
		w.put("TRUE AS c0")
	}
	w.linkKeys()
}

func (w *writer) limit() {
	n := w.l.Limit()
	if w.l.Cut() {
		n++
	}
	if n != plan.All {
		w.put(" LIMIT ", strconv.Itoa(n))
	}
	if w.l.Offset() > 0 {
		w.put(" OFFSET ", strconv.Itoa(w.l.Offset()))
	}
}

// from writes the first reference, as it is said how, and all that is joined to it.
func (w *writer) from(first func()) {
	for i := range w.l.Refs() {
		r := w.l.Ref(i)
		switch {
		case elsewhere(r):
		case i > 0:
			w.put(" LEFT JOIN ")
			w.reference(i)
			w.on(r)
		default:
			first()
		}
	}
}

// alone writes the first reference by itself.
func (w *writer) alone() {
	if w.keyed {
		w.keyedRows()
		return
	}
	w.reference(0)
}

// elsewhere tells a reference that is written inside a scope or an EXISTS, not
// in the statement's own FROM, and one that links parents, which comes first.
func elsewhere(r plan.Ref) bool {
	return r.Absent() || r.Inside() >= 0 || r.Under() >= 0 || r.From() < 0 && r.Ons() > 0
}

// exists writes a subquery that looks for rows linked to an outer one.
func (w *writer) exists(e plan.Expr) string {
	if w.l.Ref(e.Ref()).Step() {
		return w.parent(e.Ref())
	}
	outer := w.b
	w.b = strings.Builder{}
	w.put("EXISTS (SELECT 1 FROM ")
	w.reference(e.Ref())
	for i := range w.l.Refs() {
		if r := w.l.Ref(i); r.Under() == e.Ref() && i != e.Ref() {
			w.put(" LEFT JOIN ")
			w.reference(i)
			w.on(r)
		}
	}
	r := w.l.Ref(e.Ref())
	for j := range r.Ons() {
		if j == 0 {
			w.put(" WHERE ")
		} else {
			w.put(" AND ")
		}
		to, from := w.pair(r.On(j).To, r.On(j).From)
		w.put(to, " = ", from)
	}
	w.condition(" AND ", e.Arg(0))
	w.put(")")
	text := w.b.String()
	w.b = outer
	return text
}

// latest writes a subquery for the largest value of a column. Who plans it has seen
// to it that nothing else is joined there.
func (w *writer) latest(e plan.Expr) string {
	outer := w.b
	w.b = strings.Builder{}
	at := w.expr(e.Arg(0))
	w.put("(SELECT max(", at, ") FROM ")
	w.reference(e.Ref())
	w.put(" WHERE ", w.d.Finite(at, e.Type()), ")")
	text := w.b.String()
	w.b = outer
	return text
}

// parent writes that a row's parent is among the tenant's. As a list of keys it
// is a semi-join to both engines; as a correlated EXISTS, DuckDB would make the
// list for each key first.
func (w *writer) parent(i int) string {
	outer := w.b
	w.b = strings.Builder{}
	r := w.l.Ref(i)
	from, to := make([]string, r.Ons()), make([]string, r.Ons())
	for j := range from {
		to[j], from[j] = w.pair(r.On(j).To, r.On(j).From)
	}
	left := strings.Join(from, ", ")
	if len(from) > 1 {
		left = "(" + left + ")"
	}
	w.put("(", left, " IN (SELECT ", strings.Join(to, ", "), " FROM ")
	w.reference(i)
	w.put("))")
	text := w.b.String()
	w.b = outer
	return text
}

func (w *writer) on(r plan.Ref) {
	w.put(" ON ")
	for j := range r.Ons() {
		if j > 0 {
			w.put(" AND ")
		}
		to, from := w.pair(r.On(j).To, r.On(j).From)
		w.put(to, " = ", from)
	}
}

// reference writes one use of a dataset: the columns the plan reads, from the
// dataset's table, under its scope. There is no other way a table gets into a
// statement.
func (w *writer) reference(i int) {
	r := w.l.Ref(i)
	if r.Shared() {
		w.put(baseTable, " AS ", table(i))
		return
	}
	outer := w.inside
	w.put("(SELECT TRUE AS ", Identifier(rowMark))
	for j := range r.Fields() {
		f := r.Field(j)
		if f.Func != "" {
			w.err = errors.New("sqlgen: a plan asks a database for groups that only an API makes")
		}
		stored := table(i) + "." + Identifier(f.Stored)
		if f.Of > 0 { // of a step that is joined below
			stored = table(f.Of-1) + "." + Identifier(f.Stored)
		}
		read := stored
		if !atUse(f) {
			read = w.d.Read(stored, f)
		}
		w.put(", ", read)
		if f.Stored != f.Name || read != stored {
			w.put(" AS ", Identifier(f.Name))
		}
	}
	name := Identifier(r.Table())
	if r.Schema() != "" {
		name = Identifier(r.Schema()) + "." + name
	}
	apart := ""
	if by, ok := r.Alone(); ok {
		name, apart = w.d.Alone(name, table(i), by)
	}
	w.put(" FROM ", name, " AS ", table(i))
	for j := range r.Policies() {
		p := r.Policy(j)
		w.put(" LEFT JOIN ")
		w.inside = 0
		w.reference(p)
		w.inside = i + 1
		w.on(w.l.Ref(p))
	}
	w.inside = i + 1
	for j := range r.Scopes() {
		if j == 0 {
			w.put(" WHERE ")
		} else {
			w.put(" AND ")
		}
		w.put(w.expr(r.Scope(j)))
	}
	if apart != "" {
		if r.Scopes() == 0 {
			w.put(" WHERE ", apart)
		} else {
			w.put(" AND ", apart)
		}
	}
	w.inside = outer
	w.put(") AS ", table(i))
}

// condition writes a predicate unless it is true anyway.
func (w *writer) condition(keyword string, e plan.Expr) {
	if e.Op() != plan.True {
		w.put(keyword, w.expr(e))
	}
}

// orderBy writes the order.
func (w *writer) orderBy(keyword string) {
	if w.l.Orders() == 0 {
		return
	}
	w.put(keyword)
	for i := range w.l.Orders() {
		if i > 0 {
			w.put(", ")
		}
		o := w.l.Order(i)
		w.put(w.term(o), w.direction(o))
	}
}

// neverNull tells a column of the level's own rows that holds no nulls.
func (w *writer) neverNull(e plan.Expr) bool {
	f, ok := w.field(e)
	return ok && e.Ref() == 0 && !f.Null
}

// term is what a term of an order compares.
func (w *writer) term(o plan.Order) string {
	text := w.stored(o.Expr())
	if f, ok := w.field(o.Expr()); ok && (o.BySource() && atUse(f) || padded(f) || w.inUTC(o.Expr())) {
		text = w.raw(o.Expr())
	}
	if !o.BySource() {
		text = w.byCode(w.folded(text, o.Expr().Type()), o.Expr())
	}
	return w.byLabel(text, o.Expr())
}

// direction is the way of a term, with the nulls where they belong on both engines.
func (w *writer) direction(o plan.Order) string {
	way := ""
	if o.Descending() {
		way = " DESC"
	}
	if w.neverNull(o.Expr()) { // an index serves the order only without a word on nulls
		return way
	}
	return way + w.d.Nulls(o.NullsFirst())
}

// Keys writes the statement that reads the distinct values of a fetched
// column, at most so many.
func Keys(scratchTable string, column plan.Expr, most int, d Dialect) Statement {
	name := Identifier(column.Name())
	return Statement{Text: "SELECT DISTINCT " + d.InternalText(name, column.Type()) + " FROM " + Identifier(scratchTable) +
		" WHERE " + name + " IS NOT NULL LIMIT " + strconv.Itoa(most)}
}
