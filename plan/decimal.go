package plan

import (
	"math/big"
	"strconv"
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
	floor, how := fitted(v, e.typ.Scale)
	if how == exactly {
		return predicate(op, e, literal(floor))
	}
	switch op { //nolint:exhaustive // the caller has a comparison
	case Eq:
		return predicate(False)
	case Neq:
		return predicate(True)
	}
	greater := op == Gt || op == Gte
	switch {
	case how == between && greater:
		return predicate(Gt, e, literal(floor))
	case how == between:
		return predicate(Lte, e, literal(floor))
	case greater == (how == belowAll):
		return not(predicate(IsNull, e))
	}
	return predicate(False)
}

// held are the literals that a decimal of the scale can be equal to.
func held(lits []value.Value, scale int) []value.Value {
	out := make([]value.Value, 0, len(lits))
	for _, v := range lits {
		if floor, how := fitted(v, scale); how == exactly {
			out = append(out, floor)
		}
	}
	return out
}

// How a number stands to those of a scale.
const (
	exactly  = "one of them"
	between  = "between two of them"
	aboveAll = "above all of them"
	belowAll = "below all of them"
)

// fitted is atScale of a literal.
func fitted(v value.Value, scale int) (floor value.Value, how string) {
	if scale == value.Unscaled {
		return v, exactly
	}
	name := strconv.Itoa(scale)
	how = v.Says("at scale "+name, func(text string) string {
		_, how := atScale(text, scale)
		return how
	})
	floor, _ = v.As(v.Type(), "floor at scale "+name, func(text string) (string, error) { // of what is beyond all, nobody uses it
		floor, _ := atScale(text, scale)
		return floor, nil
	})
	return floor, how
}

// atScale is the largest number of the scale that is at most the one of the text,
// and how that one stands to them.
func atScale(text string, scale int) (floor, how string) {
	whole, fraction := value.DecimalShape(text)
	if fraction <= scale && whole+scale <= value.MaxDigits {
		return text, exactly
	}
	n, _ := new(big.Int).SetString(strings.Replace(text, ".", "", 1), 10)
	ten := func(digits int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil) }
	rest := new(big.Int)
	if fraction > scale {
		n.DivMod(n, ten(fraction-scale), rest) // Euclidean: the rest is never negative
	} else {
		n.Mul(n, ten(scale-fraction))
	}
	if n.CmpAbs(ten(value.MaxDigits)) >= 0 {
		if n.Sign() < 0 {
			return "", belowAll
		}
		return "", aboveAll
	}
	floor, how = new(big.Rat).SetFrac(n, ten(scale)).FloatString(scale), between
	if rest.Sign() == 0 {
		how = exactly
	}
	if parsed, err := value.Parse(value.Of(value.Decimal), floor); err == nil { // without zeros at its end
		floor = parsed.Text()
	}
	return floor, how
}
