package sqlgen

import "usher/value"

func (d postgres) FloatSum(x string, call func(fn, of string) string) string {
	return floatSum(d, x, call, func(part string) string {
		return "CASE WHEN abs(" + x + ") < " + topBound + " THEN CAST(trunc(" + part + ") AS int8) END"
	}, "div({rest}, {step})", "mod({rest}, {step})")
}

// Mean has more digits than two doubles can differ in before it is made one: a
// quotient has as many as the longer of its numbers.
func (postgres) Mean(sum, n string, _ value.Type) string {
	return "(round(" + sum + "::numeric, 60) / nullif(" + n + ", 0))::float8"
}

func (d postgres) Midway(x, y string, t value.Type) string {
	if t.Scalar == value.Decimal && t.Scale == value.Unscaled {
		return halves(d, x, y, t)
	}
	return "((" + x + "::numeric + " + y + "::numeric)::float8 / 2)"
}
