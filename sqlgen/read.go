package sqlgen

import (
	"strings"

	"usher/plan"
	"usher/value"
)

// Columns whose type in the source is not the scalar's own (value.Form) are read
// as the scalar in one place, their reference. Those of atUse are read where they
// are used instead: equality with them is asked of the column as it is stored.

func atUse(f plan.Field) bool {
	return f.Form == value.Wide || f.Form == value.Folded || f.Form == value.InUTC || !f.Type.List && (f.Form == value.Label || f.Form == value.Collated) || padded(f)
}

// padded tells text that has blanks at its end that are no part of it, or may have, since nobody has said what it is.
// Among themselves such columns are compared and ordered as they are stored, by which the engine leaves the blanks out.
func padded(f plan.Field) bool {
	return !f.Type.List && (f.Form == value.Padded || f.Form == value.Plain && f.Native == "" && f.Type.Text())
}

// utc is the zone that times which are kept without one are of.
const utc = "'UTC'"

// inUTC tells times that are kept without their zone. An index of the column has their order, and finds what they are
// compared with.
func (w *writer) inUTC(e plan.Expr) bool {
	f, ok := w.field(e)
	return ok && f.Form == value.InUTC
}

// pair writes two columns of which one leads to the other. Of padded text an index finds what is led to.
func (w *writer) pair(to, from plan.Expr) (x, y string) {
	t, _ := w.field(to)
	f, _ := w.field(from)
	switch {
	case padded(t) && padded(f):
		return w.raw(to), w.raw(from)
	case t.Form == value.Padded && to.Type().Text() && from.Type().Text():
		return w.raw(to), w.d.Padded(w.lenient(from))
	}
	return w.lenient(to), w.collated(w.lenient(from), f) // of a subquery's column the engine would not heed it
}

// lenient writes an expression that is grouped or joined by: a column whose value
// is none of its scalar is null there. What is computed of it fails, so that no sum
// lacks it in silence.
func (w *writer) lenient(e plan.Expr) string {
	if f, ok := w.field(e); ok && f.Form == value.Wide {
		return w.d.Lenient(w.raw(e), f)
	}
	return w.expr(e)
}

// stored writes an expression that is only looked at, and not computed with: a
// column as it is stored, whatever can be answered of it.
func (w *writer) stored(e plan.Expr) string {
	if f, ok := w.field(e); ok && f.Form == value.Wide {
		return w.raw(e)
	}
	return w.expr(e)
}

// manyLabels are compared as texts: each label that is looked for in the enum
// takes a subquery.
const manyLabels = 16

// operand writes a literal that a column is compared with.
type operand func(value.Value) string

// own is a column as it is stored, and how literals are written that it is equal
// to by its own rules; nil: they are compared as the scalar's, as where nobody has said what
// the source calls its type. So an index of the column serves the comparison.
func (w *writer) own(e plan.Expr, literals int) (x string, of operand) {
	f, _ := w.field(e)
	switch {
	case e.Type().List || !e.Type().Text():
	case f.Form == value.Folded && e.Type().Folded && f.Native != "":
		return w.raw(e), w.castTo(f.Native)
	case f.Form == value.Padded && f.Native != "":
		return w.raw(e), func(v value.Value) string {
			return w.bindValue(v, func(n string) string { return w.d.Padded("CAST(" + n + " AS " + w.d.TextType() + ")") })
		}
	case e.Type().Folded:
		return w.d.Folded(w.expr(e)), func(v value.Value) string { return w.d.Folded(w.arg(v, "")) }
	case f.Form == value.Label && f.Native != "" && literals <= manyLabels && w.d.EnumLabel("$", f.Native) != "":
		return "CAST(" + w.raw(e) + " AS " + f.Native + ")", func(v value.Value) string { // it may be of a domain
			return w.bindValue(v, func(n string) string { return w.d.EnumLabel(n, f.Native) })
		}
	}
	return "", nil
}

func (w *writer) castTo(native string) operand {
	return func(v value.Value) string {
		return w.bindValue(v, func(n string) string { return "CAST(" + n + " AS " + native + ")" })
	}
}

// ownIn tells whether a column is equal to one of the literals by its own rules,
// or is empty.
func (w *writer) ownIn(e plan.Expr, n int, literal func(int) value.Value) string {
	x, of := w.own(e, n)
	if of == nil {
		return ""
	}
	items := make([]string, n)
	for i := range items {
		items[i] = of(literal(i))
	}
	list := strings.Join(items, ", ")
	if f, _ := w.field(e); f.Form == value.Folded {
		return w.d.FoldedIn(x, list, f.Native)
	}
	return "(" + x + " IN (" + list + "))"
}

// equal compares by the column's own rules, or is empty. Null is unlike every
// literal, and so is what is no label to an enum.
func (w *writer) equal(op plan.Op, left, right plan.Expr) string {
	if right.Op() != plan.Literal {
		return ""
	}
	f, _ := w.field(left)
	if op == plan.Neq && f.Form == value.Label {
		return ""
	}
	text := w.ownIn(left, 1, func(int) value.Value { return right.Literal(0) })
	if text != "" && op == plan.Neq {
		return "(" + text + " IS NOT TRUE)"
	}
	return text
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

// between the infinities, by which an index finds the largest.
func between(x, as string) string {
	return "(" + x + " > CAST('-infinity' AS " + as + ") AND " + x + " < CAST('infinity' AS " + as + "))"
}

func finite(x, as string) string {
	return "(CASE WHEN abs(" + x + ") < CAST('Infinity' AS " + as + ") THEN " + x + " END)"
}
