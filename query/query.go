// Package query owns what was asked: a field of a GraphQL selection, or a row
// of a table query, as plain values. No name in it is resolved, no value is
// typed, nothing is allowed yet; package plan does all three or refuses.
package query

import "usher/slot"

// Shape says which of a dataset's root fields was asked.
type Shape uint8

// The shapes of a request.
const (
	Many       Shape = iota + 1 // orders
	ByKey                       // ordersByPk
	Groups                      // ordersAggregate
	Connection                  // ordersConnection
)

// Request is one question about one dataset.
type Request struct {
	Dataset string // name in the catalog
	Shape   Shape
	Field   Field // the root field with its arguments and selection
}

// Field is one selected field. Fields of fragments are already merged in.
type Field struct {
	Key    string // response key: the alias, or the name
	Name   string
	Args   Object
	Fields []Field  // nil for a scalar
	ID     []string // the columns of which it is the sealed identity; nil: it is none
}

// Identity is the argument of ByKey in place of the columns of the key: a list
// with the texts of those that an ID is made of, in their order. No argument of
// a document has such a name.
const Identity = "@id"

// Value is an argument as it was written: one of Null, Bool, Number, Text,
// Enum, List and Object; or a Slot, where another value stands next time.
type Value interface{ value() }

type (
	// Null is a literal null, or a variable given as null.
	Null struct{}
	// Bool is true or false.
	Bool bool
	// Number keeps the digits as written, so nothing is rounded on the way.
	Number string
	// Text is a string.
	Text string
	// Enum is a name such as DESC.
	Enum string
	// List is a list of values.
	List []Value
	// Object is a list of members with distinct names, in the order written.
	Object []Member
	// Slot is a Number or a Text that comes later: see package slot.
	Slot struct {
		Term   *slot.Term
		Number bool
	}
	// SlotList is a list of Numbers or of Texts that comes later as one: how many there
	// are is left open, too.
	SlotList struct {
		Term   *slot.Term // of JoinTexts
		Number bool
	}
)

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value Value
}

func (Null) value()     {}
func (Bool) value()     {}
func (Number) value()   {}
func (Text) value()     {}
func (Enum) value()     {}
func (List) value()     {}
func (Object) value()   {}
func (Slot) value()     {}
func (SlotList) value() {}

// Get returns the member of that name.
func (o Object) Get(name string) (Value, bool) {
	for _, m := range o {
		if m.Name == name {
			return m.Value, true
		}
	}
	return nil, false
}
