package jsonscan

import "usher/value"

// appendPlain appends the wire form of the timestamps nearly all APIs write,
// 2026-11-21T22:19:23.5 with a Z for a Timestamp, without the cost of parsing
// them into a time. Every other text, right or wrong, is value.Parse's.
func appendPlain(dst, t []byte, scalar value.Scalar) ([]byte, bool) {
	if scalar == value.Timestamp {
		if len(t) == 0 || t[len(t)-1] != 'Z' {
			return dst, false
		}
		t = t[:len(t)-1]
	}
	if len(t) < 19 || len(t) > 26 || len(t) == 20 || t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' || t[16] != ':' {
		return dst, false
	}
	century, ok1 := two(t[0:])
	year, ok2 := two(t[2:])
	month, ok3 := two(t[5:])
	day, ok4 := two(t[8:])
	hour, ok5 := two(t[11:])
	minute, ok6 := two(t[14:])
	second, ok7 := two(t[17:])
	ok := ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7
	if !ok || century == 0 && year == 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 ||
		month == 2 && day == 29 || day > days(month) { // whether there is a 29th of February is for time to say
		return dst, false
	}
	fraction := t[19:]
	if len(fraction) > 0 {
		if fraction[0] != '.' {
			return dst, false
		}
		for _, c := range fraction[1:] {
			if c < '0' || c > '9' {
				return dst, false
			}
		}
		for len(fraction) > 0 && (fraction[len(fraction)-1] == '0' || len(fraction) == 1) {
			fraction = fraction[:len(fraction)-1]
		}
	}
	dst = append(dst, t[:10]...)
	dst = append(dst, ' ')
	dst = append(dst, t[11:19]...)
	dst = append(dst, fraction...)
	if scalar == value.Timestamp {
		dst = append(dst, "+00"...)
	}
	return dst, true
}

func two(t []byte) (int, bool) {
	a, b := t[0]-'0', t[1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

// days is how many days a month may have.
func days(month int) int {
	switch month {
	case 2:
		return 29
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
