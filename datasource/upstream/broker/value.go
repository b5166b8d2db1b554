package broker

import (
	"bytes"

	"usher/datasource/upstream/jsonscan"
	"usher/value"
)

// ReaderOf reads a value as plugins write it. The protocol has one kind of
// time, ISO 8601 in UTC; dates are midnights of it, and local timestamps wear
// its Z.
func ReaderOf(t value.Type) jsonscan.Reader {
	if t.List || t.Scalar != value.Date && t.Scalar != value.LocalTimestamp {
		return jsonscan.ReaderOf(t)
	}
	return func(s *jsonscan.Scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
		tok, err := jsonscan.TextOf(s, t, "a time in ISO 8601")
		if err != nil {
			return value.Cell{}, text, err
		}
		plain := bytes.TrimSuffix(tok, []byte("Z"))
		if t.Scalar == value.Date {
			day, clock, timed := bytes.Cut(plain, []byte("T"))
			if timed && len(bytes.Trim(clock, "0:.")) > 0 {
				return value.Cell{}, text, jsonscan.Wrong(t, "a date, or midnight of one in UTC")
			}
			plain = day
		}
		read := jsonscan.ReaderOf(t)
		return read(jsonscan.Over(value.AppendQuoted(nil, plain)), t, text)
	}
}
