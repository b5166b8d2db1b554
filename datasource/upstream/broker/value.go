package broker

import (
	"bytes"
	"math"

	"usher/jsonscan"
	"usher/value"
)

// ReaderOf reads a value as plugins write it. The protocol has three types
// and says little of how their values are written, so what connectors send is
// read where it can mean one thing only: numbers as text, as drivers hand over
// those that no double holds; booleans and numbers in hierarchy columns, as
// the text they are written with; dates as midnights in UTC, and
// local timestamps that wear its Z. Everything else is as strict as with any API.
func ReaderOf(t value.Type) jsonscan.Reader {
	if t.List {
		return jsonscan.ReaderOf(t)
	}
	switch t.Scalar { //nolint:exhaustive // all others are written as their type is
	case value.Int, value.BigInt, value.Decimal, value.Float:
		return readNumber
	case value.Boolean:
		return readBoolean
	case value.String, value.ID, value.Enum:
		return readText
	case value.Date, value.LocalTimestamp:
		return readTime
	}
	return jsonscan.ReaderOf(t)
}

// readNumber reads a number, or one as text. Whole numbers may have zeros
// behind the point, as stores of decimals write them.
func readNumber(s *jsonscan.Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	c, err := s.Peek()
	if err != nil {
		return value.Cell{}, text, err
	}
	var tok []byte
	switch {
	case c == '"':
		tok, err = s.Text()
	case c == '-' || c >= '0' && c <= '9':
		tok, err = s.Number()
	default:
		err = jsonscan.Wrong(t, number)
	}
	if err != nil {
		return value.Cell{}, text, err
	}
	if f, ok := notFinite[string(tok)]; ok && t.Scalar == value.Float {
		return value.Cell{Kind: value.KindFloat, Float: f}, text, nil
	}
	if !jsonscan.IsNumber(tok) {
		return value.Cell{}, text, jsonscan.Wrong(t, number)
	}
	if t.Scalar == value.Int || t.Scalar == value.BigInt {
		if whole, fraction, found := bytes.Cut(tok, []byte(".")); found && len(bytes.Trim(fraction, "0")) == 0 {
			tok = whole
		}
	}
	return jsonscan.Number(t, tok, text)
}

const number = "a number, or one as text"

// notFinite is what drivers write for a number that is none.
var notFinite = map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}

// readBoolean reads true and false, as such or as text, and 1 and 0, which
// stores without booleans have.
func readBoolean(s *jsonscan.Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := plain(s)
	if err != nil {
		return value.Cell{}, text, err
	}
	switch string(tok) {
	case "true", "t", "1":
		return value.Cell{Kind: value.KindBool, Bool: true}, text, nil
	case "false", "f", "0":
		return value.Cell{Kind: value.KindBool}, text, nil
	}
	return value.Cell{}, text, jsonscan.Wrong(t, "true or false, 1 or 0, or one of them as text")
}

// readText reads text, or a number or a boolean as the text it is written
// with: drivers hand over whole numbers and booleans as such.
func readText(s *jsonscan.Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	c, err := s.Peek()
	switch {
	case err != nil:
		return value.Cell{}, text, err
	case c == '{' || c == '[':
		return value.Cell{}, text, jsonscan.Wrong(t, "text, a number or a boolean")
	case c == '"':
		return jsonscan.ReaderOf(t)(s, t, text)
	}
	tok, err := s.Raw()
	if err != nil {
		return value.Cell{}, text, err
	}
	return jsonscan.ReaderOf(t)(jsonscan.Over(value.AppendQuoted(nil, tok)), t, text)
}

// plain is a text without its quotes, or a value as it is written.
func plain(s *jsonscan.Scanner) ([]byte, error) {
	c, err := s.Peek()
	if err != nil {
		return nil, err
	}
	if c == '"' {
		return s.Text()
	}
	return s.Raw()
}

// readTime reads a date or a local timestamp. The protocol has one kind of
// time, ISO 8601 in UTC.
func readTime(s *jsonscan.Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := jsonscan.TextOf(s, t, "a time in ISO 8601")
	if err != nil {
		return value.Cell{}, text, err
	}
	local := bytes.TrimSuffix(tok, []byte("Z"))
	if t.Scalar == value.Date {
		day, clock, timed := bytes.Cut(local, []byte("T"))
		if timed && len(bytes.Trim(clock, "0:.")) > 0 {
			return value.Cell{}, text, jsonscan.Wrong(t, "a date, or midnight of one in UTC")
		}
		local = day
	}
	read := jsonscan.ReaderOf(t)
	return read(jsonscan.Over(value.AppendQuoted(nil, local)), t, text)
}
