package decode

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"usher/catalog"
	"usher/jsonscan"
)

// document is one page's reply as JSON, which may hold anything around its
// rows. It is walked in one pass, which finds the rows and the next cursor
// wherever they stand.
type document struct {
	decoder *Decoder
	scan    jsonscan.Scanner
	rows    []string // the way to the rows
	next    []string // the way to the cursor
	cursors bool     // whether there is a cursor at all
	inside  []place  // where the walk is
	started bool
	found   bool // the rows were found
	inRows  int  // rows read
	cursor  Cursor
}

// place is an object or array the walk is in.
type place struct {
	array  bool
	items  int  // begun so far
	onRows bool // it is on the way to the rows
	onNext bool // it is on the way to the cursor
}

func newDocument(rows string, pages catalog.Pages, decoder *Decoder) (*document, error) {
	d := &document{decoder: decoder, cursors: pages.Next != ""}
	var err error
	if d.rows, err = ParsePointer(rows); err == nil && d.cursors {
		d.next, err = ParsePointer(pages.Next)
	}
	return d, err
}

// ParsePointer reads a JSON pointer (RFC 6901).
func ParsePointer(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	if text[0] != '/' {
		return nil, fmt.Errorf("%q is no JSON pointer", text)
	}
	return slices.Collect(jsontext.Pointer(text).Tokens()), nil
}

// Open implements Page.
func (d *document) Open(from io.Reader) error {
	d.scan.Reset(from)
	d.inside, d.started, d.found, d.inRows, d.cursor = d.inside[:0], false, false, 0, Cursor{}
	_, err := d.seek()
	return err
}

// Row implements Page.
func (d *document) Row() (more bool, err error) {
	if more, err = d.scan.Item(d.inRows == 0, ']'); more || err != nil {
		d.inRows++
		return more, err
	}
	again, err := d.seek()
	if err == nil && again {
		err = errors.New("the reply has two arrays of rows")
	}
	return false, err
}

// Read implements Page.
func (d *document) Read() (kept bool, err error) { return d.decoder.row(&d.scan) }

// Last implements Page.
func (d *document) Last() Cursor { return d.cursor }

// seek walks on to the rows and steps into them, or to the end of the reply.
func (d *document) seek() (rows bool, err error) {
	if !d.started {
		d.started = true
		if rows, err = d.value(true, d.cursors); rows || err != nil {
			return rows, err
		}
	}
	for len(d.inside) > 0 {
		if rows, err = d.step(&d.inside[len(d.inside)-1]); rows || err != nil {
			return rows, err
		}
	}
	if !d.found {
		return false, fmt.Errorf("the reply has no rows at %q", "/"+strings.Join(d.rows, "/"))
	}
	return false, d.scan.End()
}

// step walks one item of a place, or out of it.
func (d *document) step(at *place) (rows bool, err error) {
	var ok bool
	var key []byte
	if at.array {
		ok, err = d.scan.Item(at.items == 0, ']')
		key = strconv.AppendInt(nil, int64(at.items), 10)
	} else {
		key, ok, err = d.scan.Member(at.items == 0)
	}
	if err != nil {
		return false, err
	}
	if !ok {
		d.inside = d.inside[:len(d.inside)-1]
		return false, nil
	}
	at.items++
	depth := len(d.inside) - 1
	return d.value(at.onRows && string(key) == d.rows[depth], at.onNext && string(key) == d.next[depth])
}

// value walks one value: into it, if it is on a way, else over it.
func (d *document) value(onRows, onNext bool) (rows bool, err error) {
	c, err := d.scan.Peek()
	if err != nil {
		return false, err
	}
	depth := len(d.inside)
	if onRows && depth == len(d.rows) {
		if c != '[' || d.found {
			return false, errors.New("what is in the place of the rows is no array, or there are two")
		}
		d.found = true
		return true, d.scan.Into()
	}
	if onNext && depth == len(d.next) {
		return false, d.readCursor(c)
	}
	if !onRows && !onNext || c != '{' && c != '[' {
		return false, d.scan.Skip()
	}
	d.inside = append(d.inside, place{array: c == '[', onRows: onRows, onNext: onNext})
	return false, d.scan.Into()
}

func (d *document) readCursor(c byte) error {
	var text []byte
	var err error
	number := c != '"'
	switch {
	case c == 'n':
		return d.scan.Word("null")
	case c == '"':
		text, err = d.scan.Text()
	case c == '-' || c >= '0' && c <= '9':
		text, err = d.scan.Number()
	default:
		err = errors.New("the next cursor is neither text nor number nor null")
	}
	if err == nil && (len(text) > MaxCursor || d.cursor.Text != "") {
		err = fmt.Errorf("the next cursor is longer than %d bytes, or there are two", MaxCursor)
	}
	d.cursor = Cursor{string(text), number}
	return err
}
