package value

import (
	"reflect"
	"strconv"

	"usher/slot"
)

// Value is one literal of a known type, in canonical text. The zero Value is
// null. Text is what is bound to a placeholder; it is valid for the type, so
// no cast of it can fail. A value that comes later is null for nobody.
type Value struct {
	typ   Type
	text  string
	later *slot.Term // has the text instead
	set   bool
}

// Type is the literal's type.
func (v Value) Type() Type { return v.typ }

// Text is the canonical text. What is made of it, of a value that comes later,
// holds for this text only.
func (v Value) Text() string {
	if v.later != nil {
		return v.later.Text()
	}
	return v.text
}

// Later is a value whose canonical text is a term's.
func Later(t Type, term *slot.Term) Value { return Value{typ: t.Elem(), later: term, set: true} }

// LaterList is a list of values, as query.JoinTexts has their canonical texts, that
// comes later.
func LaterList(t Type, term *slot.Term) Value {
	t.List = true
	return Value{typ: t, later: term, set: true}
}

// Term is where the text comes from, of a value that comes later and whose text
// nobody has looked at.
func (v Value) Term() (*slot.Term, bool) {
	return v.later, v.later != nil && !v.later.Looked()
}

// As is the value of a type that a function makes of this one's text, by a name that
// tells the function from others. What it returns has to be canonical.
func (v Value) As(t Type, name string, of func(text string) (string, error)) (Value, error) {
	if v.later == nil {
		text, err := of(v.text)
		return Value{typ: t.Elem(), text: text, set: true}, err
	}
	term, err := v.later.Then(name, func(text string, _ slot.Inputs) (string, error) { return of(text) })
	return Later(t, term), err
}

// In is the value with the texts of all terms, as slot.Slots.Bind returns them; with none
// it is what it was.
func (v Value) In(texts []string) Value {
	if v.later == nil || texts == nil {
		return v
	}
	return Value{typ: v.typ, text: texts[v.later.Number()], set: true}
}

// Says is what a function says of the text, by a name that tells it from others.
// It holds for all texts of which it says the same.
func (v Value) Says(name string, about func(text string) string) string {
	if v.later == nil {
		return about(v.text)
	}
	return v.later.Says(name, about)
}

// Check refuses two values together, by a name that tells the check from others. It is
// made again of those that come later.
func Check(a, b Value, name string, check func(a, b string) error) error {
	name += " " + string(a.AppendKey(nil)) + string(b.AppendKey(nil))
	var err error
	switch {
	case a.later != nil:
		_, err = a.later.Then(name, func(text string, in slot.Inputs) (string, error) {
			other, err := b.of(in)
			if err == nil {
				err = check(text, other)
			}
			return "", err
		})
	case b.later != nil:
		_, err = b.later.Then(name, func(text string, _ slot.Inputs) (string, error) { return "", check(a.text, text) })
	default:
		err = check(a.text, b.text)
	}
	return err
}

// of is the text for other inputs.
func (v Value) of(in slot.Inputs) (string, error) {
	if v.later == nil {
		return v.text, nil
	}
	return v.later.Of(in)
}

// Alike tells values of one text, or of one term. Different terms are not alike,
// whatever their texts are now.
func (v Value) Alike(o Value) bool {
	return v.later == o.later && (v.later != nil || v.text == o.text) && v.typ.Scalar == o.typ.Scalar
}

// AppendKey writes the value so that those that are alike, and no others, are the same.
func (v Value) AppendKey(dst []byte) []byte {
	dst = append(dst, byte(v.typ.Scalar))
	if v.later != nil {
		return append(strconv.AppendInt(append(dst, '$'), int64(v.later.Number()), 10), ';')
	}
	return append(append(strconv.AppendInt(dst, int64(len(v.text)), 10), ':'), v.text...)
}

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
