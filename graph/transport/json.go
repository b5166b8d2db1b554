package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// maxNesting bounds the depth of a JSON body; no variable needs more.
const maxNesting = 128

// Why a text is refused as JSON. The messages repeat nothing of the text.
var (
	errNotUTF8   = errors.New("it is not UTF-8")
	errNotJSON   = errors.New("it is not one JSON value")
	errDuplicate = errors.New("an object in it has the same key twice")
	errNesting   = errors.New("it is nested too deeply")
)

// decodeStrict reads exactly one JSON value: nothing after it, no key twice in
// an object (two readers could pick different ones), keys as they are spelled,
// and numbers as json.Number, with all their digits.
func decodeStrict(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errNotUTF8
	}
	if !json.Valid(text) {
		return nil, errNotJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decodeValue(decoder, maxNesting)
}

func decodeValue(decoder *json.Decoder, nesting int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, errNotJSON
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if nesting == 0 {
		return nil, errNesting
	}
	if delim == '{' {
		return decodeObject(decoder, nesting-1)
	}
	return decodeArray(decoder, nesting-1)
}

func decodeObject(decoder *json.Decoder, nesting int) (any, error) {
	object := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return nil, errNotJSON
		}
		if _, twice := object[key]; twice {
			return nil, errDuplicate
		}
		if object[key], err = decodeValue(decoder, nesting); err != nil {
			return nil, err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return nil, errNotJSON
	}
	return object, nil
}

func decodeArray(decoder *json.Decoder, nesting int) (any, error) {
	array := []any{}
	for decoder.More() {
		value, err := decodeValue(decoder, nesting)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, errNotJSON
	}
	return array, nil
}
