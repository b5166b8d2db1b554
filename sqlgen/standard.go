package sqlgen

import (
	"usher/catalog"
	"usher/plan"
)

// Identifier quotes a name, so that it means itself whatever is in it.
func Identifier(name string) string { return catalog.Identifier(name) }

// standard is what the engines so far spell alike, most of it from the SQL
// standard. A dialect embeds it and says otherwise where it has to.
type standard struct{}

// Alone has no condition: files are looked at when others take their place.
func (standard) Alone(name, _ string, _ plan.Alone) (from, condition string) { return name, "" }

// Materialized opens a common table expression whose rows are made once.
func (standard) Materialized() string { return " AS MATERIALIZED (" }

// Lateral opens a subquery that sees the tables before it.
func (standard) Lateral() string { return " CROSS JOIN LATERAL (" }

// Filter ends an aggregate that takes some rows only.
func (standard) Filter(condition string) string { return " FILTER (WHERE " + condition + ")" }

// Middle is the middle one of ordered values, of an even number the first of
// the two in the middle.
func (standard) Middle(x string, descending bool) string {
	way := ""
	if descending {
		way = " DESC"
	}
	return "percentile_disc(0.5) WITHIN GROUP (ORDER BY " + x + way + ")"
}

// Nulls says where nulls stand in an order.
func (standard) Nulls(first bool) string {
	if first {
		return " NULLS FIRST"
	}
	return " NULLS LAST"
}

// NullSafeUnequal compares values of which nulls are the same.
func (standard) NullSafeUnequal(x, y string) string { return x + " IS DISTINCT FROM " + y }

// CutTo is a time without a zone cut to a unit.
func (standard) CutTo(unit, at string) string { return "date_trunc(" + unit + ", " + at + ")" }

// AtZone turns an instant into the local time of a zone, and back.
func (standard) AtZone(at, zone string) string { return "(" + at + " AT TIME ZONE " + zone + ")" }

// Listed is the list of a group's values in an order.
func (standard) Listed(x, order string) string { return "array_agg(" + x + " ORDER BY " + order + ")" }
