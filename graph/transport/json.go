package transport

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"usher/query"
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
// and numbers with all their digits. Members of objects are in the order of their names.
func decodeStrict(text []byte) (query.Value, error) {
	if !utf8.Valid(text) {
		return nil, errNotUTF8
	}
	reader := decoders.Get().(*jsontext.Decoder)
	reader.Reset(bytes.NewBuffer(text))
	defer func() {
		reader.Reset(nothing{}) // holds the text no longer
		decoders.Put(reader)
	}()
	decoder := strictDecoder{reader}
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

// strictDecoder reads values.
type strictDecoder struct{ *jsontext.Decoder }

func (d strictDecoder) value(nesting int) (query.Value, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return query.Null{}, nil
	case 't', 'f':
		return query.Bool(token.Bool()), nil
	case '"':
		return query.Text(token.String()), nil
	case '0':
		return query.Number(token.String()), nil
	}
	if nesting == 0 {
		return nil, errNesting
	}
	if token.Kind() == '{' {
		return d.object(nesting - 1)
	}
	return d.list(nesting - 1)
}

func (d strictDecoder) object(nesting int) (query.Value, error) {
	object := query.Object{}
	for d.PeekKind() != '}' {
		if d.PeekKind() != '"' {
			_, err := d.ReadToken() // which says what is wrong
			return nil, cmp.Or(err, errNotJSON)
		}
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		m := query.Member{Name: name.String()}
		if m.Value, err = d.value(nesting); err != nil {
			return nil, err
		}
		object = append(object, m)
	}
	_, err := d.ReadToken()
	return ordered(object), err
}

// ordered puts members in the order of their names.
func ordered(object query.Object) query.Object {
	slices.SortFunc(object, func(a, b query.Member) int { return strings.Compare(a.Name, b.Name) })
	return object
}

// list reads a list. Objects in it are mostly rows, of which there may be thousands: each is looked
// through as a whole, and then nothing can be wrong with it but its depth.
func (d strictDecoder) list(nesting int) (query.Value, error) {
	list := query.List{}
	room := 0 // members of the row before
	for d.PeekKind() != ']' {
		if d.PeekKind() != '{' {
			item, err := d.value(nesting)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
			continue
		}
		text, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		row, ok := readRow(string(text), nesting, room)
		if !ok {
			return nil, errNesting
		}
		room = len(row)
		list = append(list, row)
	}
	_, err := d.ReadToken()
	return list, err
}
