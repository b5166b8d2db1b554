package intake

import (
	"strings"
	"unicode/utf8"

	"usher/query"
)

// flat reads a line that is an object of plain values, as nearly all lines are: numbers, texts without
// escapes, true, false and null. Of any other line, and of one that is wrong in any way, it says that it cannot
// read it, and the reader of all JSON says what it is.
type flat struct {
	rest string
	ok   bool
}

// read fills a row by the names of its columns, of which each stands in the line at most once.
func (o *objects) read(line []byte) bool {
	if !utf8.Valid(line) {
		return false
	}
	f := flat{string(line), true} // all texts of the row share it
	f.take('{')
	for i := 0; f.ok; i++ {
		if f.blank(); i == 0 && f.next() == '}' {
			break
		}
		name := f.text()
		f.take(':')
		f.blank()
		v := f.value()
		if !f.ok {
			return false
		}
		at := i
		if at >= len(o.columns) || o.columns[at] != name {
			at = o.index(name)
		}
		if at < 0 || o.row[at] != nil {
			return false
		}
		o.row[at] = v
		if f.blank(); f.next() != ',' {
			break
		}
		f.take(',')
	}
	f.take('}')
	f.blank()
	return f.ok && f.rest == ""
}

// next is the byte that is read next, or 0.
func (f *flat) next() byte {
	if f.rest == "" {
		return 0
	}
	return f.rest[0]
}

func (f *flat) blank() {
	for f.rest != "" && (f.rest[0] == ' ' || f.rest[0] == '\t' || f.rest[0] == '\r' || f.rest[0] == '\n') {
		f.rest = f.rest[1:]
	}
}

// take takes a byte behind blanks.
func (f *flat) take(b byte) {
	f.blank()
	if f.ok = f.ok && f.next() == b; f.ok {
		f.rest = f.rest[1:]
	}
}

// text takes a text that stands for itself.
func (f *flat) text() string {
	f.take('"')
	for i := range len(f.rest) {
		switch b := f.rest[i]; {
		case b == '"':
			text := f.rest[:i]
			f.rest = f.rest[i+1:]
			return text
		case b == '\\' || b < ' ':
			f.ok = false
			return ""
		}
	}
	f.ok = false
	return ""
}

var words = []struct {
	text  string
	value query.Value
}{{"null", query.Null{}}, {"true", query.Bool(true)}, {"false", query.Bool(false)}}

func (f *flat) value() query.Value {
	switch b := f.next(); {
	case b == '"':
		return query.Text(f.text())
	case b == '-' || digit(b):
		return f.number()
	}
	for _, w := range words {
		if rest, found := strings.CutPrefix(f.rest, w.text); found {
			f.rest = rest
			return w.value
		}
	}
	f.ok = false
	return nil
}

func digit(b byte) bool { return '0' <= b && b <= '9' }

// number takes a number as JSON has it: no zero before other digits, and digits wherever there may be some.
func (f *flat) number() query.Value {
	n := 0
	at := func() byte {
		if n < len(f.rest) {
			return f.rest[n]
		}
		return 0
	}
	digits := func() {
		f.ok = f.ok && digit(at())
		for digit(at()) {
			n++
		}
	}
	if at() == '-' {
		n++
	}
	if at() == '0' {
		n++
	} else {
		digits()
	}
	if at() == '.' {
		n++
		digits()
	}
	if at() == 'e' || at() == 'E' {
		if n++; at() == '+' || at() == '-' {
			n++
		}
		digits()
	}
	v := query.Number(f.rest[:n])
	f.rest = f.rest[n:]
	return v
}
