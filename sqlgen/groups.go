package sqlgen

import (
	"strconv"

	"usher/plan"
)

// groups writes an aggregate. Grouping stands in a subquery of its own: there
// the engine hashes, and only the groups are ordered above it.
func (w *writer) groups() {
	nested := w.l.Links() > 0
	w.groupsFirst(nested)
	from := func() {
		w.put(" FROM (")
		w.groupsFrom(nested)
		w.put(") AS g")
		w.priorGroups(nested)
		w.condition(" WHERE ", w.l.Having())
	}
	if !nested {
		w.root(from)
		return
	}
	w.pageOf("g.n")
	w.columns()
	w.numbered("g.n")
	from()
	w.window()
}

// grouping writes the groups that may be there: k0, k1, … and a0, a1, … of each.
func (w *writer) grouping(nested bool) {
	guard := w.l.Guard()
	if guard.Op() == plan.True {
		w.everyGroup(nested)
		return
	}
	w.put("SELECT g.* FROM (")
	w.everyGroup(nested)
	w.put(") AS g")
	w.condition(" WHERE ", guard)
}

// everyGroup writes the innermost query.
func (w *writer) everyGroup(nested bool) {
	if nested && w.l.OneGroup() {
		w.groupOfEach()
		return
	}
	w.groupsOfRows(nested)
}

// groupOfEach writes a group for each parent, also for one without rows. What is
// grouped is joined to the parents, not what belongs to them: an outer join below the
// groups would leave the engine one way to begin.
func (w *writer) groupOfEach() {
	list := w.items()
	list("p.n", "n")
	for i := range w.l.Aggs() {
		list(w.orNothing(i), "a"+strconv.Itoa(i))
	}
	w.groupMark(list)
	w.put(" FROM ")
	w.parentRows(true)
	w.put(" LEFT JOIN (")
	marked := w.marked
	w.marked = false
	w.groupsOfRows(true)
	w.marked = marked
	w.put(") AS o ON o.n = p.n")
}

// orNothing is an aggregate of the groups o, or what it is over no rows where a
// parent has none.
func (w *writer) orNothing(i int) string {
	e, name := w.l.Agg(i), "o.a"+strconv.Itoa(i)
	switch {
	case counts(e):
		return "coalesce(" + name + ", 0)"
	case !made(e): // of rows that are not there
		return name
	}
	w.rowless = true
	nothing := w.expr(e)
	w.rowless = false
	return "CASE WHEN o.n IS NULL THEN " + nothing + " ELSE " + name + " END"
}

// made tells an aggregate that is computed of counts and numbers, and so is not null
// for want of rows.
func made(e plan.Expr) bool {
	switch e.Op() { //nolint:exhaustive // of others, measures are not made
	case plan.Literal:
		return true
	case plan.Add, plan.Sub, plan.Mul, plan.Div, plan.Neg:
		for i := range e.Len() {
			if !made(e.Arg(i)) {
				return false
			}
		}
		return true
	}
	return counts(e)
}

// groupsOfRows writes the groups that have rows.
func (w *writer) groupsOfRows(nested bool) {
	w.keyed = w.guessedKeys(nested)
	if s := w.inTwoSteps(nested); s != nil {
		w.twice(s)
		return
	}
	list := w.items()
	if nested {
		list(w.parentNumber(), "n")
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
	if nested {
		w.from(w.belonging)
	} else {
		w.from(w.alone)
	}
	where := " WHERE "
	if w.others && w.l.Guard().Op() != plan.True { // the others are of groups that are there
		w.put(where, w.among("g0"))
		where = " AND "
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
	if w.d.OptimizationFence() == "" || nested || w.l.Ref(0).Shared() || !w.l.Where().Only(0) {
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
			w.put(", ", w.expr(e), " AS ", keyColumn(i)) // buckets and bins are printable already
		}
	}
	w.put(" FROM ")
	w.reference(0)
	w.condition(" WHERE ", w.l.Where())
	if at, ok := w.l.Along(); ok {
		w.put(" ORDER BY ", w.expr(at))
	}
	w.put(w.d.OptimizationFence(), ") AS ", table(0))
}

// keyColumn is a computed key's column. No column of a dataset can have its name.
func keyColumn(i int) string { return Identifier("__k" + strconv.Itoa(i)) }

// groupedBy is a column as a key of groups: texts that are equal are one, and values
// that cannot be printed are null.
func (w *writer) groupedBy(e plan.Expr) string {
	return w.folded(w.d.Printable(w.lenient(e), e.Type()), e.Type())
}

func (w *writer) key(i int) string {
	e := w.l.Key(i)
	if e.Op() == plan.Column {
		return w.groupedBy(e)
	}
	if !w.keyed {
		return w.expr(e)
	}
	return table(0) + "." + keyColumn(i)
}
