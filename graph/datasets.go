package graph

import (
	"context"
	"time"

	"usher/answer"
	"usher/query"
	"usher/slot"
)

// DatasetResolver answers the dataset fields of operations. The context carries
// the principal and, by ViewFrom, the catalog and view the operation was
// validated against.
type DatasetResolver interface {
	// Resolve says how an operation's fields are answered: by tasks that run
	// side by side, each of them for one field or several.
	Resolve(ctx context.Context, asked Asked) []Task
	// Change makes changes, all or none, and answers each. Where one failed it has an error,
	// and the others have neither an answer nor an error.
	Change(ctx context.Context, asked AskedChanges) []Outcome
}

// AskedChanges is what one mutation asks of datasets.
type AskedChanges struct {
	Changes []query.Change // in the order of the answer, which datasets and how; their fields are Requests'
	Numbers Numbers
	// Shape is equal for mutations that ask the same in one view, but for the values of their
	// slots, and Inputs are those values. A mutation of many rows has none: it would be its own.
	Shape  AskedKey
	Inputs slot.Inputs
	// Requests are the changes with their fields, with slots in the places of values unless
	// that is nil. They are made when they are called for.
	Requests func(*slot.Slots) []query.Change
	Key      string // by which it is made once; empty: it has none
	Text     string // with a key: all that tells it from another mutation, but for who asks
}

// Asked is what one operation asks of datasets.
type Asked struct {
	// Key is equal for operations that ask the same in one view, but for the values
	// of their slots.
	Key AskedKey
	// Inputs are the values of the slots: the numbers and texts of the variables.
	Inputs slot.Inputs
	// Explain asks for an explanation with each outcome. Nothing else is done
	// differently.
	Explain bool
	// Requests are the dataset fields, in the order of the answer, with the slots in
	// their places. They are made when they are called for.
	Requests func(*slot.Slots) []query.Request
}

// AskedKey tells operations apart: the document and operation, its variables but
// for the values of slots, and how numbers are written in its answer.
type AskedKey struct {
	numbers   Numbers
	document  uint64
	operation string
	variables string
	text      int // bytes of the document, which the key and what is made of it refer to
}

// Numbers is how numbers are written in the answer.
func (k AskedKey) Numbers() Numbers { return k.numbers }

// Size is about how many bytes the key takes in memory, with the texts of the
// document that it keeps there.
func (k AskedKey) Size() int { return k.text + len(k.variables) }

// Task answers the fields with these numbers, in their order.
type Task struct {
	Fields []int
	Run    func(ctx context.Context) []Outcome
}

// Outcome is the answer of one field and how it came to be, or why there is none.
type Outcome struct {
	answer.Answer
	Rows   int           // that were read for it, without those nested in them
	Age    time.Duration // of an answer that was kept
	MaxAge time.Duration // how old it may be; 0 when answers are not kept
	AsOf   time.Time     // when its oldest part was current, if that no longer is; else zero
	// Explanation is how the answer came to be, ready to be marshaled; nil
	// unless it was asked for. It holds nothing that the caller may not see.
	Explanation any
	Err         error
	Applied     bool // of a change: it was made, whatever is wrong with its answer
}
