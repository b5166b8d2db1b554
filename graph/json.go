package graph

import (
	"fmt"
	"io"

	"usher/query"
)

// JSON is a value of the scalar JSON. An argument is Written, with the digits
// of its numbers; an answer is Encoded already and is sent as it is.
type JSON struct {
	Written query.Value
	Encoded []byte
}

// UnmarshalGQL reads an argument.
func (j *JSON) UnmarshalGQL(raw any) error {
	v, ok := fromJSON(raw)
	if !ok {
		return fmt.Errorf("%T is no JSON", raw)
	}
	j.Written = v
	return nil
}

// MarshalGQL writes an answer.
func (j JSON) MarshalGQL(w io.Writer) { _, _ = w.Write(j.Encoded) }
