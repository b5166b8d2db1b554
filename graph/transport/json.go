package transport

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"usher/jsonscan"
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

// decodeStrict reads exactly one JSON value: nothing after it, no key twice in
// an object (two readers could pick different ones), keys as they are spelled,
// and numbers with all their digits. Members of objects are in the order of their names.
func decodeStrict(text []byte) (query.Value, error) {
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

// strictDecoder reads values. The rows of a list have the same names, each of which is one text.
type strictDecoder struct {
	*jsonscan.Scanner
	names map[string]string // of members of objects in lists
}

// mostNames bounds the names that are remembered.
const mostNames = 64

func (d *strictDecoder) value(nesting int) (query.Value, error) {
	next, err := d.Peek()
	if err != nil {
		return nil, err
	}
	switch next {
	case 'n':
		return query.Null{}, d.Word("null")
	case 't':
		return query.Bool(true), d.Word("true")
	case 'f':
		return query.Bool(false), d.Word("false")
	case '"':
		text, err := d.Text()
		return query.Text(text), err
	case '{':
		return d.object(nesting, 0)
	case '[':
		return d.list(nesting)
	default:
		digits, err := d.Number()
		return query.Number(digits), err
	}
}

// object reads an object in which there is room for so many members from the start.
func (d *strictDecoder) object(nesting, room int) (query.Object, error) {
	if nesting == 0 {
		return nil, errNesting
	}
	_ = d.Into() // the bound is this one's own
	object := make(query.Object, 0, room)
	for {
		name, more, err := d.Member(len(object) == 0)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		m := query.Member{Name: d.name(name)}
		if m.Value, err = d.value(nesting - 1); err != nil {
			return nil, err
		}
		object = append(object, m)
	}
	slices.SortFunc(object, func(a, b query.Member) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(object); i++ {
		if object[i].Name == object[i-1].Name {
			return nil, errDuplicate
		}
	}
	return object, nil
}

func (d *strictDecoder) name(text []byte) string {
	if known, ok := d.names[string(text)]; ok {
		return known
	}
	name := string(text)
	if d.names != nil && len(d.names) < mostNames {
		d.names[name] = name
	}
	return name
}

// list reads a list. Objects in it are mostly rows, which are as large as the one before.
func (d *strictDecoder) list(nesting int) (query.List, error) {
	if nesting == 0 {
		return nil, errNesting
	}
	_ = d.Into()
	if d.names == nil {
		d.names = make(map[string]string)
	}
	list := query.List{}
	room := 0
	for {
		more, err := d.Item(len(list) == 0, ']')
		if !more || err != nil {
			return list, err
		}
		next, err := d.Peek()
		if err != nil {
			return nil, err
		}
		var item query.Value
		if next == '{' {
			var row query.Object
			row, err = d.object(nesting-1, room)
			item, room = row, len(row)
		} else {
			item, err = d.value(nesting - 1)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
}
