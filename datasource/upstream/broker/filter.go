package broker

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"usher/plan"
	"usher/value"
)

// filter is a condition as the plugin protocol writes it. Plugins of the first
// version call the column id.
type filter struct {
	Column     string `json:"column_id"`
	ID         string `json:"id,omitempty"`
	Expression string `json:"expression"`
	Value      []any  `json:"value"`
}

// expressions are the protocol's, by the operators of conditions. One value to
// be equal to is asked for as a list of one: connectors agree on lists more
// than on =.
var expressions = map[string]string{"eq": "in", "in": "in", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

// filtersOf is what a plugin is asked to filter by; whole tells whether that is
// all the conditions. Everything is applied again to what arrives, so a filter
// may be wider than its condition, but never narrower: where a plugin may hold
// finer values than it sends the filter is wider, and a condition that some
// connector could misread is not sent.
func filtersOf(conditions []plan.Condition, d *Dataset) (out []filter, whole bool) {
	whole = true
	for _, c := range conditions {
		made := conditionFilters(c, d.typeOf(c.Column))
		out = append(out, made...)
		whole = whole && len(made) > 0
	}
	return out, whole
}

// conditionFilters is one condition as filters, or nothing.
func conditionFilters(c plan.Condition, typ string) []filter {
	t := c.Values[0].Type()
	switch {
	case typ == hierarchy && (t.Text() || t.Scalar == value.Enum):
		return same(c, quotable, func(v value.Value) any { return v.Text() })
	case typ == numeric && (t.Scalar == value.Int || t.Scalar == value.BigInt || t.Scalar == value.Decimal && t.Precision > 0 && t.Precision <= maxDoubleDigits):
		return same(c, doubles, func(v value.Value) any { return json.Number(v.Text()) })
	case typ == numeric && t.Scalar == value.Float:
		return within(c, floatOf, cmp.Compare[float64], floatBeside)
	case typ == datetime && (t.Scalar == value.Date || t.Scalar == value.Timestamp):
		return within(c, instantOf, time.Time.Compare, instantBeside)
	}
	return nil
}

// same is the condition itself, if each of its values may be sent.
func same(c plan.Condition, may func(value.Value) bool, write func(value.Value) any) []filter {
	f := filter{Column: c.Column, Expression: expressions[c.Operator]}
	for _, v := range c.Values {
		if !may(v) {
			return nil
		}
		f.Value = append(f.Value, write(v))
	}
	return []filter{f}
}

// quotable tells text that no connector misreads. Some write an empty text as
// NULL, and some put texts between quotes without a look inside.
func quotable(v value.Value) bool {
	return v.Text() != "" && !strings.ContainsAny(v.Text(), "'\"`\\") && !strings.ContainsFunc(v.Text(), unicode.IsControl)
}

// maxDoubleDigits is how many decimal digits a double always keeps. Many
// plugins know no other number.
const maxDoubleDigits = 15

// doubles tells numbers that are the same after their way through a double.
func doubles(v value.Value) bool {
	digits := 0
	for _, c := range v.Text() {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return digits <= maxDoubleDigits
}

// within is a range that holds all values the condition is true of, wider by a
// step: from the condition's own bound, or the least of its values, to the
// greatest.
func within[T any](c plan.Condition, read func(value.Value) (T, bool), order func(a, b T) int, write func(v T, step int) any) []filter {
	values := make([]T, 0, len(c.Values))
	for _, v := range c.Values {
		x, ok := read(v)
		if !ok {
			return nil
		}
		values = append(values, x)
	}
	from := filter{Column: c.Column, Expression: ">=", Value: []any{write(slices.MinFunc(values, order), -1)}}
	to := filter{Column: c.Column, Expression: "<=", Value: []any{write(slices.MaxFunc(values, order), 1)}}
	switch c.Operator {
	case "gt", "gte":
		return []filter{from}
	case "lt", "lte":
		return []filter{to}
	}
	return []filter{from, to}
}

func floatOf(v value.Value) (float64, bool) {
	f, err := strconv.ParseFloat(v.Text(), 64)
	return f, err == nil && math.Abs(f) < math.MaxFloat64
}

// floatBeside is the next number below or above, as a connector's database may
// hold digits that the number it sends has lost.
func floatBeside(f float64, step int) any {
	f = math.Nextafter(f, math.Inf(step))
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

// protocolTime is how times are written; they are in UTC.
const protocolTime = "2006-01-02T15:04:05.000Z"

// instantOf is a time, within the years that every database knows.
func instantOf(v value.Value) (time.Time, bool) {
	layout := "2006-01-02 15:04:05-07" // the canonical text
	if v.Type().Scalar == value.Date {
		layout = time.DateOnly
	}
	at, err := time.Parse(layout, v.Text())
	return at, err == nil && at.Year() > 1 && at.Year() < 9999
}

func instantBeside(at time.Time, step int) any {
	return at.Add(time.Duration(step) * time.Millisecond).UTC().Format(protocolTime)
}
