package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Unprintable is the error of a value of its type that has no text in an answer.
// It says why, and may be shown to whoever asked.
type Unprintable string

// Error implements error.
func (u Unprintable) Error() string { return string(u) }

// Hint is what can be done about it, for whoever asked; empty: nothing is known.
func (u Unprintable) Hint() string {
	if u == ErrLabel {
		return "Tell an administrator: labels are read when usher starts, and anew by SIGHUP, unless the configuration lists them, which `usher check` says."
	}
	return ""
}

// What data alone can cause.
const (
	ErrNotFinite = Unprintable("the value is not finite, which JSON cannot hold")
	ErrTooLarge  = Unprintable("the number has more than 38 digits")
	ErrYear      = Unprintable("the time is infinite, or of a year before 1 or after 9999")
	ErrNested    = Unprintable("the list has more than one dimension")
	ErrNotJSON   = Unprintable("the value cannot be read as JSON")
	ErrInt       = Unprintable("the number is beyond the 32 bits of an Int")
	ErrLabel     = Unprintable("the enum has a label here that the schema has not: it came later")
)

// ErrDiffers is the error of a cell that is no value of its column's type: the column has become another one since the
// catalog was made.
var ErrDiffers = errors.New("a value is of another type than the catalog has for its column")

// Style says how values are written where a type leaves a choice.
type Style struct {
	Zone          *time.Location // Timestamp: the offset to write; nil is UTC as Z
	Rounded       bool           // Float: 12 significant digits, for sums engines add in any order
	NumbersAsText bool           // BigInt and Decimal as JSON strings
}

// AppendJSON appends a cell of the type as JSON in the one form it has. An
// error means the cell is not a value of the type, unless it is an Unprintable.
func AppendJSON(dst []byte, t Type, c Cell, style Style) ([]byte, error) {
	if c.Kind == KindNull {
		return append(dst, "null"...), nil
	}
	if t.List {
		return appendList(dst, t.Elem(), c, style)
	}
	quoted := style.NumbersAsText && (t.Scalar == BigInt || t.Scalar == Decimal)
	switch t.Scalar {
	case Int, BigInt, Decimal, Float, Boolean, JSON:
	case String, ID, Enum:
		if c.Kind != KindText {
			return dst, wrongKind(t, c)
		}
		if t.Scalar == Enum && !t.labeled(c.Text) {
			return dst, ErrLabel
		}
		return AppendQuoted(dst, c.Text), nil
	case UUID, Date, Time, Timestamp, LocalTimestamp, Interval, Bytes:
		quoted = true
	}
	if quoted {
		dst = append(dst, '"')
	}
	dst, err := AppendText(dst, t, c, style)
	if quoted {
		dst = append(dst, '"')
	}
	return dst, err
}

// labeled tells whether a text is a label of the enum.
func (t Type) labeled(text []byte) bool {
	for _, label := range t.Labels {
		if string(text) == label {
			return true
		}
	}
	return false
}

// AppendText appends a cell of a scalar type in canonical text.
func AppendText(dst []byte, t Type, c Cell, style Style) ([]byte, error) {
	switch t.Scalar {
	case Int, BigInt:
		switch {
		case c.Kind != KindInt:
			return dst, wrongKind(t, c)
		case t.Scalar == Int && !IsInt(c.Int):
			return dst, ErrInt
		}
		return strconv.AppendInt(dst, c.Int, 10), nil
	case Float:
		if c.Kind != KindFloat {
			return dst, wrongKind(t, c)
		}
		return appendFloat(dst, c.Float, style.Rounded)
	case Boolean:
		if c.Kind != KindBool {
			return dst, wrongKind(t, c)
		}
		return strconv.AppendBool(dst, c.Bool), nil
	case Decimal:
		if c.Kind == KindInt {
			return appendDecimal(dst, strconv.AppendInt(nil, c.Int, 10), t.Scale)
		}
	case String, ID, Enum, UUID, Date, Time, Timestamp, LocalTimestamp, Interval, JSON, Bytes:
	}
	if c.Kind != KindText {
		return dst, wrongKind(t, c)
	}
	switch t.Scalar {
	case Decimal:
		return appendDecimal(dst, c.Text, t.Scale)
	case Time:
		if len(c.Text) < 8 || c.Text[2] != ':' {
			return dst, wrongKind(t, c)
		}
		return appendClock(dst, c.Text), nil
	case UUID:
		if len(c.Text) != 36 {
			return dst, wrongKind(t, c)
		}
	case Timestamp:
		return appendTimestamp(dst, c.Text, style.Zone)
	case LocalTimestamp:
		return appendLocal(dst, c.Text)
	case Date:
		if len(c.Text) >= 19 && plainDate(c.Text) && c.Text[13] == ':' {
			return dst, fmt.Errorf("%w: a time for a date", ErrDiffers)
		}
		if len(c.Text) != 10 || !plainDate(c.Text) {
			return dst, ErrYear
		}
		return append(dst, c.Text...), nil
	case Interval:
		return appendSpan(dst, c.Text)
	case JSON:
		out, err := CanonicalJSON(dst, c.Text)
		if err != nil {
			err = ErrNotJSON
		}
		return out, err
	case Enum:
		if !t.labeled(c.Text) {
			return dst, ErrLabel
		}
	case Int, BigInt, Float, Boolean, String, ID, Bytes:
	}
	return append(dst, c.Text...), nil
}

// IsInt tells a whole number that an Int holds.
func IsInt(n int64) bool { return n == int64(int32(n)) }

// JSONNull tells JSON's null, which an answer does not tell from a missing value.
func JSONNull(c Cell) bool {
	return c.Kind == KindText && len(c.Text) < 64 && string(bytes.TrimSpace(c.Text)) == "null"
}

func wrongKind(t Type, c Cell) error {
	return fmt.Errorf("%w: a cell of kind %d for one of type %s", ErrDiffers, c.Kind, t.GraphQL())
}

func appendFloat(dst []byte, f float64, rounded bool) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, ErrNotFinite
	}
	if rounded {
		f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'e', 11, 64), 64)
	}
	if f == 0 {
		return append(dst, '0'), nil
	}
	if a := math.Abs(f); a >= 1e21 || a < 1e-6 {
		return strconv.AppendFloat(dst, f, 'e', -1, 64), nil
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64), nil
}

// appendDecimal writes digits with the scale, or without trailing zeros when
// there is none. Digits beyond the scale that are not zero are kept: nothing
// is rounded on the way out.
func appendDecimal(dst, text []byte, scale int) ([]byte, error) {
	body := text
	if len(body) > 0 && body[0] == '-' {
		body = body[1:]
	}
	whole, fraction, _ := bytes.Cut(body, []byte{'.'})
	if len(whole) == 0 && len(fraction) > 0 { // DuckDB writes a decimal without whole digits so: .50
		whole = []byte{'0'}
	}
	if len(whole) == 0 || !digits(string(whole)) || !digits(string(fraction)) {
		return dst, ErrNotFinite // NaN, Infinity
	}
	keep := len(fraction)
	for keep > max(scale, 0) && fraction[keep-1] == '0' {
		keep--
	}
	fraction = fraction[:keep]
	for len(whole) > 1 && whole[0] == '0' {
		whole = whole[1:]
	}
	zero := len(bytes.Trim(whole, "0")) == 0 && len(bytes.Trim(fraction, "0")) == 0
	if n := len(whole) + len(fraction); n > MaxDigits && (n > MaxDigits+1 || whole[0] != '0') { // a zero before the point is none of them
		return dst, ErrTooLarge
	}
	if len(body) != len(text) && !zero {
		dst = append(dst, '-')
	}
	dst = append(dst, whole...)
	if keep > 0 || scale > 0 {
		dst = append(dst, '.')
		dst = append(dst, fraction...)
		for i := keep; i < scale; i++ {
			dst = append(dst, '0')
		}
	}
	return dst, nil
}

// appendClock writes a time of day without trailing zeros in its fraction.
func appendClock(dst, text []byte) []byte {
	if bytes.IndexByte(text, '.') >= 0 {
		text = bytes.TrimRight(text, "0")
		text = bytes.TrimSuffix(text, []byte{'.'})
	}
	return append(dst, text...)
}

// plainDate tells a date of the years 1 to 9999 from infinities and from years
// before or after. DuckDB has a BC behind the date, PostgreSQL behind it all.
func plainDate(text []byte) bool {
	return len(text) >= 10 && text[4] == '-' && text[7] == '-' && digits(string(text[:4])) && text[len(text)-1] != 'C' &&
		(len(text) == 10 || text[10] == ' ')
}

func appendLocal(dst, text []byte) ([]byte, error) {
	if !plainDate(text) || len(text) < 19 || text[13] != ':' {
		return dst, ErrYear
	}
	if bytes.IndexByte(text[19:], '+') >= 0 {
		return dst, fmt.Errorf("%w: a time with an offset for a local one", ErrDiffers)
	}
	dst = append(dst, text[:10]...)
	dst = append(dst, 'T')
	return appendClock(dst, text[11:]), nil
}

func appendTimestamp(dst, text []byte, zone *time.Location) ([]byte, error) {
	bare, ok := bytes.CutSuffix(text, []byte("+00"))
	if !plainDate(text) || len(bare) < 19 || text[13] != ':' {
		return dst, ErrYear
	}
	if !ok {
		return dst, fmt.Errorf("%w: a time without an offset", ErrDiffers)
	}
	if zone == nil || zone == time.UTC {
		dst, err := appendLocal(dst, bare)
		return append(dst, 'Z'), err
	}
	at, err := time.Parse("2006-01-02 15:04:05.999999", string(bare))
	if err != nil {
		return dst, ErrYear
	}
	at = at.In(zone)
	if at.Year() < 1 || at.Year() > 9999 {
		return dst, ErrYear
	}
	if _, offset := at.Zone(); offset%60 != 0 { // before zones had whole minutes; RFC 3339 has no others
		at = at.In(time.FixedZone("", offset-offset%60))
	}
	return at.AppendFormat(dst, time.RFC3339Nano), nil
}

// appendList reads the wire form of a list, a JSON array of strings and nulls,
// and writes each element in its canonical form.
func appendList(dst []byte, elem Type, c Cell, style Style) ([]byte, error) {
	if c.Kind != KindText {
		return dst, wrongKind(elem, c)
	}
	var items []*string
	if err := json.Unmarshal(c.Text, &items); err != nil {
		if bytes.HasPrefix(c.Text, []byte("[[")) {
			return dst, ErrNested
		}
		return dst, fmt.Errorf("a list is not in wire form: %w", err)
	}
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		cell, err := elementCell(elem, item)
		if err != nil {
			return dst, err
		}
		if dst, err = AppendJSON(dst, elem, cell, style); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func elementCell(t Type, text *string) (Cell, error) {
	if text == nil {
		return Cell{}, nil
	}
	var err error
	c := Cell{Kind: KindText, Text: []byte(*text)}
	switch t.Scalar {
	case Int, BigInt:
		c.Kind = KindInt
		c.Int, err = strconv.ParseInt(*text, 10, 64)
	case Float:
		c.Kind = KindFloat
		c.Float, err = strconv.ParseFloat(*text, 64)
	case Boolean:
		c.Kind = KindBool
		c.Bool = *text == "true" || *text == "t"
	case Decimal, String, ID, UUID, Date, Time, Timestamp, LocalTimestamp, Interval, JSON, Bytes, Enum:
	}
	return c, err
}

const hex = "0123456789abcdef"

// AppendQuoted appends text as a JSON string. Text that is not UTF-8 gets the
// replacement character where it is not.
func AppendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		b := text[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, text[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		if b >= ' ' && b != '"' && b != '\\' {
			i++
			continue
		}
		dst = append(dst, text[start:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xf])
		}
		i++
		start = i
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}
