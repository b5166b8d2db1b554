package main

import (
	"database/sql"
	"strconv"
	"time"
)

type kind int

const (
	kindNumber kind = iota
	kindDecimal
	kindText
	kindTime
	kindOpen // begins an object
	kindEnd  // ends it
)

// column is one member of an object, or a bracket around members.
type column struct {
	kind kind
	name string
}

func number(name string) column  { return column{kindNumber, name} }
func decimal(name string) column { return column{kindDecimal, name} }
func text(name string) column    { return column{kindText, name} }
func orderedAt() column          { return column{kindTime, "orderedAt"} }
func open(name string) column    { return column{kindOpen, name} }
func end() column                { return column{kind: kindEnd} }

// cell is where one column of a row is scanned to.
type cell struct {
	number sql.NullInt64
	bytes  sql.RawBytes
	time   sql.NullTime
}

// objects writes each row as an object of these members.
func objects(columns ...column) writeRows {
	return func(out []byte, rows *sql.Rows) ([]byte, error) {
		cells := make([]cell, len(columns))
		targets := make([]any, 0, len(columns))
		for i, c := range columns {
			switch c.kind {
			case kindNumber:
				targets = append(targets, &cells[i].number)
			case kindTime:
				targets = append(targets, &cells[i].time)
			case kindDecimal, kindText:
				targets = append(targets, &cells[i].bytes)
			case kindOpen, kindEnd:
			}
		}
		out = append(out, '[')
		for n := 0; rows.Next(); n++ {
			if err := rows.Scan(targets...); err != nil {
				return out, err
			}
			if n > 0 {
				out = append(out, ',')
			}
			out = object(out, columns, cells)
		}
		return append(out, ']'), rows.Err()
	}
}

func object(out []byte, columns []column, cells []cell) []byte {
	out = append(out, '{')
	first := true
	for i, c := range columns {
		if c.kind == kindEnd {
			out = append(out, '}')
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = c.kind == kindOpen
		out = append(out, '"')
		out = append(out, c.name...)
		out = append(out, '"', ':')
		out = member(out, c.kind, &cells[i])
	}
	return append(out, '}')
}

func member(out []byte, k kind, c *cell) []byte {
	switch {
	case k == kindOpen:
		return append(out, '{')
	case k == kindNumber && c.number.Valid:
		return strconv.AppendInt(out, c.number.Int64, 10)
	case k == kindDecimal && c.bytes != nil:
		return append(out, c.bytes...)
	case k == kindText && c.bytes != nil:
		return quote(out, string(c.bytes))
	case k == kindTime && c.time.Valid:
		out = append(out, '"')
		out = c.time.Time.UTC().AppendFormat(out, time.RFC3339Nano)
		return append(out, '"')
	}
	return append(out, "null"...)
}

// quote appends text as a JSON string.
func quote(out []byte, s string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	start := 0
	for i := range len(s) {
		b := s[i]
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		out = append(out, s[start:i]...)
		start = i + 1
		if b == '"' || b == '\\' {
			out = append(out, '\\', b)
		} else {
			out = append(out, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xf])
		}
	}
	return append(append(out, s[start:]...), '"')
}
