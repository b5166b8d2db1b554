// Package answer owns the turning of rows into the bytes of a response: a plan
// says which cells are written where, an Encoder writes them, and an Answer is
// what was written, with what has to be said beside it. It owns the buffers that
// answers are written in, and what of a request's share they take. It refuses to
// know where rows come from and what else the response has.
package answer

import (
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/held"
)

// Answer is a field's value as JSON, and what has to be said beside it. Paths
// are those of the response: they begin with the field's key.
type Answer struct {
	Errors    gqlerror.List // of parts of the value that are null because of them
	Truncated []ast.Path    // lists that the default limit cut

	before [][]byte // what comes before text, in pieces
	text   []byte
	share  *held.Share
	taken  int64 // of the share
	pooled bool  // text may be written over once it has been copied
}

// Of is the answer of a text that somebody else wrote.
func Of(json []byte) Answer { return Answer{text: json} }

// Null is the answer null.
func Null() Answer { return Answer{text: null} }

var null = []byte("null")

// Len is how many bytes the text has.
func (a *Answer) Len() int {
	n := len(a.text)
	for _, piece := range a.before {
		n += len(piece)
	}
	return n
}

// IsNull tells whether the value as a whole is null.
func (a *Answer) IsNull() bool { return len(a.before) == 0 && string(a.text) == string(null) }

// AppendTo appends the text.
func (a *Answer) AppendTo(out []byte) []byte {
	for _, piece := range a.before {
		out = append(out, piece...)
	}
	return append(out, a.text...)
}

// JSON is the text in one piece. It must not be changed.
func (a *Answer) JSON() []byte {
	if len(a.before) == 0 {
		return a.text
	}
	return a.AppendTo(make([]byte, 0, a.Len()))
}

// Release ends the answer: its text has been copied, and nobody reads it any
// more. The next one may be written in the same memory.
func (a *Answer) Release() {
	if a.pooled {
		recycle(a.text)
	}
	a.share.Give(a.taken)
	a.before, a.text, a.taken, a.pooled = nil, nil, 0, false
}

// buffers are those of answers that have been released: the next one is written
// where there is room already.
var buffers sync.Pool

// minBuffer and maxBuffer bound the buffers that are kept for the next answer.
const (
	minBuffer = 4 << 10
	maxBuffer = 1 << 20
)

func recycle(text []byte) {
	if c := cap(text); c >= minBuffer && c <= maxBuffer {
		empty := text[:0]
		buffers.Put(&empty)
	}
}

// buffer is a used one, or a new one of so many bytes.
func buffer(size int) []byte {
	if used, ok := buffers.Get().(*[]byte); ok {
		return *used
	}
	return make([]byte, 0, min(max(size, minBuffer), maxBuffer)) // what is smaller could not be kept
}
