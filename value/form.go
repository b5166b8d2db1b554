package value

import (
	"errors"
	"math"
	"strconv"
)

// Form says how a source keeps the values of a column whose own type is not the
// one that the scalar has there. A dialect spells for each form how the column
// is read.
type Form uint8

// The forms. A list has the form of its elements.
const (
	Plain      Form = iota // the type that the scalar has there, or one that needs no word
	Single                 // Float: a number of single precision
	Wide                   // Decimal: a whole number of more digits than a decimal has
	Padded                 // String: text to whose length blanks are added, which are no part of it
	Finer                  // a time of nanoseconds
	Money                  // Decimal: an amount with a currency's sign
	Fixed                  // a list of a fixed length
	Label                  // String: an enum of labels that GraphQL cannot spell
	Folded                 // String: text that is equal in upper and lower case
	Collated               // String: text whose collation takes different texts for equal
	Address                // String: an address that the engine casts otherwise than it prints it
	Printed                // String: whatever the engine prints
	Document               // JSON: whatever the engine makes JSON of
	Range                  // JSON: the bounds of a range
	Multirange             // JSON: a list of ranges
	GeoJSON                // JSON: a geometry
	Domain                 // Enum: a domain over the enum, with which the engine compares no label
	InUTC                  // Timestamp: a time without a zone, which is one of UTC
)

var formNotes = [...]string{
	Padded:     "without the blanks at its end",
	Money:      "without its currency",
	Label:      "as text, since GraphQL cannot spell its labels",
	Folded:     "as text that is equal in upper and lower case; it is no key and leads to no other rows",
	Collated:   "as text that is equal if it is the same, whatever its collation says; it is no key and leads to no other rows",
	Address:    "as text, without the length of a prefix that is the whole address",
	Printed:    "as the text that the database prints",
	Document:   "as JSON that the database makes of it",
	Range:      "as JSON with lower, upper, lowerInclusive and upperInclusive, or with empty",
	Multirange: "as a list of ranges in JSON",
	GeoJSON:    "as GeoJSON",
	InUTC:      "as an instant, its time taken for one of UTC",
}

// Note says what people should know of a column that is kept so, or is empty.
func (f Form) Note() string {
	if int(f) < len(formNotes) {
		return formNotes[f]
	}
	return ""
}

// Converted tells values that say something else when they are read as if they
// were plain.
func (f Form) Converted() bool { return f > Finer && f != Domain }

// ReadsText tells forms in which a column is read as text whatever it is, so that text is read as it stands.
func (f Form) ReadsText() bool { return f == Label || f == Printed }

// ReadsPlain tells forms in which what is plain is read as it stands. Lists of text that the source folds are compared
// as the source's own type.
func (f Form) ReadsPlain(list bool) bool {
	return f.ReadsText() || f == Single || f == Padded || f == Fixed || f == Folded && !list
}

// Indexed tells forms in which an index of the column, as it is stored, finds what it is compared with and has its order.
func (f Form) Indexed() bool { return f == Plain || f == Padded || f == InUTC }

// Holds refuses the text of a number that would be infinite, or nothing, where it is kept in this form. That it is
// rounded to the nearest one of its kind there is what such numbers are.
func (f Form) Holds(text string) error {
	if f != Single {
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if single := float32(n); err == nil && (math.IsInf(float64(single), 0) || single == 0 && n != 0) {
		err = errors.New("the number is out of the range of single precision, in which it is kept: up to 3.4e38, and down to 1.4e-45")
	}
	return err
}

// Keeps is a value that is refused, if it comes later as soon as it comes, unless this form Holds it.
func (f Form) Keeps(v Value) (Value, error) {
	if f != Single {
		return v, nil
	}
	return v.As(v.typ, "kept in single precision", func(text string) (string, error) { return text, f.Holds(text) })
}

// Merges tells text of which two may be equal to the source and look different.
// It can neither tell tenants apart nor identify rows.
func (f Form) Merges() bool { return f == Folded || f == Collated }
