// Package sqlgen owns the SQL: Render turns a level of a plan into the text of
// one statement and its arguments. Values are only ever arguments, identifiers
// come from the catalog and are quoted, and every reference is written in one
// place, as a subquery that holds its scope. What the engines spell in
// different ways is in Dialect and nowhere else. It refuses levels that
// package plan did not make, and cannot fail on anything a caller wrote.
package sqlgen

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"usher/plan"
	"usher/value"
)

// Statement is one SQL statement. A nested level's first Parents arguments are
// lists of its parents' keys, made with Dialect.List, and come before Args;
// its first column is the number of the parent, counted from 1.
type Statement struct {
	Text    string
	Args    []string
	Parents int
}

// ErrNotPlanned is returned for the zero value of a plan.
var ErrNotPlanned = errors.New("sqlgen: the level was not made by plan.Build")

// rowMark is true in every row of a level's first reference, so that rows can
// be counted behind an outer join. No column can have its name.
const rowMark = "__row"

// Render writes the statement of one level.
func Render(l plan.Level, d Dialect) (Statement, error) {
	if l.Refs() == 0 {
		return Statement{}, ErrNotPlanned
	}
	w := &writer{d: d, l: l, parents: l.Links()}
	w.level()
	return Statement{Text: w.b.String(), Args: w.args, Parents: w.parents}, w.err
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
	args    []string
	casts   []string
	parents int
	inside  int  // 1 + the reference whose subquery is being written, or 0
	others  bool // groups beyond the best are one
	keyed   bool // keys are columns of the first reference's rows
	marked  bool // groups are marked as being there
	part    *part
	err     error
}

func (w *writer) put(parts ...string) {
	for _, p := range parts {
		w.b.WriteString(p)
	}
}

func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func table(ref int) string { return "t" + strconv.Itoa(ref) }

// arg binds a value, once for equal values of one type, and returns its typed
// placeholder.
func (w *writer) arg(v value.Value, native string) string {
	return w.bind(argText(v), func(n string) string { return w.d.Arg(n, v, native) })
}

func (w *writer) bind(text string, cast func(n string) string) string {
	for i := range w.args {
		if w.args[i] == text && w.casts[i] == cast("$") {
			return cast("$" + strconv.Itoa(w.parents+i+1))
		}
	}
	w.args = append(w.args, text)
	w.casts = append(w.casts, cast("$"))
	return cast("$" + strconv.Itoa(w.parents+len(w.args)))
}

// rows writes a list at the root.
func (w *writer) rows() {
	w.put("SELECT ")
	w.placed()
	w.columns()
	w.put(" FROM ")
	w.from(nil)
	w.condition(" WHERE ", w.l.Where())
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
		wire := w.d.Sent
		if w.part != nil { // the parts of a script share their columns
			wire = w.d.Wire
		}
		w.put(wire(w.expr(e), e.Type()), " AS c", strconv.Itoa(i))
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

// from writes the first reference, tied to its parents where ties says how,
// and all that is joined to it.
func (w *writer) from(ties func()) {
	for i := range w.l.Refs() {
		r := w.l.Ref(i)
		switch {
		case elsewhere(r):
		case i > 0:
			w.put(" LEFT JOIN ")
			w.reference(i)
			w.on(r)
		case w.l.Through() > 0:
			w.linked(ties)
		case w.keyed:
			w.keyedRows()
		default:
			w.reference(i)
			w.tie(ties)
		}
	}
}

func (w *writer) tie(ties func()) {
	if ties != nil {
		w.put(" ON ")
		ties()
	}
}

// elsewhere tells a reference that is written inside a scope or an EXISTS, not
// in the statement's own FROM, and one that links parents, which comes first.
func elsewhere(r plan.Ref) bool {
	return r.Absent() || r.Inside() >= 0 || r.Under() >= 0 || r.From() < 0 && r.Ons() > 0
}

// exists writes a subquery that looks for rows linked to an outer one.
func (w *writer) exists(e plan.Expr) string {
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
		w.put(w.expr(r.On(j).To), " = ", w.expr(r.On(j).From))
	}
	w.condition(" AND ", e.Arg(0))
	w.put(")")
	text := w.b.String()
	w.b = outer
	return text
}

// linked writes the rows that link parents to the first reference, each pair
// once, and the first reference joined to them.
func (w *writer) linked(ties func()) {
	i := w.l.Through()
	r := w.l.Ref(i)
	var names []string // of the pair alone: what a policy reads must not tell equal pairs apart
	for j := range w.l.Links() {
		names = append(names, w.l.Link(j).Own().Name())
	}
	for j := range r.Ons() {
		names = append(names, r.On(j).To.Name())
	}
	slices.Sort(names)
	w.put("(SELECT DISTINCT ")
	for j, name := range slices.Compact(names) {
		if j > 0 {
			w.put(", ")
		}
		w.put(table(i), ".", ident(name))
	}
	w.put(" FROM ")
	w.reference(i)
	w.put(") AS ", table(i))
	w.tie(ties)
	w.put(" JOIN ")
	w.reference(0)
	w.on(r)
}

// together writes the same as one operand of a further join. Only what is
// joined itself may stand in parentheses.
func (w *writer) together() {
	for i := 1; i < w.l.Refs(); i++ {
		if i == w.l.Through() || !elsewhere(w.l.Ref(i)) {
			w.put("(")
			w.from(nil)
			w.put(")")
			return
		}
	}
	w.from(nil)
}

func (w *writer) on(r plan.Ref) {
	w.put(" ON ")
	for j := range r.Ons() {
		if j > 0 {
			w.put(" AND ")
		}
		w.put(w.expr(r.On(j).To), " = ", w.expr(r.On(j).From))
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
	w.put("(SELECT TRUE AS ", ident(rowMark))
	for j := range r.Fields() {
		f := r.Field(j)
		stored := table(i) + "." + ident(f.Stored)
		read := w.d.Read(stored, f.Native)
		w.put(", ", read)
		if f.Stored != f.Name || read != stored {
			w.put(" AS ", ident(f.Name))
		}
	}
	w.put(" FROM ")
	if r.Schema() != "" {
		w.put(ident(r.Schema()), ".")
	}
	w.put(ident(r.Table()), " AS ", table(i))
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
	w.inside = outer
	w.put(") AS ", table(i))
}

// condition writes a predicate unless it is true anyway.
func (w *writer) condition(keyword string, e plan.Expr) {
	if e.Op() != plan.True {
		w.put(keyword, w.expr(e))
	}
}

// orderBy writes the order, with the nulls where they belong on both engines.
func (w *writer) orderBy(keyword string) {
	if w.l.Orders() == 0 {
		return
	}
	w.put(keyword)
	for i := range w.l.Orders() {
		if i > 0 {
			w.put(", ")
		}
		w.term(w.l.Order(i))
	}
}

// neverNull tells a column of the level's own rows that holds no nulls.
func (w *writer) neverNull(e plan.Expr) bool {
	f, ok := w.field(e)
	return ok && e.Ref() == 0 && !f.Null
}

// term writes one term of an order.
func (w *writer) term(o plan.Order) {
	text := w.expr(o.Expr())
	if !o.BySource() {
		text = w.byCode(text, o.Expr())
	}
	w.put(text)
	if o.Descending() {
		w.put(" DESC")
	}
	if w.neverNull(o.Expr()) { // an index serves the order only without a word on nulls
		return
	}
	if o.NullsFirst() {
		w.put(" NULLS FIRST")
	} else {
		w.put(" NULLS LAST")
	}
}

// nestedRows writes a list below its parents: numbered for each parent, so
// that limit and offset hold for each, and ordered by parent.
func (w *writer) nestedRows() {
	if w.fewOfMany() {
		w.firstOfEach()
		return
	}
	w.pageOf("p.n")
	w.columns()
	w.numbered("p.n")
	w.put(" FROM ")
	w.parentRows()
	w.put(" JOIN ")
	w.from(w.links)
	w.condition(" WHERE ", w.l.Where())
	w.window()
}

// fewOfMany tells a page of few rows for each parent, where an index finds a
// parent's rows: then it is better to look for each parent's first ones than to
// number all rows of all.
func (w *writer) fewOfMany() bool {
	if w.l.Links() != 1 || w.l.Through() > 0 || w.l.Limit() == plan.All || w.l.Offset()+w.l.Limit() > few {
		return false
	}
	link := w.l.Link(0)
	f, ok := w.field(link.Own())
	return ok && link.Own().Ref() == 0 && f.Indexed && link.Own().Type().Scalar == link.Type().Scalar
}

// few is how many rows are worth a look into the index for each parent.
const few = 100

// firstOfEach writes a nested list as a query of its own for each parent.
func (w *writer) firstOfEach() {
	w.pageOf("p.n")
	w.put("s.* FROM ")
	w.parentRows()
	w.put(" CROSS JOIN LATERAL (SELECT ")
	w.columns()
	w.put(", row_number() OVER (")
	w.orderBy("ORDER BY ")
	w.put(") AS rn FROM ")
	w.from(nil)
	w.put(" WHERE ")
	w.links()
	w.condition(" AND ", w.l.Where())
	w.orderBy(" ORDER BY ")
	w.limit()
	w.put(") AS s) AS s")
	w.inPlace()
}

// inPlace orders the rows of a nested level by their parents.
func (w *writer) inPlace() {
	if w.part == nil {
		w.put(" ORDER BY n, rn")
	}
}

// pageOf begins a nested level: the subquery that numbered and window end.
func (w *writer) pageOf(parent string) {
	w.put("SELECT n")
	if w.part != nil {
		w.put(", rn")
		if w.part.kept {
			w.put(", row_number() OVER (ORDER BY n, rn) AS id")
		}
	}
	for i := range max(w.l.Columns(), 1) {
		w.put(", c", strconv.Itoa(i))
	}
	w.linkNames()
	w.put(" FROM (SELECT ", parent, " AS n, ")
}

// numbered writes the row number within the parent.
func (w *writer) numbered(parent string) {
	w.put(", row_number() OVER (PARTITION BY ", parent)
	w.orderBy(" ORDER BY ")
	w.put(") AS rn")
}

// window closes a numbered subquery and keeps the rows of each parent's page.
func (w *writer) window() {
	n := w.l.Offset() + w.l.Limit()
	if w.l.Cut() {
		n++
	}
	w.put(") AS s WHERE rn <= ", strconv.Itoa(n))
	if w.l.Offset() > 0 {
		w.put(" AND rn > ", strconv.Itoa(w.l.Offset()))
	}
	w.inPlace()
}

// parentRows writes the parents' keys as rows k0, k1, … n.
func (w *writer) parentRows() {
	if w.part != nil {
		w.part.parents(w)
		return
	}
	types := make([]value.Type, w.l.Links())
	for i := range types {
		types[i] = w.l.Link(i).Type()
	}
	w.put(w.d.Parents(types), " AS p")
}

func (w *writer) links() {
	for i := range w.l.Links() {
		if i > 0 {
			w.put(" AND ")
		}
		own := w.l.Link(i).Own()
		w.put(w.labeled(w.expr(own), own.Type(), ""), " = p.k", strconv.Itoa(i))
	}
}

// groups writes an aggregate. Grouping stands in a subquery of its own: there
// the engine hashes, and only the groups are ordered above it.
func (w *writer) groups() {
	nested := w.l.Links() > 0
	w.groupsFirst(nested)
	if nested {
		w.pageOf("g.n")
	} else {
		w.put("SELECT ")
		w.placed()
	}
	w.columns()
	if nested {
		w.numbered("g.n")
	}
	w.put(" FROM (")
	w.groupsFrom(nested)
	w.put(") AS g")
	w.priorGroups(nested)
	w.condition(" WHERE ", w.l.Having())
	if nested {
		w.window()
		return
	}
	w.orderBy(" ORDER BY ")
	w.limit()
}

// grouping writes the innermost query: k0, k1, … and a0, a1, … by group.
func (w *writer) grouping(nested bool) {
	w.keyed = w.guessedKeys(nested)
	if s := w.inTwoSteps(nested); s != nil {
		w.twice(s)
		return
	}
	list := w.items()
	if nested {
		list("p.n", "n")
	}
	for i := range w.l.Keys() {
		key := w.key(i)
		if w.others {
			key = "CASE WHEN " + w.inBest() + " THEN " + key + " END"
		}
		list(key, "k"+strconv.Itoa(i))
	}
	groups := w.l.Keys()
	if w.others {
		list("NOT "+w.inBest(), "others")
		groups++
	}
	for i := range w.l.Aggs() {
		list(w.expr(w.l.Agg(i)), "a"+strconv.Itoa(i))
	}
	w.groupMark(list)
	if groups+w.l.Aggs() == 0 {
		list("count(*)", "a0")
	}
	w.groupedRows(nested)
	if nested {
		groups++
	}
	w.groupBy(groups)
}

// items begins a query and returns what adds to the columns it returns.
func (w *writer) items() func(text, name string) {
	separator := "SELECT "
	return func(text, name string) {
		w.put(separator, text, " AS ", name)
		separator = ", "
	}
}

// groupedRows writes where the rows of groups come from.
func (w *writer) groupedRows(nested bool) {
	w.put(" FROM ")
	where := " WHERE "
	switch {
	case nested && w.l.Keys() == 0: // a parent without rows has a group all the same
		w.parentRows()
		w.put(" LEFT JOIN ")
		w.together()
		w.put(" ON ")
		w.links()
		where = " AND "
	case nested:
		w.parentRows()
		w.put(" JOIN ")
		w.from(w.links)
	default:
		w.from(nil)
	}
	if !w.keyed {
		w.condition(where, w.l.Where())
	}
	w.keyed = false
}

// groupBy groups by the first columns.
func (w *writer) groupBy(n int) {
	for i := range n {
		if i == 0 {
			w.put(" GROUP BY 1")
		} else {
			w.put(", ", strconv.Itoa(i+1))
		}
	}
}

// guessedKeys tells groups by something computed of their own rows, such as
// months. An engine that has no statistics on it may take every row for a group
// of its own, and sort all rows where it should hash them. Reading the keys from
// rows that are kept apart makes it assume few groups. Conditions on other
// references stay where the engine can begin with them.
func (w *writer) guessedKeys(nested bool) bool {
	if w.d.Apart() == "" || nested || w.l.Ref(0).Shared() || !w.l.Where().Only(0) {
		return false
	}
	computed := false
	for i := range w.l.Keys() {
		if e := w.l.Key(i); e.Op() != plan.Column {
			if !e.Only(0) {
				return false
			}
			computed = true
		}
	}
	return computed
}

// keyedRows writes the first reference's rows with the computed keys.
func (w *writer) keyedRows() {
	w.put("(SELECT ", table(0), ".*")
	for i := range w.l.Keys() {
		if e := w.l.Key(i); e.Op() != plan.Column {
			w.put(", ", w.expr(e), " AS ", keyColumn(i))
		}
	}
	w.put(" FROM ")
	w.reference(0)
	w.condition(" WHERE ", w.l.Where())
	if at, ok := w.l.Along(); ok {
		w.put(" ORDER BY ", w.expr(at))
	}
	w.put(w.d.Apart(), ") AS ", table(0))
}

// keyColumn is a computed key's column. No column of a dataset can have its name.
func keyColumn(i int) string { return ident("__k" + strconv.Itoa(i)) }

func (w *writer) key(i int) string {
	if e := w.l.Key(i); !w.keyed || e.Op() == plan.Column {
		return w.expr(e)
	}
	return table(0) + "." + keyColumn(i)
}

// Keys writes the statement that reads the distinct values of a fetched
// column, at most so many.
func Keys(scratchTable string, column plan.Expr, most int, d Dialect) Statement {
	name := ident(column.Name())
	return Statement{Text: "SELECT DISTINCT " + d.Wire(name, column.Type()) + " FROM " + ident(scratchTable) +
		" WHERE " + name + " IS NOT NULL LIMIT " + strconv.Itoa(most)}
}
