package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
)

// Numbers says how BigInt and Decimal are written in an answer.
type Numbers uint8

// The ways of writing them.
const (
	NumbersAsConfigured Numbers = iota
	NumbersExact                // as numbers with all their digits
	NumbersString               // as text
)

// numbersKey is the member of a request's extensions that says how numbers are
// written in its answer.
const numbersKey = "numbers"

// numbersAsked reads it. What is unknown is refused: whoever asks for text
// would round numbers.
func numbersAsked(extensions map[string]any) (Numbers, error) {
	switch asked, given := extensions[numbersKey]; {
	case !given || asked == nil:
		return NumbersAsConfigured, nil
	case asked == "exact" || asked == "number":
		return NumbersExact, nil
	case asked == "string":
		return NumbersString, nil
	}
	return 0, fault.New(fault.BadUserInput, `extensions.numbers must be "exact" or "string"`).
		WithHint("Leave it out for numbers as the server is configured.")
}

// AsText tells whether numbers are written as text, where that is configured
// or not.
func (n Numbers) AsText(configured bool) bool {
	return n == NumbersString || n == NumbersAsConfigured && configured
}

// NumbersOf is how the context's operation asks for numbers.
func NumbersOf(ctx context.Context) Numbers {
	if !graphql.HasOperationContext(ctx) {
		return NumbersAsConfigured
	}
	o, _ := graphql.GetOperationContext(ctx).Stats.GetExtension(operationKey).(*operation)
	if o == nil {
		return NumbersAsConfigured
	}
	return o.numbers
}
