package sqlgen

import (
	"strings"

	"usher/value"
)

// What comes of adding doubles depends on their order, which no engine promises:
// between two of its answers the last digits differ, and one that is rounded may
// go either way. So doubles are added as whole numbers, which is exact in any
// order. Each is cut into its multiples of 2⁻¹² and what is left of it, in
// multiples of 2⁻⁷⁴: of a double beyond 2.4e-7 that is all of it. The engines add
// these up without a bound; put together again, they are the same double.
//
// This holds for numbers below 2⁵⁰, and where what is cut off of n numbers, at
// most n·2⁻⁷⁴, is nothing beside the largest of them. For others the engine adds
// as it does. Which it is follows from the numbers alone.
const (
	topStep   = "4096e0"                // 2^12
	restStep  = "4611686018427387904e0" // 2^62
	wholeRest = "4611686018427387904"
	topBound  = "1125899906842624e0" // 2^50
	mostCount = "536870912e0"        // 2^29: n·2^-74 is 2^-45 of the largest
)

// floatSum writes both parts' sums, and puts them together by the same steps on
// both engines: what of the rest is a whole step goes to the top first. Whole
// turns a double within the bound into a whole number.
func floatSum(d Dialect, x string, call func(fn, of string) string, whole func(part string) string, over, beyond string) string {
	scaled := x + " * " + topStep
	top := call("sum", whole(scaled))
	rest := call("sum", whole("("+scaled+" - trunc("+scaled+")) * "+restStep))
	largest, exact := call("max", "abs("+x+")"), value.Of(value.Decimal)
	put := strings.NewReplacer("{rest}", rest, "{step}", wholeRest)
	return "(CASE WHEN " + largest + " < " + topBound + " AND " + call("count", x) + " <= " + largest + " * " + mostCount +
		" THEN (" + d.Float("("+top+" + "+put.Replace(over)+")", exact) + " + " + d.Float(put.Replace(beyond), exact) + " / " + restStep + ") / " + topStep +
		" ELSE " + call("sum", x) + " END)"
}

// halves is the mean of two numbers that may have no exact sum.
func halves(d Dialect, x, y string, t value.Type) string {
	return "(" + d.Float(x, t) + " / 2 + " + d.Float(y, t) + " / 2)"
}
