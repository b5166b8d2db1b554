package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"usher/value"
)

// maxDepth is how deep JSON may nest that nobody needs deeper.
const maxDepth = 32

// MaxRowDepth is how deep a row may nest: an object of columns, or a list, of JSON of 100 levels.
const MaxRowDepth = 102

// ErrJSON is what ReadJSON's errors have in common.
var ErrJSON = errors.New("it is no JSON that can be read")

// RepeatedName is the error of an object with a name that occurs twice: two
// readers could take different ones.
type RepeatedName struct{ Name string }

func (e RepeatedName) Error() string {
	return fmt.Sprintf("%s: the name %q is there twice", ErrJSON, e.Name)
}

// Unwrap says that it is an ErrJSON.
func (RepeatedName) Unwrap() error { return ErrJSON }

// ReadJSON reads one JSON text. Other than encoding/json it refuses names that
// occur twice in an object, text that is not Unicode, and deep nesting; numbers
// keep their digits.
func ReadJSON(text []byte) (Value, error) { return ReadNested(text, maxDepth) }

// ReadNested is ReadJSON of what may nest so deep.
func ReadNested(text []byte, most int) (Value, error) {
	if !utf8.Valid(text) {
		return nil, ErrJSON
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(text))
	v, err := readJSON(d, most)
	if err == nil {
		if _, err = d.ReadToken(); errors.Is(err, io.EOF) {
			return v, nil
		}
		return nil, ErrJSON
	}
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax):
		return nil, RepeatedName{syntax.JSONPointer.LastToken()}
	case errors.Is(err, ErrJSON):
		return nil, err
	case jsontext.Value(text).IsValid(jsontext.AllowInvalidUTF8(true)): // but for halves of surrogate pairs
		return nil, fmt.Errorf("%w: a text is not Unicode", ErrJSON)
	}
	return nil, ErrJSON
}

// readJSON reads a value that may nest so many levels deep.
func readJSON(d *jsontext.Decoder, depth int) (Value, error) {
	if depth < 0 {
		return nil, fmt.Errorf("%w: it is nested too deep", ErrJSON)
	}
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 't', 'f':
		return Bool(token.Bool()), nil
	case '0':
		return Number(token.String()), nil
	case '"':
		return Text(token.String()), nil
	case '[':
		return readList(d, depth)
	case '{':
		return readObject(d, depth)
	}
	return Null{}, nil
}

func readList(d *jsontext.Decoder, depth int) (Value, error) {
	list := List{}
	for d.PeekKind() != ']' {
		v, err := readJSON(d, depth-1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.ReadToken()
	return list, err
}

func readObject(d *jsontext.Decoder, depth int) (Value, error) {
	object := Object{}
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		v, err := readJSON(d, depth-1)
		if err != nil {
			return nil, err
		}
		object = append(object, Member{Name: name, Value: v})
	}
	_, err := d.ReadToken()
	return object, err
}

// AppendJSON writes a value as JSON: numbers with their digits, members in
// their order. A name such as DESC becomes text, as it is in a JWT.
func AppendJSON(dst []byte, v Value) []byte {
	switch v := v.(type) {
	case Bool:
		return strconv.AppendBool(dst, bool(v))
	case Number:
		return append(dst, v...)
	case Text:
		return value.AppendQuoted(dst, []byte(v))
	case Enum:
		return value.AppendQuoted(dst, []byte(v))
	case List:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, item)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, m := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(value.AppendQuoted(dst, []byte(m.Name)), ':')
			dst = AppendJSON(dst, m.Value)
		}
		return append(dst, '}')
	case Slot, SlotList:
		return AppendJSON(dst, Look(v))
	}
	return append(dst, "null"...)
}

// Plain is a value as encoding/json reads it, with the digits of numbers.
func Plain(v Value) any {
	switch v := v.(type) {
	case Bool:
		return bool(v)
	case Number:
		return json.Number(v)
	case Text:
		return string(v)
	case Enum:
		return string(v)
	case List:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = Plain(item)
		}
		return out
	case Object:
		out := make(map[string]any, len(v))
		for _, m := range v {
			out[m.Name] = Plain(m.Value)
		}
		return out
	}
	return nil
}
