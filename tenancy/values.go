package tenancy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"usher/query"
)

// maxNesting is how deep a stored value may nest.
const maxNesting = 32

var errNesting = fmt.Errorf("a value is nested deeper than %d", maxNesting)

// writeValue writes a value as JSON, which is how it is stored: numbers with
// their digits, members in their order. A name such as DESC becomes text, as
// it is in a JWT.
func writeValue(v query.Value) (json.RawMessage, error) {
	var b bytes.Buffer
	if err := appendValue(&b, v, 0); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func appendValue(b *bytes.Buffer, v query.Value, depth int) error {
	if depth > maxNesting {
		return errNesting
	}
	switch v := v.(type) {
	case query.Null:
		b.WriteString("null")
		return nil
	case query.Bool:
		fmt.Fprintf(b, "%t", bool(v))
		return nil
	case query.Number:
		if !json.Valid([]byte(v)) {
			return errors.New("a number is not one in JSON")
		}
		b.WriteString(string(v))
		return nil
	case query.Text:
		return appendText(b, string(v))
	case query.Enum:
		return appendText(b, string(v))
	case query.List:
		b.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := appendValue(b, element, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	case query.Object:
		b.WriteByte('{')
		for i, member := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := appendText(b, member.Name); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := appendValue(b, member.Value, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
		return nil
	}
	return errors.New("a value is missing")
}

func appendText(b *bytes.Buffer, text string) error {
	if err := checkText("a text", text, 1<<16); err != nil {
		return err
	}
	quoted, err := json.Marshal(text)
	b.Write(quoted)
	return err
}

// readValue reads what writeValue has written.
func readValue(text json.RawMessage) (query.Value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return nextValue(d, 0)
}

func nextValue(d *json.Decoder, depth int) (query.Value, error) {
	if depth > maxNesting {
		return nil, errNesting
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case bool:
		return query.Bool(token), nil
	case json.Number:
		return query.Number(token), nil
	case string:
		return query.Text(token), nil
	case json.Delim:
		if token == '[' {
			list := query.List{}
			for d.More() {
				element, err := nextValue(d, depth+1)
				if err != nil {
					return nil, err
				}
				list = append(list, element)
			}
			_, err := d.Token()
			return list, err
		}
		object := query.Object{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := nextValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			object = append(object, query.Member{Name: fmt.Sprint(name), Value: v})
		}
		_, err := d.Token()
		return object, err
	}
	return query.Null{}, nil
}

// sameValue compares values as they are stored.
func sameValue(a, b query.Value) bool {
	one, err := writeValue(a)
	if err != nil {
		return false
	}
	other, err := writeValue(b)
	return err == nil && bytes.Equal(one, other)
}
