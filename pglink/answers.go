package pglink

import (
	"bytes"
	"encoding/binary"
)

// answers judges what a server says to the driver's statements. The driver
// describes a statement right before it runs it and keeps none, so the rows
// that come are of the columns that were described last.
type answers struct {
	columns   []uint32 // types by object id
	described bool
	params    bool // of a statement to be bound: its columns follow
	binary    bool // cells of some types are binary, see binarySize
}

// The types that the driver reads in a way of its own.
const (
	oidBool        = 16
	oidInt8        = 20
	oidInt2        = 21
	oidInt4        = 23
	oidDate        = 1082
	oidTimestamp   = 1114
	oidTimestampTZ = 1184
	oidUUID        = 2950
)

func (a *answers) check(typ byte, body []byte) error {
	switch typ {
	case '1', '2', 'I':
		return exactly(body, 0, "a message without content")
	case 'n':
		a.columns, a.described, a.params = a.columns[:0], true, false
		return exactly(body, 0, "a description of nothing")
	case 'A':
		return checkNotification(body)
	case 'C':
		if at := bytes.IndexByte(body, 0); at < 0 || at != len(body)-1 || at > 100 {
			return amiss("an end of a statement of %d bytes", len(body))
		}
	case 'Z':
		a.params = false
		if len(body) != 1 || bytes.IndexByte([]byte("ITE"), body[0]) < 0 {
			return amiss("it is ready in the state %.10q", body)
		}
	case 't':
		a.params = true
		if len(body) < 2 || len(body) != 2+4*int(binary.BigEndian.Uint16(body)) {
			return amiss("a list of parameters that does not fit its length")
		}
	case 'T':
		return a.describe(body)
	case 'D':
		return a.row(body)
	}
	return nil
}

func (a *answers) describe(body []byte) error {
	if len(body) < 2 {
		return amiss("a description of %d bytes", len(body))
	}
	a.described, a.binary, a.params = true, a.params, false
	a.columns = a.columns[:0]
	rest := body[2:]
	for range binary.BigEndian.Uint16(body) {
		name := bytes.IndexByte(rest, 0)
		if name < 0 || len(rest) < name+19 {
			return amiss("a description that does not fit its length")
		}
		column := rest[name+1:]
		if column[16] != 0 || column[17] != 0 {
			return amiss("a column in a format that was not asked for")
		}
		a.columns = append(a.columns, binary.BigEndian.Uint32(column[6:])) // behind the table's and the column's number
		rest = column[18:]
	}
	return exactly(rest, 0, "behind a description something")
}

func (a *answers) row(body []byte) error {
	if !a.described || len(body) < 2 || int(binary.BigEndian.Uint16(body)) != len(a.columns) {
		return amiss("a row of other columns than were described")
	}
	body = body[2:]
	for _, id := range a.columns {
		if len(body) < 4 {
			return amiss("a row that does not fit its length")
		}
		size := int32(binary.BigEndian.Uint32(body))
		body = body[4:]
		if size == -1 {
			continue
		}
		if size < 0 || int(size) > len(body) {
			return amiss("a cell that does not fit its row")
		}
		if !a.fits(id, body[:size]) {
			return amiss("a cell that does not fit its type %d", id)
		}
		body = body[size:]
	}
	return exactly(body, 0, "behind a row something")
}

// fits judges a cell by what the driver makes of its type.
func (a *answers) fits(id uint32, cell []byte) bool {
	if size := binarySize(id); a.binary && size > 0 {
		return len(cell) == size
	}
	switch id {
	case oidBool:
		return len(cell) == 1
	case oidDate, oidTimestamp, oidTimestampTZ:
		return inUTC(cell)
	}
	return true
}

// binarySize is the size of the types that the driver asks for in binary.
func binarySize(id uint32) int {
	switch id {
	case oidInt2:
		return 2
	case oidInt4:
		return 4
	case oidInt8:
		return 8
	case oidUUID:
		return 16
	}
	return 0
}

// inUTC judges a time: the driver keeps every distance to UTC that it has seen,
// for ever, and UTC is the zone that was asked for.
func inUTC(cell []byte) bool {
	if len(cell) > 64 {
		return false
	}
	cell, _ = bytes.CutSuffix(cell, []byte(" BC"))
	cell, _ = bytes.CutSuffix(cell, []byte("+00"))
	return !bytes.Contains(cell, []byte("+")) && bytes.Count(cell, []byte("-")) <= 2
}

func checkNotification(body []byte) error {
	if len(body) < 4 {
		return amiss("a notification of %d bytes", len(body))
	}
	if body = body[4:]; bytes.Count(body, []byte{0}) != 2 || body[len(body)-1] != 0 {
		return amiss("a notification that does not fit its length")
	}
	return nil
}

// checkParameter judges the report of a setting. The driver gets the time zone
// alone, and that only if it is the one that was asked for: it would look for
// another one's file.
func checkParameter(body []byte) (kept bool, err error) {
	if bytes.Count(body, []byte{0}) != 2 || body[0] == 0 || body[len(body)-1] != 0 {
		return false, amiss("a parameter that does not fit its length")
	}
	return string(body) == "TimeZone\x00UTC\x00", nil
}
