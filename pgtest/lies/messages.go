package lies

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// The types of columns.
const (
	Bool = 16
	Int8 = 20
	Int4 = 23
	Text = 25
	UUID = 2950
)

// Parsed and Bound say that a statement was.
const (
	Parsed = "1\x00\x00\x00\x04"
	Bound  = "2\x00\x00\x00\x04"
)

// Null is a cell without a value.
const Null = "\x00null"

// Message is one of the server's.
func Message(typ byte, body ...string) string {
	text := strings.Join(body, "")
	return string(typ) + Number(32, int64(len(text)+4)) + text
}

// Number is a whole number of so many bits.
func Number(bits int, n int64) string {
	all := binary.BigEndian.AppendUint64(nil, uint64(n))
	return string(all[8-bits/8:])
}

// Auth is a request to sign in, or the word that somebody is let in.
func Auth(kind int64, body ...string) string {
	return Message('R', Number(32, kind), strings.Join(body, ""))
}

// Parameter reports a setting.
func Parameter(name, v string) string { return Message('S', name, "\x00", v, "\x00") }

// Backend is the process that serves.
const Backend = 7

// Key is the one to cancel with.
func Key() string { return Message('K', Number(32, Backend), Number(32, 7)) }

// Ready says that the next statement may come.
func Ready(state string) string { return Message('Z', state) }

// Complete ends a statement.
func Complete(tag string) string { return Message('C', tag, "\x00") }

// Failure is an error.
func Failure(code, text string) string {
	return Message('E', "SERROR\x00C", code, "\x00M", text, "\x00\x00")
}

// Column describes one.
func Column(name string, oid int64) string {
	return name + "\x00" + Number(32, 0) + Number(16, 0) + Number(32, oid) + Number(16, -1) + Number(32, -1) + Number(16, 0)
}

// Columns describes rows.
func Columns(columns ...string) string {
	return Message('T', Number(16, int64(len(columns))), strings.Join(columns, ""))
}

// Parameters describes the arguments of a statement.
func Parameters(text string) string {
	n := 0
	for strings.Contains(text, "$"+strconv.Itoa(n+1)) {
		n++
	}
	return Message('t', Number(16, int64(n)), strings.Repeat(Number(32, Text), n))
}

// Row is one.
func Row(cells ...string) string {
	text := Number(16, int64(len(cells)))
	for _, cell := range cells {
		if cell == Null {
			text += Number(32, -1)
			continue
		}
		text += Number(32, int64(len(cell))) + cell
	}
	return Message('D', text)
}
