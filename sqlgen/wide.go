package sqlgen

import (
	"strings"

	"usher/catalog"
	"usher/plan"
	"usher/value"
)

// Whole numbers of more digits than a decimal has are compared as they are stored,
// with literals of their own type: as decimals some of them are none.

// wide is a column of such numbers and its type in the source.
func (w *writer) wide(e plan.Expr) (native string, ok bool) {
	f, ok := w.field(e)
	return f.Native, ok && f.Form == value.Wide && !f.Type.List
}

func unsigned(native string) bool { return strings.HasPrefix(native, "U") }

// wideCompare compares with a literal, which may have a fraction or a sign that the
// column has not.
func (w *writer) wideCompare(op plan.Op, e plan.Expr, native string, v value.Value) string {
	x := w.raw(e)
	whole, fraction, _ := strings.Cut(v.Text(), ".")
	negative := strings.HasPrefix(whole, "-")
	fractional := strings.Trim(fraction, "0") != ""
	below := negative && unsigned(native) // all of the column
	switch {
	case op == plan.Eq && (fractional || below):
		return "FALSE"
	case op == plan.Neq && (fractional || below):
		return "TRUE"
	case below && (op == plan.Gt || op == plan.Gte):
		return "(" + x + " IS NOT NULL)"
	case below:
		return "FALSE"
	case fractional && (op == plan.Gt || op == plan.Gte): // the whole part is the next number towards zero
		op = map[bool]plan.Op{false: plan.Gt, true: plan.Gte}[negative]
	case fractional:
		op = map[bool]plan.Op{false: plan.Lte, true: plan.Lt}[negative]
	}
	return w.compared(op, x, w.wideArg(whole, native))
}

func (w *writer) wideArg(whole, native string) string {
	return w.bind(whole, func(n string) string { return "CAST(" + n + " AS " + native + ")" })
}

// wideIn tells whether a column is one of the literals.
func (w *writer) wideIn(e plan.Expr, native string) string {
	var items []string
	for i := range e.Literals() {
		whole, fraction, _ := strings.Cut(e.Literal(i).Text(), ".")
		if strings.Trim(fraction, "0") == "" && (!unsigned(native) || whole[0] != '-') {
			items = append(items, w.wideArg(whole, native))
		}
	}
	if items == nil {
		return "FALSE"
	}
	return "(" + w.raw(e.Arg(0)) + " IN (" + strings.Join(items, ", ") + "))"
}

// wideMean is a mean of such numbers. Where their sum is no decimal, or may be none,
// doubles are added.
func (w *writer) wideMean(e plan.Expr, call func(fn, of string) string) string {
	x, t := w.raw(e), e.Type()
	n, held := call("count", x), w.lenient(e)
	return "(CASE WHEN " + n + " = " + call("count", held) + " THEN " + w.d.Mean(call("sum", held), n, t) +
		" ELSE " + call("sum", w.d.Float(x, t)) + " / nullif(" + n + ", 0) END)"
}

// lookedAt tells aggregates that choose among values or count them, or go by doubles.
func lookedAt(f catalog.Func) bool { return f != catalog.Sum && f != catalog.Avg }
