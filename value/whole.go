package value

import (
	"strconv"
	"strings"
)

// Whole writes a JSON number without point and exponent, if it is a whole one of at most
// so many digits. It reads its digits: what rounds to a whole number is none.
func Whole(number string, most int) (string, bool) {
	number, negative := strings.CutPrefix(number, "-")
	mantissa, exponent := number, 0
	var err error
	if at := strings.IndexAny(number, "eE"); at >= 0 {
		mantissa = number[:at]
		exponent, err = strconv.Atoi(number[at+1:])
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimRight(whole+fraction, "0")
	if digits == "" {
		return "0", true
	}
	point := len(whole) + exponent - (len(digits) - len(strings.TrimLeft(digits, "0")))
	digits = strings.TrimLeft(digits, "0")
	if err != nil || point < len(digits) || point > most {
		return "", false
	}
	digits += strings.Repeat("0", point-len(digits))
	if negative {
		digits = "-" + digits
	}
	return digits, true
}

// PlainBigInt is a JSON number as Parse takes it for a BigInt, where that is a whole number
// with a point or an exponent: 2.0, 2e0. All others are as they were written.
func PlainBigInt(number string) string {
	const most = 19 // digits of a BigInt
	if strings.ContainsAny(number, ".eE") {
		if whole, ok := Whole(number, most); ok {
			return whole
		}
	}
	return number
}
