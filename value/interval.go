package value

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Span is an interval as both engines keep it.
type Span struct{ Months, Days, Micros int64 }

// ParseSpan reads an ISO 8601 duration of whole years, months, weeks, days,
// hours and minutes, and seconds with at most six digits after the point. A
// sign may stand before the P and before each number.
func ParseSpan(text string) (Span, error) {
	bad := errors.New("expected Interval: an ISO 8601 duration such as P1Y2M3DT4H5M6.5S")
	var s Span
	rest := text
	sign := int64(1)
	if strings.HasPrefix(rest, "-") {
		sign, rest = -1, rest[1:]
	}
	rest, ok := strings.CutPrefix(rest, "P")
	if !ok || rest == "" || strings.HasSuffix(rest, "T") {
		return s, bad
	}
	clock, last := false, 0
	for rest != "" {
		if rest[0] == 'T' && !clock {
			clock, rest, last = true, rest[1:], 4
			continue
		}
		end := strings.IndexAny(rest, "YMWDHS")
		if end <= 0 {
			return s, bad
		}
		number, unit := rest[:end], rest[end]
		rest = rest[end+1:]
		rank := strings.IndexByte("?YMWDHMS", unit)
		if clock && unit == 'M' {
			rank = 6
		}
		if rank <= last || clock != (rank > 4) {
			return s, bad
		}
		last = rank
		micros, err := scaled(number, rank == 7)
		if err != nil {
			return s, bad
		}
		n := micros / 1_000_000
		switch rank {
		case 1:
			s.Months += n * 12
		case 2:
			s.Months += n
		case 3:
			s.Days += n * 7
		case 4:
			s.Days += n
		case 5:
			s.Micros += micros * 3600
		case 6:
			s.Micros += micros * 60
		case 7:
			s.Micros += micros
		}
	}
	if abs(s.Months) > math.MaxInt32 || abs(s.Days) > math.MaxInt32 {
		return Span{}, bad
	}
	return Span{sign * s.Months, sign * s.Days, sign * s.Micros}, nil
}

// scaled reads a small number times a million.
func scaled(number string, fraction bool) (int64, error) {
	digitsOf := strings.TrimPrefix(number, "-")
	whole, frac, dotted := strings.Cut(digitsOf, ".")
	if whole == "" || len(whole) > 9 || len(frac) > 6 || !digits(whole) || !digits(frac) || dotted && (!fraction || frac == "") {
		return 0, errors.New("not a number")
	}
	n, err := strconv.ParseInt(whole+(frac + "000000")[:6], 10, 64)
	if digitsOf != number {
		n = -n
	}
	return n, err
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

func parseInterval(_ Type, text string) (string, error) {
	s, err := ParseSpan(text)
	if err != nil {
		return "", err
	}
	return s.Wire(), nil
}

// Wire is the wire form: months, days and microseconds.
func (s Span) Wire() string { return fmt.Sprintf("%d %d %d", s.Months, s.Days, s.Micros) }

// appendSpan writes a wire form as ISO 8601.
func appendSpan(dst []byte, wire []byte) ([]byte, error) {
	parts := strings.Fields(string(wire))
	if string(wire) == "infinity" { // which PostgreSQL has from version 17 on
		return dst, ErrNotFinite
	}
	if len(parts) != 3 {
		return dst, fmt.Errorf("interval %q is not in wire form", wire)
	}
	var n [3]int64
	for i, p := range parts {
		v, err := strconv.ParseInt(p, 10, 64)
		if err != nil {
			return dst, fmt.Errorf("interval %q is not in wire form", wire)
		}
		n[i] = v
	}
	if n == [3]int64{} {
		return append(dst, "PT0S"...), nil
	}
	dst = append(dst, 'P')
	unit := func(v int64, name byte) {
		if v != 0 {
			dst = strconv.AppendInt(dst, v, 10)
			dst = append(dst, name)
		}
	}
	unit(n[0]/12, 'Y')
	unit(n[0]%12, 'M')
	unit(n[1], 'D')
	if n[2] == 0 {
		return dst, nil
	}
	dst = append(dst, 'T')
	unit(n[2]/3_600_000_000, 'H')
	unit(n[2]/60_000_000%60, 'M')
	if micros := n[2] % 60_000_000; micros != 0 {
		if micros < 0 {
			dst = append(dst, '-')
			micros = -micros
		}
		dst = strconv.AppendInt(dst, micros/1_000_000, 10)
		dst = append(dst, fractionText(fmt.Sprintf("%06d", micros%1_000_000))...)
		dst = append(dst, 'S')
	}
	return dst, nil
}
