package value

// Value is one literal of a known type, in canonical text. The zero Value is
// null. Text is what is bound to a placeholder; it is valid for the type, so
// no cast of it can fail.
type Value struct {
	typ  Type
	text string
	set  bool
}

// Type is the literal's type.
func (v Value) Type() Type { return v.typ }

// Text is the canonical text.
func (v Value) Text() string { return v.text }

// Null tells whether the value is null.
func (v Value) Null() bool { return !v.set }
