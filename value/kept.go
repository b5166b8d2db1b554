package value

import (
	"fmt"
	"strconv"
	"strings"
)

// Kept says what a column keeps of the values of its scalar, where its own type has room for less: a number of single
// precision, fewer digits of a second, or fewer parts of an interval. Engines round or cut what is more without a word.
type Kept struct {
	Form   Form
	Native string // the type, as the source spells it; empty: nobody has looked
}

// secondDigits is how many digits of a second there are.
const secondDigits = 6

// Seconds is how many digits of a second are kept.
func (k Kept) Seconds() int {
	switch native := strings.ToUpper(k.Native); {
	case strings.HasPrefix(native, "TIMESTAMP_S"):
		return 0
	case strings.HasPrefix(native, "TIMESTAMP_MS"):
		return 3
	}
	_, rest, _ := strings.Cut(k.Native, "(")
	digits, _, _ := strings.Cut(rest, ")")
	if n, err := strconv.Atoi(digits); err == nil {
		return min(n, secondDigits)
	}
	return secondDigits
}

// Holds refuses the text of a value that would be another one in the column, but for a float that is the nearest
// one of its kind there: that is what such numbers are.
func (k Kept) Holds(t Type, text string) error {
	switch t.Scalar { //nolint:exhaustive // all else is kept as it is
	case Float:
		return k.Form.Holds(text)
	case Time, Timestamp, LocalTimestamp:
		_, fraction, _ := strings.Cut(text, ".")
		if end := strings.IndexFunc(fraction, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
			fraction = fraction[:end]
		}
		if most := k.Seconds(); len(strings.TrimRight(fraction, "0")) > most {
			return fmt.Errorf("the time has more digits of a second than are kept, which are %d", most)
		}
	case Interval:
		return k.span(text)
	}
	return nil
}

// Text is a text as it is read again: blanks at its end are none of it where its column adds some.
func (k Kept) Text(text string) string {
	if k.Form == Padded {
		return strings.TrimRight(text, " ")
	}
	return text
}

// Keeps is a value that is refused, if it comes later as soon as it comes, unless it is kept as it is.
func (k Kept) Keeps(v Value) (Value, error) {
	switch v.typ.Scalar { //nolint:exhaustive // all else is kept as it is
	case Float, Time, Timestamp, LocalTimestamp, Interval:
		return v.As(v.typ, k.String(), func(text string) (string, error) { return text, k.Holds(v.typ, text) })
	case String, ID:
		if k.Form == Padded {
			return v.As(v.typ, k.String(), func(text string) (string, error) { return k.Text(text), nil })
		}
	}
	return v, nil
}

// String tells it from others.
func (k Kept) String() string { return "kept as " + k.Native + " in form " + strconv.Itoa(int(k.Form)) }

// clock are the units of an interval, in microseconds where it is of the clock.
var clock = map[string]int64{"hour": 3_600_000_000, "minute": 60_000_000, "second": 1}

// span refuses the wire form of an interval of which a part would be cut off: PostgreSQL keeps what its type ends with,
// such as months of `interval year to month`, and all that is longer.
func (k Kept) span(wire string) error {
	rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSuffix(k.Native, "[]")), "interval")
	var s Span
	if _, err := fmt.Sscan(wire, &s.Months, &s.Days, &s.Micros); err != nil || !ok {
		return err
	}
	rest, _, _ = strings.Cut(rest, "(")
	words := strings.Fields(rest)
	kept := true
	if len(words) > 0 {
		switch last := words[len(words)-1]; last {
		case "year":
			kept = s.Months%12 == 0 && s.Days == 0 && s.Micros == 0
		case "month":
			kept = s.Days == 0 && s.Micros == 0
		case "day":
			kept = s.Micros == 0
		default:
			kept = clock[last] == 0 || s.Micros%clock[last] == 0
		}
	}
	for range secondDigits - k.Seconds() {
		s.Micros, kept = s.Micros/10, kept && s.Micros%10 == 0
	}
	if !kept {
		return fmt.Errorf("the interval has parts that %s does not keep", strings.TrimSuffix(k.Native, "[]"))
	}
	return nil
}
