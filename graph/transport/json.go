package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
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
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text))
	value, err := decodeValue(decoder, maxNesting)
	if err == nil {
		if _, err = decoder.ReadToken(); errors.Is(err, io.EOF) {
			return value, nil
		}
		err = errNotJSON
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return nil, errDuplicate
	case errors.Is(err, errNesting):
		return nil, errNesting
	}
	return nil, errNotJSON
}

func decodeValue(decoder *jsontext.Decoder, nesting int) (any, error) {
	token, err := decoder.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return nil, nil //nolint:nilnil // which is JSON's null
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	}
	if nesting == 0 {
		return nil, errNesting
	}
	if token.Kind() == '{' {
		return decodeObject(decoder, nesting-1)
	}
	return decodeArray(decoder, nesting-1)
}

func decodeObject(decoder *jsontext.Decoder, nesting int) (any, error) {
	object := map[string]any{}
	for decoder.PeekKind() != '}' {
		token, err := decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		key := token.String()
		if object[key], err = decodeValue(decoder, nesting); err != nil {
			return nil, err
		}
	}
	_, err := decoder.ReadToken()
	return object, err
}

func decodeArray(decoder *jsontext.Decoder, nesting int) (any, error) {
	array := []any{}
	for decoder.PeekKind() != ']' {
		value, err := decodeValue(decoder, nesting)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := decoder.ReadToken()
	return array, err
}
