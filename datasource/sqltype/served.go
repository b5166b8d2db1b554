package sqltype

import "usher/value"

// Served is how a column of some type is served.
type Served struct {
	value.Type
	Form value.Form
	Odd  bool // may hold values that cannot be printed
}

// As is a type that the engine has for the scalar.
func As(s value.Scalar) Served { return Served{Type: value.Of(s)} }

// In is a type that has to be read in a way of its own.
func In(s value.Scalar, form value.Form) Served { return Served{Type: value.Of(s), Form: form} }

// Odd is a type with values that cannot be printed.
func Odd(s value.Scalar, form value.Form) Served { return Served{value.Of(s), form, true} }
