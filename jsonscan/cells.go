package jsonscan

import (
	"bytes"
	"fmt"
	"strconv"

	"usher/value"
)

// Mismatch is the error of a reader about a value of the wrong type; all other
// errors are about the reply as a whole.
type Mismatch struct{ Reason error }

func (m Mismatch) Error() string { return m.Reason.Error() }

// Reader reads one value, not null, of a type into a cell. Text is appended to
// text, which is returned.
type Reader func(s *Scanner, t value.Type, text []byte) (value.Cell, []byte, error)

// ReaderOf is the reader of a type.
func ReaderOf(t value.Type) Reader {
	if t.List {
		return readList
	}
	switch t.Scalar {
	case value.Int, value.BigInt:
		return readInteger
	case value.Float:
		return readFloat
	case value.Decimal:
		return readDecimal
	case value.Boolean:
		return readBoolean
	case value.String:
		return readString
	case value.ID:
		return readID
	case value.Enum:
		return readEnum
	case value.JSON:
		return readJSON
	case value.Date, value.Time, value.Timestamp, value.LocalTimestamp, value.Interval, value.UUID, value.Bytes:
	}
	return readParsed
}

// Wrong is the mismatch of a value that is not written as its type is.
func Wrong(t value.Type, form string) error {
	return Mismatch{fmt.Errorf("expected %s: %s", t.Elem().GraphQL(), form)}
}

func keep(text, piece []byte) (value.Cell, []byte) {
	start := len(text)
	text = append(text, piece...)
	return value.Cell{Kind: value.KindText, Text: text[start:len(text):len(text)]}, text
}

// token reads a string, or else a number if numbers may be.
func token(s *Scanner, t value.Type, strings, numbers bool, form string) (tok []byte, err error) {
	c, err := s.Peek()
	switch {
	case err != nil:
		return nil, err
	case c == '"' && strings:
		return s.Text()
	case numbers && (c == '-' || c >= '0' && c <= '9'):
		return s.Number()
	}
	return nil, Wrong(t, form)
}

// TextOf reads a string in which a value of a type is written.
func TextOf(s *Scanner, t value.Type, form string) ([]byte, error) {
	return token(s, t, true, false, form)
}

func readInteger(s *Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	form, _ := whole(t)
	tok, err := token(s, t, t.Scalar == value.BigInt, true, form)
	if err != nil {
		return value.Cell{}, text, err
	}
	return integer(t, tok, text)
}

func integer(t value.Type, tok, text []byte) (value.Cell, []byte, error) {
	form, bits := whole(t)
	n, err := strconv.ParseInt(string(tok), 10, bits)
	if err != nil || tok[0] == '+' {
		return value.Cell{}, text, Wrong(t, form)
	}
	return value.Cell{Kind: value.KindInt, Int: n}, text, nil
}

// whole says which whole numbers a type holds.
func whole(t value.Type) (form string, bits int) {
	if t.Scalar == value.Int {
		return "a whole number of 32 bits", 32
	}
	return "a whole number of 64 bits", 64
}

func readFloat(s *Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := token(s, t, false, true, "a finite number")
	if err != nil {
		return value.Cell{}, text, err
	}
	return float(t, tok, text)
}

func float(t value.Type, tok, text []byte) (value.Cell, []byte, error) {
	f, err := strconv.ParseFloat(string(tok), 64)
	if err != nil {
		return value.Cell{}, text, Wrong(t, "a finite number")
	}
	if f == 0 {
		f = 0 // -0 is 0
	}
	return value.Cell{Kind: value.KindFloat, Float: f}, text, nil
}

// Number makes a cell of a number of a type from its digits, in JSON's grammar.
func Number(t value.Type, digits, text []byte) (value.Cell, []byte, error) {
	switch t.Scalar { //nolint:exhaustive // there is no other number
	case value.Int, value.BigInt:
		return integer(t, digits, text)
	case value.Float:
		return float(t, digits, text)
	}
	return decimal(t, digits, text)
}

// readDecimal keeps the digits. Those that do not fit the declared precision
// and scale are refused: the embedded engine would round them.
func readDecimal(s *Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := token(s, t, true, true, "a number, or one as a string")
	if err != nil {
		return value.Cell{}, text, err
	}
	if !IsNumber(tok) {
		return value.Cell{}, text, Wrong(t, "a number, or one as a string")
	}
	return decimal(t, tok, text)
}

func decimal(t value.Type, tok, text []byte) (value.Cell, []byte, error) {
	if bytes.ContainsAny(tok, "eE") || len(tok) > value.MaxDigits {
		v, err := value.Parse(t, string(tok))
		if err != nil {
			return value.Cell{}, text, Mismatch{err}
		}
		tok = []byte(v.Text())
	}
	whole, fraction, _ := bytes.Cut(bytes.TrimPrefix(tok, []byte("-")), []byte("."))
	if t.Scale >= 0 {
		if len(bytes.TrimRight(fraction, "0")) > t.Scale {
			return value.Cell{}, text, Wrong(t, fmt.Sprintf("at most %d digits after the point", t.Scale))
		}
		if t.Precision > 0 && len(bytes.TrimLeft(whole, "0")) > t.Precision-t.Scale {
			return value.Cell{}, text, Wrong(t, fmt.Sprintf("at most %d digits before the point", t.Precision-t.Scale))
		}
	}
	cell, text := keep(text, tok)
	return cell, text, nil
}

func readBoolean(s *Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	c, err := s.Peek()
	switch {
	case err != nil:
		return value.Cell{}, text, err
	case c == 't':
		return value.Cell{Kind: value.KindBool, Bool: true}, text, s.Word("true")
	case c == 'f':
		return value.Cell{Kind: value.KindBool}, text, s.Word("false")
	}
	return value.Cell{}, text, Wrong(t, "true or false")
}

func readString(s *Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	return readText(s, t, text, false, "a string without NUL")
}

func readID(s *Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	return readText(s, t, text, true, "a string without NUL, or a whole number")
}

func readText(s *Scanner, t value.Type, text []byte, numbers bool, form string) (value.Cell, []byte, error) {
	quoted := s.buf[s.pos] == '"' // cell has looked at this byte
	tok, err := token(s, t, true, numbers, form)
	if err != nil {
		return value.Cell{}, text, err
	}
	if quoted && bytes.IndexByte(tok, 0) >= 0 || !quoted && bytes.ContainsAny(tok, ".eE") {
		return value.Cell{}, text, Wrong(t, form)
	}
	cell, text := keep(text, tok)
	return cell, text, nil
}

func readEnum(s *Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := TextOf(s, t, "one of its labels")
	if err != nil {
		return value.Cell{}, text, err
	}
	for _, label := range t.Labels {
		if string(tok) == label {
			cell, text := keep(text, tok)
			return cell, text, nil
		}
	}
	return value.Cell{}, text, Wrong(t, "one of its labels")
}

func readJSON(s *Scanner, _ value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := s.Raw()
	cell, text := keep(text, tok)
	return cell, text, err
}

// readParsed reads types that are strings with a form.
func readParsed(s *Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := TextOf(s, t, "a string")
	if err != nil {
		return value.Cell{}, text, err
	}
	if t.Scalar == value.Timestamp || t.Scalar == value.LocalTimestamp {
		if out, ok := appendPlain(text, tok, t.Scalar); ok {
			return value.Cell{Kind: value.KindText, Text: out[len(text):len(out):len(out)]}, out, nil
		}
	}
	v, err := value.Parse(t.Elem(), string(tok))
	if err != nil {
		return value.Cell{}, text, Mismatch{err}
	}
	cell, text := keep(text, []byte(v.Text()))
	return cell, text, nil
}

// readList reads an array of a scalar into the wire form of lists.
func readList(s *Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	elem := t.Elem()
	read := ReaderOf(elem)
	c, err := s.Peek()
	if err != nil || c != '[' {
		return value.Cell{}, text, firstOf(err, Wrong(t, "in an array"))
	}
	var scratch []byte
	list := []byte{'['}
	err = s.Into()
	for first := true; err == nil; first = false {
		var ok, null bool
		if ok, err = s.Item(first, ']'); !ok || err != nil {
			break
		}
		if !first {
			list = append(list, ',')
		}
		if null, err = s.Null(); null || err != nil {
			list = append(list, "null"...)
			continue
		}
		var cell value.Cell
		cell, scratch, err = read(s, elem, scratch[:0])
		list = value.AppendQuoted(list, []byte(value.WireText(cell)))
	}
	if err != nil {
		return value.Cell{}, text, err
	}
	cell, text := keep(text, append(list, ']'))
	return cell, text, nil
}
