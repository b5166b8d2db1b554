package value

import (
	"reflect"
	"strconv"
)

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

var valueSize = int(reflect.TypeFor[Value]().Size())

// Size is how many bytes the literal takes in memory.
func (v Value) Size() int { return valueSize + len(v.text) }

// Null tells whether the value is null.
func (v Value) Null() bool { return !v.set }

// Bound turns a cell of a source back into a literal, to ask another source
// for it. A null cell gives a null literal.
func Bound(t Type, c Cell) Value {
	if c.Null() {
		return Value{typ: t}
	}
	return Value{typ: t, text: WireText(c), set: true}
}

// WireText is a cell's wire form as text.
func WireText(c Cell) string {
	switch c.Kind {
	case KindBool:
		return strconv.FormatBool(c.Bool)
	case KindInt:
		return strconv.FormatInt(c.Int, 10)
	case KindFloat:
		return strconv.FormatFloat(c.Float, 'g', -1, 64)
	case KindText:
		return string(c.Text)
	case KindNull:
	}
	return ""
}
