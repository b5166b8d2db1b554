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

// Over is the type where a domain lies over it, whose values an engine may have to
// be told to compare as those of its base.
func (s Served) Over(domain bool) Served {
	if domain && s.Scalar == value.Enum && s.Form == value.Plain {
		s.Form = value.Domain
	}
	return s
}
