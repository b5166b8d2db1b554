package value

// Items are values, some of which may be null, as their texts.
type Items interface {
	Len() int
	Item(i int) (text string, set bool)
}

// Values are Items.
type Values []Value

// Len implements Items.
func (v Values) Len() int { return len(v) }

// Item implements Items.
func (v Values) Item(i int) (text string, set bool) { return v[i].Text(), v[i].set }

// Texts are values of one type, such as what many rows give to a column: they take a sixth of the room of as many
// Values. None of them comes later.
type Texts struct {
	typ   Type
	texts []string
	set   []bool
}

// TextsOf are no values of a type yet. There is room for so many.
func TextsOf(t Type, room int) Texts {
	return Texts{typ: t.Elem(), texts: make([]string, 0, room), set: make([]bool, 0, room)}
}

// Parse adds what Parse makes of a literal; of one that is none, null.
func (t *Texts) Parse(literal string) (text string, err error) {
	text, err = canonical(&t.typ, literal)
	t.texts, t.set = append(t.texts, text), append(t.set, err == nil)
	return text, err
}

// Add adds a value; false: it comes later, or is of another type.
func (t *Texts) Add(v Value) bool {
	if v.later != nil || v.set && v.typ.Scalar != t.typ.Scalar {
		return false
	}
	t.texts, t.set = append(t.texts, v.text), append(t.set, v.set)
	return true
}

// Null adds a null.
func (t *Texts) Null() { t.texts, t.set = append(t.texts, ""), append(t.set, false) }

// Room is how many there is room for.
func (t Texts) Room() int { return cap(t.texts) }

// Len implements Items.
func (t Texts) Len() int { return len(t.texts) }

// Item implements Items.
func (t Texts) Item(i int) (text string, set bool) { return t.texts[i], t.set[i] }

// Value is the i-th value.
func (t Texts) Value(i int) Value {
	if !t.set[i] {
		return Value{}
	}
	return Value{typ: t.typ, text: t.texts[i], set: true}
}

// Part are the values from one to before another.
func (t Texts) Part(from, to int) Texts {
	t.texts, t.set = t.texts[from:to:to], t.set[from:to:to]
	return t
}
