package tenancy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"usher/query"
)

// maxNesting is how deep a stored value may nest; query.ReadJSON reads no deeper.
const maxNesting = 32

// writeValue writes a value as JSON, which is how it is stored. What
// query.ReadJSON would not read again is refused.
func writeValue(v query.Value) (json.RawMessage, error) {
	if err := checkValue(v, 0); err != nil {
		return nil, err
	}
	return query.AppendJSON(nil, v), nil
}

func checkValue(v query.Value, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("a value is nested deeper than %d", maxNesting)
	}
	switch v := v.(type) {
	case query.Null, query.Bool:
		return nil
	case query.Number:
		if !json.Valid([]byte(v)) {
			return errors.New("a number is not one in JSON")
		}
		return nil
	case query.Text:
		return checkValueText(string(v))
	case query.Enum:
		return checkValueText(string(v))
	case query.List:
		for _, element := range v {
			if err := checkValue(element, depth+1); err != nil {
				return err
			}
		}
		return nil
	case query.Object:
		for _, member := range v {
			if err := checkValueText(member.Name); err != nil {
				return err
			}
			if err := checkValue(member.Value, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("a value is missing")
}

func checkValueText(text string) error { return checkText("a text", text, 1<<16) }

// sameValue compares values as they are stored.
func sameValue(a, b query.Value) bool {
	one, err := writeValue(a)
	if err != nil {
		return false
	}
	other, err := writeValue(b)
	return err == nil && bytes.Equal(one, other)
}
