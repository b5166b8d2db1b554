package sqlgen

import (
	"strings"

	"usher/plan"
	"usher/value"
)

// Both engines answer as PostgreSQL's jsonb does: of a key that is there twice
// the last counts, and numbers are exact. A document that jsonb cannot hold, as
// one of type json or from elsewhere may be, is none: nothing is found in it,
// and nothing fails on it. These are documents with NUL or half a surrogate
// pair in text, or with an exponent of four digits.

// jsonDialect is what the engines spell in different ways about JSON.
type jsonDialect interface {
	// jsonDocument makes of a column what the others take, or null.
	jsonDocument(x string, f plan.Field) string
	// jsonContains tells whether a document contains a literal.
	jsonContains(w *writer, doc string, v value.Value) string
	// jsonAt is what a document holds at the end of a path, or null.
	jsonAt(w *writer, doc string, steps []value.Value) string
	// jsonText, jsonNumber and jsonBoolean are what jsonAt has found, or null
	// where it is of another type. Numbers compare as jsonOperand writes them.
	jsonText(at string) string
	jsonNumber(at string) string
	jsonBoolean(at string) string
	jsonOperand(w *writer, v value.Value) string
}

// json writes an operator on JSON.
func (w *writer) json(e plan.Expr) string {
	arg := e.Arg(0)
	switch e.Op() { //nolint:exhaustive // the caller has chosen those of JSON
	case plan.JSONContains:
		return w.d.jsonContains(w, w.document(arg), e.Literal(0))
	case plan.JSONAt:
		steps := make([]value.Value, e.Literals())
		for i := range steps {
			steps[i] = e.Literal(i)
		}
		return w.d.jsonAt(w, w.document(arg), steps)
	case plan.JSONExists:
		return "(" + w.expr(arg) + " IS NOT NULL)"
	case plan.JSONText:
		return w.d.jsonText(w.expr(arg))
	case plan.JSONNumber:
		return w.d.jsonNumber(w.expr(arg))
	}
	return w.d.jsonBoolean(w.expr(arg))
}

func (w *writer) document(e plan.Expr) string {
	f, _ := w.field(e)
	return w.d.jsonDocument(w.expr(e), f)
}

// jsonCompare compares a number in a document with literals.
func (w *writer) jsonCompare(e plan.Expr) string {
	x := w.expr(e.Arg(0))
	if e.Op() != plan.In {
		return w.compared(e.Op(), x, w.d.jsonOperand(w, e.Arg(1).Literal(0)))
	}
	items := make([]string, e.Literals())
	for i := range items {
		items[i] = w.d.jsonOperand(w, e.Literal(i))
	}
	return "(" + x + " IN (" + strings.Join(items, ", ") + "))"
}

// In the text of a document, escaped backslashes made blank, a backslash begins
// an escape: none of these may be left. The halves of a pair are looked for
// after the pairs are taken out.
const (
	escapedNUL       = `\u0000`
	escapedPair      = `\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`
	escapedHalf      = `\\u[dD][89a-fA-F]`
	largeExponent    = `[eE][+-]?0*[1-9][0-9]{3}`
	mostJSONBytes    = "67108864" // jsonb holds 256 MB, a regular expression a quarter of that
	mostJSONBrackets = "20000"    // of both kinds: deeper nesting nears the limit of the server's stack
)

// text binds a text that is not a literal of the plan as it stands.
func (w *writer) text(s string) string {
	return w.bind(s, func(n string) string { return "CAST(" + n + " AS " + w.d.TextType() + ")" })
}
