package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep JSON may nest.
const maxDepth = 32

// ErrJSON is what ReadJSON's errors have in common.
var ErrJSON = errors.New("it is no JSON that can be read")

// ReadJSON reads one JSON text. Other than encoding/json it refuses names that
// occur twice in an object, text that is not Unicode, and deep nesting; numbers
// keep their digits.
func ReadJSON(text []byte) (Value, error) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, ErrJSON
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return readJSON(d, 0)
}

func readJSON(d *json.Decoder, depth int) (Value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: it is nested deeper than %d", ErrJSON, maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJSON, err)
	}
	switch token := token.(type) {
	case bool:
		return Bool(token), nil
	case json.Number:
		return Number(token), nil
	case string:
		if strings.ContainsRune(token, utf8.RuneError) { // half a surrogate pair: two texts would read the same
			return nil, fmt.Errorf("%w: a text is not Unicode", ErrJSON)
		}
		return Text(token), nil
	case json.Delim:
		if token == '[' {
			return readList(d, depth)
		}
		return readObject(d, depth)
	}
	return Null{}, nil
}

func readList(d *json.Decoder, depth int) (Value, error) {
	list := List{}
	for d.More() {
		v, err := readJSON(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func readObject(d *json.Decoder, depth int) (Value, error) {
	object := Object{}
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrJSON, err)
		}
		name := fmt.Sprint(token)
		if seen[name] {
			return nil, fmt.Errorf("%w: the name %q is there twice", ErrJSON, name)
		}
		seen[name] = true
		v, err := readJSON(d, depth+1)
		if err != nil {
			return nil, err
		}
		object = append(object, Member{Name: name, Value: v})
	}
	_, err := d.Token()
	return object, err
}
