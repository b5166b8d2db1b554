// Package value owns the scalars: their types, the typed literals of a
// request, the cells of a result, and the one canonical text each value has.
// It refuses every literal that is not exactly a value of its type: integers
// out of range or with a fraction, dates that do not exist, enum labels that
// were not declared. What both engines are made to agree on ends here.
package value

import "fmt"

// Scalar names a GraphQL scalar.
type Scalar uint8

// The scalars of the schema. Enum stands for every database enum.
const (
	Int            Scalar = iota + 1 // 32 bit
	BigInt                           // 64 bit
	Decimal                          // exact, up to 38 digits
	Float                            // IEEE 754 double
	Boolean                          //
	String                           //
	ID                               //
	UUID                             // lower-case, with dashes
	Date                             // YYYY-MM-DD
	Time                             // HH:MM:SS[.ffffff]
	Timestamp                        // RFC 3339 with offset
	LocalTimestamp                   // RFC 3339 without offset
	Interval                         // ISO 8601 duration
	JSON                             // compact, keys sorted
	Bytes                            // base64
	Enum                             // a label of Type.Labels
)

var scalarNames = [...]string{
	Int: "Int", BigInt: "BigInt", Decimal: "Decimal", Float: "Float", Boolean: "Boolean", String: "String",
	ID: "ID", UUID: "UUID", Date: "Date", Time: "Time", Timestamp: "Timestamp", LocalTimestamp: "LocalTimestamp",
	Interval: "Interval", JSON: "JSON", Bytes: "Bytes", Enum: "Enum",
}

// String is the scalar's GraphQL name.
func (s Scalar) String() string {
	if int(s) < len(scalarNames) && scalarNames[s] != "" {
		return scalarNames[s]
	}
	return fmt.Sprintf("Scalar(%d)", uint8(s))
}

// ScalarByName finds a scalar by its GraphQL name; Enum has none of its own.
func ScalarByName(name string) (Scalar, bool) {
	for s := Int; s < Enum; s++ {
		if scalarNames[s] == name {
			return s, true
		}
	}
	return 0, false
}

// Unscaled is the scale of a decimal that has none declared: its values are
// written without trailing zeros.
const Unscaled = -1

// MaxDigits is how many digits a Decimal may have.
const MaxDigits = 38

// Type is the type of a column, an argument or a result.
type Type struct {
	Scalar    Scalar
	Precision int      // Decimal: all digits; 0 when not declared
	Scale     int      // Decimal: digits after the point, or Unscaled
	EnumName  string   // Enum: the GraphQL name of the type
	Labels    []string // Enum: in declared order; never changed after construction
	List      bool     // a list of the scalar; elements may be null
	Folded    bool     // String: equal in upper and lower case
}

// Of returns the plain type of a scalar; a Decimal made so is Unscaled.
func Of(s Scalar) Type {
	t := Type{Scalar: s}
	if s == Decimal {
		t.Scale = Unscaled
	}
	return t
}

// DecimalOf returns a decimal type with a scale.
func DecimalOf(precision, scale int) Type {
	return Type{Scalar: Decimal, Precision: precision, Scale: scale}
}

// Elem is the type of a list's elements, or the type itself.
func (t Type) Elem() Type {
	t.List = false
	return t
}

// GraphQL is the type's name in the schema, without nullability.
func (t Type) GraphQL() string {
	name := t.Scalar.String()
	if t.Scalar == Enum {
		name = t.EnumName
	}
	if t.List {
		return "[" + name + "]"
	}
	return name
}

// Numeric tells whether the type is a number.
func (t Type) Numeric() bool {
	return !t.List && t.Scalar >= Int && t.Scalar <= Float
}

// Exact tells whether the type is a number without rounding.
func (t Type) Exact() bool {
	return !t.List && t.Scalar >= Int && t.Scalar <= Decimal
}

// Squarable tells an exact number short enough for both engines to add up its
// squares exactly.
func (t Type) Squarable() bool {
	return t.Exact() && (t.Scalar != Decimal || t.Scale >= 0 && t.Precision > 0 && t.Precision <= 18)
}

// Text tells whether the type has text operators and text order.
func (t Type) Text() bool {
	return !t.List && (t.Scalar == String || t.Scalar == ID)
}

// Temporal tells whether the type is a date or a time.
func (t Type) Temporal() bool {
	return !t.List && t.Scalar >= Date && t.Scalar <= LocalTimestamp
}

// Ordered tells whether values compare with lt and gt.
func (t Type) Ordered() bool {
	if t.List {
		return false
	}
	switch t.Scalar {
	case Int, BigInt, Decimal, Float, String, ID, Date, Time, Timestamp, LocalTimestamp, Interval:
		return true
	case Boolean, UUID, JSON, Bytes, Enum:
		return false
	}
	return false
}

// Sortable tells whether rows may be ordered by the type.
func (t Type) Sortable() bool {
	return t.Ordered() || !t.List && (t.Scalar == Enum || t.Scalar == Boolean || t.Scalar == UUID)
}

// Groupable tells whether rows may be grouped by the type and counted distinct.
func (t Type) Groupable() bool {
	return !t.List && t.Scalar != JSON && t.Scalar != Bytes && t.Scalar != Interval
}
