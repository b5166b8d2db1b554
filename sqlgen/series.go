package sqlgen

import (
	"strconv"
	"strings"

	"usher/plan"
	"usher/value"
)

// groupsFirst writes the groups as a table of their own, g0, where they are
// read more than once.
func (w *writer) groupsFirst(nested bool) {
	values, all := w.l.Values()
	_, fill := w.l.Fill()
	top, cut := w.l.Top()
	separator := "WITH "
	if all {
		w.put("WITH r", w.d.Materialized())
		w.grouping(nested)
		w.put(")")
		separator = ", "
	}
	if fill || cut {
		w.put(separator, "g0", w.d.Materialized())
		if all {
			w.everyValue(values, nested)
		} else {
			w.grouping(nested)
		}
		w.put(")")
	}
	if !all && !fill && !cut {
		return
	}
	if cut && top.Others() {
		w.put(", best", w.d.Materialized())
		w.best(top)
		w.put(")")
		w.others = true // from here on rows are grouped again, by whether their group is among the best
	}
	w.put(" ")
}

// groupsFrom writes what the groups are read from.
func (w *writer) groupsFrom(nested bool) {
	if fill, ok := w.l.Fill(); ok {
		w.filled(fill, nested)
		return
	}
	if top, ok := w.l.Top(); ok && !top.Others() {
		w.best(top)
		return
	}
	if values, ok := w.l.Values(); ok {
		w.everyValue(values, nested)
		return
	}
	w.grouping(nested)
}

// best writes the first groups of g0.
func (w *writer) best(top plan.Top) {
	w.put("SELECT * FROM g0 AS g ORDER BY ")
	w.put(w.term(top.By()), w.direction(top.By()))
	for i := range w.l.Keys() {
		w.put(", ", w.byCode("g.k"+strconv.Itoa(i), w.l.Key(i)), w.d.Nulls(false))
	}
	w.put(" LIMIT ", strconv.Itoa(top.N()))
}

// groupMark adds what tells, for an earlier period, that there is such a group.
func (w *writer) groupMark(list func(text, name string)) {
	if w.marked {
		list("TRUE", Identifier(rowMark))
	}
}

// inBest is true for rows whose group is among the best.
func (w *writer) inBest() string { return w.among("best") }

// among is true for rows whose group is one of a table of groups.
func (w *writer) among(groups string) string {
	parts := make([]string, w.l.Keys())
	for i := range parts {
		parts[i] = w.d.NullSafeEqual(w.key(i), "b.k"+strconv.Itoa(i))
	}
	return "EXISTS (SELECT 1 FROM " + groups + " AS b WHERE " + strings.Join(parts, " AND ") + ")"
}

// filled writes the groups of g0 with the buckets that have none between them:
// every combination of the other keys with every bucket.
func (w *writer) filled(f plan.Fill, nested bool) {
	var others []string
	if nested {
		others = append(others, "n")
	}
	for i := range w.l.Keys() {
		if i != f.Key() {
			others = append(others, "k"+strconv.Itoa(i))
		}
	}
	at := "k" + strconv.Itoa(f.Key())
	w.put("SELECT ")
	for _, name := range others {
		w.put("o.", name, ", ")
	}
	w.put("s.at AS ", at)
	for i := range w.l.Aggs() {
		w.put(", ", zeroed("z", i, w.l.Agg(i)))
	}
	w.put(" FROM ")
	if nested { // without a range in the conditions each parent's series is as long as its own rows are
		w.put("(SELECT DISTINCT ", strings.Join(others, ", "), ", min(", at, ") OVER (PARTITION BY n) AS low, max(", at,
			") OVER (PARTITION BY n) AS high FROM g0) AS o CROSS JOIN ")
	} else if len(others) > 0 {
		w.put("(SELECT DISTINCT ", strings.Join(others, ", "), " FROM g0) AS o CROSS JOIN ")
	}
	low, high := "(SELECT min("+at+") FROM g0)", "(SELECT max("+at+") FROM g0)"
	var own []string
	if e, ok := f.Low(); ok {
		low = w.expr(e)
	} else if nested {
		own = append(own, "s.at >= o.low")
	}
	if e, ok := f.High(); ok {
		high = w.expr(e)
	} else if nested {
		own = append(own, "s.at <= o.high")
	}
	// The bound keeps a far-off time in the data from making rows without end;
	// groups beyond it stay.
	w.put("((SELECT y.at AS at FROM ", w.series(w.l.Key(f.Key()), low, high), " AS y LIMIT 100000) UNION SELECT ", at, " FROM g0 WHERE ", at, " IS NOT NULL) AS s LEFT JOIN g0 AS z ON z.", at, " = s.at")
	for _, name := range others {
		w.put(" AND ", w.d.NullSafeEqual("z."+name, "o."+name))
	}
	if len(own) > 0 {
		w.put(" WHERE ", strings.Join(own, " AND "))
	}
	w.put(" UNION ALL SELECT ") // rows without a time stay a group, as they are in a series with gaps
	for _, name := range others {
		w.put(name, ", ")
	}
	w.put(at)
	for i := range w.l.Aggs() {
		w.put(", a", strconv.Itoa(i))
	}
	w.put(" FROM g0 WHERE ", at, " IS NULL")
}

// counts tells an aggregate that is 0 over no rows.
func counts(e plan.Expr) bool {
	return e.Op() == plan.CountRows || e.Op() == plan.Total || e.Op() == plan.Agg && (e.Func() == "count" || e.Func() == "countDistinct")
}

// series writes the buckets from low to high as rows of one column, at. From a
// day on they step by the calendar of the zone, below by elapsed time.
func (w *writer) series(key plan.Expr, low, high string) string {
	if key.Op() == plan.Bin {
		return w.bins(key, low, high)
	}
	step := "INTERVAL '1 " + string(key.Unit()) + "'"
	if key.Unit() == plan.Quarter {
		step = "INTERVAL '3 months'"
	}
	switch key.Type().Scalar { //nolint:exhaustive // other types have no buckets of days
	case value.Date:
		return "(SELECT CAST(d.at AS DATE) AS at FROM (SELECT " + w.d.Steps("CAST("+low+" AS TIMESTAMP)", "CAST("+high+" AS TIMESTAMP)", step) + ") AS d)"
	case value.LocalTimestamp:
		return "(SELECT " + w.d.Steps(low, high, step) + ")"
	}
	if u := key.Unit(); u == plan.Millisecond || u == plan.Second || u == plan.Minute {
		return "(SELECT " + w.d.Steps(low, high, step) + ")"
	}
	zone := w.zone(key.Zone()) // an argument that is not in the text would be one too many
	local := func(at string) string { return w.d.AtZone(at, zone) }
	if key.Unit() == plan.Hour { // of which a zone whose clocks change by half an hour has some that begin half past another
		return "(SELECT DISTINCT " + w.elapsed("d.at", local("d.at"), "'hour'") + " AS at FROM (SELECT " +
			w.d.Steps(low, high, "INTERVAL '15 minutes'") + ") AS d)"
	}
	// A first day without a midnight begins at one; the others do not.
	midnight := func(at string) string { return w.d.CutTo("'"+string(key.Unit())+"'", local(at)) }
	return "(SELECT " + local("d.at") + " AS at FROM (SELECT " + w.d.Steps(midnight(low), midnight(high), step) + ") AS d)"
}

// bigInt is the type of what bins are counted with.
var bigInt = value.Of(value.BigInt)

// bins writes the bins from low to high as rows of one column, at. How many there are
// is counted, as no engine steps by every kind of number.
func (w *writer) bins(key plan.Expr, low, high string) string {
	t, width := key.Type(), w.arg(key.Literal(0), "")
	whole := value.Of(value.Decimal)
	n := "round(" + w.d.Float("("+w.d.Exact(high, t)+" - "+w.d.Exact(low, t)+")", whole) + " / " + w.d.Float(width, key.Literal(0).Type()) + ")"
	n = "CASE WHEN " + n + " > 100000 THEN 100000 ELSE " + n + " END" // without an end there are none
	return "(SELECT " + low + " + d.at * " + width + " AS at FROM (SELECT " +
		w.d.Steps(w.d.Key("0", bigInt), w.d.Key("("+n+")", bigInt), w.d.Key("1", bigInt)) + ") AS d)"
}

// zone binds the name of a zone.
func (w *writer) zone(name string) string {
	return w.bind(name, func(n string) string { return "CAST(" + n + " AS " + w.d.TextType() + ")" })
}

// priorGroups joins the groups of the earlier period by their keys.
func (w *writer) priorGroups(nested bool) {
	prior, ok := w.l.Prior()
	if !ok {
		return
	}
	w.put(" LEFT JOIN (")
	now := w.l
	w.l, w.marked = prior, true
	w.grouping(nested)
	w.l, w.marked = now, false
	w.put(") AS h ON TRUE")
	if nested {
		w.put(" AND h.n = g.n")
	}
	for i := range w.l.Keys() {
		w.put(" AND ", w.d.NullSafeEqual(w.keyOf("h", i), "g.k"+strconv.Itoa(i)))
	}
}

// shifted moves a time to a later one.
func (w *writer) shifted(e plan.Expr) string {
	at := w.d.Printable(w.expr(e.Arg(0)), e.Arg(0).Type())
	n, unit := e.Ref(), string(e.Unit())
	if e.Unit() == plan.Quarter {
		n, unit = 3*n, "month"
	}
	period := " + INTERVAL '" + strconv.Itoa(n) + " " + unit + "'"
	switch e.Type().Scalar { //nolint:exhaustive // the plan shifts these types only
	case value.Date:
		return "CAST((" + at + period + ") AS DATE)"
	case value.LocalTimestamp:
		return "(" + at + period + ")"
	}
	switch e.Unit() {
	case plan.Millisecond, plan.Second, plan.Minute, plan.Hour:
		return "(" + at + period + ")"
	case plan.Day, plan.Week, plan.Month, plan.Quarter, plan.Year:
	}
	zone := w.zone(e.Zone())
	return w.d.AtZone("("+w.d.AtZone(at, zone)+period+")", zone)
}

// running writes the sum over the groups so far.
func (w *writer) running(e plan.Expr) string {
	outer := w.b
	w.b = strings.Builder{}
	if w.l.Links() > 0 {
		w.put("PARTITION BY g.n ")
	}
	w.orderBy("ORDER BY ")
	w.put(" ROWS UNBOUNDED PRECEDING")
	window := w.b.String()
	w.b = outer
	return w.over(e.Arg(0), window)
}

// share writes a part of the sum over all groups.
func (w *writer) share(e plan.Expr) string {
	x, t := w.expr(e.Arg(0)), e.Arg(0).Type()
	window := ""
	if w.l.Links() > 0 {
		window = "PARTITION BY g.n"
	}
	whole := value.Of(value.Decimal)
	if t.Scalar == value.Float {
		whole = t
	}
	return "(" + w.d.Float(x, t) + " / nullif(" + w.d.Float(w.over(e.Arg(0), window), whole) + ", 0))"
}

// over adds up a value of the groups in a window.
func (w *writer) over(e plan.Expr, window string) string {
	x := w.expr(e)
	call := func(fn, of string) string { return fn + "(" + of + ") OVER (" + window + ")" }
	if e.Type().Scalar == value.Float {
		return w.d.FloatSum(x, call)
	}
	return call("sum", x)
}
