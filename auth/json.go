package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"usher/query"
)

// maxDepth is how deep JSON may nest.
const maxDepth = 32

// parseJSON reads one JSON text. Other than encoding/json it refuses names that
// occur twice in an object, text that is not Unicode, and deep nesting; numbers
// keep their digits.
func parseJSON(text []byte) (query.Value, error) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, ErrJSON
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return parseValue(d, 0)
}

func parseValue(d *json.Decoder, depth int) (query.Value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrJSON, maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJSON, err)
	}
	switch t := t.(type) {
	case nil:
		return query.Null{}, nil
	case bool:
		return query.Bool(t), nil
	case json.Number:
		return query.Number(t), nil
	case string:
		return parseText(t)
	case json.Delim:
		if t == '[' {
			return parseList(d, depth)
		}
		return parseObject(d, depth)
	}
	return nil, ErrJSON
}

// parseText refuses what the decoder puts in place of half a surrogate pair:
// two different texts would read the same.
func parseText(s string) (query.Value, error) {
	if strings.ContainsRune(s, utf8.RuneError) {
		return nil, fmt.Errorf("%w: not Unicode", ErrJSON)
	}
	return query.Text(s), nil
}

func parseList(d *json.Decoder, depth int) (query.Value, error) {
	list := query.List{}
	for d.More() {
		v, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func parseObject(d *json.Decoder, depth int) (query.Value, error) {
	object := query.Object{}
	seen := map[string]bool{}
	for d.More() {
		name, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		text, ok := name.(query.Text)
		if !ok {
			return nil, ErrJSON
		}
		if seen[string(text)] {
			return nil, fmt.Errorf("%w: %s", ErrDuplicateClaim, quote(string(text)))
		}
		seen[string(text)] = true
		v, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		object = append(object, query.Member{Name: string(text), Value: v})
	}
	_, err := d.Token()
	return object, err
}

// quote shows a part of a token in the log, escaped and bounded.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
