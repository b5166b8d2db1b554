package sqlgen

import (
	"strconv"
	"strings"

	"usher/plan"
	"usher/value"
)

// mostValues is how many values of a common dataset get groups of their own when no
// row has them.
const mostValues = 10_000

// everyValue writes the groups of r with those of values that no row has: the other
// keys' values as they occur, each with each of the values.
func (w *writer) everyValue(v plan.Values, nested bool) {
	var names, occurring []string
	if nested {
		names = append(names, "n")
	}
	for i := range w.l.Keys() {
		names = append(names, "k"+strconv.Itoa(i))
		if v.Kept(i) {
			occurring = append(occurring, names[len(names)-1])
		}
	}
	if nested {
		occurring = append([]string{"n"}, occurring...)
	}
	own := func(table, name string) string {
		if i, err := strconv.Atoi(strings.TrimPrefix(name, "k")); err == nil {
			return w.keyOf(table, i)
		}
		return table + "." + name
	}
	w.put("SELECT ")
	for i, name := range names {
		if i > 0 {
			w.put(", ")
		}
		w.put("x.", name)
	}
	for i := range w.l.Aggs() {
		w.put(", ", zeroed("z", i, w.l.Agg(i)))
	}
	w.put(" FROM (SELECT ")
	for i, name := range names {
		if i > 0 {
			w.put(", ")
		}
		w.put(name)
	}
	separator := " FROM "
	with := func(text string) {
		w.put(separator, text)
		separator = " CROSS JOIN "
	}
	if len(occurring) > 0 {
		with("(SELECT DISTINCT " + strings.Join(occurring, ", ") + " FROM r) AS o")
	}
	for i := range v.Labels() {
		with(w.labels(v.Label(i)))
	}
	if v.Columns() > 0 {
		with("(")
		w.commonValues(v)
		w.put(") AS v")
	}
	w.put(" UNION SELECT ")
	for i, name := range names {
		if i > 0 {
			w.put(", ")
		}
		w.put(own("r", name), " AS ", name)
	}
	w.put(" FROM r) AS x LEFT JOIN r AS z ON TRUE")
	for _, name := range names {
		w.put(" AND ", w.d.NullSafeEqual(own("z", name), "x."+name))
	}
}

// keyOf is a key of the rows, of the type that labels have where they are beside it.
func (w *writer) keyOf(table string, i int) string {
	name := table + ".k" + strconv.Itoa(i)
	v, ok := w.l.Values()
	if !ok {
		return name
	}
	for j := range v.Labels() {
		if v.Label(j) == i {
			f, _ := w.field(w.l.Key(i))
			return w.d.LabelColumn(name, f.Native)
		}
	}
	return name
}

// zeroed is an aggregate of a group that may have no rows.
func zeroed(table string, i int, e plan.Expr) string {
	name := "a" + strconv.Itoa(i)
	if counts(e) {
		return "coalesce(" + table + "." + name + ", 0) AS " + name
	}
	return table + "." + name
}

// labels are the labels of an enum as rows.
func (w *writer) labels(key int) string {
	e := w.l.Key(key)
	f, _ := w.field(e)
	rows := make([]string, len(e.Type().Labels))
	for i, label := range e.Type().Labels {
		v, err := value.Parse(e.Type(), label)
		if err != nil && w.err == nil {
			w.err = err
		}
		rows[i] = "SELECT " + w.arg(v, f.Native) + " AS k" + strconv.Itoa(key)
	}
	return "(" + strings.Join(rows, " UNION ALL ") + ") AS e" + strconv.Itoa(key)
}

// byLabel orders the labels of an enum as they were declared, where they have become
// text to be put beside others.
func (w *writer) byLabel(text string, e plan.Expr) string {
	v, ok := w.l.Values()
	if !ok || e.Op() != plan.Inner {
		return text
	}
	for i := range v.Labels() {
		if at := v.Label(i); at == e.Ref() {
			f, _ := w.field(w.l.Key(at))
			return w.d.LabelOrder(text, e.Type(), f.Native)
		}
	}
	return text
}

// commonValues are what the rows of the common dataset hold, the first ones in the
// order of the keys.
func (w *writer) commonValues(v plan.Values) {
	w.put("SELECT * FROM (SELECT DISTINCT ")
	for i := range v.Columns() {
		if i > 0 {
			w.put(", ")
		}
		w.put(w.groupedBy(v.Column(i)), " AS k", strconv.Itoa(v.Key(i)))
	}
	w.put(" FROM ")
	w.reference(v.Ref())
	w.put(") AS u ORDER BY ")
	for i := range v.Columns() {
		if i > 0 {
			w.put(", ")
		}
		w.put(w.byCode("u.k"+strconv.Itoa(v.Key(i)), v.Column(i)), w.d.Nulls(false))
	}
	w.put(" LIMIT ", strconv.Itoa(mostValues))
}
