package sqlgen

import (
	"fmt"
	"strings"

	"usher/plan"
	"usher/value"
)

// Dialect is what an engine has a spelling of its own for, or may have one day:
// postgres.go and duckdb.go. Everything else is written once, in render.go and
// expr.go. Its methods return SQL for SQL.
type Dialect interface {
	// What standard.go has for all.
	Materialized() string
	Lateral() string
	Filter(condition string) string
	Middle(x string, descending bool) string
	Nulls(first bool) string
	NullSafeUnequal(x, y string) string
	CutTo(unit, at string) string
	AtZone(at, zone string) string
	Listed(x, order string) string

	// Alone reads a table of which no two rows may agree in some columns: how it is named, and a
	// condition that is true of every row, and an error once the table promises that no more.
	// Empty: nobody takes such a promise back while the table is open.
	Alone(name, alias string, by plan.Alone) (from, condition string)

	// Arg types the placeholder of a value by the value itself. Native is the
	// type of the column it is compared with, which an enum's label needs.
	Arg(placeholder string, v value.Value, native string) string
	// Read is a stored column as the rest of a statement sees it, by the form in
	// which the source keeps it (read.go). A single precision number is the double
	// of its shortest digits, so that it is what people read and write of it, on
	// every source.
	Read(x string, f plan.Field) string
	// Lenient is Read where a value that is none of the column's scalar is null
	// instead of an error.
	Lenient(x string, f plan.Field) string
	// EnumLabel is a label as a value of the enum type that the engine calls native,
	// null if it is none of its labels; empty where comparing texts is as good.
	EnumLabel(placeholder, native string) string
	// Padded is a text as one that the engine pads with blanks, null if none is read so: one that ends in blanks.
	Padded(x string) string
	// FoldedIn compares text that the engine itself folds, of the type that it calls
	// native, with a list of such.
	FoldedIn(x, list, native string) string
	// FoldedHas is Has for a list of such text.
	FoldedHas(list, item, native string) string
	// Folded is a text in lower case.
	Folded(x string) string
	// Printable is a key of groups, null where its value cannot be printed.
	Printable(x string, t value.Type) string
	// Finite tells times that are no infinity.
	Finite(x string, t value.Type) string
	// InternalText makes an expression return what a value.Cell of the type holds.
	InternalText(x string, t value.Type) string
	// ResultText is InternalText for what goes straight to the client: what the engine writes as
	// the same text by itself needs no conversion before.
	ResultText(x string, t value.Type) string
	// InternalType is the engine's type of what InternalText returns.
	InternalType(t value.Type) string
	// Key makes an expression the type that Parents gives a parent's key.
	Key(x string, t value.Type) string
	// TextType is the engine's type of text without a length.
	TextType() string
	// ByCode makes text compare by code point.
	ByCode(x string) string
	// Collated makes text compare by a collation, as the source names it.
	Collated(x, collation string) string
	// Like matches a pattern whose escape is a backslash.
	Like(x, pattern string, ignoreCase bool) string
	// Has tells whether a list holds an item.
	Has(list, item string) string
	// TakesLists tells whether lists of a type are bound as one argument.
	TakesLists(t value.Type) bool
	// InList tells whether a value is one of a list that is bound as List has it. Native is what the
	// source calls an enum, or text that it folds.
	InList(x, list string, t value.Type, native string) string
	// Float turns a number into a double, correctly rounded.
	Float(x string, t value.Type) string
	// Exact turns an exact number into a decimal of 38 digits, so that what is
	// computed of it does not overflow before these are used up.
	Exact(x string, t value.Type) string
	// Unscaled turns an exact number into a whole number: times ten to the scale.
	Unscaled(x string, t value.Type) string
	// Variance is (n·Σx² − (Σx)²) / (n·(n−1)) of whole numbers x of a type, where
	// call is an aggregate of each row. Beyond what both engines hold exactly it has
	// 12 significant digits, and nothing is raised on the way.
	Variance(x string, t value.Type, n string, call func(fn, of string) string) string
	// FloatVariance is the sample variance of doubles.
	FloatVariance(x string, call func(fn, of string) string) string
	// FloatSum adds up doubles, where call is an aggregate or window of each row:
	// see floats.go.
	FloatSum(x string, call func(fn, of string) string) string
	// Mean is an exact sum of n numbers divided by n, as the nearest double.
	Mean(sum, n string, t value.Type) string
	// Midway is the mean of two exact numbers, as the nearest double.
	Midway(x, y string, t value.Type) string
	// Rounded cuts a double to 12 significant digits.
	Rounded(x string) string
	// Bin is the lower bound of the bin in which an exact number lies.
	Bin(x, width string, t value.Type) string
	// Percentile is the first value at or beyond a fraction of the ordered ones.
	Percentile(x, fraction string) string
	// First is the value in the first row of an order.
	First(x, order, filter string) string
	// LabelColumn is an enum as something that labels can be put beside, and LabelOrder is what
	// then orders as the labels were declared.
	LabelColumn(x, native string) string
	LabelOrder(x string, t value.Type, native string) string
	// LabelBeyond compares an enum with a label in the order that the source's own type has,
	// in which labels have their place that usher has not heard of.
	LabelBeyond(x, operator, placeholder, native string) string
	// NullSafeEqual compares keys of groups: nulls are the same. Joins on it are hashed.
	NullSafeEqual(x, y string) string
	// OptimizationFence ends a subquery whose rows are made before anything is done with them,
	// or is empty where that gains nothing.
	OptimizationFence() string
	// SortsDistinct tells that counting distinct values sorts the rows.
	SortsDistinct() bool
	// CutInUTC is an instant cut to a unit in UTC. Looking a zone up by its name for every
	// row is dear.
	CutInUTC(unit, at string) string
	// Truncated is an instant cut to a unit from a day on by the calendar of a zone.
	Truncated(unit, at, zone string) string
	// Steps selects the times from low to high, a step apart, as the column at.
	Steps(low, high, step string) string
	// Parents makes rows k0, k1, … n of the lists bound to $1, $2, …
	Parents(types []value.Type) string
	// List is the text of a list argument, and KeyList that of keys for Parents, of
	// which some may be null.
	List(items []string) string
	KeyList(keys value.Items) string

	jsonDialect
}

// argText is the text an argument is bound as.
func argText(v value.Value) string {
	if v.Type().Scalar == value.Interval {
		var months, days, micros int64
		if _, err := fmt.Sscan(v.Text(), &months, &days, &micros); err == nil {
			return fmt.Sprintf("%d months %d days %d microseconds", months, days, micros)
		}
	}
	return v.Text()
}

// unlikeText tells a type whose wire form is not the engine's own text.
func unlikeText(t value.Type) bool { return t.Scalar == value.Interval || t.Scalar == value.Bytes }

// quotedLabels are the labels of an enum as SQL. They are the catalog's words.
func quotedLabels(t value.Type) string {
	labels := make([]string, len(t.Labels))
	for i, label := range t.Labels {
		labels[i] = "'" + strings.ReplaceAll(label, "'", "''") + "'"
	}
	return strings.Join(labels, ", ")
}

// mostSquares is the largest n·Σx² both engines hold exactly.
const mostSquares = "170000000000000000000000000000000000000"

func quoteList(items int, open, end string, item func(dst []byte, i int) []byte) string {
	dst := make([]byte, 0, 16*items+2)
	dst = append(dst, open...)
	for i := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = item(dst, i)
	}
	return string(append(dst, end...))
}
