package plan

import (
	"math/big"
	"strings"

	"usher/value"
)

// A literal may have more digits than any value of a decimal column, before or
// after the point. An engine that brings both to one type would then fail on a
// stored value that does not fit it. So a decimal column is compared only with
// numbers of its own scale: a column of scale 2 is less than 1.105 where it is
// at most 1.10, and never equal to it.

// decimalComparison compares a decimal with a literal.
func decimalComparison(op Op, e Expr, v value.Value) Expr {
	floor, exact, sign := atScale(v, e.typ.Scale)
	if sign == 0 && exact {
		return predicate(op, e, literal(floor))
	}
	switch op { //nolint:exhaustive // the caller has a comparison
	case Eq:
		return predicate(False)
	case Neq:
		return predicate(True)
	}
	above := op == Gt || op == Gte
	switch {
	case sign == 0 && above:
		return predicate(Gt, e, literal(floor))
	case sign == 0:
		return predicate(Lte, e, literal(floor))
	case above == (sign < 0):
		return not(predicate(IsNull, e))
	}
	return predicate(False)
}

// held are the literals that a decimal of the scale can be equal to.
func held(lits []value.Value, scale int) []value.Value {
	out := make([]value.Value, 0, len(lits))
	for _, v := range lits {
		if floor, exact, sign := atScale(v, scale); exact && sign == 0 {
			out = append(out, floor)
		}
	}
	return out
}

// atScale is the largest number of the scale that is at most v, and whether it
// is v itself. Sign is not 0 for a v beyond all numbers of the scale.
func atScale(v value.Value, scale int) (floor value.Value, exact bool, sign int) {
	whole, fraction := value.DecimalShape(v.Text())
	if scale == value.Unscaled || fraction <= scale && whole+scale <= value.MaxDigits {
		return v, true, 0
	}
	n, _ := new(big.Int).SetString(strings.Replace(v.Text(), ".", "", 1), 10)
	ten := func(digits int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil) }
	rest := new(big.Int)
	if fraction > scale {
		n.DivMod(n, ten(fraction-scale), rest) // Euclidean: the rest is never negative
	} else {
		n.Mul(n, ten(scale-fraction))
	}
	if n.CmpAbs(ten(value.MaxDigits)) >= 0 {
		return value.Value{}, false, n.Sign()
	}
	text := new(big.Rat).SetFrac(n, ten(scale)).FloatString(scale)
	floor, err := value.Parse(v.Type(), text)
	return floor, err == nil && rest.Sign() == 0, 0
}
