package sqlgen

import (
	"usher/plan"
	"usher/value"
)

// Columns whose type in the source is not the scalar's own (value.Form) are read
// as the scalar in one place, their reference. Those of atUse are read where they
// are used instead: equality with them is asked of the column as it is stored.

func atUse(f plan.Field) bool {
	return f.Form == value.Wide || !f.Type.List && (f.Form == value.Label || f.Form.Merges())
}

// lenient writes an expression that is compared, ordered or grouped by: a column
// whose value is none of its scalar is null there. Everywhere else it is an error,
// so that no sum lacks it in silence.
func (w *writer) lenient(e plan.Expr) string {
	if f, ok := w.field(e); ok && f.Form == value.Wide {
		return w.d.Lenient(w.raw(e), f)
	}
	return w.expr(e)
}

// manyLabels are compared as texts: each label that is looked for in the enum
// takes a subquery.
const manyLabels = 16

// own is a column as it is stored, and how literals are written that it is equal
// to by its own rules; nil: they are compared as the scalar's. So an index of the
// column serves the comparison.
func (w *writer) own(e plan.Expr, literals int) (x string, operand func(value.Value) string) {
	if e.Type().List || !e.Type().Text() {
		return "", nil
	}
	f, _ := w.field(e)
	switch {
	case f.Form == value.Folded && e.Type().Folded:
		return w.raw(e), w.castTo(f.Native)
	case e.Type().Folded:
		return w.d.Folded(w.expr(e)), func(v value.Value) string { return w.d.Folded(w.arg(v, "")) }
	case f.Form == value.Label && literals <= manyLabels && w.d.Label("$", f.Native) != "":
		return w.raw(e), func(v value.Value) string {
			return w.bind(argText(v), func(n string) string { return w.d.Label(n, f.Native) })
		}
	}
	return "", nil
}

func (w *writer) castTo(native string) func(value.Value) string {
	return func(v value.Value) string {
		return w.bind(argText(v), func(n string) string { return "CAST(" + n + " AS " + native + ")" })
	}
}

// equal compares by the column's own rules, or is empty. A label that is none is
// null, which is unlike itself only to what asks for likeness.
func (w *writer) equal(op plan.Op, left, right plan.Expr) string {
	if right.Op() != plan.Literal {
		return ""
	}
	x, operand := w.own(left, 1)
	if f, _ := w.field(left); operand == nil || op == plan.Neq && f.Form == value.Label {
		return ""
	}
	return w.compared(op, x, operand(right.Literal(0)))
}

// folded makes groups of text that is equal in upper and lower case.
func (w *writer) folded(x string, t value.Type) string {
	if t.Folded && !t.List {
		return w.d.Folded(x)
	}
	return x
}

// years is a time of the years that can be printed, or null.
func years(x, as string) string {
	return "(CASE WHEN " + x + " >= CAST('0001-01-01' AS " + as + ") AND " + x + " < CAST('10000-01-01' AS " + as + ") THEN " + x + " END)"
}

func finite(x, as string) string {
	return "(CASE WHEN abs(" + x + ") < CAST('Infinity' AS " + as + ") THEN " + x + " END)"
}
