package sqlgen

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"usher/catalog"
	"usher/plan"
	"usher/value"
)

// expr writes an expression. The result is safe as an operand of AND, of a
// comparison and of a cast: anything looser stands in parentheses.
func (w *writer) expr(e plan.Expr) string {
	if w.rowless && counts(e) {
		return "0"
	}
	switch e.Op() {
	case plan.Column:
		return w.column(e)
	case plan.Inner:
		if e.Ref() < w.l.Keys() {
			return "g.k" + strconv.Itoa(e.Ref())
		}
		return "g.a" + strconv.Itoa(e.Ref()-w.l.Keys())
	case plan.Literal:
		return w.arg(e.Literal(0), "")
	case plan.True:
		return "TRUE"
	case plan.False:
		return "FALSE"
	case plan.And:
		return w.join(e, " AND ")
	case plan.Or:
		return w.join(e, " OR ")
	case plan.Not:
		if e.Arg(0).Op() == plan.Exists { // which is never null, and a join when it says so plainly
			return "(NOT " + w.expr(e.Arg(0)) + ")"
		}
		return "((" + w.expr(e.Arg(0)) + ") IS NOT TRUE)"
	case plan.IsNull:
		return w.isNull(e.Arg(0))
	case plan.Eq, plan.Neq, plan.Lt, plan.Lte, plan.Gt, plan.Gte:
		return w.compare(e)
	case plan.RowLt:
		return w.rowValue(e, " < ")
	case plan.RowGt:
		return w.rowValue(e, " > ")
	case plan.In:
		return w.in(e)
	case plan.Among:
		return w.inList(e)
	case plan.Like, plan.ILike:
		return w.d.Like(w.expr(e.Arg(0)), w.arg(e.Literal(0), ""), e.Op() == plan.ILike || e.Arg(0).Type().Folded)
	case plan.Has, plan.HasAny, plan.HasAll:
		return w.has(e)
	case plan.JSONContains, plan.JSONAt, plan.JSONExists, plan.JSONText, plan.JSONNumber, plan.JSONBoolean:
		return w.json(e)
	case plan.Exists:
		return w.exists(e)
	case plan.Latest:
		return w.latest(e)
	case plan.Bucket:
		return w.bucket(e)
	case plan.Bin:
		return w.d.Bin(w.d.Printable(w.lenient(e.Arg(0)), e.Arg(0).Type()), w.arg(e.Literal(0), ""), e.Type())
	case plan.Add, plan.Sub, plan.Mul, plan.Div, plan.Neg:
		return w.arithmetic(e)
	case plan.CountRows:
		return "count(*)" + w.filtered(e)
	case plan.Total:
		return "coalesce(sum(" + w.expr(e.Arg(0)) + "), 0)"
	case plan.Agg:
		return w.aggregate(e)
	case plan.Prior:
		if e.Ref() < 0 {
			return "h." + Identifier(rowMark)
		}
		return "h.a" + strconv.Itoa(e.Ref()-w.l.Keys())
	case plan.Shifted:
		return w.shifted(e)
	case plan.Running:
		return w.running(e)
	case plan.Share:
		return w.share(e)
	case plan.IsOthers:
		if top, ok := w.l.Top(); ok && top.Others() {
			return "g.others"
		}
		return "FALSE"
	case plan.Rounded:
		return w.d.Rounded(w.expr(e.Arg(0)))
	}
	w.err = fmt.Errorf("sqlgen: a plan holds the expression %d, which has no spelling", e.Op())
	return "NULL"
}

// raw writes a column as it is stored: by its stored name inside the subquery of
// its own reference, by its catalog name outside.
func (w *writer) raw(e plan.Expr) string {
	name := e.Name()
	if w.inside == e.Ref()+1 {
		r := w.l.Ref(e.Ref())
		for i := range r.Fields() {
			if f := r.Field(i); f.Name == name {
				if f.Of > 0 {
					return table(f.Of-1) + "." + Identifier(f.Stored)
				}
				name = f.Stored
				break
			}
		}
	}
	return table(e.Ref()) + "." + Identifier(name)
}

// field finds what is known of a column's storage.
func (w *writer) field(e plan.Expr) (plan.Field, bool) {
	if e.Op() != plan.Column {
		return plan.Field{}, false
	}
	r := w.l.Ref(e.Ref())
	for i := range r.Fields() {
		if r.Field(i).Name == e.Name() {
			return r.Field(i), true
		}
	}
	return plan.Field{}, false
}

// column writes a column as its form is read. Outside of its reference's subquery
// that has been done already, but for forms that have to be known where they are
// used.
func (w *writer) column(e plan.Expr) string {
	f, ok := w.field(e)
	if ok && (atUse(f) || w.inside == e.Ref()+1) {
		return w.d.Read(w.raw(e), f)
	}
	return w.raw(e)
}

// isNull takes JSON's null for one too: no answer tells it from a missing
// value, and an API cannot send it as anything else.
func (w *writer) isNull(e plan.Expr) string {
	x := w.stored(e)
	if f, _ := w.field(e); padded(f) {
		x = w.raw(e)
	}
	if e.Type().Scalar == value.JSON && !e.Type().List {
		return "(" + x + " IS NULL OR trim(CAST(" + x + " AS " + w.d.TextType() + ")) = 'null')"
	}
	return "(" + x + " IS NULL)"
}

func (w *writer) join(e plan.Expr, word string) string {
	parts := make([]string, e.Len())
	for i := range parts {
		parts[i] = w.expr(e.Arg(i))
	}
	return "(" + strings.Join(parts, word) + ")"
}

var operators = map[plan.Op]string{
	plan.Eq: " = ", plan.Lt: " < ", plan.Lte: " <= ", plan.Gt: " > ", plan.Gte: " >= ",
}

// byCode makes text compare by code point, where it would not by itself.
func (w *writer) byCode(text string, e plan.Expr) string {
	if f, ok := w.field(e); !e.Type().Text() || ok && f.ByCode {
		return text
	}
	return w.d.ByCode(text)
}

func (w *writer) compare(e plan.Expr) string {
	left, right := e.Arg(0), e.Arg(1)
	if left.Op() == plan.JSONNumber {
		return w.jsonCompare(e)
	}
	if e.Op() == plan.Eq || e.Op() == plan.Neq {
		if text := w.equal(e.Op(), left, right); text != "" {
			return text
		}
	}
	if native, ok := w.wide(left); ok && right.Op() == plan.Literal {
		return w.wideCompare(e.Op(), left, native, right.Literal(0))
	}
	if w.inUTC(left) && right.Op() == plan.Literal {
		return w.compared(e.Op(), w.raw(left), w.d.AtZone(w.arg(right.Literal(0), ""), utc))
	}
	l := w.lenient(left)
	if sided := e.Op() != plan.Eq && e.Op() != plan.Neq; sided && left.Type().Scalar == value.Enum && right.Op() == plan.Literal {
		f, _ := w.field(left)
		return w.bindValue(right.Literal(0), func(n string) string { return w.d.LabelBeyond(l, operators[e.Op()], n, f.Native) })
	} else if sided {
		if l = w.byCode(w.folded(l, left.Type()), left); left.Type().Folded && right.Op() == plan.Literal {
			return w.compared(e.Op(), l, w.folded(w.arg(right.Literal(0), ""), left.Type()))
		}
	}
	f, _ := w.field(left)
	if aroundLatest(right) { // what has no end is not among the latest
		return "(" + w.compared(e.Op(), l, w.expr(right)) + " AND " + w.d.Finite(l, left.Type()) + ")"
	}
	with := w.operand(right, f.Native)
	if e.Op() == plan.Eq && left.Op() == plan.Column && w.l.Ref(left.Ref()).TenantColumn() == left.Name() {
		with = w.collated(with, f)
	}
	return w.compared(e.Op(), w.labeled(l, left.Type(), f.Native), with)
}

// collated has text compared by the collation that its column was found to have. A column that has got another one since, to
// which different texts are equal, would show a tenant the rows of others.
func (w *writer) collated(text string, f plan.Field) string {
	if f.Collate == "" {
		return text
	}
	return w.d.Collated(text, f.Collate)
}

// aroundLatest tells a time that is made of the latest one.
func aroundLatest(e plan.Expr) bool {
	for e.Op() == plan.Bucket || e.Op() == plan.Shifted {
		e = e.Arg(0)
	}
	return e.Op() == plan.Latest
}

// compared writes a comparison of two texts; null is unlike whatever it is
// compared with.
func (w *writer) compared(op plan.Op, x, y string) string {
	if op == plan.Neq {
		return "(" + w.d.NullSafeUnequal(x, y) + ")"
	}
	return "(" + x + operators[op] + y + ")"
}

// labeled makes an enum comparable with text, where nobody has said what the
// source calls its type: in a template, and above a grouping.
func (w *writer) labeled(text string, t value.Type, native string) string {
	if t.Scalar != value.Enum || native != "" {
		return text
	}
	as := w.d.TextType()
	if t.List {
		as += "[]"
	}
	return "CAST(" + text + " AS " + as + ")"
}

// operand writes what a column is compared with; an enum's literal needs the
// column's own type.
func (w *writer) operand(e plan.Expr, native string) string {
	if e.Op() == plan.Literal {
		return w.arg(e.Literal(0), native)
	}
	return w.expr(e)
}

// rowValue compares several columns as one, from the left.
func (w *writer) rowValue(e plan.Expr, op string) string {
	left, right := make([]string, e.Len()), make([]string, e.Len())
	for i := range left {
		t := e.Arg(i).Type()
		left[i] = w.byCode(w.folded(w.stored(e.Arg(i)), t), e.Arg(i))
		f, _ := w.field(e.Arg(i))
		if native, ok := w.wide(e.Arg(i)); ok {
			right[i] = w.wideArg(e.Literal(i).Text(), native)
		} else if w.inUTC(e.Arg(i)) {
			left[i], right[i] = w.raw(e.Arg(i)), w.d.AtZone(w.arg(e.Literal(i), ""), utc)
		} else {
			right[i] = w.folded(w.arg(e.Literal(i), f.Native), t)
		}
	}
	if len(left) == 1 {
		return "(" + left[0] + op + right[0] + ")"
	}
	return "((" + strings.Join(left, ", ") + ")" + op + "(" + strings.Join(right, ", ") + "))"
}

func (w *writer) in(e plan.Expr) string {
	if e.Literals() == 0 {
		return "FALSE"
	}
	if e.Arg(0).Op() == plan.JSONNumber {
		return w.jsonCompare(e)
	}
	f, _ := w.field(e.Arg(0))
	items := make([]string, e.Literals())
	if text := w.ownIn(e.Arg(0), e.Literals(), e.Literal); text != "" {
		return text
	}
	if native, ok := w.wide(e.Arg(0)); ok {
		return w.wideIn(e, native)
	}
	for i := range items {
		items[i] = w.arg(e.Literal(i), f.Native)
	}
	return "(" + w.labeled(w.lenient(e.Arg(0)), e.Arg(0).Type(), f.Native) + " IN (" + strings.Join(items, ", ") + "))"
}

// inList compares with a list that is one argument, where the engine takes such lists.
func (w *writer) inList(e plan.Expr) string {
	t := e.Arg(0).Type()
	if !w.d.TakesLists(t) {
		return w.in(e.Listed())
	}
	f, _ := w.field(e.Arg(0))
	x := w.labeled(w.lenient(e.Arg(0)), t, f.Native)
	if t.Folded { // by the column's own rules
		x = w.raw(e.Arg(0))
	}
	return w.d.InList(x, w.list(e.Literal(0)), t, f.Native)
}

func (w *writer) has(e plan.Expr) string {
	list := w.lenient(e.Arg(0))
	if e.Literals() == 0 {
		if e.Op() == plan.HasAll {
			return "(" + list + " IS NOT NULL)"
		}
		return "FALSE"
	}
	f, _ := w.field(e.Arg(0))
	native := strings.TrimSuffix(f.Native, "[]")
	list = w.labeled(list, e.Arg(0).Type(), native)
	parts := make([]string, e.Literals())
	for i := range parts {
		if f.Form == value.Folded && e.Arg(0).Type().Folded {
			parts[i] = w.d.FoldedHas(w.raw(e.Arg(0)), w.castTo(native)(e.Literal(i)), native)
		} else {
			parts[i] = w.d.Has(list, w.arg(e.Literal(i), native))
		}
	}
	word := " OR "
	if e.Op() == plan.HasAll {
		word = " AND "
	}
	return "(" + strings.Join(parts, word) + ")"
}

// bucket cuts a time. From a day on the calendar of the zone decides; below a
// day elapsed time does, so that a day of 25 hours has 25 buckets.
func (w *writer) bucket(e plan.Expr) string {
	x, unit := w.expr(e.Arg(0)), "'"+string(e.Unit())+"'"
	at := w.d.Printable(x, e.Arg(0).Type())
	switch e.Type().Scalar { //nolint:exhaustive // other types have no buckets
	case value.Date:
		return "CAST(" + w.d.CutTo(unit, "CAST("+at+" AS TIMESTAMP)") + " AS DATE)"
	case value.Time:
		return "CAST(" + w.d.CutTo(unit, "DATE '2000-01-01' + "+at) + " AS TIME)"
	case value.LocalTimestamp:
		return w.d.CutTo(unit, at)
	}
	if e.Zone() == "UTC" {
		return w.d.CutInUTC(unit, at)
	}
	zone := w.zone(e.Zone())
	if e.Arg(0).Op() == plan.Column {
		at = w.yearsIn(x, e)
	}
	switch e.Unit() {
	case plan.Millisecond, plan.Second, plan.Minute, plan.Hour:
		return w.elapsed(at, w.d.AtZone(at, zone), unit)
	case plan.Day, plan.Week, plan.Month, plan.Quarter, plan.Year:
	}
	return w.d.Truncated(unit, at, zone)
}

// yearsIn is an instant whose unit can be printed in its zone, or null: of one
// beside the first or the last year it may be that only the instant itself can.
func (w *writer) yearsIn(x string, e plan.Expr) string {
	low, high, err := plan.Printable(e.Unit(), e.Zone())
	if err != nil {
		w.err = fmt.Errorf("sqlgen: the zone of a plan: %w", err)
	}
	bound := func(at time.Time) string { return w.arg(value.TimestampOf(at), "") }
	return "(CASE WHEN " + x + " >= " + bound(low) + " AND " + x + " < " + bound(high) + " THEN " + x + " END)"
}

// elapsed takes from an instant what its local time shows beyond a unit.
func (w *writer) elapsed(at, local, unit string) string {
	return "(" + at + " - (" + local + " - " + w.d.CutTo(unit, local) + "))"
}

func (w *writer) arithmetic(e plan.Expr) string {
	number := func(i int) string {
		a := e.Arg(i)
		text := w.expr(a)
		if e.Op() == plan.Div || e.Type().Scalar == value.Float {
			return w.d.Float(text, a.Type())
		}
		switch a.Op() { //nolint:exhaustive // every other node may be narrow
		case plan.Add, plan.Sub, plan.Mul, plan.Neg:
			return text // made of exact operands
		}
		return w.d.Exact(text, a.Type())
	}
	switch e.Op() { //nolint:exhaustive // the caller has chosen the arithmetic ones
	case plan.Add:
		return "(" + number(0) + " + " + number(1) + ")"
	case plan.Sub:
		return "(" + number(0) + " - " + number(1) + ")"
	case plan.Mul:
		return "(" + number(0) + " * " + number(1) + ")"
	case plan.Div:
		return "(" + number(0) + " / nullif(" + number(1) + ", 0))"
	}
	return "(- " + number(0) + ")"
}

// filtered is the clause that limits an aggregate to some rows.
func (w *writer) filtered(e plan.Expr) string {
	f, ok := e.Filter()
	if !ok {
		return ""
	}
	return w.d.Filter(w.expr(f))
}

// aggregate writes an aggregate function so that both engines give the same
// digits: exact sums divided once, in doubles, at the end.
func (w *writer) aggregate(e plan.Expr) string {
	arg := e.Arg(0)
	read := w.expr
	if lookedAt(e.Func()) {
		read = w.stored
	}
	t, x, filter := arg.Type(), read(arg), w.filtered(e)
	call := func(fn, of string) string { return fn + "(" + of + ")" + filter }
	switch e.Func() {
	case catalog.CountDistinct:
		return call("count", "DISTINCT "+w.folded(x, t))
	case catalog.Min, catalog.Max:
		if t.Scalar == value.Interval {
			return "(" + w.extremeInterval(x, e.Func()) + filter + ")[1]"
		}
		return call(string(e.Func()), w.byCode(x, arg))
	case catalog.Sum:
		if t.Scalar == value.Float {
			return w.d.FloatSum(w.d.Float(x, t), call)
		}
		return call("sum", x)
	case catalog.Avg:
		if t.Scalar == value.Float {
			return "(" + w.d.FloatSum(w.d.Float(x, t), call) + " / nullif(" + call("count", x) + ", 0))"
		}
		if _, ok := w.wide(arg); ok {
			return w.wideMean(arg, call)
		}
		return w.d.Mean(call("sum", x), call("count", x), t)
	case catalog.Median:
		low, high := w.d.Middle(x, false)+filter, w.d.Middle(x, true)+filter
		if t.Exact() {
			return w.d.Midway(low, high, t)
		}
		return "((" + w.d.Float(low, t) + " + " + w.d.Float(high, t) + ") / 2)"
	case catalog.Variance, catalog.Stddev:
		return w.spread(e, call)
	case catalog.Count:
		return call("count", x)
	case catalog.First, catalog.Last:
		terms := make([]string, e.Len()-1)
		for i := range terms {
			terms[i] = w.byCode(w.stored(e.Arg(i+1)), e.Arg(i+1))
			if e.Func() == catalog.Last {
				terms[i] += " DESC"
			}
			terms[i] += w.d.Nulls(false)
		}
		return w.d.First(x, strings.Join(terms, ", "), filter)
	case catalog.Percentile:
		return w.d.Float(w.d.Percentile(x, w.arg(e.Literal(0), ""))+filter, t)
	}
	return "NULL"
}

// extremeInterval lists intervals, the smallest or largest first. Of those that are
// equal and look different, P1M and P30D, both engines take the same.
func (w *writer) extremeInterval(x string, f catalog.Func) string {
	way := ""
	if f == catalog.Max {
		way = " DESC"
	}
	text := w.d.ByCode(w.d.InternalText(x, value.Of(value.Interval)))
	return w.d.Listed(x, x+way+w.d.Nulls(false)+", "+text+way)
}

// spread writes the sample variance or its root. Exact numbers are squared and
// added without rounding.
func (w *writer) spread(e plan.Expr, call func(fn, of string) string) string {
	arg := e.Arg(0)
	t, x := arg.Type(), w.stored(arg)
	variance := ""
	if t.Scalar == value.Float {
		variance = w.d.FloatVariance(w.d.Float(x, t), call)
	} else if !t.Squarable() {
		variance = call("var_samp", w.d.Float(x, t))
	} else {
		whole := w.d.Unscaled(x, t)
		n := call("count", x)
		variance = w.d.Variance(whole, t, n, call)
		if t.Scale > 0 {
			variance = "(" + variance + " / 1e" + strconv.Itoa(2*t.Scale) + ")"
		}
		variance = "(CASE WHEN " + n + " > 1 THEN " + variance + " END)"
	}
	if e.Func() == catalog.Stddev {
		return "sqrt(" + variance + ")"
	}
	return variance
}
