package transport

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"sync"
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

// decoders are used again: what they need to tell names apart is most of what reading a
// small body would allocate.
var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(nothing{}) }}

// nothing is an empty reader.
type nothing struct{}

// Read implements io.Reader.
func (nothing) Read([]byte) (int, error) { return 0, io.EOF }

// decodeStrict reads exactly one JSON value: nothing after it, no key twice in
// an object (two readers could pick different ones), keys as they are spelled,
// and numbers as json.Number, with all their digits.
func decodeStrict(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errNotUTF8
	}
	reader := decoders.Get().(*jsontext.Decoder)
	reader.Reset(bytes.NewBuffer(text))
	defer func() {
		reader.Reset(nothing{}) // holds the text no longer
		decoders.Put(reader)
	}()
	decoder := strictDecoder{Decoder: reader}
	value, err := decoder.value(maxNesting)
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

// strictDecoder reads values. The rows of a list have the same keys, each of which is one text.
type strictDecoder struct {
	*jsontext.Decoder
	keys map[string]string
}

// mostKeys bounds the keys that are remembered.
const mostKeys = 64

func (d *strictDecoder) value(nesting int) (any, error) {
	token, err := d.ReadToken()
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
		return d.object(nesting - 1)
	}
	return d.array(nesting - 1)
}

func (d *strictDecoder) object(nesting int) (any, error) {
	object := map[string]any{}
	for d.PeekKind() != '}' {
		key, err := d.key()
		if err != nil {
			return nil, err
		}
		if object[key], err = d.value(nesting); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return object, err
}

func (d *strictDecoder) key() (string, error) {
	if d.PeekKind() != '"' {
		_, err := d.ReadToken() // which says what is wrong
		return "", cmp.Or(err, errNotJSON)
	}
	quoted, err := d.ReadValue()
	if err != nil {
		return "", err
	}
	if key, ok := d.keys[string(quoted)]; ok {
		return key, nil
	}
	key, err := jsontext.AppendUnquote(nil, quoted)
	if err == nil && len(d.keys) < mostKeys {
		if d.keys == nil {
			d.keys = make(map[string]string)
		}
		d.keys[string(quoted)] = string(key)
	}
	return string(key), err
}

func (d *strictDecoder) array(nesting int) (any, error) {
	array := []any{}
	for d.PeekKind() != ']' {
		value, err := d.value(nesting)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := d.ReadToken()
	return array, err
}
