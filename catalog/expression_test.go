package catalog

import (
	"testing"

	"usher/value"
)

// Whatever the text, the parser answers with an expression or an error, and an
// expression has a type everywhere.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"sum(a)", "count() * -2.50", "(min(b.a) + 1) / avg(a - a)", "sum(", "é(", "1..2", "--count()", "max(t)", "countDistinct(t)",
	} {
		f.Add(text)
	}
	amount := &Column{Name: "a", Type: value.DecimalOf(12, 2)}
	text := &Column{Name: "t", Type: value.Of(value.String)}
	d := &Dataset{Name: "d", columns: map[string]*Column{"a": amount, "t": text}}
	d.relations = map[string]*Relation{"b": {Name: "b", To: d}}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseExpression(d, text)
		if (e == nil) == (err == nil) {
			t.Fatalf("expression %v, error %v", e, err)
		}
		if e != nil {
			checkTyped(t, e)
		}
	})
}

func checkTyped(t *testing.T, e *Expr) {
	t.Helper()
	if e.Op == 0 || e.Type.Scalar == 0 {
		t.Fatalf("untyped: %+v", e)
	}
	for _, arg := range e.Args {
		checkTyped(t, arg)
	}
}

func TestArithmetic(t *testing.T) {
	t.Parallel()
	decimal, unscaled, float, whole := value.DecimalOf(12, 2), value.Of(value.Decimal), value.Of(value.Float), value.Of(value.Int)
	f := func(op ExprOp, a, b, want value.Type) {
		t.Helper()
		if got, ok := arithmetic(op, a, b); !ok || got.Scalar != want.Scalar || got.Scale != want.Scale {
			t.Errorf("operation %d of %v and %v: %v, want %v", op, a, b, got, want)
		}
	}
	f(ExprAdd, whole, whole, value.DecimalOf(value.MaxDigits, 0))
	f(ExprAdd, decimal, whole, value.DecimalOf(value.MaxDigits, 2))
	f(ExprMul, decimal, decimal, value.DecimalOf(value.MaxDigits, 4))
	f(ExprSub, decimal, unscaled, unscaled)
	f(ExprMul, unscaled, whole, unscaled)
	f(ExprAdd, decimal, float, float)
	f(ExprDiv, whole, whole, float)
	if _, ok := arithmetic(ExprMul, value.DecimalOf(38, 30), value.DecimalOf(38, 30)); ok {
		t.Error("60 digits after the point are accepted")
	}
}

func TestFieldNames(t *testing.T) {
	t.Parallel()
	f := func(want string, physical ...string) {
		t.Helper()
		if got := fieldNames(physical); got[len(got)-1] != want {
			t.Errorf("%q becomes %q, want %q", physical[len(physical)-1], got[len(got)-1], want)
		}
	}
	f("ordered_at", "ordered_at")
	f("aircraftAirlineOperator", "Aircraft  Airline Operator")
	f("costTotal", "Cost: Total $")
	f("costTotal_2", "costTotal", "Cost: Total $")
	f("costTotal_3", "costTotal", "Cost: Total $", "cost-total")
	f("_2ndEngine", "2nd Engine")
	f("faaId", "FAA ID")
	f("typename", "__typename")
	f("count_", "count")
	f("and_", "AND?")
	f("column", "價格")
}
