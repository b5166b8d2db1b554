package pglink

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxSaid is how many bytes of a text of a server's are repeated.
const MaxSaid = 1 << 10

// Said is a text of a server's as it may be repeated: cut, and without what
// would write a line of its own in a log or move a terminal's cursor.
func Said(text string) string {
	if len(text) > MaxSaid {
		text = text[:MaxSaid]
		for i := 0; i < utf8.UTFMax && !utf8.ValidString(text); i++ { // of a character that was cut
			text = text[:len(text)-1]
		}
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, text)
}

// reportFields are those of an error that are kept: severity, SQLSTATE,
// message, detail, hint, position, where, and the names it speaks of.
const reportFields = "SCMDHPWstcdn"

// field returns the next field of a report, or none at its end.
func field(report []byte) (typ byte, text, rest []byte, err error) {
	if len(report) == 0 {
		return 0, nil, nil, amiss("a report without an end")
	}
	if report[0] == 0 {
		return 0, nil, nil, exactly(report, 1, "an end of a report")
	}
	text, rest, ok := bytes.Cut(report[1:], []byte{0})
	if !ok {
		return 0, nil, nil, amiss("a report without an end")
	}
	return report[0], text, rest, nil
}

func checkReport(report []byte) error {
	for {
		typ, _, rest, err := field(report)
		if typ == 0 || err != nil {
			return err
		}
		report = rest
	}
}

// cutReport is an error as the driver gets it: each field once, and cut.
func cutReport(report []byte) ([]byte, error) {
	out := []byte{'E', 0, 0, 0, 0}
	seen := ""
	for {
		typ, text, rest, err := field(report)
		if err != nil {
			return nil, err
		}
		if typ == 0 {
			break
		}
		report = rest
		if strings.IndexByte(reportFields, typ) < 0 || strings.IndexByte(seen, typ) >= 0 {
			continue
		}
		seen += string(typ)
		if typ == 'C' && !sqlState(text) {
			return nil, amiss("an error with the code %.10q", text)
		}
		out = append(append(append(out, typ), Said(string(text))...), 0)
	}
	if strings.IndexByte(seen, 'C') < 0 {
		return nil, amiss("an error without a code")
	}
	out = append(out, 0)
	binary.BigEndian.PutUint32(out[1:], uint32(len(out)-1))
	return out, nil
}

// sqlState tells whether a text has the form of an SQLSTATE.
func sqlState[T string | []byte](code T) bool {
	if len(code) != 5 {
		return false
	}
	for i := range len(code) {
		if c := code[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
