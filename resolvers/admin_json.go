package resolvers

import (
	"encoding/json"

	"usher/query"
)

// writtenJSON is an argument of the scalar JSON as text, with the digits of
// its numbers.
func writtenJSON(v query.Value) json.RawMessage {
	text, err := json.Marshal(plainJSON(v))
	if err != nil {
		return nil // of what was JSON it never fails
	}
	return text
}

func plainJSON(v query.Value) any {
	switch v := v.(type) {
	case query.Bool:
		return bool(v)
	case query.Number:
		return json.Number(v)
	case query.Text:
		return string(v)
	case query.Enum:
		return string(v)
	case query.List:
		return each(v, plainJSON)
	case query.Object:
		out := make(map[string]any, len(v))
		for _, m := range v {
			out[m.Name] = plainJSON(m.Value)
		}
		return out
	}
	return nil
}
