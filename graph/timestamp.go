package graph

import (
	"io"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
)

// MarshalTimestamp writes a moment; none is null.
func MarshalTimestamp(at time.Time) graphql.Marshaler {
	if at.IsZero() {
		return graphql.Null
	}
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(at.Format(time.RFC3339Nano))) })
}

// UnmarshalTimestamp reads a moment. Text of another form is the caller's mistake, and
// empty text is no moment.
func UnmarshalTimestamp(v any) (time.Time, error) {
	text, ok := v.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if !ok || err != nil {
		return time.Time{}, fault.New(fault.BadUserInput, "a point in time is text in RFC 3339 with an offset, such as 2026-01-31T00:00:00Z")
	}
	return at, nil
}
