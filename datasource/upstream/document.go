package upstream

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"usher/catalog"
)

// document is one page's reply as JSON, which may hold anything around its
// rows. It is walked in one pass, which finds the rows and the next cursor
// wherever they stand.
type document struct {
	decoder *decoder
	scan    scanner
	rows    []string // the way to the rows
	next    []string // the way to the cursor
	cursors bool     // whether there is a cursor at all
	inside  []place  // where the walk is
	started bool
	found   bool // the rows were found
	inRows  int  // rows read
	cursor  cursor
}

// place is an object or array the walk is in.
type place struct {
	array  bool
	items  int  // begun so far
	onRows bool // it is on the way to the rows
	onNext bool // it is on the way to the cursor
}

func newDocument(rows string, pages catalog.Pages, decoder *decoder) (*document, error) {
	d := &document{decoder: decoder, cursors: pages.Next != ""}
	var err error
	if d.rows, err = parsePointer(rows); err == nil && d.cursors {
		d.next, err = parsePointer(pages.Next)
	}
	return d, err
}

// parsePointer reads a JSON pointer (RFC 6901).
func parsePointer(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return nil, fmt.Errorf("%q is no JSON pointer", text)
	}
	steps := strings.Split(rest, "/")
	for i, s := range steps {
		steps[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
	}
	return steps, nil
}

// open implements page.
func (d *document) open(from io.Reader) error {
	d.scan.reset(from)
	d.inside, d.started, d.found, d.inRows, d.cursor = d.inside[:0], false, false, 0, cursor{}
	_, err := d.seek()
	return err
}

// row implements page.
func (d *document) row() (more bool, err error) {
	if more, err = d.scan.item(d.inRows == 0, ']'); more || err != nil {
		d.inRows++
		return more, err
	}
	again, err := d.seek()
	if err == nil && again {
		err = errors.New("the reply has two arrays of rows")
	}
	return false, err
}

// read implements page.
func (d *document) read() (kept bool, err error) { return d.decoder.row(&d.scan) }

// last implements page.
func (d *document) last() cursor { return d.cursor }

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
	return false, d.scan.end()
}

// step walks one item of a place, or out of it.
func (d *document) step(at *place) (rows bool, err error) {
	var ok bool
	var key []byte
	if at.array {
		ok, err = d.scan.item(at.items == 0, ']')
		key = strconv.AppendInt(nil, int64(at.items), 10)
	} else {
		key, ok, err = d.scan.member(at.items == 0)
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
	c, err := d.scan.peek()
	if err != nil {
		return false, err
	}
	depth := len(d.inside)
	if onRows && depth == len(d.rows) {
		if c != '[' || d.found {
			return false, errors.New("what is in the place of the rows is no array, or there are two")
		}
		d.found = true
		return true, d.scan.into()
	}
	if onNext && depth == len(d.next) {
		return false, d.readCursor(c)
	}
	if !onRows && !onNext || c != '{' && c != '[' {
		return false, d.scan.skip()
	}
	d.inside = append(d.inside, place{array: c == '[', onRows: onRows, onNext: onNext})
	return false, d.scan.into()
}

// maxCursor bounds a cursor: it becomes a part of a URL.
const maxCursor = 4 << 10

func (d *document) readCursor(c byte) error {
	var text []byte
	var err error
	number := c != '"'
	switch {
	case c == 'n':
		return d.scan.word("null")
	case c == '"':
		text, err = d.scan.text()
	case c == '-' || c >= '0' && c <= '9':
		text, err = d.scan.number()
	default:
		err = errors.New("the next cursor is neither text nor number nor null")
	}
	if err == nil && (len(text) > maxCursor || d.cursor.text != "") {
		err = fmt.Errorf("the next cursor is longer than %d bytes, or there are two", maxCursor)
	}
	d.cursor = cursor{string(text), number}
	return err
}
