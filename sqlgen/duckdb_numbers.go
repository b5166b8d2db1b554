package sqlgen

import (
	"strconv"

	"usher/value"
)

func (d duckdb) FloatSum(x string, call func(fn, of string) string) string {
	return floatSum(d, x, call, func(part string) string { return "TRY_CAST(trunc(" + part + ") AS BIGINT)" },
		"({rest} // {step})", "({rest} % {step})")
}

// Mean of numbers that are doubles without their point is one division of such,
// which rounds once. Others are divided as at school: whole parts, then twice 18
// digits, and a mark that something is left.
func (d duckdb) Mean(sum, n string, t value.Type) string {
	short, ten := d.Float(sum, value.Of(value.Decimal)), "1e"+strconv.Itoa(max(t.Scale, 0))
	point := "round(" + short + " * " + ten + ")"
	fast := "abs(" + short + ") * " + ten + " < 1e15 AND " + n + " * " + ten + " < 1e15 AND " + point + " / " + ten + " = " + short

	text := "CAST(" + sum + " AS VARCHAR)"
	unscaled := "CAST(replace(" + text + ", '.', '') AS HUGEINT)"
	scale := "CASE WHEN contains(" + text + ", '.') THEN length(" + text + ") - instr(" + text + ", '.') ELSE 0 END"
	const digits = "CAST(1000000000000000000 AS HUGEINT)"
	first := "(abs(" + unscaled + ") % " + n + " * " + digits + ")"
	second := "(" + first + " % " + n + " * " + digits + ")"
	padded := func(x string) string { return "lpad(CAST(" + x + " // " + n + " AS VARCHAR), 18, '0')" }
	long := "CAST(CASE WHEN " + unscaled + " < 0 THEN '-' ELSE '' END || CAST(abs(" + unscaled + ") // " + n + " AS VARCHAR) || '.' || " + padded(first) + " || " + padded(second) +
		" || CASE WHEN " + second + " % " + n + " > 0 THEN '1' ELSE '' END || 'e-' || CAST(" + scale + " AS VARCHAR) AS DOUBLE)"
	return "(CASE WHEN " + fast + " THEN " + point + " / nullif(" + n + " * " + ten + ", 0) WHEN " + n + " > 0 THEN " + long + " END)"
}

// Midway adds first, which is exact, as is halving a double.
func (d duckdb) Midway(x, y string, t value.Type) string {
	sum := d.Float("("+x+" + "+y+")", value.Of(value.Decimal)) + " / 2"
	switch {
	case t.Scalar != value.Decimal || t.Scale == 0 && t.Precision > 0 && t.Precision < value.MaxDigits: // of which some are the engine's own whole numbers
		return "(" + d.Float("(CAST("+x+" AS HUGEINT) + CAST("+y+" AS HUGEINT))", value.Of(value.Decimal)) + " / 2)"
	case t.Scale == value.Unscaled:
		return halves(d, x, y, t)
	case t.Precision > 0 && t.Precision < value.MaxDigits:
		return "(" + sum + ")"
	}
	// Two numbers of 38 digits may have a sum of 39, which is none here.
	most := "9e" + strconv.Itoa(value.MaxDigits-1-t.Scale)
	return "(CASE WHEN abs(" + d.Float(x, t) + ") + abs(" + d.Float(y, t) + ") < " + most + " THEN " + sum + " ELSE " + halves(d, x, y, t) + " END)"
}
