package transport

import (
	"encoding/json"
	"errors"
	"unicode/utf8"

	"usher/jsonscan"
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
	d := strictDecoder{Scanner: jsonscan.Over(text)}
	value, err := d.value(maxNesting)
	if err == nil {
		err = d.End()
	}
	switch {
	case err == nil:
		return value, nil
	case errors.Is(err, errDuplicate), errors.Is(err, errNesting):
		return nil, err
	}
	return nil, errNotJSON
}

// strictDecoder reads values. The rows of a list have the same keys, each of which is one text.
type strictDecoder struct {
	*jsonscan.Scanner
	keys map[string]string // of objects in lists
}

// mostKeys bounds the keys that are remembered.
const mostKeys = 64

func (d *strictDecoder) value(nesting int) (any, error) {
	next, err := d.Peek()
	if err != nil {
		return nil, err
	}
	switch next {
	case 'n':
		return nil, d.Word("null")
	case 't':
		return true, d.Word("true")
	case 'f':
		return false, d.Word("false")
	case '"':
		text, err := d.Text()
		return string(text), err
	case '{', '[':
	default:
		digits, err := d.Number()
		return json.Number(digits), err
	}
	if nesting == 0 {
		return nil, errNesting
	}
	_ = d.Into() // the bound is this one's own
	if next == '{' {
		return d.object(nesting - 1)
	}
	return d.array(nesting - 1)
}

func (d *strictDecoder) object(nesting int) (any, error) {
	object := map[string]any{}
	for {
		text, more, err := d.Member(len(object) == 0)
		if !more || err != nil {
			return object, err
		}
		key := d.key(text)
		if _, twice := object[key]; twice {
			return nil, errDuplicate
		}
		if object[key], err = d.value(nesting); err != nil {
			return nil, err
		}
	}
}

func (d *strictDecoder) key(text []byte) string {
	if known, ok := d.keys[string(text)]; ok {
		return known
	}
	key := string(text)
	if d.keys != nil && len(d.keys) < mostKeys {
		d.keys[key] = key
	}
	return key
}

func (d *strictDecoder) array(nesting int) (any, error) {
	if d.keys == nil {
		d.keys = make(map[string]string)
	}
	array := []any{}
	for {
		more, err := d.Item(len(array) == 0, ']')
		if !more || err != nil {
			return array, err
		}
		item, err := d.value(nesting)
		if err != nil {
			return nil, err
		}
		array = append(array, item)
	}
}
