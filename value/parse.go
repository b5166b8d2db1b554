package value

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxText bounds one literal, far below what any engine's protocol allows.
const maxText = 1 << 20

// Parse reads a literal of the type (of its elements, for a list) and returns
// it in canonical text. The error says what the type expects; it may be shown
// to the caller, whose own text it is about.
func Parse(t Type, text string) (Value, error) {
	text, err := canonical(&t, text)
	if err != nil {
		return Value{}, err
	}
	return Value{typ: t.Elem(), text: text, set: true}, nil
}

func canonical(t *Type, text string) (string, error) {
	if len(text) > maxText {
		return "", fmt.Errorf("a value of %d bytes is too long; at most %d are allowed", len(text), maxText)
	}
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		return "", fmt.Errorf("text must be UTF-8 without NUL")
	}
	return parsers[t.Scalar](*t, text)
}

var parsers = [...]func(Type, string) (string, error){
	Int:            parseInt,
	BigInt:         parseBigInt,
	Decimal:        parseDecimal,
	Float:          parseFloat,
	Boolean:        parseBoolean,
	String:         parseText,
	ID:             parseText,
	UUID:           parseUUID,
	Date:           parseDate,
	Time:           parseTime,
	Timestamp:      parseTimestamp,
	LocalTimestamp: parseLocalTimestamp,
	Interval:       parseInterval,
	JSON:           parseJSON,
	Bytes:          parseBytes,
	Enum:           parseEnum,
}

func expected(t Type, form string) error {
	return fmt.Errorf("expected %s: %s", t.Elem().GraphQL(), form)
}

func parseText(_ Type, text string) (string, error) { return text, nil }

func parseInt(t Type, text string) (string, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || !plainNumber(text) {
		return "", expected(t, "a whole number from -2147483648 to 2147483647")
	}
	return wholeText(text, n), nil
}

func parseBigInt(t Type, text string) (string, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || !plainNumber(text) {
		return "", expected(t, "a whole number from -9223372036854775808 to 9223372036854775807")
	}
	return wholeText(text, n), nil
}

// wholeText is the canonical text of a number that was read of a text: that one, as a rule.
func wholeText(text string, n int64) string {
	if first := text[0]; '1' <= first && first <= '9' || len(text) == 1 && first == '0' {
		return text
	}
	return strconv.FormatInt(n, 10)
}

// plainNumber tells a number that begins as those of JSON and GraphQL do: without a plus, and without zeros before it.
func plainNumber(text string) bool {
	text = strings.TrimPrefix(text, "-")
	return text != "" && digits(text[:1]) && (text[0] != '0' || len(text) == 1 || !digits(text[1:2]))
}

// parseDecimal takes digits with an optional sign, point and exponent and
// writes them without exponent and without trailing zeros after the point.
func parseDecimal(t Type, text string) (string, error) {
	if plainDecimal(text) {
		return text, nil
	}
	bad := func() error { return expected(t, "a number of at most 38 digits") }
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.Atoi(text[i+1:])
		if err != nil || n > 99 || n < -99 {
			return "", bad()
		}
		mantissa, exponent = text[:i], n
	}
	negative := strings.HasPrefix(mantissa, "-")
	mantissa = strings.TrimPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if !plainNumber(text) || !digits(whole) || !digits(fraction) || strings.HasSuffix(mantissa, ".") {
		return "", bad()
	}
	all := whole + fraction
	point := len(whole) + exponent
	for point > len(all) {
		all += "0"
	}
	for point < 0 {
		all = "0" + all
		point++
	}
	whole, fraction = strings.TrimLeft(all[:point], "0"), strings.TrimRight(all[point:], "0")
	if len(whole)+len(fraction) > MaxDigits {
		return "", bad()
	}
	if whole == "" {
		whole = "0"
	}
	out := whole
	if fraction != "" {
		out += "." + fraction
	}
	if negative && out != "0" {
		out = "-" + out
	}
	return out, nil
}

// plainDecimal tells a decimal that is written as it is kept, and is not negative.
func plainDecimal(text string) bool {
	if len(text) == 0 || len(text) > MaxDigits || text[len(text)-1] == '.' || text[0] == '0' && len(text) > 1 && text[1] != '.' {
		return false
	}
	point := strings.IndexByte(text, '.')
	if point < 0 {
		return digits(text)
	}
	return point > 0 && text[len(text)-1] != '0' && digits(text[:point]) && digits(text[point+1:])
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// DecimalShape counts the digits before and after the point of a canonical
// decimal.
func DecimalShape(text string) (whole, fraction int) {
	w, f, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	return len(w), len(f)
}

func parseFloat(t Type, text string) (string, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(text, "_xXpP") || !plainNumber(text) || strings.Contains(text+"e", ".e") {
		return "", expected(t, "a finite number")
	}
	if f == 0 {
		f = 0 // -0 is 0
		if mantissa, _, _ := strings.Cut(strings.ToLower(text), "e"); strings.ContainsAny(mantissa, "123456789") {
			return "", expected(t, "a number that is not so small that it would be 0")
		}
	}
	return strconv.FormatFloat(f, 'g', -1, 64), nil
}

func parseBoolean(t Type, text string) (string, error) {
	if text != "true" && text != "false" {
		return "", expected(t, "true or false")
	}
	return text, nil
}

func parseUUID(t Type, text string) (string, error) {
	if len(text) != 36 {
		return "", expected(t, "a UUID such as 123e4567-e89b-12d3-a456-426614174000")
	}
	out := strings.ToLower(text)
	for i := range 36 {
		c := out[i]
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", expected(t, "a UUID such as 123e4567-e89b-12d3-a456-426614174000")
		}
	}
	return out, nil
}

func parseDate(t Type, text string) (string, error) {
	if _, err := time.Parse(time.DateOnly, text); err != nil || text < "0001" {
		return "", expected(t, "a date such as 2026-11-21")
	}
	return text, nil
}

func parseTime(t Type, text string) (string, error) {
	bad := func() error { return expected(t, "a time such as 22:19:23 or 22:19:23.5") }
	head, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > 6 || strings.HasSuffix(text, ".") || !digits(fraction) {
		return "", bad()
	}
	if head == "24:00:00" && strings.Trim(fraction, "0") == "" { // the end of a day, which both engines have
		return head, nil
	}
	at, err := time.Parse(time.TimeOnly, head)
	if err != nil || len(head) != 8 {
		return "", bad()
	}
	return at.Format(time.TimeOnly) + fractionText(fraction), nil
}

// fractionText is the fraction of a second without trailing zeros.
func fractionText(digits string) string {
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return ""
	}
	return "." + digits
}

func parseTimestamp(t Type, text string) (string, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !plainClock(text) {
		return "", expected(t, "RFC 3339 with an offset and at most microseconds, such as 2026-11-21T22:19:23Z")
	}
	at = at.UTC()
	if at.Year() < 1 || at.Year() > 9999 {
		return "", expected(t, "a year from 1 to 9999")
	}
	if plainUTC(text) {
		return text[:10] + " " + text[11:len(text)-1] + "+00", nil
	}
	return at.Format("2006-01-02 15:04:05.999999") + "+00", nil
}

// plainClock tells a date and time, of those that package time reads, that are written as RFC 3339 has them: it also takes hours of one
// digit, a comma, and offsets of a day. What is finer than microseconds is none of it.
func plainClock(text string) bool {
	if len(text) < 19 || text[13] != ':' || len(text) > 19 && text[19] == ',' {
		return false
	}
	rest := text[19:]
	if strings.HasPrefix(rest, ".") {
		end := 1
		for end < len(rest) && digits(rest[end:end+1]) {
			end++
		}
		if strings.Trim(rest[min(7, end):end], "0") != "" {
			return false
		}
		rest = rest[end:]
	}
	return len(rest) < 6 || rest[1:3] <= "23" && rest[4:6] <= "59"
}

// plainUTC tells an instant, of those that can be read, of which only what is between its parts
// is written in another way than it is kept.
func plainUTC(text string) bool {
	end := len(text) - 1
	if end < 19 || end > 26 || text[10] != 'T' || text[13] != ':' || text[end] != 'Z' {
		return false
	}
	return end == 19 || text[19] == '.' && text[end-1] != '0'
}

func parseLocalTimestamp(t Type, text string) (string, error) {
	at, err := time.Parse("2006-01-02T15:04:05.999999999", text)
	if err != nil || !plainClock(text) || at.Year() < 1 {
		return "", expected(t, "a date and time without an offset, such as 2026-11-21T22:19:23")
	}
	return at.Format("2006-01-02 15:04:05.999999"), nil
}

// TimestampOf is the literal of an instant, cut to microseconds.
func TimestampOf(at time.Time) Value {
	return Value{typ: Of(Timestamp), text: at.UTC().Format("2006-01-02 15:04:05.999999") + "+00", set: true}
}

func parseBytes(t Type, text string) (string, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return "", expected(t, "base64 with padding")
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

func parseEnum(t Type, text string) (string, error) {
	if !slices.Contains(t.Labels, text) {
		return "", expected(t, "one of "+strings.Join(t.Labels, ", "))
	}
	return text, nil
}

// CanonicalJSON appends JSON text compactly, with sorted keys and numbers as
// they were written. Duplicate keys keep the last, as both engines do.
func CanonicalJSON(dst, text []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return dst, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return dst, fmt.Errorf("text after the JSON value")
	}
	return appendAny(dst, v), nil
}

func appendAny(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case json.Number:
		return append(dst, v...)
	case string:
		return AppendQuoted(dst, []byte(v))
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendAny(dst, e)
		}
		return append(dst, ']')
	case map[string]any:
		dst = append(dst, '{')
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for i, k := range keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendQuoted(dst, []byte(k))
			dst = append(dst, ':')
			dst = appendAny(dst, v[k])
		}
		return append(dst, '}')
	}
	return dst
}
