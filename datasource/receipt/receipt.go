// Package receipt owns the notes of what the sources did for one question, for
// those who may see them. A note holds texts that usher wrote from its
// configuration, and counts; it has no place for a value, an address or a
// credential. Nobody who answers a question looks at them, so nothing is done
// differently because they are taken.
package receipt

import (
	"context"
	"sync"
	"time"
)

// Step is one thing that was asked of a source, or of the embedded engine.
type Step struct {
	Source  string // empty: the embedded engine
	Dataset string // of which rows were fetched to be combined; empty: the step answers the question
	SQL     string // with placeholders
	Call    *Call  // of an API
	Rows    int
	Took    time.Duration
	Shared  bool      // an equal question under way brought the answer
	Kept    bool      // so did one that was asked before
	AsOf    time.Time // when the rows were current, if they no longer are
}

// Call is what an API was asked for, over all pages.
type Call struct {
	Method  string
	Path    string   // as the binding has it: with placeholders
	Filters []string // that the API applied itself: parameter and operator
	OrderBy string   // the API's name of the column; empty: any order
	Limited bool     // the API was told how many rows are enough
	Pages   int
}

// maxSteps bounds the notes of one question.
const maxSteps = 100

// Notes are what was done for one question.
type Notes struct {
	mu    sync.Mutex
	steps []Step
	more  int
}

type key struct{}

// With returns a context that takes notes.
func With(ctx context.Context) (context.Context, *Notes) {
	n := &Notes{}
	return context.WithValue(ctx, key{}, n), n
}

// From returns the context's notes; nil, if nobody takes any.
func From(ctx context.Context) *Notes {
	n, _ := ctx.Value(key{}).(*Notes)
	return n
}

// Add notes a step.
func (n *Notes) Add(s Step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.steps) == maxSteps {
		n.more++
		return
	}
	n.steps = append(n.steps, s)
}

// Steps are the steps that were noted, and how many more there were.
func (n *Notes) Steps() (steps []Step, more int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Step(nil), n.steps...), n.more
}
